"""What a kind of trace store is: it lists the traces of a day, and gives one whole, as its format's reader takes it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from trace2skill.core.digest import digest_of
from trace2skill.traces.stores.rest import NotPulled, Rest
from trace2skill.traces.values import label

MOST_PAGES = 20_000
LONGEST_ID = 200
NO_SIGNS_OF_IDS = frozenset(" #?&\"'`<>\\")


class TraceRow(NamedTuple):
    """Something of a trace that a list names: the trace, when it began (as the store says it), and how it stands.

    A row of the trace '' names none that can be. A trace may have several rows, one a span;
    it has changed where any of its rows has. `only_known` rows (a late
    score) say something of traces that were listed at some time, and bring no new one in.
    """

    trace: str
    began: str
    stand: str
    only_known: bool = False


class TraceStore(Protocol):
    """One project of one store."""

    format: str
    """The reader of what `whole` gives."""
    at_once: int
    """So many traces are remembered together."""

    def rows(self, first: str, end: str) -> Iterator[list[TraceRow]]:
        """Page by page, what began on a day: from `first` on, before `end` (both ISO 8601 with time and zone).

        Raises:
            NotPulled: a page cannot be had.
        """

    def whole(self, traces: Sequence[str]) -> Iterator[tuple[str, Any]]:
        """Each of the traces with its document, or with the `NotPulled` that kept it away."""

    def close(self) -> None:
        """Nothing more is asked."""


class AskedStore:
    """What all of them have: a server that is asked."""

    def __init__(self, asked: Rest) -> None:
        self._rest = asked

    def close(self) -> None:
        """See `TraceStore`."""
        self._rest.close()

    def _each(self, traces: Sequence[str], one: Callable[[str], Any]) -> Iterator[tuple[str, Any]]:
        """Ask for each trace by itself: its document, or what kept it away."""
        for trace in traces:
            try:
                with self._rest.one_trace():
                    document = one(trace)
            except NotPulled as error:
                document = error
            yield trace, document


def paged(pages: Iterator[tuple[list[Any], str]]) -> Iterator[list[Any]]:
    """The pages of a list with their cursors, while a server gives new ones.

    Raises:
        NotPulled: it names a cursor again, or does not end.
    """
    seen: set[str] = set()
    for rows, cursor in pages:
        yield rows
        if not cursor:
            return
        if cursor in seen or len(seen) >= MOST_PAGES:
            raise NotPulled("the server's pages do not end", again=True)
        seen.add(cursor)


def stand(*parts: Any) -> str:
    """How something stands, as a short text that changes with it."""
    return digest_of(*parts)[:16]


def is_id(value: Any) -> bool:
    """Can it be the id of a trace: short, and of signs that may stand in an address and in a line of a log?"""
    short = isinstance(value, str) and 0 < len(value) <= LONGEST_ID
    return short and value.isprintable() and not set(value) & NO_SIGNS_OF_IDS


def row(trace: Any, began: Any, stands: str, *, only_known: bool = False) -> TraceRow:
    """A row of a list; one whose trace cannot be is of the trace ''."""
    return TraceRow(trace if is_id(trace) else "", label(began), stands, only_known)


def of_trace(trace: str, rows: Sequence[Mapping[str, Any]], field: str) -> None:
    """Is an answer of the trace that was asked for?

    Raises:
        NotPulled: it has none of its rows, or one of another trace.
    """
    if not rows:
        raise NotPulled(f"trace {trace} is gone", again=False, own=True)
    if any(label(one.get(field)) != trace for one in rows):
        raise NotPulled(f"trace {trace} was asked for, and another one came: left out this time", again=True)


def of_batch(error: NotPulled) -> NotPulled:
    """What kept something of several traces away, as it is said of each: none of them is at fault."""
    return NotPulled(str(error), again=True, refused=error.refused, key=error.key)
