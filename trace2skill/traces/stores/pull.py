"""A pull: which traces of a store are new or have changed, page by page, and what is remembered so that none is lost.

The watermark is a time and a list. Days are listed one after the other, each as a whole; of every trace that a list
names it is remembered how it stood there. Later pulls list the last days again (`overlap`): a trace that came late is
new in the list, one with more spans or another score stands otherwise, and is read again as the trace that it is. A
day that could not be listed whole, or a trace that could not be had, holds the watermark back: the next pull begins
there. No cursor of the server is kept, so that none can grow old.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from operator import not_
from typing import Any, NamedTuple

from pydantic import Field

from trace2skill.core.record import Record
from trace2skill.traces.notes import Notes
from trace2skill.traces.stores.address import TraceStoreAddress
from trace2skill.traces.stores.base import TraceStore, stand
from trace2skill.traces.stores.rest import NotPulled
from trace2skill.traces.values import instant

MOST_ROWS = 2_000_000
MOST_FAILED = 10
"""After so many traces in a row that could not be had, a pull leaves the rest to the next one."""
NOT_PULLED, GIVEN_UP = "not pulled", "given up"
"""Under which it is counted what may be had the next time, and which traces are left out until they change."""
A_LIST = 4
"""A page of a list that fails counts as so many."""
MOST_TRIES = 3
"""A trace that is at fault itself on so many days is left out until it changes, and holds nothing back."""


class Listed(Record):
    """How a trace stood in the list of a day when it was last read, or given up."""

    trace: str
    day: str
    stand: str
    given_up: bool = False
    tries: int = Field(default=0, exclude_if=not_, description="So many pulls could not have it; 0 once it was read.")
    faults: int = Field(default=0, exclude_if=not_, description="On so many days it was at fault itself.")
    tried: str = Field(default="", exclude_if=not_, description="The last of these days.")
    document: str = Field(default="", exclude_if=not_, description="Digest of what was read; '' for nothing.")
    kept: bool = Field(default=False, exclude_if=not_, description="What it was before has been read, and stays.")

    @property
    def is_read(self) -> bool:
        """Is known what came of it, or of what it was before?"""
        return self.kept or not (self.given_up or self.tries)


@dataclass
class PullMemory:
    """What earlier pulls of an address have left."""

    listed: dict[tuple[str, str], Listed] = field(default_factory=dict)
    """By trace and day."""
    there: set[str] = field(default_factory=set)
    """Traces of the window of which is known what came of them."""
    documents: dict[str, str] = field(default_factory=dict)
    """Of each trace the digest of what was read of it last."""
    through: str = ""
    """All that was listed for the days before this one is read; '' for nothing."""

    @property
    def traces(self) -> set[str]:
        """All that were read."""
        return {trace for (trace, _), one in self.listed.items() if one.is_read}

    def within(self, first: str, end: str) -> set[str]:
        """The traces that were read and began in a window of days, or had something on one of them."""
        return {one.trace for one in self.listed.values() if one.is_read and first <= one.day < end}


class Pulled(NamedTuple):
    """A trace with its document, None where it could not be had."""

    trace: str
    document: Any


class Page(NamedTuple):
    """What is settled by the traces that came since the one before."""

    listed: tuple[Listed, ...]
    through: str
    """See `PullMemory`."""


@dataclass
class NamedPlace:
    """What a problem is noted of."""

    name: str


@dataclass
class Pull:
    """One pull of one address."""

    address: TraceStoreAddress
    store: TraceStore
    memory: PullMemory
    notes: Notes
    today: str
    asked: int = 0
    failed: int = 0
    whole: bool = True
    """Was everything read so far?"""
    given_up: dict[str, bool] = field(default_factory=dict)
    """By trace, whether it is left out until it changes, of those that were asked for."""

    def days(self) -> Iterator[tuple[str, list[Listed]]]:
        """Day by day, what is to be had; last, under the day '', what is known and was lost here, and what earlier
        pulls could not have: whatever fails for ever keeps nothing else away.

        Raises:
            NotPulled: the first request of the pull failed, or the server takes no more.
        """
        first, end = self.address.window(self.today)
        known = [
            one for one in self.memory.listed.values() if first <= one.day < end and one.is_read and not one.given_up
        ]
        last = [one for one in known if one.trace not in self.memory.there]
        begin = self._begin(first)
        newest = max(begin, _before_that(self.today, self.address.overlap))
        for day in _days(begin, end):
            if day == newest and self.asked:
                self.failed = 0  # whatever older days cost, these are looked at
            if self.failed >= MOST_FAILED:
                continue
            new = self._new_on(day)
            failed = [one for one in new if one.tries]
            if failed:
                self.whole = False
                last += failed
            yield day, [one for one in new if one not in failed]
        if last := [one for one in last if one.trace not in self.given_up]:
            yield "", sorted(last, key=lambda one: (one.tries, one.day, one.trace))

    def pages(self, day: str, listed: Sequence[Listed]) -> Iterator[Pulled | Page]:
        """The traces of a day in the order of their list, after each page what it settles, then that the day is done.

        Raises:
            NotPulled: the server takes no more.
        """
        of: dict[str, list[Listed]] = {}
        for one in listed:
            of.setdefault(one.trace, []).append(one)
        traces = [*of]
        for start in range(0, len(traces), self.store.at_once):
            if self.failed >= MOST_FAILED:
                self.whole = False
                break
            settled: list[Listed] = []
            for trace, document in self.store.whole(traces[start : start + self.store.at_once]):
                settled += [self._settled(one, document) for one in of[trace]]
                yield Pulled(trace, None if isinstance(document, NotPulled) else document)
            yield Page(tuple(settled), self.memory.through)
        through = min(_after(day), self.today) if day and self.whole else ""
        if through > self.memory.through:
            self.memory.through = through
            yield Page((), through)

    def _begin(self, first: str) -> str:
        """The day to begin with."""
        if not self.memory.through:
            return first
        through = min(self.memory.through, self.today)  # a clock may have been ahead
        return max(first, _before_that(through, self.address.overlap))

    def _new_on(self, day: str) -> list[Listed]:
        """What is new on a day, or stands otherwise, from the first that began to the last."""
        rows: dict[str, dict[str, None]] = {}
        began: dict[str, float] = {}
        brought: set[str] = set()
        unnamed = counted = 0
        try:
            for page in self.store.rows(f"{day}T00:00:00+00:00", f"{_after(day)}T00:00:00+00:00"):
                self.asked, self.failed = self.asked + 1, 0
                counted += len(page)
                if counted > MOST_ROWS:
                    raise NotPulled(f"{day} has more than {MOST_ROWS} rows: narrow it by filter=", again=True)
                for row in page:
                    if not row.trace:
                        unnamed += 1
                        continue
                    rows.setdefault(row.trace, {})[row.stand] = None
                    began[row.trace] = min(began.get(row.trace, instant(row.began)), instant(row.began))
                    if not row.only_known:
                        brought.add(row.trace)
        except NotPulled as error:
            self._not_listed(day, error)
        if unnamed:
            self.notes.problem(NamedPlace(self.address.name), 0, f"{unnamed} rows of {day} name no trace that can be")
        known = self.memory.traces | brought
        found = [Listed(trace=id, day=day, stand=stand(sorted(told))) for id, told in rows.items() if id in known]
        new = [self._before(one) for one in found if not self._is_known(one)]
        return sorted(new, key=lambda one: (began[one.trace], one.trace))

    def _is_known(self, one: Listed) -> bool:
        before = self.memory.listed.get((one.trace, one.day))
        if before is None or before.stand != one.stand:
            return False
        return before.given_up or (not before.tries and one.trace in self.memory.there)

    def left_out(self) -> int:
        """So many traces of the window are given up until they change."""
        first, end = self.address.window(self.today)
        before = {one.trace: one.given_up for one in self.memory.listed.values() if first <= one.day < end}
        return sum((before | self.given_up).values())

    def _before(self, one: Listed) -> Listed:
        """The same with what earlier pulls found of it, where it stands as it did."""
        before = self.memory.listed.get((one.trace, one.day))
        return before if before is not None and before.stand == one.stand else one

    def _not_listed(self, day: str, error: NotPulled) -> None:
        if error.refused or not self.asked:
            raise error
        self.whole, self.failed = False, self.failed + A_LIST
        self.notes.counts[NOT_PULLED] += 1
        self.notes.problem(NamedPlace(self.address.name), 0, f"{error}; the rest of {day} is read the next time")

    def _settled(self, one: Listed, document: Any) -> Listed:
        """How a trace stands once it was asked for: read, given up until it changes, or to be asked for again."""
        self.asked += 1
        if not isinstance(document, NotPulled):
            self.failed = 0
            self.given_up[one.trace] = False
            return Listed(trace=one.trace, day=one.day, stand=one.stand)
        if document.key:
            raise document
        before, same = self.memory.listed.get((one.trace, one.day)), self._before(one)
        # What a server, its limits or the way to it cost is no fault of the trace; and a bad day is one, however often
        # it was pulled on it.
        counts = document.own and same.tried != self.today
        tries, faults, tried = same.tries + 1, same.faults + counts, self.today if document.own else same.tried
        given_up = not document.again or faults >= MOST_TRIES
        last = f" It is left out until it changes: so it was on {faults} days" if given_up and faults > 1 else ""
        self.notes.problem(
            NamedPlace(f"{self.address.kind}:{one.trace}"), 0, f"{document}.{last}" if last else str(document)
        )
        self.given_up[one.trace] = given_up
        if not given_up:
            self.notes.counts[NOT_PULLED] += 1
            self.whole, self.failed = False, self.failed + 1
        kept, known = before is not None and before.is_read, before.document if before else ""
        new = {"given_up": given_up, "tries": tries, "faults": faults, "tried": tried, "kept": kept, "document": known}
        return one.model_copy(update=new)


def _after(day: str) -> str:
    return str(date.fromisoformat(day) + timedelta(days=1))


def _before_that(day: str, days: int) -> str:
    return str(date.fromisoformat(day) - timedelta(days=days))


def _days(first: str, end: str) -> Iterator[str]:
    while first < end:
        yield first
        first = _after(first)
