"""The distillation of a run as a whole: which trajectories are analysed, and what came of them."""

from collections import Counter
from collections.abc import Sequence

from pydantic import Field

from trace2skill.failures import Failure
from trace2skill.noun import Noun
from trace2skill.settings import Analysts
from trace2skill.steps import Extracted, Merged, Proposed, Rolled

KINDS: dict[str, set[str]] = {
    "+error": {"failed"},
    "+success": {"passed"},
    "+combined": {"failed", "passed"},
}


class Distilled(Noun):
    """What the analysts, the proposer and the merger made of the trajectories."""

    base: str
    analysed: tuple[Extracted, ...]
    proposed: tuple[Proposed, ...]
    leaves: int = 0
    root: Merged | None = Field(default=None, description="The root of the merge tree; none when nothing was proposed.")
    failures: tuple[Failure, ...] = ()

    @property
    def verdicts(self) -> dict[str, int]:
        """How many trajectories ended in which verdict."""
        return dict(sorted(Counter(item.verdict for item in self.analysed).items()))

    @property
    def lessons(self) -> int:
        """How many lessons there are."""
        return sum(item.lessons for item in self.analysed)

    @property
    def tasks(self) -> int:
        """How many distinct tasks were analysed."""
        return len({item.task_id for item in self.analysed})


def choose_for_analysis(rolled: Sequence[Rolled], analysts: Analysts) -> list[Rolled]:
    """The trajectories whose outcome the chosen analysts examine, in the order given."""
    return [item for item in rolled if item.cell.outcome in KINDS[analysts]]


def with_lessons(analysed: Sequence[Extracted]) -> list[Extracted]:
    """The extractions that hold lessons."""
    return [item for item in analysed if item.lessons]
