"""Sessions that belong together: parts and forks of one, and those in which the same work was done."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

from trace2skill.mined.beginning import Beginning


class Families:
    """Which ids belong together. The first by name names a family."""

    def __init__(self, above: dict[str, str] | None = None) -> None:
        self.above: dict[str, str] = above or {}

    def of(self, id: str) -> str:
        """The name of the family of an id."""
        at = id
        while (up := self.above.setdefault(at, at)) != at:
            self.above[at] = self.above.get(up, up)
            at = up
        return at

    def unite(self, one: str, other: str) -> None:
        """Two ids belong together."""
        first, second = self.of(one), self.of(other)
        if first != second:
            self.above[max(first, second)] = min(first, second)

    def members(self) -> dict[str, list[str]]:
        """All ids by the name of their family."""
        found: dict[str, list[str]] = {}
        for id in sorted(self.above):
            found.setdefault(self.of(id), []).append(id)
        return found


class MetSegment(NamedTuple):
    """A segment that was met: its session, what it began with, and whether it became a task."""

    session: str
    beginning: Beginning
    is_task: bool


class Twins:
    """Segments of which one may show how another is done, whatever became of them.

    Tasks that begin with the same files, or that ask the same where no file differs, are one group. A segment that
    became none may be the twin of tasks in several groups: it goes with each, and does not make one of them.
    """

    def __init__(self, families: Families, seen: list[MetSegment], heard: Sequence[tuple[str, str]] = ()) -> None:
        """`heard` has members of families, each with a session that goes with the group of these."""
        self._own = families
        self._united = Families(dict(families.above))
        asked, starts = dict[str, dict[str, MetSegment]](), dict[str, list[MetSegment]]()
        for item in seen:
            for start in {item.beginning.shown, item.beginning.changed} - {""}:
                starts.setdefault(start, []).append(item)
            if item.is_task and item.beginning.asked:
                asked.setdefault(item.beginning.asked, {}).setdefault(item.beginning.start, item)
        for start, items in starts.items():
            first = next((item for item in items if item.beginning.start == start), None)
            if first is not None and any(item.is_task for item in items):
                for item in items:  # also one that is told by the other of the two alone
                    self._united.unite(first.session, item.session)
        for tasks in asked.values():
            for one, other in combinations(tasks.values(), 2):
                if one.beginning.may_be(other.beginning):
                    self._united.unite(one.session, other.session)
        self._beside = dict[str, set[str]]()
        for item in seen:
            for task in () if item.is_task else asked.get(item.beginning.asked, {}).values():
                if item.beginning.may_be(task.beginning):
                    self._beside.setdefault(self.group_of(task.session), set()).add(item.session)

        for name, session in heard:
            self._beside.setdefault(self.group_of(name), set()).add(session)

    def group_of(self, session: str) -> str:
        """The name of the group of a session's tasks."""
        return self._united.of(session)

    def sessions(self) -> dict[str, set[str]]:
        """By group, all ids whose logs may show how its tasks are done."""
        own = self._own.members()
        return {group: {*ids, *self._of_twins(group, own)} for group, ids in self._united.members().items()}

    def _of_twins(self, group: str, own: dict[str, list[str]]) -> Iterator[str]:
        for session in sorted(self._beside.get(group, ())):
            yield from (session, *own.get(self._own.of(session), ()))
