"""One file of a reading: whether it is unchanged since last time, what in it is new, and how it is remembered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from operator import not_
from pathlib import Path
from typing import Protocol

from pydantic import Field

from trace2skill.core.record import Record
from trace2skill.traces.answered import Answered
from trace2skill.traces.base import Notes, ReadProblem, Source
from trace2skill.traces.copies import Copies, free_id
from trace2skill.traces.formats import detect, read_source, unknown_format
from trace2skill.traces.reader import Reader
from trace2skill.traces.stores import Page, PullMemory, TraceStoreAddress
from trace2skill.types.trajectory import Trajectory

UNIT = 4 * 1024 * 1024
TOLD_APART = 16
"""So many digits of a digest tell two readings of one trajectory apart."""


class Memory(Record):
    """How a file was when it was last read with success."""

    size: int
    modified_ns: int
    sha256: str
    identities: dict[str, str] = Field(default_factory=dict, exclude_if=not_, description="Of replies, by trajectory.")


class ReadFile(Record):
    """One file of a reading."""

    name: str
    path: str
    format: str = ""
    state: str = "read"
    trajectories: int = 0
    problems: int = 0
    first_problems: tuple[str, ...] = ()
    memory: Memory | None = None
    went_on: bool = False
    """An earlier reading was broken off in it, and this one went on from there."""
    copy_of: tuple[str, ...] = ()
    """Where what it says stands too, and was taken from: without these, it would be taken from here."""


class Readings(Record):
    """What was read from paths: files, counts, problems. The trajectories are handed out one by one."""

    files: tuple[ReadFile, ...]
    problems: tuple[ReadProblem, ...]
    counts: dict[str, int]


@dataclass
class Before:
    """What earlier readings left: how files were, how far one was read, and what the trajectories were called."""

    whole: Mapping[str, Memory] = field(default_factory=dict)
    """Files that were read to their end, by absolute path."""
    part: Mapping[str, tuple[Memory, int]] = field(default_factory=dict)
    """Files whose reading was broken off, and how many trajectories were taken of each."""
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Of each of these files, the ids of its trajectories with the start of the digest of what was read."""
    pulls: Mapping[str, PullMemory] = field(default_factory=dict)
    """Of each trace store (`TraceStoreAddress.pulled`), what was pulled. Its traces are files by their place."""


class Taker(Protocol):
    """Who gets what is read."""

    def expect(self, units: int) -> None:
        """So many units are to be read: a file is one, and one more for each `UNIT` bytes."""

    def hide(self, trajectory_id: str, gold: frozenset[str]) -> None:
        """What the log says of the expected answer of the trajectory that comes next."""

    def answered(self, trajectory_id: str, found: Callable[[], Answered]) -> None:
        """What says the question of the trajectory that comes next, with gold; only who asks has it looked up."""

    def take(self, trajectory: Trajectory, file: ReadFile, number: int) -> None:
        """A trajectory, the file it stands in, and which of that file's it is, from 1."""

    def pulling(self, what: str, traces: int) -> None:
        """So many traces of a trace store are to be read next, of a day say."""

    def pulled(self, address: TraceStoreAddress, page: Page) -> None:
        """What of a trace store is settled by the traces that were taken before: both are kept, or none."""

    def moved(self, name: str) -> None:
        """One more unit of a file that is not at its end is read."""

    def ended(self, file: ReadFile | None, name: str, units: int) -> None:
        """A file is done, None where it was not read; so many units were not told yet."""


class SeenSoFar:
    """What a reading has seen so far: trajectories by id, files by their bytes, responses by their identity."""

    def __init__(self, earlier: Before) -> None:
        self._names = earlier.names
        self.trajectories = {id: digest for names in earlier.names.values() for id, digest in names.items()}
        self.owners = {id: path for path, names in earlier.names.items() for id in names}
        """By trajectory, the file that it was taken from."""
        self.files: dict[str, str] = {}
        """By digest, the first file of these bytes."""
        self.copies = Copies()
        self.pulled: dict[str, str] = {}
        """Traces of trace stores by their place, with the reader that takes them."""
        self.outdated: set[str] = set()
        """Files of which a trace store has something too: they are read again, whether or not they have changed."""

    def forget(self, path: str) -> None:
        """What was taken from a file is nobody's any more."""
        for id in self._names.get(path, ()):
            if self.owners.get(id) == path:
                del self.owners[id], self.trajectories[id]
        self.copies.forget(path)

    def take_over(self, trajectory: Trajectory) -> None:
        """What a trace store says of a trajectory is the newest: files that it was taken from have a copy."""
        for path in {self.owners.get(trajectory.id, ""), *self.copies.paths(trajectory)} - {"", *self.pulled}:
            self.outdated.add(path)
            self.forget(path)

    def is_copy(self, trajectory: Trajectory, file: ReadFile) -> bool:
        """Was it taken before? An export of a trace that a store has is one, however much either of them says."""
        if self.trajectories.get(trajectory.id) == trajectory.digest[:TOLD_APART]:
            return True
        return file.path not in self.pulled and self.pulled.get(self.owners.get(trajectory.id, "")) == file.format


class Only:
    """A function that takes trajectories, where nobody watches."""

    def __init__(self, take: Callable[[Trajectory, ReadFile], None]) -> None:
        self._take = take

    def expect(self, units: int) -> None:
        """See `Taker`."""

    def hide(self, trajectory_id: str, gold: frozenset[str]) -> None:
        """See `Taker`."""

    def answered(self, trajectory_id: str, found: Callable[[], Answered]) -> None:
        """See `Taker`."""

    def take(self, trajectory: Trajectory, file: ReadFile, number: int) -> None:
        """See `Taker`."""
        self._take(trajectory, file)

    def pulling(self, what: str, traces: int) -> None:
        """See `Taker`."""

    def pulled(self, address: TraceStoreAddress, page: Page) -> None:
        """See `Taker`."""

    def moved(self, name: str) -> None:
        """See `Taker`."""

    def ended(self, file: ReadFile | None, name: str, units: int) -> None:
        """See `Taker`."""


