"""What is planted: a systematic mistake with the guidance that prevents it, and a good habit."""

import re

from trace2skill.core.record import Record
from trace2skill.sim.lessons import Wording


class Cause(Record):
    """A systematic mistake. `guidance` recognises text that prevents it: every expression must be found in one line."""

    name: str
    prevalence: float
    kinds: tuple[str, ...]
    foreign: bool = False
    section: str
    guidance: tuple[str, ...]
    wordings: tuple[Wording, ...]


class Habit(Record):
    """A good habit that a success shows. It changes no score."""

    name: str
    section: str
    guidance: tuple[str, ...]
    wordings: tuple[Wording, ...]


def matches(item: Cause | Habit, line: str) -> bool:
    """Does a line give the guidance?"""
    return all(re.search(expression, line, re.IGNORECASE) for expression in item.guidance)
