"""A copy of a store that another process holds, for those who only look: nobody waits for a run to end.

A DuckDB file changes at checkpoints alone; between two of them commits are appended to the log beside it. So the file
and a piece of its log, copied while the file did not change, are the store as it was after some commit.
"""

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

import duckdb

from trace2skill.core.errors import StoreUnavailable
from trace2skill.store.base import Row
from trace2skill.store.duck import DuckStore

TRIES = 20
ROOM = 1.2
"""Free space that a copy wants, in sizes of the file: it grows when the log is read."""


class Snapshot(DuckStore):
    """A store as it was when it was copied. Nothing can be put; closing it removes the copy."""

    def __init__(self, path: Path, connection: duckdb.DuckDBPyConnection, copy: "tempfile.TemporaryDirectory[str]"):
        super().__init__(path, connection)
        self._copy = copy  # removed with this object, too, should nobody close it

    def close(self) -> None:
        """See `Store.close`."""
        super().close()
        self._copy.cleanup()

    def _put(self, rows: list[Row]) -> None:
        raise StoreUnavailable(f"the store {self.path} is held by another process, and this is a copy to look at")


def copied(path: Path) -> "tempfile.TemporaryDirectory[str] | None":
    """A directory with a copy of the store's file, by the same name, and of its log.

    None where there is no room for it, or the file changed all the while.
    """
    size = path.stat().st_size + _log_bytes(path)
    if shutil.disk_usage(tempfile.gettempdir()).free < ROOM * size:
        return None
    target = tempfile.TemporaryDirectory(prefix="t2s-store-", ignore_cleanup_errors=True)
    for _ in range(TRIES):
        before = _mark(path)
        try:
            _copy(path, Path(target.name) / path.name)
        except OSError:
            break
        if _mark(path) == before:
            return target
    target.cleanup()
    return None


def _copy(path: Path, to: Path) -> None:
    shutil.copyfile(path, to)
    log, its_copy = path.with_name(f"{path.name}.wal"), to.with_name(f"{to.name}.wal")
    its_copy.unlink(missing_ok=True)
    with suppress(FileNotFoundError):
        shutil.copyfile(log, its_copy)


def _mark(path: Path) -> tuple[int, int, int]:
    """What changes with every checkpoint."""
    found = path.stat()
    return found.st_mtime_ns, found.st_size, found.st_ino


def _log_bytes(path: Path) -> int:
    with suppress(FileNotFoundError):
        return path.with_name(f"{path.name}.wal").stat().st_size
    return 0
