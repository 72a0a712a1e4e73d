"""A pattern of many alternatives, each of which is first asked whether it can match in a text at all.

Few lines hold one of the words that an alternative begins with, and to see that they are not there takes a fraction of
what Python's engine takes to try each alternative at every character. What is found is the same.
"""

import re
from collections.abc import Iterator
from functools import cached_property
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

from trace2skill.safety.needs import needs_in
from trace2skill.safety.view import FOLDED, View

LIKE_ASCII = frozenset(ord(sign) for sign, _ in FOLDED)


COMMON = " etaoinsrhldcumfpgwybvkxjqz"
"""The letters from the most frequent on; what is not among them is rare."""


class ScreenedView(View):
    """A text as alternatives look at it: besides, every three letters of it that follow each other, in lower case."""

    __slots__ = ("ascii", "threes")

    def __init__(self, text: str) -> None:
        super().__init__(text)
        lower = self.lower
        self.ascii = text.isascii()
        self.threes = frozenset([lower[n : n + 3] for n in range(len(lower) - 2)])


class _Alternative:
    """One alternative and what a text needs for it: a letter beyond ASCII, and of each set of three letters one.

    It is compiled when a text has all that: most never are.
    """

    def __init__(self, text: str, flags: int) -> None:
        parsed = _parser.parse(text, flags)
        self._text, self._flags = text, flags
        self._beyond_ascii = _beyond_ascii(parsed)
        self._needs = needs = needs_in(parsed, flags)
        clauses = [clause for clause in needs.one_of_each if needs.any_case and all(len(word) > 2 for word in clause)]
        self._threes = sorted((frozenset(map(_rarest, clause)) for clause in clauses), key=len)

    def is_in(self, view: ScreenedView) -> bool:
        """Does it match anywhere in the text?"""
        if self._beyond_ascii and view.ascii:
            return False
        for some in self._threes:
            if some.isdisjoint(view.threes):
                return False
        return self._needs.met_by(view) and self._compiled.search(view.text) is not None

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self._text, self._flags)


def _rarest(word: str) -> str:
    """The three letters of a word that fewest texts have."""
    threes = [word[n : n + 3] for n in range(len(word) - 2)]
    return max(threes, key=lambda some: sum(COMMON.find(letter) % 30 for letter in some))


class Quick:
    """A pattern without references to groups. Its alternatives are told apart when it is first asked."""

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self.pattern = pattern

    def is_in(self, view: ScreenedView) -> bool:
        """Does the pattern match anywhere in the text?"""
        return any(one.is_in(view) for one in self._alternatives)

    def all_in(self, view: ScreenedView) -> Iterator[re.Match[str]]:
        """Its matches in the text, as `finditer` gives them."""
        if self.is_in(view):
            yield from self.pattern.finditer(view.text)

    @cached_property
    def _alternatives(self) -> tuple[_Alternative, ...]:
        return tuple(_Alternative(text, self.pattern.flags) for text in alternatives(self.pattern.pattern))


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


def _beyond_ascii(items: Any) -> bool:
    """Has each match of a sequence a letter that no ASCII text has?"""
    return any(_item_beyond_ascii(kind, given) for kind, given in items)


def _item_beyond_ascii(kind: Any, given: Any) -> bool:
    if kind is op.LITERAL:
        return int(given) > 127 and given not in LIKE_ASCII
    if kind is op.IN:
        return all(inner is op.LITERAL and _item_beyond_ascii(inner, code) for inner, code in given)
    if kind is op.SUBPATTERN:
        return _beyond_ascii(given[3])
    if kind is op.BRANCH:
        return all(_beyond_ascii(branch) for branch in given[1])
    if kind in (op.MAX_REPEAT, op.MIN_REPEAT):
        return given[0] > 0 and _beyond_ascii(given[2])
    return False
