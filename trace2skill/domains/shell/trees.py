"""The tree of a repository that a task begins in, and the pack that keeps such trees beside a data set.

A pack is one zip file: an entry `trees/ID` for each tree (a JSON object, path -> [mode, blob]) and an entry
`blobs/NAME` for each content, named as git names it, so that what trees share is kept once. Nothing in it is believed:
a blob must have its name's digest, and paths must stay inside. Of a tree there are regular files and links, no more.
"""

import hashlib
import json
import lzma
import os
import re
import zipfile
import zlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Literal, NamedTuple

from pydantic import Field, TypeAdapter

from trace2skill.core.errors import BadInput
from trace2skill.core.record import Record

Mode = Literal["100644", "100755", "120000"]
LINK: Mode = "120000"
MOST_FILES, MOST_BYTES, LARGEST = 15_000, 200 * 2**20, 16 * 2**20
"""Files of a tree, their bytes together, and those of one: all of it is laid out for each command that is judged."""
TEST_FILE = re.compile(
    r"(?:\A|/)(?:tests?|spec|__tests__)/|(?:\A|/)(?:test_[^/]*|[^/]*_test|[^/]*\.(?:test|spec)|conftest|run_?tests?|tests?)\.\w+\Z"
)
"""Paths of tests: what an agent leaves there decides over nothing."""
MOST_READ = 2 * 2**20
"""Bytes of a tree's files that are taken for what an agent was given to read."""
MOST_LISTED = 32 * 2**20
"""Bytes of the list of a tree's files."""
LONGEST_LINK = 1000
_UNREADABLE = (
    OSError, KeyError, ValueError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, RuntimeError, EOFError,
)  # fmt: skip
"""What a zip file that is none, or is broken, raises; a `ValidationError` is a `ValueError`."""
DATE = (1980, 1, 1, 0, 0, 0)
_ENTRIES = TypeAdapter(dict[str, tuple[Mode, str]])


class TreeEntry(NamedTuple):
    """A file of a tree: its mode as git has it, and the name of its content."""

    mode: Mode
    blob: str


class TreeReference(Record):
    """How a row of a data set names the tree it begins in."""

    pack: str = Field(description="The file beside the data set that holds it.")
    tree: str = Field(pattern=r"^[0-9a-f]{40}$", description="Its id: the digest of its paths, modes and contents.")
    name: str = Field(default="", description="Of the repository.")
    commit: str = Field(default="", description="Of which it is the tree.")
    removed: tuple[str, ...] = Field(default=(), description="Files of it that were not there when the task began.")
    restored: bool = Field(
        default=False,
        description="Lay its tests out as they were before the check runs: what was left there is not judged.",
    )