class Steps:
    """Tells how far a file is read, unit by unit."""

    def __init__(self, to: Taker, name: str, units: int) -> None:
        self._to, self._name, self.left = to, name, units

    def reached(self, place: int, size: int) -> None:
        """So many bytes of the file are read."""
        while self.left > 1 and self.left > of_size(size - place):
            self.left -= 1
            self._to.moved(self._name)


def of_size(size: int) -> int:
    """The units of so many bytes."""
    return 1 + max(size, 0) // UNIT


def units_of(path: Path) -> int:
    """The units of a file; 1 where it cannot be looked at."""
    try:
        return of_size(path.stat().st_size)
    except OSError:
        return 1


def read_one(
    source: Source,
    to: Taker,
    reader: Reader | None,
    earlier: Before,
    notes: Notes,
    seen: SeenSoFar,
    steps: Steps,
) -> ReadFile | None:
    """Read one file, unless it is as it was, and hand out what is new in it; None where it could not be read."""
    file = ReadFile(name=source.name, path=source.place)
    before = earlier.whole.get(file.path) if file.path not in seen.outdated else None
    try:
        size, modified_ns = source.state()
        if before and modified_ns and (before.size, before.modified_ns) == (size, modified_ns):
            seen.files.setdefault(before.sha256, file.path)
            return file.model_copy(update={"state": "unchanged", "memory": before})
        digest = source.sha256()
        memory = Memory(size=size, modified_ns=modified_ns, sha256=digest)
        if before and before.sha256 == digest:
            seen.files.setdefault(digest, file.path)
            memory = memory.model_copy(update={"identities": before.identities})
            return file.model_copy(update={"state": "unchanged", "memory": memory})
        used = reader or detect(source)
    except (OSError, ValueError, RecursionError) as error:
        notes.problem(source, 0, f"cannot be read: {error}")
        return None
    if used is None:
        notes.problem(source, 0, unknown_format(source))
        return None
    file = file.model_copy(update={"format": used.name, "memory": memory})
    if (first := seen.files.setdefault(digest, file.path)) != file.path and source.head.strip():
        notes.counts["duplicate"] += 1  # saved twice: the same bytes say nothing new
        return file.model_copy(update={"copy_of": (first,)})
    return _taken(source, used, file, memory, to, earlier, notes, seen, steps)


def _taken(
    source: Source,
    used: Reader,
    file: ReadFile,
    memory: Memory,
    to: Taker,
    earlier: Before,
    notes: Notes,
    seen: SeenSoFar,
    steps: Steps,
) -> ReadFile:
    """Hand out what is new in a file, from where an earlier reading of the same bytes was broken off."""
    begun, taken_before = earlier.part.get(file.path, (None, 0))
    goes_on = begun is not None and begun.sha256 == memory.sha256 and file.path not in seen.outdated
    goes_on_from = taken_before if goes_on else 0
    file = file.model_copy(update={"went_on": goes_on_from > 0})
    seen.forget(file.path)
    troubles, copied = notes.counts["problem"], notes.counts["copy"] + notes.counts["duplicate"]
    count, of = 0, set[str]()
    for number, found in enumerate(read_source(source, notes, used), start=1):
        steps.reached(source.reached[0], memory.size)
        gold, answered = notes.gold_of(found.id), notes.answered_of(found.id)
        trajectory = _new(found, source, file, notes, seen, of)
        if trajectory is None:
            continue
        count += 1
        if number > goes_on_from:
            if gold:
                to.hide(trajectory.id, gold)
            if answered is not None:
                to.answered(trajectory.id, answered)
            to.take(trajectory, file, number)
    quiet = notes.counts["problem"] == troubles and notes.counts["copy"] + notes.counts["duplicate"] == copied
    if not count and quiet and source.head.strip():
        notes.problem(source, 0, f"read as '{used.name}', and no step was found in it")
    memory = memory.model_copy(update={"identities": seen.copies.of(file.path)})
    copy_of = tuple(sorted(of - {file.path}))
    return file.model_copy(update={"trajectories": count, "memory": memory, "copy_of": copy_of})


def _new(
    found: Trajectory, source: Source, file: ReadFile, notes: Notes, seen: SeenSoFar, of: set[str]
) -> Trajectory | None:
    """What of a trajectory was not read before: all of it, what came after a copied part, or nothing.

    `of` gets the files that hold what is left out as a whole.
    """
    if file.path in seen.pulled:
        seen.take_over(found)
    if seen.is_copy(found, file):
        notes.counts["duplicate"] += 1
        of.add(seen.owners[found.id])
        return None
    elsewhere = seen.copies.paths(found)
    trajectory, copied = seen.copies.new_in(found, file.path)
    if copied:
        notes.counts["copied step"] += copied
    if trajectory is None:
        notes.counts["copy"] += 1
        of |= elsewhere
        return None
    id = free_id(trajectory.id, source.name, digest := found.digest[:TOLD_APART], seen.trajectories)
    if id in seen.trajectories:  # the same a second time, of one name with something else
        notes.counts["duplicate"] += 1
        of.add(seen.owners[id])
        return None
    trajectory = trajectory.model_copy(update={"id": id}) if id != trajectory.id else trajectory
    seen.trajectories[id], seen.owners[id] = digest, file.path
    return trajectory
