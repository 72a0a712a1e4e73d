"""What the steps of a run hand on: ids of what is in the store, and the few facts by which a run goes on."""

from operator import not_
from typing import Literal

from pydantic import Field

from trace2skill.core.record import Record
from trace2skill.types.evaluation import Cell
from trace2skill.types.lesson import LessonKind


class RolloutJob(Record):
    """One cell to roll out: a task at a seed, with a skill or none, and perhaps with a bank of lessons."""

    task_id: str
    seed: int
    skill: str | None = None
    bank: str = Field(default="", exclude_if=not_, description="Digest of the bank that lessons are recalled from.")

    @property
    def name(self) -> str:
        """What a person reads in the UI."""
        return f"{self.task_id} seed {self.seed}"


class Rolled(Record, form="Rolled", version=1):
    """A trajectory that is in the store."""

    trajectory_id: str
    content: str
    skill: str | None
    cell: Cell
    bank: str = Field(default="", exclude_if=not_)

    @property
    def name(self) -> str:
        """What a person reads in the UI."""
        return f"{self.cell.task_id} seed {self.cell.seed}"


class AnalysisJob(Record):
    """One trajectory to examine, and the analyst who does."""

    rolled: Rolled
    analyst: str

    @property
    def name(self) -> str:
        """What a person reads in the UI."""
        return self.rolled.name


class Pair(Record):
    """A pass and a failure of the same task at different seeds, and the analyst who examines them."""

    passed: Rolled
    failed: Rolled
    analyst: str = "contrast"

    @property
    def name(self) -> str:
        """What a person reads in the UI."""
        return f"{self.passed.cell.task_id} seeds {self.passed.cell.seed} and {self.failed.cell.seed}"


class Extracted(Record, form="Extracted", version=1):
    """An extraction that is in the store."""

    content: str
    trajectory_id: str
    task_id: str
    seed: int
    kind: LessonKind
    verdict: str
    lessons: int
    contrast: bool = False
    log: Literal["", "rules", "model"] = Field(
        default="", exclude_if=not_, description="Who drew it from an imported log; '' for a rollout."
    )
    weak: bool = Field(default=False, exclude_if=not_, description="It rests on a weak label.")

    @property
    def name(self) -> str:
        """What a person reads in the UI."""
        if self.log:
            return f"{self.trajectory_id} of {self.task_id}"
        return f"{self.task_id} seed {self.seed}" + (" (contrast)" if self.contrast else "")


class Observed(Record, form="Observed", version=1):
    """What was drawn from one imported trajectory, in the store."""

    extracted: tuple[Extracted, ...]


class SignsKept(Record, form="SignsKept", version=1):
    """The signs of several imported trajectories, in the store."""

    content: str
    sessions: int


class MinedRules(Record, form="MinedRules", version=1):
    """What the miner made of all imported trajectories, in the store, and the extractions that came of it."""

    content: str
    extracted: tuple[Extracted, ...]


class Proposed(Record, form="Proposed", version=1):
    """A patch that is in the store."""

    content: str
    trajectory_id: str
    task_id: str
    kind: LessonKind
    extraction: str
    verdict: str
    edits: int
    unplaced: int = 0
    weak: bool = Field(default=False, exclude_if=not_, description="Its lessons rest on a weak label.")
    halved: tuple[str, ...] = Field(default=(), exclude_if=not_, description="Those of its lessons that count half.")
    quarantined: tuple[str, ...] = Field(
        default=(), exclude_if=not_, description="Lessons the proposer was not shown, as the store names them."
    )


class Embedded(Record, form="Embedded", version=1):
    """The vectors of the lessons of one extraction."""

    extraction: str
    vectors: tuple[tuple[float, ...], ...]


class Banked(Record, form="Banked", version=1):
    """A bank that is in the store."""

    content: str
    lessons: int
    tokens: int = Field(default=0, description="Tokens of all its lessons, four characters each.")


class Merged(Record, form="Merged", version=1):
    """A node of the merge tree that is in the store."""

    content: str
    groups: int


class MergeTree(Record, form="MergeTree", version=1):
    """A merge tree as it came out. A node below `len(nodes) - len(merges)` is a leaf; the last one is the root."""

    nodes: tuple[Merged, ...]
    merges: tuple[tuple[int, ...], ...] = Field(description="Of each merge, the nodes that it unites.")
