"""Exact tests of association between a sign and how tasks ended.

Fisher's exact test (R. A. Fisher, "On the interpretation of chi-squared from contingency tables", JRSS 85, 1922), and
the same within strata: the exact conditional test of a common odds ratio (J. J. Gart, "Point and interval estimation of
the common odds ratio in the combination of 2 x 2 tables with fixed marginals", Biometrika 57, 1970), by the
convolution of the strata's hypergeometric distributions.

With many hypotheses the rate of false discoveries is bounded for tests that take few values (S. Döhler, G. Durand,
E. Roquain, "New FDR bounds for discrete and heterogeneous tests", Electronic Journal of Statistics 12, 2018, their
step-up procedure): a hypothesis weighs by how probable so small a p value of it is, which for a sign of few sessions is
far below that value, and nothing where it could not come out so small at all.
"""

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

Table = tuple[int, int, int, int]
"""failed with the sign, passed with it, failed without it, passed without it"""
SLACK = 1e-9
SMALL = 40
LEAST_P, MOST_P = 1e-9, 0.1
"""Between these a p value is told exactly from the others that could have come out."""


class Tested(NamedTuple):
    """A p value, and those up to `MOST_P` that these margins could have given, in order.

    Each of these is also the probability of a p value so small; below `LEAST_P` only the greatest is there.
    """

    p: float
    possible: tuple[float, ...]


def _hypergeometric(failed: int, passed: int, signs: int) -> tuple[int, tuple[float, ...]]:
    """Probabilities of so many failures among the sessions with the sign: the least number, then one a number."""
    return _small(failed, passed, signs) if failed + passed <= SMALL else _spread(failed, passed, signs)


@lru_cache(20_000)
def _small(failed: int, passed: int, signs: int) -> tuple[int, tuple[float, ...]]:
    return _spread(failed, passed, signs)


def _spread(failed: int, passed: int, signs: int) -> tuple[int, tuple[float, ...]]:
    low, high = max(0, signs - passed), min(failed, signs)
    logs = [_choose(failed, k) + _choose(passed, signs - k) for k in range(low, high + 1)]
    total = _choose(failed + passed, signs)
    return low, tuple(math.exp(value - total) for value in logs)


def fisher(table: Table) -> Tested:
    """Fisher's exact test of one table, two-sided: all tables as improbable as this one or more."""
    return stratified([table])


def stratified(tables: Iterable[Table], *, fewer: bool = False) -> Tested:
    """The exact conditional test over strata, given the margins of each: two-sided, or of `fewer` failures with it."""
    low, spread, seen = 0, [1.0], 0
    for failed_with, passed_with, failed_without, passed_without in tables:
        start, found = _hypergeometric(
            failed_with + failed_without, passed_with + passed_without, failed_with + passed_with
        )
        low, seen = low + start, seen + failed_with
        spread = _convolved(spread, found)
    if fewer:
        sums = list(accumulate(spread))
        return Tested(min(1.0, sums[seen - low]), _told_apart(sums))
    mine = spread[seen - low]
    p = sum(chance for chance in spread if chance <= mine * (1 + SLACK))
    return Tested(min(1.0, p), _possible(spread))


def _possible(spread: Sequence[float]) -> tuple[float, ...]:
    found: list[float] = []
    total, before = 0.0, 0.0
    for chance in sorted(spread):
        if chance > before * (1 + SLACK):  # all tables as improbable as the last are in the sum
            if total > MOST_P:
                break
            found.append(total)
            before = chance
        total += chance
    else:
        found.append(total)
    return _told_apart(found)


def _told_apart(found: Sequence[float]) -> tuple[float, ...]:
    """Of p values in order, those that are told exactly."""
    small = bisect_right(found, LEAST_P)
    return tuple(value for value in found[max(0, small - 1) :] if 0 < value <= MOST_P)


def odds_ratio(table: Table) -> float:
    """Odds of failing with the sign over the odds without it, with a half added to each cell (Haldane, Anscombe)."""
    a, b, c, d = (cell + 0.5 for cell in table)
    return a * d / (b * c)


def level(tests: Sequence[Tested], rate: float) -> tuple[float, int]:
    """The p value up to which a test counts, and how many of the tests could have come out so small.

    Where none counts it is the p value that one alone would have needed.
    """
    most = _most(tests, rate)
    rises: list[tuple[float, float]] = []
    for test in tests:
        reached = test.possible[: bisect_right(test.possible, most * (1 + SLACK))]
        left = 1 - reached[-1] if reached else 1.0
        rises += [(p, (p - before) / left) for before, p in zip((0.0, *reached), reached, strict=False)]
    rises.sort()
    counted = sorted(max(test.p, LEAST_P) for test in tests if test.p <= most * (1 + SLACK))
    at, total, below, alone = 0, 0.0, 0.0, 0.0
    for rank, p in enumerate([*counted, most], start=1):
        while at < len(rises) and rises[at][0] <= p * (1 + SLACK):
            total += rises[at][1]
            alone = rises[at][0] if total <= rate else alone
            at += 1
        if rank <= len(counted) and total <= rate * rank:
            below = p
    below = below or alone or rate / max(1, len(tests))
    return below, sum(bool(test.possible) and test.possible[0] <= below for test in tests)


def _most(tests: Sequence[Tested], rate: float) -> float:
    """The greatest p value that may count at all: where the mean of the odds of so small a one reaches the rate."""
    rises = sorted(
        (p, p / (1 - p) - before / (1 - before))
        for test in tests
        for before, p in zip((0.0, *test.possible), test.possible, strict=False)
    )
    most, total = 0.0, 0.0
    for place, (p, rise) in enumerate(rises):
        total += rise
        if total > rate * len(tests):
            break
        if place + 1 == len(rises) or rises[place + 1][0] > p * (1 + SLACK):
            most = p
    return most


def _choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def _convolved(one: Sequence[float], other: Sequence[float]) -> list[float]:
    if len(other) == 1:
        return [value * other[0] for value in one]
    made = [0.0] * (len(one) + len(other) - 1)
    for i, first in enumerate(one):
        for j, second in enumerate(other):
            made[i + j] += first * second
    return made
