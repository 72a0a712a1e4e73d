"""Which evolve tasks are rolled out how often: those that can still teach something, and a few of the others.

Four sorts of tasks, by what their runs with the skill have shown: both outcomes, none yet, only failures, only passes.
The more the outcomes of a sort vary, the more of it is drawn (Neyman 1934, https://doi.org/10.2307/2342192): tasks with
both outcomes at every seed, so that a pass can be compared with a failure; those that only fail, or are new, at one;
of those that only pass a share of each kind of the domain, the longest ago first. Where one of a kind has failed with
the skill, those that have passed only with an earlier one are new. A task that was drawn stands for those that were not
(Horvitz and Thompson 1952, https://doi.org/10.1080/01621459.1952.10483446), so that scores are those of all tasks.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from pydantic import Field

from trace2skill.core.digest import digest_of
from trace2skill.core.record import Record
from trace2skill.types.references import Rolled, RolloutJob

Shown = Literal["mixed", "new", "fails", "passes"]


class SpreadSettings(Record):
    """Which evolve tasks are rolled out, and how many of those that pass."""

    by: Literal["even", "telling"] = Field(
        default="even", description="Each task at each seed; or more of the tasks that can still teach something."
    )
    canaries: float = Field(
        default=0.1, gt=0, le=1, description="Share of the tasks that always pass which is rolled out all the same."
    )
    most: int | None = Field(
        default=None,
        ge=1,
        description="Where rollouts are to tell: at most so many of one skill on evolve tasks; no limit, unless given.",
    )


class SkillScores(Record):
    """How one skill did in one run: of each task, how many runs passed and how many have a score."""

    skill: str
    tasks: dict[str, tuple[int, int]]


class TaskHistory(NamedTuple):
    """What runs with a skill, or with the one before it, have shown of a task."""

    skill: str
    passed: int
    scored: int
    last: int
    """Of the runs that had it, the last, counted from 0."""

    @property
    def shown(self) -> Shown:
        """What it can still teach follows from this."""
        if not self.scored:
            return "new"
        return "fails" if not self.passed else "passes" if self.passed == self.scored else "mixed"

    @property
    def fails(self) -> bool:
        """Has it failed?"""
        return self.passed < self.scored


UNKNOWN = TaskHistory("", 0, 0, -1)


class DrawnTask(NamedTuple):
    """A task that is rolled out at its first `seeds` seeds, and stands for `weight` tasks."""

    seeds: int
    weight: float = 1.0


class RolloutSpread(NamedTuple):
    """The tasks to roll out, in their order."""

    tasks: Mapping[str, DrawnTask]

    def jobs(self, seeds: Sequence[int], skill: str) -> list[RolloutJob]:
        """The rollouts of a skill."""
        return [
            RolloutJob(task_id=task, seed=seed, skill=skill)
            for task, drawn in self.tasks.items()
            for seed in seeds[: drawn.seeds]
        ]

    @property
    def runs(self) -> int:
        """Rollouts of one skill."""
        return sum(drawn.seeds for drawn in self.tasks.values())

    def weight_of_run(self, task: str) -> float:
        """How many tasks a run of this one stands for: 1 at each seed where tasks are not told apart."""
        drawn = self.tasks.get(task)
        return drawn.weight / drawn.seeds if drawn else 1.0


EVERY = RolloutSpread({})
"""Every run counts as one."""


def evenly(tasks: Iterable[str], seeds: int) -> RolloutSpread:
    """Every task at every seed."""
    return RolloutSpread({task: DrawnTask(seeds) for task in tasks})


def known_before(runs: Iterable[Sequence[SkillScores]], skill: str) -> dict[str, TaskHistory]:
    """What earlier runs, oldest first, have shown of tasks: with this skill, or else with the last that was tried."""
    found: dict[str, TaskHistory] = {}
    for at, scores in enumerate(runs):
        for item in scores:
            for task, (passed, scored) in item.tasks.items():
                before = found.get(task)
                if before is None or (before.skill != item.skill and before.skill != skill):
                    found[task] = TaskHistory(item.skill, passed, scored, at)
                elif before.skill == item.skill:
                    found[task] = TaskHistory(item.skill, before.passed + passed, before.scored + scored, at)
    return found


def telling(
    tasks: Mapping[str, str],
    known: Mapping[str, TaskHistory],
    skill: str,
    seeds: int,
    settings: SpreadSettings,
    by: object,
) -> RolloutSpread:
    """Draw the tasks that S0 is rolled out on.

    Args:
        tasks: the evolve tasks, each with its kind, such as a domain names it.
        known: what is known of them.
        skill: digest of S0.
        seeds: of each rollout.
        settings: how many of them.
        by: what the draw follows from, such as the night; the same gives the same.
    """
    turned = {tasks[task] for task, item in known.items() if task in tasks and item.skill == skill and item.fails}
    some: dict[Shown, list[str]] = {"mixed": [], "new": [], "fails": [], "passes": []}
    for task, kind in tasks.items():
        history = known.get(task, UNKNOWN)
        stale = history.shown == "passes" and history.skill != skill and kind in turned
        some["new" if stale else history.shown].append(task)
    each: dict[Shown, int] = {"mixed": seeds, "new": 1, "fails": 1}
    canaries = _canaries({task: tasks[task] for task in some["passes"]}, known, settings, by)
    if settings.most is not None:  # they keep their share of what there is
        most = max(1, math.floor(settings.canaries * settings.most))
        canaries = dict(list(canaries.items())[:most])
        canaries = dict.fromkeys(canaries, len(some["passes"]) / len(canaries)) if canaries else {}
    drawn = {task: DrawnTask(1, weight) for task, weight in canaries.items()}
    room = math.inf if settings.most is None else settings.most - len(drawn)
    for shown, runs in each.items():
        order = sorted(some[shown], key=lambda task: (known.get(task, UNKNOWN).last, digest_of("spread", by, task)))
        fits = int(min(len(order), max(0, room) // runs))
        room -= fits * runs
        drawn |= {task: DrawnTask(runs, len(order) / fits) for task in order[:fits]}
    return RolloutSpread({task: drawn[task] for task in tasks if task in drawn})


def again(
    before: RolloutSpread, rolled: Iterable[Rolled], kinds: Mapping[str, str], settings: SpreadSettings, by: object
) -> RolloutSpread:
    """Draw the tasks that a candidate is rolled out on: those of S0, but of the passes no more than their share.

    Args:
        before: what S0 was rolled out on.
        rolled: how that went.
        kinds: of the tasks.
        settings: how many of the passes.
        by: what the draw follows from.
    """
    failed = {item.cell.task_id for item in rolled if item.cell.outcome != "passed"}
    passed = [task for task, drawn in before.tasks.items() if task not in failed and drawn.weight == 1.0]
    kept = _canaries({task: kinds[task] for task in passed}, {}, settings, by)
    left_out = set(passed) - set(kept)
    return RolloutSpread(
        {
            task: drawn._replace(weight=kept.get(task, drawn.weight))
            for task, drawn in before.tasks.items()
            if task not in left_out
        }
    )


def _canaries(
    tasks: Mapping[str, str], known: Mapping[str, TaskHistory], settings: SpreadSettings, by: object
) -> dict[str, float]:
    """Of tasks that pass some of each kind, the longest ago first, and how many each stands for."""
    kinds: dict[str, list[str]] = {}
    for task, kind in tasks.items():
        kinds.setdefault(kind, []).append(task)
    found: dict[str, float] = {}
    for some in kinds.values():
        some.sort(key=lambda task: (known.get(task, UNKNOWN).last, digest_of("canary", by, task)))
        kept = some[: math.ceil(settings.canaries * len(some))]
        found |= dict.fromkeys(kept, len(some) / len(kept))
    return found


def scores_of(rolled: Iterable[Rolled]) -> tuple[SkillScores, ...]:
    """How each skill did, in the order in which they came."""
    found: dict[str, dict[str, tuple[int, int]]] = {}
    for item in rolled:
        cell = item.cell
        if item.skill is not None and cell.outcome in ("passed", "failed"):
            passed, scored = found.setdefault(item.skill, {}).get(cell.task_id, (0, 0))
            found[item.skill][cell.task_id] = (passed + (cell.outcome == "passed"), scored + 1)
    return tuple(SkillScores(skill=skill, tasks=dict(sorted(tasks.items()))) for skill, tasks in found.items())
