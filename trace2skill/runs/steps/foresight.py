"""What can be said of a run before it: how many items each step will have. Each step's file says it of that step.

The steps are asked in their order, and each leaves here what those after it go by. Numbers are expectations, so they
need not be whole. Shares that no trajectory has shown yet come from the store's own history, and else from defaults.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from trace2skill.consolidate.bounded import Bounds
from trace2skill.consolidate.memory import RuleMemory
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.selection import seeds_of
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.spread import RolloutSpread
from trace2skill.runs.summary import RunSummary
from trace2skill.runs.watermarks import Taken
from trace2skill.store.costs import steps_answered
from trace2skill.types.references import Rolled, RolloutJob

PASSED, TAUGHT, BOTH = 0.5, 0.8, 0.5
"""Until it is known: the share of trajectories that pass, of analyses that give a patch, and the share of tasks with a
pass and a failure of those that would have both if seeds were independent."""
PATCH_TOKENS, SECTIONS, LOOKS = 150, 2, 1
"""Tokens of the rules of a patch, sections with rules to be worded, and second looks at what readers differ on."""
ENOUGH = 3
"""So many steps of the store's own show a share."""


@dataclass(frozen=True)
class Rates:
    """Shares by which the number of a step's items follows from those of the step before it."""

    passed: float = PASSED
    taught: float = TAUGHT

    def share(self, outcomes: Collection[str]) -> float:
        """The share of trajectories that end so."""
        return self.passed * ("passed" in outcomes) + (1 - self.passed) * ("failed" in outcomes)

    def both(self, seeds: int) -> float:
        """The share of tasks with a pass and a failure among so many seeds."""
        return BOTH * (1 - self.passed**seeds - (1 - self.passed) ** seeds)


@dataclass(frozen=True)
class BookCalls:
    """Calls of the merger in one consolidation, by step."""

    induce: float = 0.0
    assign: float = 0.0
    write: float = 0.0


def seeds_of_all(settings: RunSettings) -> list[tuple[int, ...]]:
    """The seeds of each evolution run."""
    return [seeds_of(settings.learning.seeds, number) for number in range(settings.learning.candidates)]


def book_calls(patches: float, new: float, bounds: Bounds) -> BookCalls:
    """What the rule book of so many patches takes, with so many of them new: the leaves they fall into and what is
    above them, every batch once the book has changed, and the sections.
    """
    if new < 1 or patches < 2:
        return BookCalls()
    leaves = math.ceil(patches * PATCH_TOKENS / bounds.leaf_room)
    above = math.ceil((leaves - 1) / 2)
    return BookCalls(induce=min(leaves, new) + above, assign=leaves + LOOKS, write=min(SECTIONS, patches / 2))


