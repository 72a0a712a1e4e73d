"""Files and folders of logs: which files are read, which are unchanged since last time, what became of each."""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import not_
from pathlib import Path
from typing import Protocol

from pydantic import Field

from trace2skill.core.errors import BadInput
from trace2skill.core.garbage import few_collections
from trace2skill.core.record import Record
from trace2skill.traces.base import Notes, Reader, ReadProblem, Source
from trace2skill.traces.beside import part_of_stored_events
from trace2skill.traces.copies import Copies
from trace2skill.traces.formats import detect, read_source, unknown_format
from trace2skill.traces.session import trajectory_id
from trace2skill.types.trajectory import Trajectory

COMPANIONS = (".report.json",)
BESIDE_CLINE = ("ui_messages.json", "task_metadata.json", "context_history.json", "history_item.json")
BESIDE_A_DATABASE = ("-wal", "-shm", "-journal")
UNIT = 4 * 1024 * 1024
TOLD_APART = 16
"""So many digits of a digest tell two readings of one trajectory apart."""


class Memory(Record):
    """How a file was when it was last read with success."""

    size: int
    modified_ns: int
    sha256: str
    identities: dict[str, str] = Field(
        default_factory=dict,
        exclude_if=not_,
        description="By trajectory, the identities of the responses that came of the file, put together in one text.",
    )


class ReadFile(Record):
    """One file of a reading."""

    name: str
    path: str
    format: str = ""
    state: str = "read"
    trajectories: int = 0
    problems: int = 0
    memory: Memory | None = None
    went_on: bool = False
    """An earlier reading was broken off in it, and this one went on from there."""


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


class Taker(Protocol):
    """Who gets what is read."""

    def expect(self, units: int) -> None:
        """So many units are to be read: a file is one, and one more for each `UNIT` bytes."""

    def hide(self, trajectory_id: str, gold: frozenset[str]) -> None:
        """What the log says of the expected answer of the trajectory that comes next."""

    def take(self, trajectory: Trajectory, file: ReadFile, number: int) -> None:
        """A trajectory, the file it stands in, and which of that file's it is, from 1."""

    def moved(self, name: str) -> None:
        """One more unit of a file that is not at its end is read."""

    def ended(self, file: ReadFile | None, name: str, units: int) -> None:
        """A file is done, None where it was not read; so many units were not told yet."""


def read_paths(
    paths: Sequence[Path],
    taker: Taker | Callable[[Trajectory, ReadFile], None],
    *,
    reader: Reader | None = None,
    known: Mapping[str, Memory] | None = None,
    before: Before | None = None,
    aside: Collection[Path] = (),
) -> Readings:
    """Read every file below the paths and hand each trajectory to `taker`; files as they were before are passed over.

    `known` holds what was remembered of whole files by their absolute path; `before` holds that and more. A file of
    the same size and time is taken for unchanged, and so is one whose bytes are the same. Of a file whose reading was
    broken off and that is unchanged, what was taken is passed over. `aside` are files that are no logs: verdicts, say.

    What was copied from one log into another (a session that was resumed or forked, a file that was saved twice) is
    handed out once, with the file that comes first by its path; it is counted under `copy` and `duplicate`.

    Raises:
        BadInput: a path does not exist.
    """
    notes, files = Notes(), list[ReadFile]()
    to = _Only(taker) if callable(taker) else taker
    earlier = before or Before(whole=known or {})
    seen = _Seen(earlier)
    listed = list(_files(paths, notes, aside))
    to.expect(sum(_units(path) for path, _ in listed))
    for path, _ in listed:
        if memory := earlier.whole.get(str(path.absolute())):
            seen.copies.remember(str(path.absolute()), memory.identities)
    with few_collections():  # of many small files each would end with one
        for path, name in listed:
            source, problems, steps = Source(path, name), notes.counts["problem"], _Steps(to, name, _units(path))
            file = _read(source, to, reader, earlier, notes, seen, steps)
            if file is not None:
                file = file.model_copy(update={"problems": notes.counts["problem"] - problems})
                files.append(file)
            to.ended(file, name, steps.left)
    return Readings(files=tuple(files), problems=tuple(notes.problems), counts=dict(sorted(notes.counts.items())))


class _Seen:
    """What a reading has seen so far: trajectories by id, files by their bytes, responses by their identity."""

    def __init__(self, earlier: Before) -> None:
        self.trajectories = {id: digest for names in earlier.names.values() for id, digest in names.items()}
        self.files: set[str] = set()
        self.copies = Copies()


class _Only:
    """A function that takes trajectories, where nobody watches."""

    def __init__(self, take: Callable[[Trajectory, ReadFile], None]) -> None:
        self._take = take

    def expect(self, units: int) -> None: ...

    def hide(self, trajectory_id: str, gold: frozenset[str]) -> None: ...

    def take(self, trajectory: Trajectory, file: ReadFile, number: int) -> None:
        self._take(trajectory, file)

    def moved(self, name: str) -> None: ...

    def ended(self, file: ReadFile | None, name: str, units: int) -> None: ...


class _Steps:
    """Tells how far a file is read, unit by unit."""

    def __init__(self, to: Taker, name: str, units: int) -> None:
        self._to, self._name, self.left = to, name, units

    def reached(self, place: int, size: int) -> None:
        """So many bytes of the file are read."""
        while self.left > 1 and self.left > _of_size(size - place):
            self.left -= 1
            self._to.moved(self._name)


def _of_size(size: int) -> int:
    return 1 + max(size, 0) // UNIT


