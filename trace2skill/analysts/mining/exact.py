"""Exact tests of association between a sign and how tasks ended.

Fisher's exact test (R. A. Fisher, "On the interpretation of chi-squared from contingency tables", JRSS 85, 1922), and
the same within strata: the exact conditional test of a common odds ratio (J. J. Gart, "Point and interval estimation of
the common odds ratio in the combination of 2 x 2 tables with fixed marginals", Biometrika 57, 1970), by the
convolution of the strata's hypergeometric distributions. With many hypotheses, those that could not be significant
whatever was seen do not count (R. E. Tarone, "A modified Bonferroni method for discrete data", Biometrics 46, 1990),
and the rate of false discoveries among the others is bounded (P. B. Gilbert, "A modified false discovery rate
multiple-comparisons procedure for discrete data", JRSS C 54, 2005, after Benjamini and Hochberg, JRSS B 57, 1995).
"""

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

Table = tuple[int, int, int, int]
"""failed with the sign, passed with it, failed without it, passed without it"""
SLACK = 1e-9
SMALL = 40


class Tested(NamedTuple):
    """A two-sided p value, and the smallest that these margins could have given."""

    p: float
    least: float


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


def stratified(tables: Iterable[Table]) -> Tested:
    """The exact conditional test over strata, two-sided, given the margins of each."""
    low, spread, seen = 0, [1.0], 0
    for failed_with, passed_with, failed_without, passed_without in tables:
        start, found = _hypergeometric(
            failed_with + failed_without, passed_with + passed_without, failed_with + passed_with
        )
        low, seen = low + start, seen + failed_with
        spread = _convolved(spread, found)
    mine = spread[seen - low]
    p = sum(chance for chance in spread if chance <= mine * (1 + SLACK))
    return Tested(min(1.0, p), min(spread[0], spread[-1]))


def odds_ratio(table: Table) -> float:
    """Odds of failing with the sign over the odds without it, with a half added to each cell (Haldane, Anscombe)."""
    a, b, c, d = (cell + 0.5 for cell in table)
    return a * d / (b * c)


def level(tests: Sequence[Tested], rate: float) -> tuple[float, int]:
    """The p value up to which a test counts, and how many hypotheses share the rate of false discoveries (Gilbert).

    Those whose smallest p value is above what any of them could be held to do not count (Tarone); among the others the
    level is that of Benjamini and Hochberg.
    """
    least = sorted(test.least for test in tests)
    shared = next(
        (k for k in range(1, len(least) + 1) if sum(item <= rate / k for item in least) <= k), max(1, len(least))
    )
    counted = sorted(test.p for test in tests if test.least <= rate / shared)
    reached = [p for place, p in enumerate(counted, start=1) if p <= rate * place / len(counted)]
    return (reached[-1] if reached else rate / max(1, len(counted))), max(1, len(counted))


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