class RepositoryTree:
    """A tree whose contents are at hand. It is not changed."""

    def __init__(self, entries: Mapping[str, TreeEntry], blobs: Mapping[str, bytes]) -> None:
        self.entries, self.blobs = dict(sorted(entries.items())), blobs
        self.id = hashlib.sha1(self.as_json().encode(), usedforsecurity=False).hexdigest()

    def as_json(self) -> str:
        """The tree as an entry of a pack."""
        return json.dumps(self.entries, ensure_ascii=True)

    def __contains__(self, path: object) -> bool:
        return path in self.entries

    def read(self, path: str) -> bytes | None:
        """The content of a regular file; None where there is none."""
        entry = self.entries.get(path)
        return self.blobs[entry.blob] if entry is not None and entry.mode != LINK else None

    def texts(self, spoken: str) -> list[str]:
        """All paths, and what files hold, up to a bound: those first whose path is spoken of."""
        found, room = [*self.entries], MOST_READ
        for path in sorted(self.entries, key=lambda path: (path not in spoken, path)):
            content = self.read(path)
            if content is not None and len(content) <= room and b"\0" not in content[:8000]:
                found.append(content.decode("utf-8", "replace"))
                room -= len(content)
        return found

    @property
    def links(self) -> dict[str, str]:
        """Where each symbolic link leads."""
        found = ((path, entry) for path, entry in self.entries.items() if entry.mode == LINK)
        return {path: self.blobs[entry.blob].decode("utf-8", "surrogateescape") for path, entry in found}

    def lay_out(self, workspace: Path) -> None:
        """Write it into an empty workspace; links come last, and no file is written through one."""
        made = set[str]()
        for path, (mode, blob) in self.entries.items():
            if mode == LINK:
                continue
            folder = path.rpartition("/")[0]
            if folder not in made:
                (workspace / folder).mkdir(parents=True, exist_ok=True)
                made.add(folder)
            handle = os.open(workspace / path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644)
            with os.fdopen(handle, "wb") as file:
                file.write(self.blobs[blob])
                os.fchmod(file.fileno(), 0o755 if mode == "100755" else 0o644)
        for path, target in self.links.items():
            (workspace / path).parent.mkdir(parents=True, exist_ok=True)
            (workspace / path).symlink_to(target)

    def there(self, workspace: Path) -> set[str]:
        """Those of its paths at which something is in a workspace, and no link above it."""
        real = dict[str, bool]()
        found = set[str]()
        for path in self.entries:
            folder = path.rpartition("/")[0]
            if folder not in real:
                real[folder] = os.path.realpath(workspace / folder) == os.path.join(
                    os.path.realpath(workspace), folder
                ).rstrip("/")
            if real[folder] and os.path.lexists(workspace / path):
                found.add(path)
        return found

    def is_as_it_was(self, workspace: Path, path: str) -> bool:
        """Does a workspace hold a regular file of the tree as the tree has it, mode and content?"""
        mode, blob = self.entries[path]
        try:
            handle = os.open(workspace / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return False
        with os.fdopen(handle, "rb") as file:
            state = os.fstat(handle)
            wanted = self.blobs[blob]
            return (
                mode != LINK
                and state.st_size == len(wanted)
                and bool(state.st_mode & 0o100) == (mode == "100755")
                and file.read(len(wanted) + 1) == wanted
            )


def name_of(content: bytes) -> str:
    """The name that git gives a content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def odd_path(path: str) -> bool:
    """Does a path lead out, or into what belongs to git, so that no tree may hold it?"""
    parts = path.split("/")
    return any(part in ("", ".", "..") or part.lower() == ".git" for part in parts) or "\0" in path or len(path) > 1000


def leads_out(path: str, target: str) -> bool:
    """Does a link at that path lead out of the tree, or in a way that another link may lead out?"""
    parts = PurePosixPath(target).parts
    up = next((number for number, part in enumerate(parts) if part != ".."), len(parts))
    if "\0" in target or len(target) > LONGEST_LINK:
        return True  # no link may have it
    return not target or target.startswith("/") or ".." in parts[up:] or up >= len(PurePosixPath(path).parts)


def add_to_pack(pack: Path, tree: RepositoryTree) -> None:
    """Add a tree, and those of its contents that are not there. The same trees in one order give the same bytes."""
    with zipfile.ZipFile(pack, "a", zipfile.ZIP_DEFLATED) as file:
        there = set(file.namelist())
        if f"trees/{tree.id}" in there:
            return
        for blob in sorted({entry.blob for entry in tree.entries.values()}):
            if f"blobs/{blob}" not in there:
                _add(file, f"blobs/{blob}", tree.blobs[blob])
        _add(file, f"trees/{tree.id}", tree.as_json().encode())


def _add(file: zipfile.ZipFile, name: str, content: bytes) -> None:
    info = zipfile.ZipInfo(name, DATE)
    info.compress_type, info.create_system, info.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
    file.writestr(info, content, compresslevel=6)


def tree_in(pack: Path, id: str) -> RepositoryTree:
    """A tree of a pack.

    Raises:
        BadInput: the pack cannot be read, does not hold the tree, or holds something else under its name.
    """
    try:
        state = pack.stat()
    except OSError as error:
        raise BadInput(f"{pack} cannot be read ({error.strerror}): mine the tasks again") from error
    return _tree_in(pack, id, (state.st_mtime_ns, state.st_size))


@lru_cache(maxsize=2)
def _tree_in(pack: Path, id: str, state: tuple[int, int]) -> RepositoryTree:
    del state  # another file under the name is read anew
    try:
        with zipfile.ZipFile(pack) as file:
            listed = _bounded(file, f"trees/{id}", MOST_LISTED)
            if listed.count(b"[") > MOST_FILES * 2:  # before anything is made of it; a path may hold one
                raise BadInput(f"{pack}: the tree {id} has too many files")
            entries = _ENTRIES.validate_json(listed)
            made = {path: TreeEntry(*entry) for path, entry in entries.items()}
            if len(made) > MOST_FILES or any(map(odd_path, made)):
                raise BadInput(f"{pack}: the tree {id} has too many files, or a path that leads out")
            blobs, room = dict[str, bytes](), MOST_BYTES
            for entry in made.values():
                if entry.blob not in blobs:
                    blobs[entry.blob] = _bounded(file, f"blobs/{entry.blob}", min(room, LARGEST))
                    room -= len(blobs[entry.blob])
    except _UNREADABLE as error:
        raise BadInput(f"{pack} does not hold the tree {id} ({error}): mine the tasks again") from error
    wrong = next((blob for blob, content in blobs.items() if name_of(content) != blob), "")
    tree = RepositoryTree(made, blobs)
    below = any(str(parent) in made for path in made for parent in PurePosixPath(path).parents)
    if wrong or below or tree.id != id or any(leads_out(path, target) for path, target in tree.links.items()):
        raise BadInput(f"{pack}: what it holds under {wrong or id} is something else: mine the tasks again")
    return tree


def _bounded(file: zipfile.ZipFile, name: str, most: int) -> bytes:
    with file.open(name) as source:
        content = source.read(most + 1)
    if len(content) > most:
        raise BadInput(f"{file.filename}: {name} is too large")
    return content
