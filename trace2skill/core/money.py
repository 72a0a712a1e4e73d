"""Money inside: whole billionths of a US dollar, so that sums are exact in whatever order they are made."""

import math

PER_DOLLAR = 1_000_000_000


def nanos(dollars: float) -> int:
    """US dollars as billionths, rounded up: a bound stays a bound, and no cost is lost."""
    return math.ceil(round(dollars * PER_DOLLAR, 3))


def dollars(amount: int) -> float:
    """Billionths as US dollars."""
    return amount / PER_DOLLAR
