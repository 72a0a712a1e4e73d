"""The page: facts into the template. Everything that came from a trace, a task or a model is escaped."""

import functools
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from trace2skill.consolidate.ledger import SupportLedger
from trace2skill.evaluation.ablation import Ablation
from trace2skill.runs.nights_page import HEAD, cells, nights_of
from trace2skill.runs.report import charts, facts
from trace2skill.runs.script_review import refused, reviewed
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.summary import SIMULATED_NOTE, RunSummary
from trace2skill.safety.shown import shown
from trace2skill.store import Store
from trace2skill.types.evaluation import score_names

MOST_BARS = 25


def write_report(store: Store, summary: RunSummary, settings: RunSettings, directory: Path) -> Path:
    """Write `report.html` into a run's directory; returns where."""
    path = directory / "report.html"
    path.write_text(render_report(store, summary, settings), encoding="utf-8")
    return path


def render_report(store: Store, summary: RunSummary, settings: RunSettings) -> str:
    """The page of one run, whole: style and drawings are inside, and there is no script."""
    candidate = summary.candidate
    ledger = store.get("support", candidate.skill, SupportLedger)
    scores = facts.scores_of(store, summary.evaluations)
    flips = facts.flips_of(summary)
    trajectories = {id: facts.steps_of(store, id) for flip in flips for id in (flip.before, flip.after)}
    groups = [*candidate.written, *(item.group for item in candidate.dropped)]
    shown = sorted(groups, key=lambda group: (-len(group.support.trajectories), group.id))[:MOST_BARS]
    costs = facts.costs_of(store, summary.run_id)
    by_stage: dict[str, float] = {}
    for row in costs:
        by_stage[row.stage] = by_stage.get(row.stage, 0.0) + row.cost
    return (
        _environment()
        .get_template("page.html")
        .render(
            summary=summary,
            decision=summary.decision,
            scores=scores,
            score_names=score_names(summary.evaluations),
            score_chart=Markup(charts.score_chart([s.name for s in scores], [s.hard for s in scores]))
            if scores
            else "",
            nights=nights_of(store, summary.skill_name, summary).nights,
            night_head=HEAD,
            night_cells=cells,
            flips=flips,
            trajectories=trajectories,
            diff=facts.diff_of(summary, ledger),
            behind=facts.behind(store, ledger),
            support_chart=Markup(
                charts.support_chart(
                    [group.text for group in shown],
                    [len(group.support.errors) for group in shown],
                    [len(group.support.successes) for group in shown],
                )
            )
            if shown
            else "",
            shown=len(shown),
            groups=len(groups),
            tree=facts.tree_of(store, summary),
            costs=costs,
            scripts=reviewed(candidate, summary.scripts),
            without_script=refused(summary.scripts),
            cost_chart=Markup(charts.cost_chart(list(by_stage), list(by_stage.values()))) if costs else "",
            ablation=store.get("ablation", candidate.skill, Ablation),
            settings=settings.model_dump_json(indent=2),
            note=SIMULATED_NOTE if summary.simulated else "",
        )
    )


def _drawn(svg: str) -> Markup:
    """A drawing as part of the page: ours, with every text in it escaped by the chart library."""
    return Markup(svg)


@functools.cache
def _environment() -> Environment:
    def source(name: str) -> str:
        return (files(__package__) / name).read_text(encoding="utf-8")

    environment = Environment(
        loader=FunctionLoader(source), undefined=StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["percent"] = lambda value: f"{value:.1%}"
    environment.filters["signed"] = lambda value: f"{value:+.1%}"
    environment.filters["visible"] = shown
    environment.filters["line"] = lambda text: " ".join(str(text).split()).removeprefix("- ")
    return environment
