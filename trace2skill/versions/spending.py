"""Spending the level over nights: looking again and again must not promote by luck.

Alpha spending over an unbounded number of looks: look k gets level * 6 / (pi^2 k^2). These add up to the level, so by
Boole's inequality the chance that any look of a history promotes wrongly stays below it, however the looks depend on
each other and whenever one stops (Lan and DeMets 1983, https://doi.org/10.1093/biomet/70.3.659; the series as in Foster
and Stine 2008, https://doi.org/10.1111/j.1467-9868.2007.00643.x). A champion that was replaced takes its history with
it: the new one starts with the whole level, so each champion is wrongly replaced with at most that chance.
"""

import math

from trace2skill.types.decision import Look


def look(number: int, level: float) -> Look:
    """The look of that number, of a history whose whole level is `level`."""
    spent = math.fsum(_share(k) for k in range(1, number + 1))
    return Look(number=number, level=level * _share(number), remaining=level * max(0.0, 1.0 - spent))


def single_look(level: float) -> Look:
    """A comparison that stands alone: the whole level at once."""
    return Look(number=1, level=level, remaining=0.0)


def _share(number: int) -> float:
    return 6.0 / (math.pi**2 * number**2)
