"""Sequential editing: the skill is changed after every B trajectories, and the next ones are rolled out with it."""

from collections.abc import Sequence

from trace2skill.consolidate.route import Thresholds
from trace2skill.core.digest import digest_of
from trace2skill.types.references import RolloutJob

EVERY_EDIT = Thresholds(main=1, reference=1)
"""A batch of B trajectories knows no prevalence: whatever an analyst asks for is written."""


def batches(jobs: Sequence[RolloutJob], every: int, seed: int) -> list[list[RolloutJob]]:
    """The jobs in a seeded order, B at a time. The order of a data set is often by kind, and order matters here."""
    ordered = sorted(jobs, key=lambda job: digest_of("sequential", seed, job.task_id, job.seed))
    return [ordered[at : at + every] for at in range(0, len(ordered), every)]


def with_skill(jobs: Sequence[RolloutJob], skill: str) -> list[RolloutJob]:
    """The jobs, to be done with the skill as it is by now."""
    return [job.model_copy(update={"skill": skill}) for job in jobs]
