"""Step `found`: lessons that belong to no skill of a library are looked through for skills that it lacks."""

from trace2skill.consolidate.owners import FOUND_PROMPT, AskedForAll, FoundJob, asked_for
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.steps.asks import Asks, Expected
from trace2skill.runs.steps.foresight import Foresight
from trace2skill.runs.steps.step import RunStep, always
from trace2skill.runs.steps.stored import asks_merger, bounds_of


def _parts(rt: Runtime, job: FoundJob) -> tuple[object, ...]:
    return bounds_of(rt, FOUND_PROMPT), job.asks


def founded(rt: Runtime, job: FoundJob) -> AskedForAll:
    """Say which new skills lessons ask for.

    Raises:
        InfrastructureFault, ModelUnusable, BudgetReached: as `Client.complete`; the job is run again.
    """
    return asked_for(asks_merger(rt, "found", job.name, job.asks), job, rt.settings.learning.merge)


def _expects(seen: Foresight) -> list[Expected]:
    if not seen.rt.library or "merger" not in seen.rt.settings.roles_asked:
        return []
    return [Expected(FOUND.asks[0], min(1.0, seen.new_patches))]


FOUND = RunStep(
    name="found",
    version=1,
    parts=_parts,
    expects=_expects,
    do=founded,
    gives=AskedForAll,
    shown="found: {job.name}",
    asks=(Asks("found", "merger", (4_000, 500)),),
    one_call=always,
)
