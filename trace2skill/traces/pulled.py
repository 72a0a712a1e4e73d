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
from trace2skill.traces.stores import Listed, NotPulled, Page, Pull, Pulled, PullMemory, TraceStoreAddress
from trace2skill.traces.stores.base import TraceStore
from trace2skill.traces.stores.pull import GIVEN_UP


def place_of(address: TraceStoreAddress, trace: str) -> str:
    """What a reading remembers a trace by: the same for every window, filter and sample."""
    return f"{address.place}#{trace}"


def remember_pulled(address: TraceStoreAddress, format: str, earlier: Before, seen: SeenSoFar) -> None:
    """Take over what the traces of earlier pulls brought, as it is done for files. Those that have left the window
    are none of this reading's.
    """
    known = earlier.pulls.get(address.pulled, PullMemory())
    for trace in sorted(known.within(*address.window(clock.today()))):
        place = place_of(address, trace)
        if memory := earlier.whole.get(place):
            seen.copies.remember(place, memory.identities)
            seen.pulled[place] = format


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
            otherwise: set[str] = set()
            for found in pull.pages(day, listed):
                if isinstance(found, Pulled):
                    _take(address, found, to, files, otherwise)
                else:
                    pull.whole = pull.whole and not otherwise  # the next pull begins with it
                    taker.pulled(address, found._replace(listed=_settled(address, found, files, otherwise)))
    except NotPulled as error:
        raise BadInput(str(error)) from None
    finally:
        store.close()
    notes.counts[GIVEN_UP] += pull.left_out()
    for trace in sorted(memory.within(*address.window(clock.today()))):
        place = place_of(address, trace)
        if place not in files and (before := earlier.whole.get(place)):
            files[place] = ReadFile(name=_name(address, trace), path=place, state="unchanged", memory=before)


def _settled(
    address: TraceStoreAddress, page: Page, files: dict[str, ReadFile], otherwise: set[str]
) -> tuple[Listed, ...]:
    """What a page settles, with the digest of each document: of two that pull at once, one has kept an older one."""

    def of(one: Listed) -> str:
        file = files.get(place_of(address, one.trace))
        return file.memory.sha256 if file is not None and file.memory is not None else ""

    return tuple(
        one if one.tries else one.model_copy(update={"document": of(one)})
        for one in page.listed
        if one.trace not in otherwise
    )


def _take(address: TraceStoreAddress, found: Pulled, to: _To, files: dict[str, ReadFile], otherwise: set[str]) -> None:
    """Hand out what is new in a trace. One that was read in this reading and stands otherwise now is for the next."""
    place, name = place_of(address, found.trace), _name(address, found.trace)
    if found.document is None:
        to.taker.ended(None, name, 1)
        return
    content = json.dumps(found.document, ensure_ascii=False).encode("utf-8", "replace")
    source = HeldSource(place, name, content, digest_of("trace", found.document))
    there = files.get(place)  # of a second day, or of a second address
    if there is not None:
        same = there.memory is not None and there.memory.sha256 == source.sha256()
        if same or there.state == "read":
            otherwise |= set() if same else {found.trace}
            to.taker.ended(there.model_copy(update={"state": "unchanged"}), name, 1)
            return
    to.seen.pulled[place] = to.reader.name
    noted = to.notes.so_far()
    file = read_one(source, to.taker, to.reader, to.earlier, to.notes, to.seen, Steps(to.taker, name, 1))
    if file is not None:
        files[place] = file.model_copy(update=to.notes.since(noted))
    to.taker.ended(files.get(place), name, 1)


def _name(address: TraceStoreAddress, trace: str) -> str:
    return f"{address.kind}:{trace}"
