"""What is remembered of log files: how they were, how far they were read, and which trajectories came of them.

It is written together with these trajectories, so that a run that dies goes on where it stopped.
"""

import sys
from collections import Counter
from collections.abc import Mapping, Set
from operator import not_
from typing import NamedTuple

from pydantic import Field

from trace2skill.core import clock
from trace2skill.core.digest import digest_of
from trace2skill.core.record import Record
from trace2skill.runs.pulls import pulled_before
from trace2skill.runs.sources import Sources
from trace2skill.store import Store
from trace2skill.traces import Memory
from trace2skill.traces.pulled import place_of
from trace2skill.traces.reading import Before
from trace2skill.traces.stores import PullMemory, files_of, stores_of
from trace2skill.traces.verdicts import Verdicts
from trace2skill.types.trajectory import Trajectory

VERSION = "intake 3"
MARKS_AT_ONCE = 64


class Taken(Record, form="Taken", version=1):
    """A trajectory that is in the store: its id, the digest of its content, and what a person reads."""

    id: str
    content: str
    task_id: str
    outcome: str
    source: str

    @classmethod
    def of(cls, trajectory: Trajectory) -> "Taken":
        """What is handed on of a trajectory."""
        outcome = trajectory.outcome
        return cls.lean(trajectory.id, trajectory.digest, trajectory.task_id, outcome.kind, outcome.source)

    @classmethod
    def lean(cls, id: str, content: str, task_id: str, outcome: str, source: str) -> "Taken":
        """One of very many: the names of its fields, and the words that all of them have, are there once for all."""
        return cls.model_construct(
            _ALL_FIELDS,
            id=id,
            content=content,
            task_id=id if task_id == id else task_id,
            outcome=sys.intern(outcome),
            source=sys.intern(source),
        )


_ALL_FIELDS = set(Taken.model_fields)


class TakenIn(Record, form="TakenIn", version=1):
    """All that a run learned from, by the digest of it (`Sources.content`): also that of which no lesson came."""

    ids: tuple[str, ...]


class Withheld(Record, form="Withheld", version=1):
    """What a log says of the expected answer. Kept apart: no analyst sees it, and no lesson may quote it."""

    gold: tuple[str, ...]


class Watermark(Record, form="Watermark", version=1):
    """What is remembered of a log file, or of a part of it: how it was, and which trajectories came of it.

    It is written with these trajectories, in one transaction: what is remembered is in the store. A large file has
    several, one after the other; a reading that is broken off goes on after the last.
    """

    memory: Memory
    taken: tuple[Taken, ...]
    problems: int = 0
    first_problems: tuple[str, ...] = Field(default=(), exclude_if=not_, description="In words, and redacted.")
    read: int = Field(default=0, exclude_if=not_, description="Trajectories of the file up to here, copies among them.")
    more: bool = Field(default=False, exclude_if=not_, description="The file goes on after this part.")
    names: dict[str, str] = Field(
        default_factory=dict, exclude_if=not_, description="Ids of what was read, with the start of its digest."
    )
    asked: tuple[str, ...] = Field(default=(), exclude_if=not_, description="Ids under which a verdict may stand.")
    heard: str = Field(default="", exclude_if=not_, description="Digest of the verdicts that stood under them.")
    copy_of: tuple[str, ...] = Field(
        default=(), exclude_if=not_, description="Files and traces that hold what was left out here as a copy."
    )


class HeldMark(NamedTuple):
    """What is held in memory of a watermark while logs are read."""

    memory: Memory
    taken: tuple[Taken, ...]
    read: int
    more: bool
    names: dict[str, str]
    has_verdict: tuple[str, ...]
    """Ids under which a verdict stands."""
    heard: bool
    """Those verdicts are what they were."""
    copy_of: tuple[str, ...] = ()
    problems: int = 0
    first_problems: tuple[str, ...] = ()

    @classmethod
    def of(cls, full: Watermark, verdicts: Verdicts) -> "HeldMark":
        """What is needed of a watermark."""
        taken = tuple(Taken.lean(item.id, item.content, item.task_id, item.outcome, item.source) for item in full.taken)
        ids = {item.id: item.id for item in taken}
        return cls(
            memory=full.memory,
            taken=taken,
            read=full.read,
            more=full.more,
            names={ids.get(id, id): digest for id, digest in full.names.items()},
            has_verdict=tuple(id for id in full.asked if id in verdicts.labels or id in verdicts.found),
            heard=verdicts.heard(full.asked) == full.heard,
            copy_of=tuple(map(sys.intern, full.copy_of)),
            problems=full.problems,
            first_problems=full.first_problems,
        )


