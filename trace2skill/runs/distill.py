"""The distillation of a run as a whole: which trajectories are analysed, and what came of them."""

from collections import Counter
from collections.abc import Sequence
from operator import not_

from pydantic import Field

from trace2skill.analysts import chosen
from trace2skill.consolidate.quarantine import Review
from trace2skill.core.failures import Failure
from trace2skill.core.record import Record
from trace2skill.runs.summary import Analysis
from trace2skill.types.references import AnalysisJob, Extracted, Merged, Pair, Proposed, Rolled


class Distilled(Record):
    """What the analysts, the proposer and the merger made of the trajectories."""

    base: str
    analysed: tuple[Extracted, ...]
    proposed: tuple[Proposed, ...]
    leaves: int = 0
    root: Merged | None = Field(default=None, description="The root of the merge tree; none when nothing was proposed.")
    tree: str = Field(default="", exclude_if=not_, description="Digest of the merge tree as it came out.")
    quarantined: tuple[str, ...] = Field(
        default=(), exclude_if=not_, description="What the screening kept out, as the store names it."
    )
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


def choose_for_analysis(rolled: Sequence[Rolled], analysts: str, error_analyst: str = "agentic") -> list[AnalysisJob]:
    """The trajectories whose outcome the chosen analysts examine one by one, in the order given."""
    found = chosen(analysts, [error_analyst], "extract")
    return [
        AnalysisJob(rolled=item, analyst=analyst.name)
        for item in rolled
        for analyst in found
        if item.cell.outcome in analyst.outcomes
    ]


def choose_pairs(rolled: Sequence[Rolled], analysts: str) -> list[Pair]:
    """For `+contrast`: of every task with both, the pass and the failure of the lowest seeds, in the order of tasks."""
    found = chosen(analysts, [], "contrast")
    if not found:
        return []
    first: dict[tuple[str, str], Rolled] = {}
    for item in sorted(rolled, key=lambda item: item.cell.seed):
        first.setdefault((item.cell.task_id, item.cell.outcome), item)
    tasks = dict.fromkeys(item.cell.task_id for item in rolled)
    both = [task for task in tasks if (task, "passed") in first and (task, "failed") in first]
    return [
        Pair(passed=first[task, "passed"], failed=first[task, "failed"], analyst=analyst.name)
        for task in both
        for analyst in found
    ]


def analyses_of(distilled: Distilled) -> tuple[Analysis, ...]:
    """Every analysis with the patch that came of it."""
    patches = {item.extraction: item.content for item in distilled.proposed}
    return tuple(
        Analysis(
            trajectory_id=item.trajectory_id,
            task_id=item.task_id,
            seed=item.seed,
            verdict=item.verdict,
            extraction=item.content,
            patch=patches.get(item.content, ""),
        )
        for item in distilled.analysed
    )


def quarantined_of(proposed: Sequence[Proposed], looked: Review) -> tuple[str, ...]:
    """What the screening kept out, lessons and edits, as the store names it."""
    lessons = (digest for item in proposed for digest in item.quarantined)
    return tuple(dict.fromkeys([*lessons, *(item.digest for item in looked.aside)]))


def with_lessons(analysed: Sequence[Extracted]) -> list[Extracted]:
    """The extractions that hold lessons."""
    return [item for item in analysed if item.lessons]
