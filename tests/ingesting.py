"""An ingestion step by step in this process, as the flow does it, without a Prefect server."""

from pathlib import Path

from trace2skill.llm import ModelSettings, Roles
from trace2skill.runs import closing, promotion
from trace2skill.runs import refresh as run
from trace2skill.runs.consolidation import StepRunner, united
from trace2skill.runs.distill import with_lessons
from trace2skill.runs.ingest import NOT_SHOWN, IngestSettings
from trace2skill.runs.runtime import runtime
from trace2skill.runs.selection import Evolution
from trace2skill.runs.steps.apply import APPLY
from trace2skill.runs.steps.judge import JUDGE, to_judge
from trace2skill.runs.steps.mine import MINE, taken_over
from trace2skill.runs.steps.observe import OBSERVE, by_rules, to_observe
from trace2skill.runs.steps.propose import PROPOSE
from trace2skill.runs.steps.signs import SIGNS, batches
from trace2skill.runs.summary import RunSummary


def settings(tmp_path: Path, *paths: Path, model: str = "", **more: object) -> IngestSettings:
    if model:
        more |= {"roles": Roles.all_played_by(ModelSettings(name=model)), "analyst": "model"}
    return IngestSettings(paths=paths, store=tmp_path / "s.duckdb", output=tmp_path / "runs", **more)


def ingest(given: IngestSettings) -> RunSummary:
    settings, intake = run.take_in_logs(given.as_run())
    rt = runtime(settings)
    run.start(rt, "ingest")
    base = run.skill_given(rt)
    judged = [JUDGE(rt, item) for item in to_judge(rt, intake.taken)]
    items = to_observe(intake.taken, judged)
    if by_rules(rt):
        analysed = taken_over(rt, MINE(rt, [SIGNS(rt, batch) for batch in batches(items)]))
    else:
        analysed = [extracted for item in items for extracted in OBSERVE(rt, item).extracted]
    proposed = [PROPOSE(rt, item, base) for item in with_lessons(analysed)]
    learned = united(rt, base, analysed, proposed, StepRunner(rt))
    if learned.root is None:
        candidate = run.nothing_learned(base, settings.learning.thresholds.for_tasks(learned.tasks))
    else:
        candidate = APPLY(rt, learned.root, base, learned.tasks)
    promotion.promote(rt, candidate, base, NOT_SHOWN)
    grown = Evolution(number=0, rolled=(), distilled=learned, candidate=candidate)
    return closing.finish(rt, run.NO_PLAN, grown, [], NOT_SHOWN, [], read=intake.read)
