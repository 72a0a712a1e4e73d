"""Files and folders of logs: which files are read, which are unchanged since last time, what became of each."""

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path

from trace2skill.core.errors import BadInput
from trace2skill.core.garbage import few_collections
from trace2skill.traces.base import Notes, Source
from trace2skill.traces.beside import part_of_stored_events
from trace2skill.traces.pulled import read_store, remember_pulled
from trace2skill.traces.reader import Reader
from trace2skill.traces.reading import (
    Before,
    Memory,
    Only,
    ReadFile,
    Readings,
    SeenSoFar,
    Steps,
    Taker,
    read_one,
    units_of,
)
from trace2skill.traces.stores import LogsPath, check_samples, files_of, store_at, stores_of
from trace2skill.types.trajectory import Trajectory

COMPANIONS = (".report.json",)
BESIDE_CLINE = ("ui_messages.json", "task_metadata.json", "context_history.json", "history_item.json")
BESIDE_A_DATABASE = ("-wal", "-shm", "-journal")


def read_paths(
    paths: Sequence[LogsPath],
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

    Of a trace store the traces are pulled that are new or have changed; each is a file by its place. The store says
    which reader takes them, whatever `reader` is.

    Raises:
        BadInput: a path does not exist, a trace store cannot be asked, or two samples are wanted of one project.
    """
    check_samples(paths)
    notes, files = Notes(), list[ReadFile]()
    to = Only(taker) if callable(taker) else taker
    earlier = before or Before(whole=known or {})
    seen = SeenSoFar(earlier)
    listed, stores = list(_files(files_of(paths), notes, aside)), [store_at(address) for address in stores_of(paths)]
    for path, _ in listed:
        if memory := earlier.whole.get(str(path.absolute())):
            seen.copies.remember(str(path.absolute()), memory.identities)
    for address, store in zip(stores_of(paths), stores, strict=True):
        remember_pulled(address, store.format, earlier, seen)
    with few_collections():  # of many small files each would end with one
        # What a store has of a trace is the newest, its scores among it: an export of it is the copy.
        pulled: dict[str, ReadFile] = {}
        for address, store in zip(stores_of(paths), stores, strict=True):
            read_store(address, store, to, earlier, notes, seen, pulled)
        if listed or not stores:
            to.expect(sum(units_of(path) for path, _ in listed))
        for path, name in listed:
            source, noted, steps = Source(path, name), notes.so_far(), Steps(to, name, units_of(path))
            file = read_one(source, to, reader, earlier, notes, seen, steps)
            if file is not None:
                file = file.model_copy(update=notes.since(noted))
                files.append(file)
            to.ended(file, name, steps.left)
    files += pulled.values()
    return Readings(files=tuple(files), problems=tuple(notes.problems), counts=dict(sorted(notes.counts.items())))


def check_there(path: Path) -> None:
    """Is it a file or a folder?

    Raises:
        BadInput: it is neither.
    """
    if not path.is_file() and not path.is_dir():
        raise BadInput(f"{path} does not exist: name a log file or a folder of logs")


def _files(paths: Sequence[Path], notes: Notes, aside: Collection[Path]) -> Iterator[tuple[Path, str]]:
    for given in paths:
        check_there(given)
        if given.is_file():
            yield given, given.name
        else:
            root = given.resolve()
            for path in _below(given, notes):
                name = path.relative_to(given).as_posix()
                if path in aside:
                    notes.counts["companion"] += 1
                elif _belongs(path, name, root, notes):
                    yield path, name


def _below(given: Path, notes: Notes) -> list[Path]:
    """All that is below a folder, in the order of the paths. A folder that cannot be read is no empty one."""
    found: list[Path] = []

    def unread(error: OSError) -> None:
        path = Path(error.filename or given)
        notes.problem(
            Source(path, path.relative_to(given).as_posix()), 0, f"a folder that cannot be read: {error.strerror}"
        )

    for folder, names, files in os.walk(given, onerror=unread):
        found += (Path(folder, name) for name in (*names, *files))
    return sorted(found)


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