class Known:
    """What is remembered of the files below the paths, where the store still holds all that came of them."""

    def __init__(self, marks: dict[str, list[HeldMark]], pulls: dict[str, PullMemory], pages: dict[str, int]) -> None:
        self.marks, self.pulls, self.pages = marks, pulls, pages

    @classmethod
    def of(cls, store: Store, sources: Sources, verdicts: Verdicts) -> "Known":
        """What the store remembers. A file whose verdicts are others now is not known."""
        every = _every(store, verdicts)
        there = store.ids_of("trajectory") if every else set()
        found: dict[str, list[HeldMark]] = {}

        def look(name: str) -> bool:
            chain = _chain(every, sources, name)
            if not all(item.id in there for mark in chain for item in mark.taken) or not all(m.heard for m in chain):
                return False
            for mark in chain:
                verdicts.note(mark.has_verdict)
            found[name] = chain
            return bool(chain)

        for given in files_of(sources.paths) if every else ():
            for path in [given] if given.is_file() else given.rglob("*"):
                look(str(path.absolute()))
        files, pages = {*found}, dict[str, int]()
        pulls, places = dict[str, PullMemory](), dict[str, dict[str, str]]()
        for address in stores_of(sources.paths):
            memory, pages[address.pulled] = pulled_before(store, address)
            pulls[address.pulled] = memory
            within = memory.within(*address.window(clock.today()))
            places[address.pulled] = {trace: place for trace in within if look(place := place_of(address, trace))}
        found = _with_owners({name: chain for name, chain in found.items() if chain}, files)
        for pulled, memory in pulls.items():
            memory.there = {
                trace
                for trace, place in places[pulled].items()
                if place in found and memory.documents.get(trace, sha := found[place][-1].memory.sha256) == sha
            }
        return cls(found, pulls, pages)

    def before(self) -> Before:
        """The same, as a reading asks for it."""
        ended = {name: chain for name, chain in self.marks.items() if not chain[-1].more}
        return Before(
            whole={name: chain[-1].memory for name, chain in ended.items()},
            part={name: (chain[-1].memory, chain[-1].read) for name, chain in self.marks.items() if name not in ended},
            names={
                name: {id: digest for mark in chain for id, digest in mark.names.items()}
                for name, chain in self.marks.items()
            },
            pulls=self.pulls,
        )


def _with_owners(found: dict[str, list[HeldMark]], files: Set[str]) -> dict[str, list[HeldMark]]:
    """The marks that hold here. That of a copy does while all that it is a copy of are here, and of a trace that a
    file and a trace store have brought each by itself, as they were read in turns, neither does.
    """
    pulled, filed = Counter[str](), Counter[str]()
    for name, chain in found.items():
        (filed if name in files else pulled).update({item.id for mark in chain for item in mark.taken})
    twice = pulled.keys() & filed.keys()
    here = {
        name: chain
        for name, chain in found.items()
        if not twice or not any(item.id in twice for mark in chain for item in mark.taken)
    }
    while gone := [name for name, chain in here.items() if not here.keys() >= {*chain[-1].copy_of}]:
        for name in gone:
            del here[name]
    return here


def _every(store: Store, verdicts: Verdicts) -> dict[str, HeldMark]:
    """All marks by their ids, a few of the full ones at a time."""
    ids = sorted(store.ids_of("source"))
    found: dict[str, HeldMark] = {}
    for start in range(0, len(ids), MARKS_AT_ONCE):
        full = store.several("source", ids[start : start + MARKS_AT_ONCE], Watermark)
        found |= {id: HeldMark.of(mark, verdicts) for id, mark in full.items()}
    return found


def _chain(every: Mapping[str, HeldMark], sources: Sources, path: str) -> list[HeldMark]:
    """The marks of a file, part after part; those that an older state of the file has left behind do not count."""
    chain: list[HeldMark] = []
    while (mark := every.get(mark_id(sources, path, len(chain)))) is not None:
        if chain and mark.memory.sha256 != chain[0].memory.sha256:
            break
        chain.append(mark)
        if not mark.more:
            break
    return chain


def mark_id(sources: Sources, path: str, number: int = 0) -> str:
    """A file read as another format or by other rules of reading is another source; so is each of its parts."""
    return digest_of("source", VERSION, path, sources.format, *([number] if number else []))
