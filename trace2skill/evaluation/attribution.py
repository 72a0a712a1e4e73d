"""What each rule does to the score, by a regression over rollouts of skills that differ in rules.

The pass rate of a task with a skill is taken for a level of the task plus an effect of each rule in the skill: one on
the tasks that asked for the rule, and one on all others. Levels are free; effects are normal around 0, the first kind
wide, the second narrow, since a rule that changes all tasks alike is rare. The answer is the posterior of that linear
model (Lindley and Smith 1972, https://doi.org/10.1111/j.2517-6161.1972.tb00885.x), in the form that data models give to
the question which part of what was learned made a result (Ilyas and others 2022, https://arxiv.org/abs/2202.00622).

It assumes that rules add up, that runs of one task differ by chance alone, and that the tasks stayed what they were.
Rules that came and went together on the same tasks cannot be told apart: their intervals say so by being wide. The
variance of a run is taken as that of a fair coin, the largest there is, so that intervals are rather too wide than too
narrow.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from trace2skill.core.record import Record
from trace2skill.types.comparison import Interval

ON_ASKING, ON_OTHERS = 0.5, 0.05
"""Standard deviations of the two effects before anything is seen, in pass rate."""
RUN_VARIANCE = 0.25
Z95 = 1.959963984540054


class RunsOfTask(NamedTuple):
    """How one task did with one skill: so many of its scored runs passed."""

    task: str
    rules: frozenset[str]
    passed: int
    scored: int


class RuleEffect(Record):
    """What a rule adds to the mean pass rate over the evolve tasks, and what it rests on."""

    effect: Interval
    tasks: int
    """Tasks that were run both with skills that hold the rule and with some that do not."""
    runs: int
    """Scored runs on these tasks."""

    @property
    def settled(self) -> bool:
        """Is it surely above or below 0?"""
        return self.effect.low > 0 or self.effect.high < 0

    @property
    def in_words(self) -> str:
        """For a reader."""
        low, high = f"{self.effect.low:+.1%}", f"{self.effect.high:+.1%}"
        said = "" if self.settled else ", open"
        return f"effect on the evolve tasks {self.effect.mean:+.1%} ({low} to {high}{said}; {self.tasks} tasks)"


def rule_effects(seen: Sequence[RunsOfTask], asked_by: Mapping[str, Collection[str]]) -> dict[str, RuleEffect]:
    """The effects of the rules that some skills hold and others do not, by rule.

    Args:
        seen: the runs, a row for each task and skill.
        asked_by: the tasks that asked for each rule.

    Returns:
        Intervals of 95%. A rule is left out where no task was run both with it and without it.
    """
    rows = [row for row in seen if row.scored]
    tasks = sorted({row.task for row in rows})
    rules = [rule for rule in sorted(asked_by) if _varies(rows, rule)]
    if not rules:
        return {}
    inside = np.array([[rule in row.rules for rule in rules] for row in rows], dtype=float)
    asks = np.array([[row.task in asked_by[rule] for rule in rules] for row in rows], dtype=float)
    weights = np.array([row.scored / RUN_VARIANCE for row in rows])
    of_task = np.array([[row.task == task for task in tasks] for row in rows], dtype=float)
    design = _within(np.hstack([inside * asks, inside * (1 - asks)]), weights, of_task)
    result = _within(np.array([[row.passed / row.scored] for row in rows]), weights, of_task)
    spread = np.repeat([ON_ASKING, ON_OTHERS], len(rules))
    covariance = np.linalg.inv(design.T @ (weights[:, None] * design) + np.diag(spread**-2))
    mean = covariance @ (design.T @ (weights[:, None] * result))[:, 0]
    return {
        rule: _effect(rows, rule, (mean, covariance), (at, at + len(rules)), _share(tasks, asked_by[rule]))
        for at, rule in enumerate(rules)
    }


def _varies(rows: Sequence[RunsOfTask], rule: str) -> bool:
    return bool(_told(rows, rule))


def _told(rows: Sequence[RunsOfTask], rule: str) -> set[str]:
    """The tasks that were run with the rule and without it."""
    return {row.task for row in rows if rule in row.rules} & {row.task for row in rows if rule not in row.rules}


def _within(values: np.ndarray, weights: np.ndarray, of_task: np.ndarray) -> np.ndarray:
    """Values without the mean of their task: a level of the task that is free to be anything."""
    total = of_task.T @ weights
    means = (of_task.T @ (weights[:, None] * values)) / total[:, None]
    return np.asarray(values - of_task @ means)


def _share(tasks: Sequence[str], asking: Collection[str]) -> float:
    return sum(task in asking for task in tasks) / len(tasks)


def _effect(
    rows: Sequence[RunsOfTask],
    rule: str,
    posterior: tuple[np.ndarray, np.ndarray],
    at: tuple[int, int],
    share: float,
) -> RuleEffect:
    """Both effects of a rule, each for its share of the tasks."""
    mean, covariance = posterior
    parts = np.array([share, 1 - share])
    middle = float(parts @ mean[list(at)])
    off = Z95 * float(np.sqrt(parts @ covariance[np.ix_(at, at)] @ parts))
    told = _told(rows, rule)
    return RuleEffect(
        effect=Interval(mean=middle, low=middle - off, high=middle + off),
        tasks=len(told),
        runs=sum(row.scored for row in rows if row.task in told),
    )
