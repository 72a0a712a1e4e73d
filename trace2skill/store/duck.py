"""The embedded store: one DuckDB file, one owner process, one writer thread."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

import duckdb

from trace2skill.core.errors import StoreUnavailable
from trace2skill.core.reservations import LocalReservations
from trace2skill.store.base import Row, Store
from trace2skill.store.writer import Writer

AT_CLOSE = "256MB"
"""Closing writes the file anew where much of it has changed, and would take several times its size for that."""


class DuckStore(Store):
    """A store in a DuckDB file."""

    embedded = True
    row_order = "rowid"

    def __init__(self, path: Path, connection: duckdb.DuckDBPyConnection) -> None:
        super().__init__(path)
        self._file = path
        self._connection = connection
        self._writer = Writer(connection.cursor(), str(path))
        self._local = threading.local()
        self._cursors: list[duckdb.DuckDBPyConnection] = []
        self._runs_guard = threading.Lock()
        self._turns = Turns()
        self._reservations = LocalReservations(self.spent_of)

    def close(self) -> None:
        """See `Store.close`."""
        if self.closed:
            return
        self.closed = True
        self._writer.stop()
        for cursor in self._cursors:
            cursor.close()
        self._cursors.clear()
        with suppress(duckdb.Error):  # it holds more than that and cannot let go of it
            self._connection.execute(f"SET GLOBAL memory_limit = '{AT_CLOSE}'")
        self._connection.close()

    def bytes_used(self) -> int:
        """See `Store.bytes_used`."""
        return self._file.stat().st_size if self._file.exists() else 0

    @contextmanager
    def together(self) -> Iterator[Callable[..., list[tuple[Any, ...]]]]:
        """See `Store.together`."""
        with self._runs_guard, self._unless_closed():
            cursor = self._cursor()
            cursor.execute("BEGIN")
            try:
                yield lambda sql, *parameters: cursor.execute(sql, list(parameters)).fetchall()
            except BaseException:
                cursor.execute("ROLLBACK")
                raise
            cursor.execute("COMMIT")

    @contextmanager
    def alone(self, key: str) -> Iterator[None]:
        """See `Store.alone`: no other process has the file, so that a lock among threads is enough."""
        with self._turns.alone(key):
            yield

    def reservations(self) -> LocalReservations:
        """See `Store.reservations`: no other process has the file, so that the caps are kept in this one."""
        return self._reservations

    def copy_table(self, name: str, target: Path, kind: Literal["parquet", "csv"]) -> None:
        """See `Store.copy_table`."""
        with self._unless_closed():
            copy_table(self._cursor(), name, target, kind)

    def execute(self, sql: str, parameters: Iterable[Any] = ()) -> None:
        """See `Store.execute`."""
        with self._unless_closed():
            self._cursor().execute(sql, list(parameters))

    def _put(self, rows: list[Row]) -> None:
        self.check_process()
        self._writer.put(rows)

    def _all(self, sql: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
        with self._unless_closed():
            return self._cursor().execute(sql, parameters or []).fetchall()

    @contextmanager
    def _unless_closed(self) -> Iterator[None]:
        """What DuckDB says of a connection that another thread closes meanwhile is that the store is closed."""
        try:
            yield
        except duckdb.Error as error:
            if self.closed:
                raise StoreUnavailable(f"the store {self.path} is closed") from error
            raise

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        """This thread's own cursor: DuckDB connections are not shared between threads."""
        self.check_process()
        if self.closed:
            raise StoreUnavailable(f"the store {self.path} is closed")
        cursor: duckdb.DuckDBPyConnection | None = getattr(self._local, "cursor", None)
        if cursor is None:
            cursor = self._local.cursor = self._connection.cursor()
            self._cursors.append(cursor)
        return cursor


def copy_table(connection: duckdb.DuckDBPyConnection, name: str, target: Path, kind: Literal["parquet", "csv"]) -> None:
    """Write a table of a DuckDB connection to a file."""
    quoted = "'" + str(target).replace("'", "''") + "'"
    connection.execute(f"COPY {name} TO {quoted} (FORMAT {kind}{', HEADER' if kind == 'csv' else ''})")


class Turns:
    """One thread at a time for each key."""

    def __init__(self) -> None:
        self._locks: dict[str, threading.Lock] = {}
        self._wanted: Counter[str] = Counter()
        self._guard = threading.Lock()

    @contextmanager
    def alone(self, key: str) -> Iterator[None]:
        """Hold the key for the block."""
        with self._guard:
            lock = self._locks.setdefault(key, threading.Lock())
            self._wanted[key] += 1
        try:
            with lock:
                yield
        finally:
            with self._guard:
                self._wanted[key] -= 1
                if not self._wanted[key]:
                    del self._wanted[key], self._locks[key]
