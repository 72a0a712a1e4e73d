"""Walking and removing what a command left behind: by descriptor, without recursion, following no link.

A tree may be nested so deeply that no path reaches its end, may hold names that are no text, folders that nobody may
read, pipes, sockets and devices, and more files than anybody can look at. None of that may raise here or take long.
"""

import contextlib
import logging
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

log = logging.getLogger(__name__)
DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
Parts = tuple[str, ...]
USUAL_DEPTH = 40
MOST_LOOKED_AT = 200_000


@dataclass
class Walk:
    """A walk over all folders below a directory, parents first. Two descriptors are open at any time."""

    root: Path
    most: int
    """How many entries and folders it looks at before it ends; opening a folder far down counts by its depth."""
    force: bool = False
    """Make folders readable that are not. Only once the command that made them is gone."""
    steps: int = 0
    unread: list[Parts] = field(default_factory=list)
    """Folders that could not be opened."""

    @property
    def ended(self) -> bool:
        """Was there more than it may look at?"""
        return self.steps >= self.most

    def __iter__(self) -> Iterator[tuple[Parts, int, list["os.DirEntry[str]"]]]:
        """Each folder: its path in parts, a descriptor that is open until the next one, and what is in it.

        Whoever iterates may take folders out of the list that are not to be entered.
        """
        waiting: list[Parts] = [()]
        here: Parts | None = None
        handle = -1
        try:
            while waiting and not self.ended:
                parts = waiting.pop()
                try:
                    deeper = self._opened(parts, here, handle)
                except OSError:
                    self.unread.append(parts)
                    continue
                if handle >= 0:
                    os.close(handle)
                handle, here = deeper, parts
                entries = self._entries(handle)
                yield parts, handle, entries
                waiting += [(*parts, entry.name) for entry in entries if _is_folder(entry)]
        finally:
            if handle >= 0:
                os.close(handle)

    def _entries(self, handle: int) -> list["os.DirEntry[str]"]:
        found: list[os.DirEntry[str]] = []
        with contextlib.suppress(OSError), os.scandir(handle) as entries:
            for entry in entries:
                self.steps += 1
                if self.ended:
                    break
                found.append(entry)
        return found

    def _opened(self, parts: Parts, here: Parts | None, handle: int) -> int:
        """The folder's descriptor, from that of its parent where this is the folder before, else from the root."""
        if parts and parts[:-1] == here:
            self.steps += 1
            return open_folder(parts[-1], handle, force=self.force)
        self.steps += 1 + len(parts)
        deeper = open_folder(self.root, None, force=self.force)
        for part in parts:
            try:
                following = open_folder(part, deeper, force=self.force)
            finally:
                os.close(deeper)
            deeper = following
        return deeper


def open_folder(name: str | Path, parent: int | None, *, force: bool = False) -> int:
    """A descriptor of a folder that is no link; with `force` one that may not be read is made readable.

    Root may lack the right to read what it gave to another user (CAP_DAC_OVERRIDE), and takes that back first.

    Raises:
        OSError: it is none, or cannot be opened.
    """
    try:
        return os.open(name, DIRECTORY, dir_fd=parent)
    except PermissionError:
        if not force:
            raise
    place = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    try:
        if os.geteuid() == 0:
            with contextlib.suppress(OSError):
                os.chown(f"/proc/self/fd/{place}", 0, 0)
        os.chmod(f"/proc/self/fd/{place}", 0o700)
    finally:
        os.close(place)
    return os.open(name, DIRECTORY, dir_fd=parent)


def size_of(root: Path, most: int, *, force: bool = False) -> tuple[int, bool]:
    """Bytes on disk below a directory, however deep, and whether it holds more entries than `most`."""
    total, walk, linked = 0, Walk(root, most, force), set()
    for _, _, entries in walk:
        for entry in entries:
            with contextlib.suppress(OSError):
                state = entry.stat(follow_symlinks=False)
                if state.st_nlink > 1 and not stat.S_ISDIR(state.st_mode):  # by each of its names it is the same file
                    if (state.st_dev, state.st_ino) in linked:
                        continue
                    linked.add((state.st_dev, state.st_ino))
                total += state.st_blocks * 512
    return total, walk.ended


def make_place(root: Path, relative: str) -> None:
    """Make folders for something to be mounted at, whatever lies in their way: a link there would lead elsewhere.

    Raises:
        OSError: they cannot be made.
    """
    handle = open_folder(root, None)
    try:
        for part in Path(relative).parts:
            try:
                deeper = open_folder(part, handle, force=True)
            except (FileNotFoundError, NotADirectoryError):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(part, dir_fd=handle)
                os.mkdir(part, 0o755, dir_fd=handle)
                deeper = open_folder(part, handle)
            os.close(handle)
            handle = deeper
    finally:
        os.close(handle)


def remove_tree(root: Path) -> None:
    """Remove a directory with all that is in it, however deep and whoever may read it. Says so where it cannot.

    What is nested as people nest it goes in the usual way. Else every folder is moved up below the root before it is
    emptied, so that none is ever out of reach.
    """
    walk = Walk(root, MOST_LOOKED_AT)
    if max((len(parts) for parts, _, _ in walk), default=0) <= USUAL_DEPTH and not walk.unread and not walk.ended:
        shutil.rmtree(root, ignore_errors=True)
    try:
        handle = open_folder(root, None, force=True)
    except NotADirectoryError:
        root.unlink(missing_ok=True)
        return
    except FileNotFoundError:
        return
    try:
        _empty(handle)
    except OSError as error:
        log.warning("%s could not be emptied: %s", root, error)
    finally:
        os.close(handle)
    with contextlib.suppress(OSError):
        os.rmdir(root)
    if root.exists():
        with contextlib.suppress(RecursionError):
            shutil.rmtree(root, ignore_errors=True)
    if root.exists():
        log.warning("%s could not be removed", root)


def _empty(root: int) -> None:
    """Remove everything in a folder."""
    os.fchmod(root, 0o700)
    name, number = f".t2s-{secrets.token_hex(8)}-", 0
    waiting = _clear(root, root, name, number)
    while waiting:
        number += len(waiting)
        found: list[str] = []
        for gone in waiting:
            handle = open_folder(gone, root, force=True)
            try:
                found += _clear(handle, root, name, number + len(found))
            finally:
                os.close(handle)
            os.rmdir(gone, dir_fd=root)
        waiting = found


def _clear(folder: int, root: int, prefix: str, number: int) -> list[str]:
    """Remove the files of a folder, and move its folders to the root under new names; returns these."""
    with os.scandir(folder) as entries:
        names = [(entry.name, _is_folder(entry)) for entry in entries]
    moved: list[str] = []
    for name, is_folder in names:
        if not is_folder:
            os.unlink(name, dir_fd=folder)
            continue
        handle = open_folder(name, folder, force=True)
        try:
            os.fchmod(handle, 0o700)  # a folder that may not be written to cannot be moved
        finally:
            os.close(handle)
        moved.append(f"{prefix}{number + len(moved)}")
        os.rename(name, moved[-1], src_dir_fd=folder, dst_dir_fd=root)
    return moved


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


@contextlib.contextmanager
def scratch_directory(prefix: str) -> Iterator[str]:
    """A temporary directory that commands may write to; it is gone afterwards, whatever they have made of it."""
    directory = tempfile.mkdtemp(prefix=prefix)
    try:
        yield directory
    finally:
        remove_tree(Path(directory))
