"""Power before spending: which lift a number of tasks can show, and how many tasks or seeds a wanted lift needs.

Task means of n tasks differ between two skills by a deviation that seeds reduce: sigma^2 = b^2 + w^2 / seeds,
where b^2 is how differently tasks respond and w^2 how differently the same task ends from seed to seed.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist

from pydantic import Field

from trace2skill.core.record import Record
from trace2skill.types.evaluation import Evaluation

POWER = 0.8
MOST_TASKS = 100_000
NORMAL = NormalDist()


class Spread(Record):
    """How much the difference of two skills varies, as variances of one task's difference."""

    between: float = Field(ge=0, description="b^2: between tasks.")
    within: float = Field(ge=0, description="w^2: between seeds of one task, both skills together, at one seed.")
    known: bool = Field(default=True, description="False at one seed: then the two cannot be told apart.")

    def at(self, seeds: int) -> float:
        """Standard deviation of one task's difference at so many seeds."""
        return math.sqrt(self.between + self.within / seeds)


class PowerReport(Record):
    """What can be seen. Lifts are differences of mean scores, 0 to 1."""

    tasks: int
    seeds: int
    level: float
    power: float
    spread: Spread
    smallest_lift: float = Field(description="Detected with the given power by these tasks and seeds.")
    wanted_lift: float | None = None
    tasks_needed: int | None = Field(default=None, description="Tasks for the wanted lift at these seeds.")
    seeds_needed: int | None = Field(default=None, description="Seeds for it with these tasks; None if none do.")


def spread_of(before: Evaluation, after: Evaluation) -> Spread:
    """The spread seen in two evaluations of the same tasks (one-way analysis of variance over task differences)."""
    olds, news = _scores(before), _scores(after)
    common = sorted(olds.keys() & news.keys())
    if len(common) < 2:
        return Spread(between=0.25, within=0.25, known=False)
    means = [_mean(news[task]) - _mean(olds[task]) for task in common]
    total = _variance(means)
    seeds = min(min(len(scores[task]) for task in common) for scores in (olds, news))
    if seeds < 2:
        return Spread(between=0.0, within=max(total, 1e-6), known=False)
    within = _mean([_variance(olds[task]) + _variance(news[task]) for task in common])
    return Spread(between=max(0.0, total - within / seeds), within=within)


def discordance_spread(discordance: float) -> Spread:
    """The spread when that share of tasks ends differently at one seed, as often one way as the other."""
    return Spread(between=0.0, within=discordance, known=False)


def power_of(lift: float, tasks: int, seeds: int, spread: Spread, level: float) -> float:
    """P(a one-sided test of that level sees the lift), by the normal approximation to the sign-flip test.

    Mean of n differences over its standard error, https://doi.org/10.4324/9780203771587 (Cohen, chapter 2).
    """
    deviation = spread.at(seeds)
    if deviation == 0:
        return 1.0 if lift > 0 else 0.0
    return NORMAL.cdf(lift * math.sqrt(tasks) / deviation - _normal_quantile(1 - level))


def _normal_quantile(share: float) -> float:
    return NORMAL.inv_cdf(share) if 0 < share < 1 else math.copysign(math.inf, share - 0.5)


def smallest_lift(tasks: int, seeds: int, spread: Spread, level: float, power: float = POWER) -> float:
    """The lift that is seen with that power, at most 1."""
    return min(1.0, (_normal_quantile(1 - level) + _normal_quantile(power)) * spread.at(seeds) / math.sqrt(tasks))


def report(
    tasks: int, seeds: int, spread: Spread, level: float, wanted: float | None = None, power: float = POWER
) -> PowerReport:
    """What these tasks and seeds can show, and what a wanted lift would need."""
    needed = seeds_needed = None
    if wanted is not None:
        factor = ((_normal_quantile(1 - level) + _normal_quantile(power)) / wanted) ** 2
        needed = min(MOST_TASKS, max(2, math.ceil(factor * spread.at(seeds) ** 2)))
        room = tasks / factor - spread.between
        seeds_needed = max(1, math.ceil(spread.within / room)) if room > 0 else None
    return PowerReport(
        tasks=tasks,
        seeds=seeds,
        level=level,
        power=power,
        spread=spread,
        smallest_lift=smallest_lift(tasks, seeds, spread, level, power),
        wanted_lift=wanted,
        tasks_needed=needed,
        seeds_needed=seeds_needed,
    )


def _scores(evaluation: Evaluation) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for cell in evaluation.scored:
        found.setdefault(cell.task_id, []).append(cell.hard)
    return found


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _variance(values: Sequence[float]) -> float:
    mean = _mean(values)
    return math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)