@dataclass
class Foresight:
    """What a run will do, as far as it is known."""

    rt: Runtime
    evolve: Sequence[str]
    validation: Sequence[str]
    base: str | None
    rates: Rates
    spreads: Sequence[RolloutSpread]
    """Which tasks each evolution run rolls out."""
    unlabelled: Sequence[Taken] = ()
    logs: Sequence[Taken] = ()
    rolled: list[list[Rolled]] = field(default_factory=list)
    """What the store has of the rollouts of each evolution run."""
    analyses: float = 0.0
    """All analyses, those in the store too."""
    new_analyses: float = 0.0
    later_analyses: float = 0.0
    """Of the analyses, those of each round after the first."""
    mined: float = 0.0
    """Analyses by rules, whose lessons need no model to be placed."""
    patches: float = 0.0
    """Analyses with lessons give a patch each."""
    new_patches: float = 0.0

    later_patches: float = 0.0
    """Of the patches, those of each round after the first."""

    @property
    def evolutions(self) -> list[tuple[int, ...]]:
        """The seeds of each evolution run."""
        return seeds_of_all(self.rt.settings)

    @property
    def unknown(self) -> int:
        """Rollouts to learn from that are not in the store."""
        return self.sweep - sum(map(len, self.rolled))

    def analysed_again(self, each: float) -> float:
        """So many analyses more in each round after the first; returns how many those are in all."""
        more = self.later_rounds * each
        self.later_analyses += each if more else 0.0
        self.analysed(more, 0)
        return more

    @property
    def later_rounds(self) -> int:
        """Rounds after the first, each from what fails with the candidate: as much as with S0, as far as one knows."""
        return self.rt.settings.learning.rounds - 1

    @property
    def sweep(self) -> int:
        """Rollouts on the evolve tasks of one skill for each evolution run."""
        return sum(spread.runs for spread in self.spreads)

    @property
    def learns(self) -> bool:
        """Is there enough to expect that a candidate will differ from S0?

        A rule needs a few tasks that ask for it, and not all patches of a run are about the same.
        """
        first = self.analyses - self.later_rounds * self.later_analyses
        least = self.rt.settings.learning.thresholds.for_tasks(round(first))[1]
        patches = self.patches - self.later_rounds * self.later_patches
        return patches >= (2 * least if least > 1 else 1)

    def has(self, key: str) -> bool:
        """Is the result of that key in the store?"""
        return self.rt.store.get_result(key) is not None

    def analysed(self, to_pay: float, in_store: int) -> None:
        """So many analyses more."""
        self.analyses += to_pay + in_store
        self.new_analyses += to_pay

    def jobs(self, skill: str | None, tasks: Sequence[str], seeds: Sequence[int]) -> list[RolloutJob]:
        """Rollouts of a skill."""
        return [RolloutJob(task_id=task, seed=seed, skill=skill) for task in tasks for seed in seeds]

    @property
    def consolidates(self) -> BookCalls:
        """Calls that the rule book takes, none without a merger."""
        settings = self.rt.settings
        if "merger" not in settings.roles_asked:
            return BookCalls()
        bounds, later = settings.learning.merge, self.later_patches
        first = self.patches + self.remembered - self.later_rounds * later
        parts, new = self.parts, self.new_patches - self.later_rounds * later
        calls = [book_calls(first / parts, new / parts, bounds)] * parts
        calls += [book_calls(first + n * later, later, bounds) for n in range(1, self.later_rounds + 1)]
        return BookCalls(*map(math.fsum, zip(*((item.induce, item.assign, item.write) for item in calls), strict=True)))

    @property
    def parts(self) -> int:
        """Skills that may have a candidate each: those of a library, else one."""
        return max(1, len(self.rt.library))

    @property
    def remembered(self) -> int:
        """Trajectories whose rules earlier runs have left."""
        rt = self.rt
        if not rt.settings.learning.memory or rt.settings.operation.part_of or rt.given_skill is None:
            return 0
        memory = rt.store.get("memory", rt.given_skill.name, RuleMemory)
        return len({rule.trajectory_id for rule in memory.rules}) if memory else 0


def rates_of(rt: Runtime, rolled: Sequence[Rolled]) -> Rates:
    """The shares that these rollouts and the store's history show."""
    store, roles = rt.store, rt.settings.models
    passed = sum(item.cell.outcome == "passed" for item in rolled)
    scored = sum(item.cell.outcome in ("passed", "failed") for item in rolled)
    if scored < ENOUGH:
        passed, scored = _earlier_outcomes(rt)
    analyst = steps_answered(store, roles.analyst.name)
    examined = sum(analyst.get(stage, 0) for stage in ("extract", "contrast", "observe"))
    proposed = analyst.get("propose", 0)
    return Rates(
        passed=passed / scored if scored >= ENOUGH else PASSED,
        taught=min(1.0, proposed / examined) if examined >= ENOUGH else TAUGHT,
    )


def _earlier_outcomes(rt: Runtime) -> tuple[int, int]:
    """How many trajectories of earlier runs of the same agent on such tasks passed, and how many ended either way."""
    passed = scored = 0
    for row in rt.store.runs("run"):
        if not row.summary:
            continue
        summary = RunSummary.model_validate_json(row.summary)
        if summary.domain == rt.domain.name and rt.settings.agent_name in summary.models:
            passed += summary.trajectories.get("passed", 0)
            scored += summary.trajectories.get("passed", 0) + summary.trajectories.get("failed", 0)
    return passed, scored
