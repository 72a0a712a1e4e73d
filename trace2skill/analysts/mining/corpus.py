"""The signs of the sessions whose outcome is known, side by side, as sets of sessions.

A set of sessions is an integer whose bit N stands for session N. The signs themselves are gone through twice and not
kept: first they are counted, then the sets of those that are frequent enough are made. Of very many tasks some
thousands, evenly over all, are enough for a test.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from trace2skill.analysts.mining.signs import SEP, Signs

Read = Callable[[], Iterable[Signs]]
"""Goes through the signs of all sessions, each time in the same order."""
LEAST_SESSIONS = 3
"""A sign of fewer sessions, or that fewer lack, is no sign."""
MOST_TOOLS = 40
"""Pairs are made of the tools that most sessions use."""
MOST_SESSIONS = 8000


class KnownEnd(NamedTuple):
    """What is kept of each session."""

    id: str
    task: str
    outcome: str
    source: str


class Corpus:
    """Sessions with a known outcome, and the sets of those that show a sign."""

    def __init__(self, read: Read) -> None:
        known = [
            (number, KnownEnd(item.id, item.task, item.outcome, item.source))
            for number, item in enumerate(read())
            if item.outcome in ("passed", "failed")
        ]
        self.all_known = len(known)
        places = _spread_over_tasks(known)
        self.sessions = [item for number, item in known if number in places]
        self.failed = bits(number for number, item in enumerate(self.sessions) if item.outcome == "failed")
        self.passed = bits(number for number, item in enumerate(self.sessions) if item.outcome == "passed")
        self.known = self.failed | self.passed
        self._every, self._places = read, places
        counts: Counter[str] = Counter()
        tools: Counter[str] = Counter()
        for signs in self.kept():
            tools.update(signs.first.keys())
            counts.update(signs.marks.keys())
        self.tools = [tool for tool, count in sorted(tools.items()) if count >= LEAST_SESSIONS]
        often = sorted(self.tools, key=lambda tool: (-tools[tool], tool))[:MOST_TOOLS]
        self.paired = sorted(often)
        self._fill({mark for mark, count in counts.items() if count >= LEAST_SESSIONS})
        self.tasks: dict[str, list[int]] = {}
        for number, session in enumerate(self.sessions):
            self.tasks.setdefault(session.task, []).append(number)

    def _fill(self, kept: set[str]) -> None:
        shown: dict[str, list[int]] = {mark: [] for mark in kept}
        used: dict[str, list[int]] = {tool: [] for tool in self.tools}
        self.first: dict[str, array[int]] = {tool: array("i") for tool in self.paired}
        self.last: dict[str, array[int]] = {tool: array("i") for tool in self.paired}
        after: dict[tuple[str, str], list[int]] = {}
        for number, signs in enumerate(self.kept()):
            for tool in signs.first.keys() & used.keys():
                used[tool].append(number)
            marks = signs.marks.keys() & kept
            for mark in marks:
                shown[mark].append(number)
            for tool in self.paired:
                self.first[tool].append(signs.first.get(tool, -1))
                self.last[tool].append(signs.last.get(tool, -1))
            for mark in marks:
                for tool in self.paired if mark.startswith("error" + SEP) else ():
                    if signs.last.get(tool, -1) > signs.marks[mark]:
                        after.setdefault((mark, tool), []).append(number)
        self.marks = {mark: bits(found) for mark, found in shown.items()}
        self.used = {tool: bits(found) for tool, found in used.items()}
        self.after_error = {pair: bits(found) for pair, found in after.items() if len(found) >= LEAST_SESSIONS}

    def kept(self) -> Iterable[Signs]:
        """The signs of the sessions, in their order."""
        return (item for number, item in enumerate(self._every()) if number in self._places)

    def before(self, tool: str, other: str) -> int:
        """The sessions in which `other` was called before the first call of `tool`."""
        one, two = self.first[tool], self.first[other]
        return bits(number for number, place in enumerate(one) if place >= 0 and 0 <= two[number] < place)

    def after(self, tool: str, other: str) -> int:
        """The sessions in which `other` was called after the last call of `tool`."""
        one, two = self.last[tool], self.last[other]
        return bits(number for number, place in enumerate(one) if place >= 0 and two[number] > place)


def bits(found: Iterable[int]) -> int:
    """The set of these numbers."""
    made = bytearray()
    for number in found:
        at, bit = divmod(number, 8)
        if at >= len(made):
            made.extend(bytes(max(at + 1 - len(made), len(made))))
        made[at] |= 1 << bit
    return int.from_bytes(made, "little")


def numbers(of: int) -> Iterator[int]:
    """The numbers in a set, in order."""
    raw = of.to_bytes((of.bit_length() + 7) // 8, "little")
    for at, byte in enumerate(raw):
        while byte:
            low = byte & -byte
            yield at * 8 + low.bit_length() - 1
            byte ^= low


def _spread_over_tasks(known: list[tuple[int, KnownEnd]]) -> set[int]:
    """The places of all sessions, or of as many as are enough: whole tasks, evenly over the order of their names."""
    if len(known) <= MOST_SESSIONS:
        return {number for number, _ in known}
    tasks: dict[str, list[int]] = {}
    for number, session in known:
        tasks.setdefault(session.task, []).append(number)
    names, every = sorted(tasks), -(-len(known) // MOST_SESSIONS)
    return {number for name in names[::every] for number in tasks[name]}
