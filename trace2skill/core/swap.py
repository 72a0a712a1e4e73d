"""Replacing a directory as a whole: at every moment there is the old one or the new one.

On Linux the two are exchanged in one step (renameat2 with RENAME_EXCHANGE, man 2 renameat2). Elsewhere it takes two
renames; a crash between them leaves the old directory aside, and `recover` puts it back. Several processes may do it
at the same time: they take turns.
"""

import ctypes
import fcntl
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

AT_FDCWD, RENAME_EXCHANGE = -100, 2


def swap_in(directory: Path, write: Callable[[Path], object]) -> None:
    """Have `write` fill a directory beside `directory`, then put it in its place.

    Raises:
        OSError: it could not be written; `directory` is as it was.
    """
    directory.parent.mkdir(parents=True, exist_ok=True)
    with alone_in(directory.parent):
        _clean_up(directory)
        beside = _beside(directory)
        try:
            beside.mkdir()
            write(beside)
            _sync(beside)
            if not directory.exists():
                beside.rename(directory)
            elif not _exchange(beside, directory):
                directory.rename(_aside(directory))
                beside.rename(directory)
            _sync(directory.parent)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
            shutil.rmtree(_aside(directory), ignore_errors=True)


def trial(directory: Path) -> None:
    """Do all of `swap_in` that can fail, and change nothing: make a directory beside, rename it, take it away.

    Raises:
        OSError: `swap_in` would fail.
    """
    directory.parent.mkdir(parents=True, exist_ok=True)
    with alone_in(directory.parent):
        _clean_up(directory)
        beside, aside = _beside(directory), _aside(directory)
        try:
            beside.mkdir()
            (beside / "trial").write_bytes(b"")
            beside.rename(aside)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
            shutil.rmtree(aside, ignore_errors=True)


def recover(directory: Path) -> None:
    """Clean up after a crash: put the old directory back where nothing took its place, drop what is half written.

    What another process is writing just now is not taken for half written: its end is waited for.
    """
    if _aside(directory).is_dir() or _beside(directory).is_dir():
        with alone_in(directory.parent):
            _clean_up(directory)


def _clean_up(directory: Path) -> None:
    aside = _aside(directory)
    if aside.is_dir() and not directory.exists():
        aside.rename(directory)
    for left in (aside, _beside(directory)):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)


@contextmanager
def alone_in(directory: Path) -> Iterator[None]:
    """Hold flock(2) of the directory itself: that leaves no file behind, and ends with whoever holds it.

    Some network file systems lock no directories; there the last one to write wins, as without a lock.
    """
    handle = os.open(directory, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two directories in one step; False where the system cannot."""
    if not sys.platform.startswith("linux"):
        return False
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    return bool(rename(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE) == 0)


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _beside(directory: Path) -> Path:
    return directory.with_name(f".{directory.name}.new")


def _aside(directory: Path) -> Path:
    return directory.with_name(f".{directory.name}.old")