def _units(path: Path) -> int:
    try:
        return _of_size(path.stat().st_size)
    except OSError:
        return 1


def _read(
    source: Source,
    to: Taker,
    reader: Reader | None,
    earlier: Before,
    notes: Notes,
    seen: _Seen,
    steps: _Steps,
) -> ReadFile | None:
    file = ReadFile(name=source.name, path=str(source.path.absolute()))
    before = earlier.whole.get(file.path)
    try:
        state = source.path.stat()
        if before and (before.size, before.modified_ns) == (state.st_size, state.st_mtime_ns):
            seen.files.add(before.sha256)
            return file.model_copy(update={"state": "unchanged", "memory": before})
        digest = _digest(source.path)
        memory = Memory(size=state.st_size, modified_ns=state.st_mtime_ns, sha256=digest)
        if before and before.sha256 == digest:
            seen.files.add(digest)
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
    if digest in seen.files and source.head.strip():  # saved twice: the same bytes say nothing new
        notes.counts["duplicate"] += 1
        return file
    seen.files.add(digest)
    return _taken(source, used, file, memory, to, earlier, notes, seen, steps)


def _taken(
    source: Source,
    used: Reader,
    file: ReadFile,
    memory: Memory,
    to: Taker,
    earlier: Before,
    notes: Notes,
    seen: _Seen,
    steps: _Steps,
) -> ReadFile:
    """Hand out what is new in a file, from where an earlier reading of the same bytes was broken off."""
    begun, taken_before = earlier.part.get(file.path, (None, 0))
    goes_on_from = taken_before if begun and begun.sha256 == memory.sha256 else 0
    file = file.model_copy(update={"went_on": goes_on_from > 0})
    for id in earlier.names.get(file.path, ()):  # what a changed file held is nobody's any more
        seen.trajectories.pop(id, None)
    troubles, copied = notes.counts["problem"], notes.counts["copy"] + notes.counts["duplicate"]
    seen.copies.forget(file.path)
    count = 0
    for number, found in enumerate(read_source(source, notes, used), start=1):
        steps.reached(source.reached[0], memory.size)
        gold = notes.gold_of(found.id)
        trajectory = _new(found, source, file.path, notes, seen)
        if trajectory is None:
            continue
        count += 1
        if number > goes_on_from:
            if gold:
                to.hide(trajectory.id, gold)
            to.take(trajectory, file, number)
    quiet = notes.counts["problem"] == troubles and notes.counts["copy"] + notes.counts["duplicate"] == copied
    if not count and quiet and source.head.strip():
        notes.problem(source, 0, f"read as '{used.name}', and no step was found in it")
    memory = memory.model_copy(update={"identities": seen.copies.of(file.path)})
    return file.model_copy(update={"trajectories": count, "memory": memory})


def _new(found: Trajectory, source: Source, path: str, notes: Notes, seen: _Seen) -> Trajectory | None:
    """What of a trajectory was not read before: all of it, what came after a copied part, or nothing."""
    digest = found.digest[:TOLD_APART]
    if seen.trajectories.get(found.id) == digest:
        notes.counts["duplicate"] += 1
        return None
    trajectory, copied = seen.copies.new_in(found, path)
    if copied:
        notes.counts["copied step"] += copied
    if trajectory is None:
        notes.counts["copy"] += 1
        return None
    if trajectory.id in seen.trajectories:  # the same name for something else: part of it, or a copy that went on
        trajectory = trajectory.model_copy(update={"id": trajectory_id(trajectory.id, source.name)})
    seen.trajectories[trajectory.id] = digest
    return trajectory


def _files(paths: Sequence[Path], notes: Notes, aside: Collection[Path]) -> Iterator[tuple[Path, str]]:
    for given in paths:
        if given.is_file():
            yield given, given.name
        elif given.is_dir():
            root = given.resolve()
            for path in sorted(given.rglob("*")):
                name = path.relative_to(given).as_posix()
                if path in aside:
                    notes.counts["companion"] += 1
                elif _belongs(path, name, root, notes):
                    yield path, name
        else:
            raise BadInput(f"{given} does not exist: name a log file or a folder of logs")


def _belongs(path: Path, name: str, root: Path, notes: Notes) -> bool:
    """Is it a log of its own? Hidden files, reports beside a log, and parts of a stored session are not."""
    if any(part.startswith(".") for part in name.split("/")) or path.is_dir():
        return False
    source = Source(path, name)
    if path.is_symlink() and not path.resolve().is_relative_to(root):
        notes.problem(source, 0, "a link that leads out of the folder: not followed")
        return False
    if not path.is_file():
        notes.problem(source, 0, "no plain file")
        return False
    if name.endswith(COMPANIONS) or path.name == "report.json" or _part_of_a_session(path) or _beside(path):
        notes.counts["companion"] += 1
        return False
    return True


def _beside(path: Path) -> bool:
    """Is it what a program keeps beside a log: a sub-agent's description, what Cline shows, a database's journal?"""
    if path.name.endswith(".meta.json"):
        return path.with_name(path.name.replace(".meta.json", ".jsonl")).exists()
    if path.name in BESIDE_CLINE:
        return path.with_name("api_conversation_history.json").exists()
    return path.name.endswith(BESIDE_A_DATABASE) and path.with_name(path.name.rpartition("-")[0]).exists()


def _part_of_a_session(path: Path) -> bool:
    kind = path.parent.parent.name
    return part_of_stored_events(path) or (
        path.suffix == ".json"
        and (
            (kind == "message" and path.parent.name.startswith("ses"))
            or (kind == "part" and path.parent.name.startswith("msg"))
        )
    )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
