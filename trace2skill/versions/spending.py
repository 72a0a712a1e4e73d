"""Spending the level over nights: looking again and again must not promote by luck.

The level is a wealth that looks are paid from: alpha investing (Foster and Stine 2008,
https://doi.org/10.1111/j.1467-9868.2007.00643.x, as Ramdas, Yang, Wainwright and Jordan 2017 state it,
https://arxiv.org/abs/1710.00499). A look at level a costs a / (1 - a) unless it promotes; a promotion costs nothing,
and each but the first earns the level once more. Look k at a champion costs 6 / (pi^2 k^2) of the wealth there was when
it became one, so that looks never end (alpha spending: Lan and DeMets 1983, https://doi.org/10.1093/biomet/70.3.659).

Where a p-value keeps its level whatever the looks before it showed, wrong promotions are expected to be at most the
level times all promotions, counted as one where there are none; a life in which no candidate is better has one with at
most the level. Where nothing is earned, that is so however many promotions are true. A life begins with what people put
in place: what they write is not tested here.

A look for a skill that is only to be smaller costs what any does, and earns nothing where it promotes: to take out what
has no effect is easy, and must not pay for improvements that are none.
"""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from trace2skill.store.skill_history import ChangeRow, LookRow
from trace2skill.types.decision import Look

BY_PEOPLE = "adopt"
"""The kind of change with which a life begins."""
SMALLER = "smaller-"
"""What the keys of looks begin with that are for a skill which is only to be smaller."""


class Wealth(NamedTuple):
    """What looks may cost, as a share of the level: when the champion became one, and what of it is left."""

    at_first: float = 1.0
    left: float = 1.0


def look(number: int, level: float, wealth: float = 1.0) -> Look:
    """The look of that number at a champion that began with this wealth, a share of the level."""
    spent = math.fsum(_share(k) for k in range(1, number + 1))
    return paid(number, level, wealth * _share(number), wealth * max(0.0, 1.0 - spent))


def paid(number: int, level: float, cost: float, remaining: float, *, ways: int = 1, key: str = "") -> Look:
    """A look at its cost; both costs are shares of the level.

    Args:
        number: counted from 1 over the looks at one champion.
        level: of the whole life.
        cost: what it costs where it does not promote.
        remaining: what is left after it.
        ways: so many candidates are looked at, of which the best competes; each has its share (Boole's inequality).
        key: names the evidence.
    """
    amount = level * cost
    return Look(number=number, level=amount / (1 + amount) / ways, remaining=level * remaining, key=key)


def of_before(number: int, level: float) -> Look:
    """A look that was taken when each champion had the level for itself, and none was paid for."""
    spent = math.fsum(_share(k) for k in range(1, number + 1))
    return Look(number=number, level=level * _share(number), remaining=level * max(0.0, 1.0 - spent))


def price(changes: Sequence[ChangeRow], looks: Iterable[LookRow], number: int, *, earns: bool) -> tuple[float, float]:
    """What the next look costs and what is left after it, as shares of the level.

    Args:
        changes: what happened to the champion of a name, oldest first.
        looks: all looks at champions of that name.
        number: of the look, counted from 1 over the looks at this champion.
        earns: whether promotions earn the level once more.
    """
    wealth = wealth_of(changes, looks, earns=earns)
    cost = min(wealth.left, wealth.at_first * _share(number))
    return cost, wealth.left - cost


def wealth_of(changes: Sequence[ChangeRow], looks: Iterable[LookRow], *, earns: bool) -> Wealth:
    """What the champion has for its looks.

    A look of the time before costs were kept has none: then each champion had the level for itself.
    """
    begins = max((change.number for change in changes if change.kind == BY_PEOPLE), default=0)
    reign = changes[-1].number if changes else 0
    mine = [item for item in looks if item.cost is not None and item.reign >= begins]
    earned = max(0, sum(item.won and not item.key.startswith(SMALLER) for item in mine) - 1) if earns else 0
    at_first = 1.0 + earned - _lost(item for item in mine if item.reign < reign)
    return Wealth(at_first, at_first - _lost(item for item in mine if item.reign >= reign))


def single_look(level: float) -> Look:
    """A comparison that stands alone: the whole level at once."""
    return Look(number=1, level=level, remaining=0.0)


def _lost(looks: Iterable[LookRow]) -> float:
    return math.fsum(item.cost or 0.0 for item in looks if not item.won)


def _share(number: int) -> float:
    return 6.0 / (math.pi**2 * number**2)
