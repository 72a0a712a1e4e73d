"""Parts of a text that stand between tags, `<name> ... </name>`, in time that grows with its length alone.

An expression that looks for the end of each tag reads to the end of the text for each that has none.
"""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

CLOSES = re.compile(r"</([\w-]+)>")


class Element(NamedTuple):
    """A part of a text: its name, what stands inside, and where it begins and ends."""

    name: str
    inside: str
    start: int
    end: int


def elements(text: str, opens: re.Pattern[str]) -> Iterator[Element]:
    """The parts that `opens` begins and that are closed, one after the other; its first group is the name."""
    ends: dict[str, list[int]] = defaultdict(list)
    for found in CLOSES.finditer(text) if "</" in text else ():
        ends[found[1]].append(found.start())
    place = 0
    while ends and (opened := opens.search(text, place)):
        name, place = opened[1], opened.end()
        closing = ends.get(name, [])
        at = bisect_left(closing, place)
        if at < len(closing):
            close = closing[at]
            yield Element(name, text[place:close], opened.start(), close + len(name) + 3)
            place = close + len(name) + 3


def without(text: str, opens: re.Pattern[str]) -> str:
    """The text without those parts and the blanks behind each."""
    kept, place = [], 0
    for part in elements(text, opens):
        kept.append(text[place : part.start])
        place = part.end
        while place < len(text) and text[place].isspace():
            place += 1
    return "".join([*kept, text[place:]])
