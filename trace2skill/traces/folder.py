"""Files and folders of logs: which files are read, which are unchanged since last time, what became of each."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import not_
from pathlib import Path

from pydantic import Field

from trace2skill.core.errors import BadInput
from trace2skill.core.record import Record
from trace2skill.traces.base import Notes, Reader, ReadProblem, Source
from trace2skill.traces.copies import Copies
from trace2skill.traces.formats import detect, read_source, unknown_format
from trace2skill.traces.session import trajectory_id
from trace2skill.types.trajectory import Trajectory

COMPANIONS = (".report.json",)
BESIDE_CLINE = ("ui_messages.json", "task_metadata.json", "context_history.json", "history_item.json")
BESIDE_A_DATABASE = ("-wal", "-shm", "-journal")


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


class Readings(Record):
    """What was read from paths: files, counts, problems. The trajectories are handed out one by one."""

    files: tuple[ReadFile, ...]
    problems: tuple[ReadProblem, ...]
    counts: dict[str, int]


def read_paths(
    paths: Sequence[Path],
    take: Callable[[Trajectory, ReadFile], None],
    *,
    reader: Reader | None = None,
    known: Mapping[str, Memory] | None = None,
    expect: Callable[[int], None] = lambda files: None,
    watch: Callable[[str, str], None] = lambda name, state: None,
    hide: Callable[[str, frozenset[str]], None] = lambda trajectory_id, gold: None,
) -> Readings:
    """Read every file below the paths and hand each trajectory to `take`; files as they were before are passed over.

    `known` holds what was remembered of files by their absolute path. A file of the same size and time is taken for
    unchanged, and so is one whose bytes are the same. `expect` is told how many files there are, `watch` of each that
    is done with its state, `hide` before a trajectory what its log says of the expected answer.

    What was copied from one log into another (a session that was resumed or forked, a file that was saved twice) is
    handed out once, with the file that comes first by its path; it is counted under `copy` and `duplicate`.

    Raises:
        BadInput: a path does not exist.
    """
    notes = Notes()
    files: list[ReadFile] = []
    seen = _Seen()
    listed = list(_files(paths, notes))
    expect(len(listed))
    for path, _ in listed:
        if memory := (known or {}).get(str(path.absolute())):
            seen.copies.remember(str(path.absolute()), memory.identities)
    for path, name in listed:
        source, before = Source(path, name), notes.counts["problem"]
        file = _read(source, take, hide, reader, (known or {}).get(str(path.absolute())), notes, seen)
        if file is not None:
            files.append(file.model_copy(update={"problems": notes.counts["problem"] - before}))
        watch(name, file.state if file is not None else "unread")
    return Readings(files=tuple(files), problems=tuple(notes.problems), counts=dict(sorted(notes.counts.items())))


class _Seen:
    """What a reading has seen so far: trajectories by id, files by their bytes, responses by their identity."""

    def __init__(self) -> None:
        self.trajectories: dict[str, str] = {}
        self.files: set[str] = set()
        self.copies = Copies()


def _read(
    source: Source,
    take: Callable[[Trajectory, ReadFile], None],
    hide: Callable[[str, frozenset[str]], None],
    reader: Reader | None,
    before: Memory | None,
    notes: Notes,
    seen: _Seen,
) -> ReadFile | None:
    path = str(source.path.absolute())
    file = ReadFile(name=source.name, path=path)
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
    count, troubles, copied = 0, notes.counts["problem"], notes.counts["copy"] + notes.counts["duplicate"]
    seen.copies.forget(path)
    for found in read_source(source, notes, used):
        gold = notes.gold_of(found.id)
        trajectory = _new(found, source, path, notes, seen)
        if trajectory is None:
            continue
        if gold:
            hide(trajectory.id, gold)
        take(trajectory, file)
        count += 1
    quiet = notes.counts["problem"] == troubles and notes.counts["copy"] + notes.counts["duplicate"] == copied
    if not count and quiet and source.head.strip():
        notes.problem(source, 0, f"read as '{used.name}', and no step was found in it")
    memory = memory.model_copy(update={"identities": seen.copies.of(path)})
    return file.model_copy(update={"trajectories": count, "memory": memory})


def _new(found: Trajectory, source: Source, path: str, notes: Notes, seen: _Seen) -> Trajectory | None:
    """What of a trajectory was not read before: all of it, what came after a copied part, or nothing."""
    if seen.trajectories.get(found.id) == found.digest:
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
    seen.trajectories[trajectory.id] = found.digest
    return trajectory


def _files(paths: Sequence[Path], notes: Notes) -> Iterator[tuple[Path, str]]:
    for given in paths:
        if given.is_file():
            yield given, given.name
        elif given.is_dir():
            root = given.resolve()
            for path in sorted(given.rglob("*")):
                name = path.relative_to(given).as_posix()
                if _belongs(path, name, root, notes):
                    yield path, name
        else:
            raise BadInput(f"{given} does not exist: name a log file or a folder of logs")


def _belongs(path: Path, name: str, root: Path, notes: Notes) -> bool:
    """Is it a log of its own? Hidden files, reports beside a log, and parts of OpenCode's storage are not."""
    if any(part.startswith(".") for part in name.split("/")) or path.is_dir():
        return False
    source = Source(path, name)
    if path.is_symlink() and not path.resolve().is_relative_to(root):
        notes.problem(source, 0, "a link that leads out of the folder: not followed")
        return False
    if not path.is_file():
        notes.problem(source, 0, "no plain file")
        return False
    if name.endswith(COMPANIONS) or path.name == "report.json" or _part_of_opencode(path) or _beside(path):
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


def _part_of_opencode(path: Path) -> bool:
    kind = path.parent.parent.name
    return path.suffix == ".json" and (
        (kind == "message" and path.parent.name.startswith("ses"))
        or (kind == "part" and path.parent.name.startswith("msg"))
    )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
