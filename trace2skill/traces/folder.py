"""Files and folders of logs: which files are read, which are unchanged since last time, what became of each."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from trace2skill.core.errors import BadInput
from trace2skill.core.record import Record
from trace2skill.traces.base import Notes, Reader, ReadProblem, Source
from trace2skill.traces.formats import detect, read_source
from trace2skill.traces.session import trajectory_id
from trace2skill.types.trajectory import Trajectory

COMPANIONS = (".report.json",)


class Memory(Record):
    """How a file was when it was last read with success."""

    size: int
    modified_ns: int
    sha256: str


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

    Raises:
        BadInput: a path does not exist.
    """
    notes = Notes()
    files: list[ReadFile] = []
    seen: dict[str, str] = {}
    listed = list(_files(paths, notes))
    expect(len(listed))
    for path, name in listed:
        source, before = Source(path, name), notes.counts["problem"]
        file = _read(source, take, hide, reader, (known or {}).get(str(path.absolute())), notes, seen)
        if file is not None:
            files.append(file.model_copy(update={"problems": notes.counts["problem"] - before}))
        watch(name, file.state if file is not None else "unread")
    return Readings(files=tuple(files), problems=tuple(notes.problems), counts=dict(sorted(notes.counts.items())))


def _read(
    source: Source,
    take: Callable[[Trajectory, ReadFile], None],
    hide: Callable[[str, frozenset[str]], None],
    reader: Reader | None,
    before: Memory | None,
    notes: Notes,
    seen: dict[str, str],
) -> ReadFile | None:
    file = ReadFile(name=source.name, path=str(source.path.absolute()))
    try:
        state = source.path.stat()
        if before and (before.size, before.modified_ns) == (state.st_size, state.st_mtime_ns):
            return file.model_copy(update={"state": "unchanged", "memory": before})
        digest = _digest(source.path)
        memory = Memory(size=state.st_size, modified_ns=state.st_mtime_ns, sha256=digest)
        if before and before.sha256 == digest:
            return file.model_copy(update={"state": "unchanged", "memory": memory})
        used = reader or detect(source)
    except (OSError, ValueError, RecursionError) as error:
        notes.problem(source, 0, f"cannot be read: {error}")
        return None
    if used is None:
        notes.problem(source, 0, "no format that is known (--format forces one)")
        return None
    file = file.model_copy(update={"format": used.name, "memory": memory})
    count = 0
    for trajectory in read_source(source, notes, used):
        gold = notes.gold_of(trajectory.id)
        if seen.get(trajectory.id) == trajectory.digest:
            notes.counts["duplicate"] += 1
            continue
        if trajectory.id in seen:  # the same name for something else: part of it, or a copy that went on
            trajectory = trajectory.model_copy(update={"id": trajectory_id(trajectory.id, source.name)})
        seen[trajectory.id] = trajectory.digest
        if gold:
            hide(trajectory.id, gold)
        take(trajectory, file)
        count += 1
    return file.model_copy(update={"trajectories": count})


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
    if name.endswith(COMPANIONS) or path.name == "report.json" or _part_of_opencode(path):
        notes.counts["companion"] += 1
        return False
    return True


def _part_of_opencode(path: Path) -> bool:
    kind = path.parent.parent.name
    return path.suffix == ".json" and (
        (kind == "message" and path.parent.name.startswith("ses"))
        or (kind == "part" and path.parent.name.startswith("msg"))
    )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
