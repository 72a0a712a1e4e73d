"""`Evaluation`: one skill, one agent, one model, scored over a matrix of tasks and seeds."""

from collections.abc import Iterable
from operator import not_
from typing import Literal

from pydantic import Field

from trace2skill.core.record import Record
from trace2skill.types.trajectory import OutcomeKind, StopReason, Trajectory


class Cell(Record):
    """One task at one seed."""

    task_id: str
    seed: int
    outcome: OutcomeKind
    hard: float = 0.0
    soft: float = 0.0
    turns: int = 0
    tokens: int = 0
    cost: float = Field(default=0.0, description="US dollars the trajectory cost when it was made.")
    trajectory_id: str = ""
    stop: StopReason | Literal[""] = Field(
        default="", exclude_if=not_, description="What ended the work other than an answer; '' where none did."
    )

    @classmethod
    def of(cls, trajectory: Trajectory) -> "Cell":
        """The cell a trajectory fills."""
        return cls(
            task_id=trajectory.task_id,
            seed=trajectory.seed,
            outcome=trajectory.outcome.kind,
            hard=trajectory.outcome.hard,
            soft=trajectory.outcome.soft,
            turns=trajectory.turns,
            tokens=trajectory.usage.prompt + trajectory.usage.completion,
            cost=trajectory.usage.cost,
            trajectory_id=trajectory.id,
            stop="" if trajectory.stop == "answered" else trajectory.stop,
        )


class Evaluation(Record, form="Evaluation", version=1):
    """All cells of one condition, sorted by task and seed. Infrastructure errors are cells without a score."""

    condition: str = Field(description="Who was scored: 'S0', 'candidate', 'no skill', or a name of the user's.")
    skill: str | None
    cells: tuple[Cell, ...]
    bank: str = Field(default="", exclude_if=not_, description="Digest of the bank lessons were recalled from.")
    most_tokens: int = Field(
        default=0, exclude_if=not_, description="Most tokens of one answer, where an answer was cut off by it; else 0."
    )

    @classmethod
    def of(
        cls, condition: str, skill: str | None, cells: Iterable[Cell], bank: str = "", most_tokens: int = 0
    ) -> "Evaluation":
        """Sorted, so that equal evaluations are equal bytes; the limit is kept where an answer was cut off by it."""
        ordered = tuple(sorted(cells, key=lambda c: (c.task_id, c.seed)))
        met = most_tokens if any(cell.stop == "output_limit" for cell in ordered) else 0
        return cls(condition=condition, skill=skill, cells=ordered, bank=bank, most_tokens=met)

    @property
    def scored(self) -> tuple[Cell, ...]:
        """Cells with a score."""
        return tuple(cell for cell in self.cells if cell.outcome != "infrastructure_error")

    @property
    def coverage(self) -> float:
        """Share of the matrix with a score, 0 to 1."""
        return len(self.scored) / len(self.cells) if self.cells else 0.0

    @property
    def hard(self) -> float:
        """Mean hard score over the scored cells, 0 to 1."""
        return _mean(cell.hard for cell in self.scored)

    @property
    def soft(self) -> float:
        """Mean soft score over the scored cells, 0 to 1."""
        return _mean(cell.soft for cell in self.scored)

    @property
    def averaged(self) -> str:
        """How a score is to be read: 'avg@k', the mean over k seeds of each task, or '' at one seed."""
        seeds = len({cell.seed for cell in self.cells})
        return f"avg@{seeds}" if seeds > 1 else ""

    def by_task(self) -> dict[str, float]:
        """Mean hard score of each task over its scored seeds."""
        scores: dict[str, list[float]] = {}
        for cell in self.scored:
            scores.setdefault(cell.task_id, []).append(cell.hard)
        return {task: _mean(values) for task, values in scores.items()}


def score_names(evaluations: Iterable[Evaluation]) -> tuple[str, str]:
    """What the columns of hard and soft scores are called."""
    averaged = ", ".join(sorted({item.averaged for item in evaluations} - {""}))
    return (f"hard ({averaged})", f"soft ({averaged})") if averaged else ("hard", "soft")


class Measured(Record, form="Measured", version=1):
    """An evaluation with who was measured on what. `skill` and condition are the evaluation's own."""

    evaluation: Evaluation
    agent: str = Field(description="The model that used the skill.")
    data: str = Field(description="Name of the data set's directory.")
    domain: str
    split: str
    run_id: str


def _mean(values: Iterable[float]) -> float:
    given = list(values)
    return sum(given) / len(given) if given else 0.0
