"""Step `write`: the rules of one section are worded, one line each."""

from trace2skill.consolidate.reading import WriteJob
from trace2skill.consolidate.write import PROMPT, SheetWording, write
from trace2skill.prompts.refuted import refuted_parts
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.steps.asks import Asks, Expected
from trace2skill.runs.steps.foresight import Foresight
from trace2skill.runs.steps.step import RunStep, always
from trace2skill.runs.steps.stored import asks_merger, bounds_of


def _parts(rt: Runtime, job: WriteJob) -> tuple[object, ...]:
    return bounds_of(rt, PROMPT), job.asks, *refuted_parts(job.sheet.refuted)


def written(rt: Runtime, job: WriteJob) -> SheetWording:
    """Word the rules of one sheet.

    Raises:
        InfrastructureFault, ModelUnusable, BudgetReached: as `Client.complete`; the sheet is run again.
    """
    return write(asks_merger(rt, "write", job.name, job.asks), job.sheet, rt.settings.learning.merge)


def _expects(seen: Foresight) -> list[Expected]:
    return [Expected(WRITE.asks[0], seen.consolidates.write)]


WRITE = RunStep(
    name="write",
    version=1,
    parts=_parts,
    expects=_expects,
    do=written,
    gives=SheetWording,
    shown="write: {job.name}",
    asks=(Asks("write", "merger", (3_000, 600)),),
    one_call=always,
)
