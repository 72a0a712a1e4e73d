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
from operator import not_
from typing import NamedTuple

import numpy as np
from pydantic import Field

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
    on_asking: Interval | None = Field(default=None, exclude_if=not_)
    """The same over the tasks that asked for it; none where none of these was run both ways."""

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
    rules = [rule for rule in sorted(asked_by) if _told(rows, rule)]
    if not rules:
        return {}
    by_task: dict[str, list[RunsOfTask]] = {}
    for row in rows:
        by_task.setdefault(row.task, []).append(row)
    precision = np.diag(np.repeat([ON_ASKING, ON_OTHERS], len(rules)) ** -2.0)
    moment = np.zeros(2 * len(rules))
    for task, runs in by_task.items():
        asks = np.array([task in asked_by[rule] for rule in rules])
        inside = np.array([[rule in row.rules for rule in rules] for row in runs])
        weights = np.array([row.scored / RUN_VARIANCE for row in runs])
        rates = np.array([row.passed / row.scored for row in runs])
        design = np.hstack([inside & asks, inside & ~asks]).astype(float)
        design -= np.average(design, axis=0, weights=weights)  # the level of the task is free to be anything
        weighted = weights[:, None] * design
        precision += weighted.T @ design
        moment += weighted.T @ (rates - np.average(rates, weights=weights))
    covariance = np.linalg.inv(precision)
    mean = covariance @ moment
    return {
        rule: _effect(rows, rule, asked_by[rule], (mean, covariance), (at, at + len(rules)))
        for at, rule in enumerate(rules)
    }


def _told(rows: Sequence[RunsOfTask], rule: str) -> set[str]:
    """The tasks that were run with the rule and without it."""
    return {row.task for row in rows if rule in row.rules} & {row.task for row in rows if rule not in row.rules}


def _effect(
    rows: Sequence[RunsOfTask],
    rule: str,
    asking: Collection[str],
    posterior: tuple[np.ndarray, np.ndarray],
    at: tuple[int, int],
) -> RuleEffect:
    """Both effects of a rule, each for its share of the tasks."""
    told, tasks = _told(rows, rule), {row.task for row in rows}
    share = len(tasks.intersection(asking)) / len(tasks)
    return RuleEffect(
        effect=_interval(posterior, at, (share, 1 - share)),
        tasks=len(told),
        runs=sum(row.scored for row in rows if row.task in told),
        on_asking=_interval(posterior, at, (1.0, 0.0)) if told.intersection(asking) else None,
    )


def _interval(posterior: tuple[np.ndarray, np.ndarray], at: tuple[int, int], shares: tuple[float, float]) -> Interval:
    mean, covariance = posterior
    parts, middle = np.array(shares), float(np.array(shares) @ mean[list(at)])
    off = Z95 * float(np.sqrt(parts @ covariance[np.ix_(at, at)] @ parts))
    return Interval(mean=middle, low=middle - off, high=middle + off)
