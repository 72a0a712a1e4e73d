"""Step `assign`: rules are compared with the finished rule book, and those that readers disagree on once more."""

from trace2skill.consolidate.assign import AGAIN_PROMPT, PROMPT, Coding, assign
from trace2skill.consolidate.reading import AssignJob
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.steps.asks import Asks, Expected
from trace2skill.runs.steps.foresight import Foresight
from trace2skill.runs.steps.step import RunStep, always
from trace2skill.runs.steps.stored import asks_merger, bounds_of


def _parts(rt: Runtime, job: AssignJob) -> tuple[object, ...]:
    return bounds_of(rt, AGAIN_PROMPT if job.again else PROMPT), job.asks


def assigned(rt: Runtime, job: AssignJob) -> Coding:
    """Say of every text which rules of the book it states, and which it opposes.

    Raises:
        InfrastructureFault, ModelUnusable, BudgetReached: as `Client.complete`; the batch is run again.
    """
    ask = asks_merger(rt, "assign", job.name, job.asks, part="again" if job.again else "")
    return assign(ask, job.book, job.texts, rt.settings.learning.merge, again=job.again)


def _expects(seen: Foresight) -> list[Expected]:
    return [Expected(ASSIGN.asks[0], seen.consolidates.assign)]


ASSIGN = RunStep(
    name="assign",
    version=1,
    parts=_parts,
    expects=_expects,
    do=assigned,
    gives=Coding,
    shown="assign: {job.name}",
    asks=(Asks("assign", "merger", (6_000, 1_500)),),
    one_call=always,
)
