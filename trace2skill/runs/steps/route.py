"""Step `route`: some lessons are sorted to the skills of a library, where no record says which skill each is about."""

import math

from trace2skill.consolidate.owners import AT_ONCE, PROMPT, Owners, RouteJob, owners_of
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.steps.asks import Asks, Expected
from trace2skill.runs.steps.foresight import Foresight
from trace2skill.runs.steps.step import RunStep, always
from trace2skill.runs.steps.stored import asks_merger, bounds_of

LESSONS = 1.5
"""Lessons of an analysis that has some, until the store knows better."""


def _parts(rt: Runtime, job: RouteJob) -> tuple[object, ...]:
    return bounds_of(rt, PROMPT), job.asks


def routed(rt: Runtime, job: RouteJob) -> Owners:
    """Say of every lesson to which skill it belongs, or that it belongs to none.

    Raises:
        InfrastructureFault, ModelUnusable, BudgetReached: as `Client.complete`; the batch is run again.
    """
    return owners_of(asks_merger(rt, "route", job.name, job.asks), job, rt.settings.learning.merge)


def _expects(seen: Foresight) -> list[Expected]:
    """As if no session had a record of its skill: an upper bound."""
    if not seen.rt.library or "merger" not in seen.rt.settings.roles_asked:
        return []
    return [Expected(ROUTE.asks[0], math.ceil(seen.new_patches * LESSONS / AT_ONCE))]


ROUTE = RunStep(
    name="route",
    version=1,
    parts=_parts,
    expects=_expects,
    do=routed,
    gives=Owners,
    shown="route: {job.name}",
    asks=(Asks("route", "merger", (4_000, 700)),),
    one_call=always,
    mapped=True,
)
