"""Step `observe`: lessons from one imported trajectory."""

from collections.abc import Sequence
from typing import Literal

from trace2skill.analysts import chosen
from trace2skill.analysts.strategy import Analyst, Case
from trace2skill.core.step_label import StepLabel
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.steps.asks import Expected, asked_by
from trace2skill.runs.steps.foresight import Foresight
from trace2skill.runs.steps.judge import trajectory_of
from trace2skill.runs.steps.step import RunStep, always
from trace2skill.runs.steps.stored import keep_extraction
from trace2skill.runs.watermarks import Taken, Withheld
from trace2skill.types.references import Observed


def log_analyst(rt: Runtime) -> Analyst:
    """Who examines imported trajectories."""
    sources = rt.settings.data.sources
    (found,) = chosen("", [sources.analyst if sources else "model"], "observe")
    return rt.analyst(found)


def _parts(rt: Runtime, item: Taken) -> tuple[object, ...]:
    return log_analyst(rt).identity, item.id, item.content


def by_rules(rt: Runtime) -> bool:
    """Are the imported trajectories mined, all together, and not examined one by one?"""
    sources = rt.settings.data.sources
    return sources is not None and sources.analyst == "rules"


def to_observe(taken: Sequence[Taken], judgements: Sequence[Taken]) -> list[Taken]:
    """What is analysed: all that ended in some way, with what a judge said of it."""
    newer = {item.id: item for item in judgements}
    return [newer.get(item.id, item) for item in taken if item.outcome != "infrastructure_error"]


def observe(rt: Runtime, item: Taken) -> Observed:
    """Draw lessons from one imported trajectory by the log analyst.

    Raises:
        BadInput: the store does not hold the trajectory any more.
        InfrastructureFault, ModelUnusable, BudgetReached: as `Client.complete`.
    """
    trajectory, analyst = trajectory_of(rt, item), log_analyst(rt)
    withheld = rt.store.get("withheld", item.id, Withheld)
    step = StepLabel("observe", item.id, part=analyst.name)
    made = analyst.examine(Case(trajectory, step, gold=withheld.gold if withheld else ()))
    who: Literal["rules", "model"] = "rules" if analyst.name == "rules" else "model"
    kept = (keep_extraction(rt, extraction, trajectory.seed, step, who) for extraction in made)
    return Observed(extracted=tuple(kept))


def _expects(seen: Foresight) -> list[Expected]:
    """What a judge will say is not known, and an analyst is told of it: such trajectories are all to be examined."""
    if not seen.logs:
        return []
    waiting = {item.id for item in seen.unlabelled}
    old = sum(item.id not in waiting and seen.has(OBSERVE.key(seen.rt, item)) for item in seen.logs)
    analyst = log_analyst(seen.rt)
    if not analyst.calls:
        seen.mined = len(seen.logs)
        return []
    seen.analysed(len(seen.logs) - old, old)
    return [Expected(OBSERVE.asked(analyst.name), len(seen.logs) - old, old)]


OBSERVE = RunStep(
    name="observe",
    version=1,
    parts=_parts,
    expects=_expects,
    do=observe,
    gives=Observed,
    shown="observe: {item.id}",
    asks=asked_by("observe"),
    one_call=always,
    mapped=True,
)
