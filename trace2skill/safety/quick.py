"""Patterns of many alternatives, of which those are found together that can match in a text at all.

Few lines hold one of the words that an alternative begins with, and to see that they are not there takes a fraction of
what Python's engine takes to try each alternative at every character. What is found is the same.
"""

import re
from collections.abc import Sequence
from functools import cached_property
from re import _parser  # type: ignore[attr-defined]

from trace2skill.safety.needs import needs_in
from trace2skill.safety.shortlist import Shortlist
from trace2skill.safety.view import View


class _Alternative:
    """One alternative of a pattern. It is compiled when a text has what it needs: most never are."""

    def __init__(self, owner: int, text: str, flags: int) -> None:
        self.owner, self._text, self._flags = owner, text, flags
        self.needs = needs_in(_parser.parse(text, flags), flags)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The alternative alone."""
        return re.compile(self._text, self._flags)


class Quick:
    """Patterns without references to groups. Their alternatives are told apart when they are first asked for."""

    def __init__(self, patterns: Sequence[re.Pattern[str]]) -> None:
        self._patterns = patterns

    def found_in(self, view: View) -> list[int]:
        """The numbers of the patterns that match anywhere in a text, in their order."""
        every, shortlist = self._looked_for
        found: dict[int, None] = {}
        for number in shortlist.of(view):
            one = every[number]
            if one.owner not in found and one.pattern.search(view.text):
                found[one.owner] = None
        return list(found)

    @cached_property
    def _looked_for(self) -> tuple[list[_Alternative], Shortlist]:
        every = [
            _Alternative(owner, text, pattern.flags)
            for owner, pattern in enumerate(self._patterns)
            for text in alternatives(pattern.pattern)
        ]
        return every, Shortlist([one.needs for one in every])


def alternatives(pattern: str) -> list[str]:
    """The alternatives of an expression: what stands between the bars outside of all brackets."""
    found, start, depth, place = [], 0, 0, 0
    while place < len(pattern):
        sign = pattern[place]
        if sign == "\\":
            place += 1
        elif sign == "[":
            place = _end_of_set(pattern, place)
        elif sign in "()":
            depth += 1 if sign == "(" else -1
        elif sign == "|" and not depth:
            found.append(pattern[start:place])
            start = place + 1
        place += 1
    return [*found, pattern[start:]]


def _end_of_set(pattern: str, place: int) -> int:
    """Where the bracket closes a set that opens at a place. One that stands first in it is a member."""
    place += 2 if pattern[place + 1] == "^" else 1
    if pattern[place] == "]":
        place += 1
    while pattern[place] != "]":
        place += 2 if pattern[place] == "\\" else 1
    return place
