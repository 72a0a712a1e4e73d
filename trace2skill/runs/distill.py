"""The distillation of a run as a whole: which trajectories are analysed, and what came of them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from operator import not_
from typing import NamedTuple, TypeVar

from pydantic import Field

from trace2skill.analysts import chosen, comparing
from trace2skill.analysts.script_trial import TriedScript
from trace2skill.consolidate.cut import Uncut
from trace2skill.consolidate.proposals import Proposals
from trace2skill.core.failures import Failure
from trace2skill.core.record import Record
from trace2skill.evaluation.ends import ended, in_words
from trace2skill.llm.structured import LIMIT_MET
from trace2skill.runs.summary import Analysis
from trace2skill.store import Store
from trace2skill.types.lesson import Extraction
from trace2skill.types.patch import Patch
from trace2skill.types.references import AnalysisJob, Extracted, Merged, Pair, Proposed, Rolled

A = TypeVar("A", Extracted, Proposed)


class Consolidated(NamedTuple):
    """What became of the proposals: the groups to be routed, None where there are none, the book by digest, what was
    made of routines, and what of reviewers' words is in quarantine, by digest.
    """

    root: Merged | None
    book: str
    scripts: tuple[TriedScript, ...] = ()
    quarantined: tuple[str, ...] = ()


class Distilled(Record):
    """What the analysts, the proposer and the merger made of the trajectories."""

    base: str
    analysed: tuple[Extracted, ...]
    proposed: tuple[Proposed, ...]
    rules: int = Field(default=0, description="Rules and whole edits in the patches, each by one trajectory.")
    root: Merged | None = Field(default=None, description="What all of them came to; none when nothing was proposed.")
    book: str = Field(default="", exclude_if=not_, description="Digest of the rule book.")
    remembered: int = Field(default=0, exclude_if=not_, description="Of the rules, those that earlier runs left.")
    uncut: tuple[Uncut, ...] = Field(default=(), exclude_if=not_, description="What of the patches is no rule.")
    earlier_tasks: int = Field(default=0, exclude_if=not_, description="Tasks that only earlier runs analysed.")
    quarantined: tuple[str, ...] = Field(
        default=(), exclude_if=not_, description="What the screening kept out, as the store names it."
    )
    scripts: tuple[TriedScript, ...] = Field(
        default=(), exclude_if=not_, description="What became of programs that do the same job."
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
        """How many distinct tasks were analysed, those of earlier runs that are remembered among them."""
        return tasks_of(self.analysed) + self.earlier_tasks


def choose_for_analysis(rolled: Sequence[Rolled], analysts: str, error_analyst: str = "agentic") -> list[AnalysisJob]:
    """The trajectories whose outcome the chosen analysts examine one by one, in the order given.

    A pass beside a failure of the same task is not among those of analysts who leave pairs to others.
    """
    found = chosen(analysts, [error_analyst], "extract")
    paired = {pair.passed.trajectory_id for pair in choose_pairs(rolled, analysts)}
    return [
        AnalysisJob(rolled=item, analyst=analyst.name)
        for item in rolled
        for analyst in found
        if item.cell.outcome in analyst.outcomes and not (analyst.leaves_pairs and item.trajectory_id in paired)
    ]


def choose_pairs(rolled: Sequence[Rolled], analysts: str) -> list[Pair]:
    """Passes with a failure of the same task, that of the lowest seed, in the order of tasks and seeds.

    For `+contrast` alone it is the first pass of each task; for `+success` all of them: nobody else reads them.
    """
    found = comparing(analysts)
    every = any(item.leaves_pairs for item in chosen(analysts, [], "extract"))
    passed: dict[str, list[Rolled]] = {}
    failed: dict[str, Rolled] = {}
    for item in sorted(rolled, key=lambda item: item.cell.seed):
        if item.cell.outcome == "passed":
            passed.setdefault(item.cell.task_id, []).append(item)
        elif item.cell.outcome == "failed":
            failed.setdefault(item.cell.task_id, item)
    return [
        Pair(passed=item, failed=failed[task], analyst=analyst.name)
        for task in dict.fromkeys(item.cell.task_id for item in rolled)
        if task in failed
        for item in passed.get(task, [])[: None if every else 1]
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


def ends_of(rolled: Sequence[Rolled], most_tokens: int, store: Store, distilled: Distilled) -> tuple[str, ...]:
    """In words, what ended without an answer: trajectories, analyses and patches."""
    cells = [item.cell for item in rolled]
    return (*in_words(ended(cells), len(cells), most_tokens), *cut_off(store, distilled))


def cut_off(store: Store, distilled: Distilled) -> list[str]:
    """In words, how many analyses and patches are lost since their answer stayed cut off at the most tokens of one."""
    analyses = [store.get("extraction", item.content, Extraction) for item in _bad(distilled.analysed)]
    patches = [store.get("patch", item.content, Patch) for item in _bad(distilled.proposed)]
    lines = []
    for what, found, of in (("analyses", analyses, distilled.analysed), ("patches", patches, distilled.proposed)):
        count = sum(item is not None and LIMIT_MET in item.reason for item in found)
        if count:
            lines.append(f"{count} of {len(of)} {what} were cut off at {LIMIT_MET}")
    return lines


def _bad(items: Iterable[A]) -> list[A]:
    return [item for item in items if item.verdict == "bad_answer"]


def tasks_of(analysed: Iterable[Extracted]) -> int:
    """How many distinct tasks were analysed."""
    return len({item.task_id for item in analysed})


def distilled(
    base: str,
    analysed: Sequence[Extracted],
    proposed: Sequence[Proposed],
    found: Proposals,
    made: Consolidated,
    failures: tuple[Failure, ...] = (),
    earlier_tasks: int = 0,
    remembered: int = 0,
) -> Distilled:
    """The stages of a distillation put together. What the screening kept out is named as the store names it."""
    lessons = [digest for item in proposed for digest in item.quarantined]
    scripts = [item.quarantined for item in made.scripts if item.quarantined]
    aside = [*lessons, *(item.digest for item in found.aside), *scripts, *made.quarantined]
    return Distilled(
        base=base,
        analysed=tuple(analysed),
        proposed=tuple(proposed),
        rules=len(found.rules) + len(found.whole),
        root=made.root,
        book=made.book,
        scripts=made.scripts,
        uncut=found.uncut,
        quarantined=tuple(dict.fromkeys(aside)),
        earlier_tasks=earlier_tasks,
        remembered=remembered,
        failures=failures,
    )


def with_lessons(analysed: Sequence[Extracted]) -> list[Extracted]:
    """The extractions that hold lessons."""
    return [item for item in analysed if item.lessons]
