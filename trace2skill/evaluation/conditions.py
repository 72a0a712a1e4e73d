"""Conditions: the skills an evaluation compares, as rollout jobs and back as scores."""

from collections.abc import Sequence
from operator import not_

from pydantic import Field

from trace2skill.core.record import Record
from trace2skill.types.evaluation import Cell, Evaluation
from trace2skill.types.references import Rolled, RolloutJob


class Condition(Record):
    """A name and the skill it stands for, None is no skill; and perhaps the bank that lessons are recalled from."""

    name: str
    skill: str | None
    bank: str = Field(default="", exclude_if=not_)
    given: str = Field(
        default="",
        exclude_if=not_,
        description="Digest of what the agent is given where that is more than the skill: the library with it.",
    )

    @property
    def who(self) -> tuple[str | None, str]:
        """What its rollouts are known by."""
        return self.given or self.skill, self.bank


def jobs_of(condition: Condition, task_ids: Sequence[str], seeds: Sequence[int]) -> list[RolloutJob]:
    """Every task at every seed."""
    given = dict(zip(("skill", "bank"), condition.who, strict=True))
    return [RolloutJob(task_id=task, seed=seed, **given) for task in task_ids for seed in seeds]


def evaluation_of(
    condition: Condition, jobs: Sequence[RolloutJob], rolled: Sequence[Rolled], most_tokens: int = 0
) -> Evaluation:
    """The condition's matrix: a cell for each of its jobs, an infrastructure error where none came back.

    `most_tokens` is the most of one answer, for whoever has to say that it was met.
    """
    who = condition.who
    scored = {(item.cell.task_id, item.cell.seed): item.cell for item in rolled if (item.skill, item.bank) == who}
    own = {(job.task_id, job.seed) for job in jobs if (job.skill, job.bank) == who}
    cells = [
        scored.get((task, seed)) or Cell(task_id=task, seed=seed, outcome="infrastructure_error") for task, seed in own
    ]
    return Evaluation.of(condition.name, condition.skill, cells, condition.bank, most_tokens)
