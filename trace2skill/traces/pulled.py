"""Traces of a trace store, read as if each were a file: by its store's format, remembered by its place."""

import json
from typing import NamedTuple

from trace2skill.core import clock
from trace2skill.core.digest import digest_of
from trace2skill.core.errors import BadInput
from trace2skill.traces.base import Notes
from trace2skill.traces.formats import reader_named
from trace2skill.traces.held import HeldSource
from trace2skill.traces.reader import Reader
from trace2skill.traces.reading import Before, ReadFile, SeenSoFar, Steps, Taker, read_one
from trace2skill.traces.stores import Listed, NotPulled, Page, Pull, PullMemory, TraceStoreAddress
from trace2skill.traces.stores.base import TraceStore


def place_of(address: TraceStoreAddress, trace: str) -> str:
    """What a reading remembers a trace by: the same for every window, filter and sample."""
    return f"{address.place}#{trace}"


def remember_pulled(address: TraceStoreAddress, earlier: Before, seen: SeenSoFar) -> None:
    """Take over what the traces of earlier pulls brought, as it is done for files."""
    for trace in sorted(earlier.pulls.get(address.pulled, PullMemory()).traces):
        if memory := earlier.whole.get(place_of(address, trace)):
            seen.copies.remember(place_of(address, trace), memory.identities)


class _To(NamedTuple):
    """Where what is read goes."""

    taker: Taker
    earlier: Before
    notes: Notes
    seen: SeenSoFar
    reader: Reader


def read_store(
    address: TraceStoreAddress,
    store: TraceStore,
    taker: Taker,
    earlier: Before,
    notes: Notes,
    seen: SeenSoFar,
    files: dict[str, ReadFile],
) -> None:
    """Pull what is new or has changed, hand it out page by page, and put each trace of the window into `files`.

    Raises:
        BadInput: the store cannot be asked.
    """
    to = _To(taker, earlier, notes, seen, reader_named(store.format))
    memory = earlier.pulls.get(address.pulled, PullMemory())
    pull = Pull(address, store, memory, notes, clock.today())
    try:
        for day, listed in pull.days():
            if listed:
                taker.pulling(f"pull {address.kind} {day or 'again'}", len({one.trace for one in listed}))
            for page in pull.pages(day, listed):
                _take(address, page, to, files)
    except NotPulled as error:
        raise BadInput(str(error)) from None
    finally:
        store.close()
    for trace in sorted(memory.within(*address.window(clock.today()))):
        place = place_of(address, trace)
        if place not in files and (before := earlier.whole.get(place)):
            files[place] = ReadFile(name=_name(address, trace), path=place, state="unchanged", memory=before)


def _take(address: TraceStoreAddress, page: Page, to: _To, files: dict[str, ReadFile]) -> None:
    """Hand out the traces of a page, then what it settles."""
    otherwise: set[str] = set()
    for trace, document in page.traces:
        place, name = place_of(address, trace), _name(address, trace)
        if document is None:
            to.taker.ended(None, name, 1)
            continue
        content = json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
        source = HeldSource(place, name, content, digest_of("trace", document))
        if place in files:  # of a second day, or of a second address: read once in a reading
            before = files[place].memory
            otherwise |= {trace} if before is None or before.sha256 != source.sha256() else set()
            to.taker.ended(files[place].model_copy(update={"state": "unchanged"}), name, 1)
            continue
        problems = to.notes.counts["problem"]
        file = read_one(source, to.taker, to.reader, to.earlier, to.notes, to.seen, Steps(to.taker, name, 1))
        if file is not None:
            files[place] = file.model_copy(update={"problems": to.notes.counts["problem"] - problems})
        to.taker.ended(files.get(place), name, 1)
    settled: tuple[Listed, ...] = tuple(one for one in page.listed if one.trace not in otherwise)
    to.taker.pulled(address, page._replace(listed=settled))


def _name(address: TraceStoreAddress, trace: str) -> str:
    return f"{address.kind}:{trace}"
