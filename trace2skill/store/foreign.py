"""Tables of SQLite files that other programs wrote: opened read only, nothing of theirs is run, and there are limits.

https://www.sqlite.org/security.html names the measures against a file that wants to harm who reads it.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

MAGIC = b"SQLite format 3\0"
LONGEST_VALUE = 64 * 1024 * 1024
SECONDS = 600.0
STEPS = 100_000
AT_ONCE = 500


@contextmanager
def sqlite_file(path: Path) -> Iterator["SqliteFile"]:
    """Open a file of SQLite to read its tables.

    Raises:
        ValueError: it cannot be read as a database.
    """
    try:
        with closing(_connected(path)) as connection:
            yield SqliteFile(connection)
    except (sqlite3.Error, OverflowError) as error:
        raise ValueError(f"not a database that can be read: {error}") from error


class SqliteFile:
    """A database of another program. Only whole columns of plain tables are read."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def columns(self, table: str) -> set[str]:
        """The columns of a table; none where there is no such table, or where it is a view."""
        kinds = self._connection.execute("SELECT type FROM sqlite_master WHERE name = ?", (table,)).fetchall()
        if kinds != [("table",)]:
            return set()
        return {str(row[1]) for row in self._connection.execute(f"PRAGMA table_info({_quoted(table)})")}

    def rows(self, table: str, columns: Sequence[str], *, order: Sequence[str]) -> Iterator[dict[str, Any]]:
        """The rows of a table in an order, each as an object of the columns; a column that is not there is None."""
        there = self.columns(table)
        names = [name for name in columns if name in there]
        by = ", ".join(_quoted(name) for name in order if name in there)
        chosen = ", ".join(map(_quoted, names))
        found = self._connection.execute(f"SELECT {chosen} FROM {_quoted(table)}" + (f" ORDER BY {by}" if by else ""))
        while batch := found.fetchmany(AT_ONCE):
            for row in batch:
                yield {**dict.fromkeys(columns), **dict(zip(names, row, strict=True))}

    def where(self, table: str, columns: Sequence[str], name: str, value: Any) -> list[dict[str, Any]]:
        """The rows of a table with a value in one column."""
        names = [column for column in columns if column in self.columns(table)]
        chosen = ", ".join(map(_quoted, names))
        found = self._connection.execute(
            f"SELECT {chosen} FROM {_quoted(table)} WHERE {_quoted(name)} = ?", (value,)
        ).fetchall()
        return [{**dict.fromkeys(columns), **dict(zip(names, row, strict=True))} for row in found]


def _connected(path: Path) -> sqlite3.Connection:
    """Read only; a database with a journal in a place that cannot be written is read as it stands."""
    for how in ("mode=ro", "mode=ro&immutable=1"):
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, check_same_thread=False)
        try:
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_VALUE)
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA cell_size_check = ON")
            connection.execute("PRAGMA mmap_size = 0")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.Error:
            connection.close()
            if "immutable" in how:
                raise
            continue
        connection.set_progress_handler(_stop_after(SECONDS), STEPS)
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        return connection
    raise ValueError("no database")


def _stop_after(seconds: float) -> Callable[[], int]:
    ends = time.monotonic() + seconds
    return lambda: int(time.monotonic() > ends)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def zstd_text(path: Path) -> Iterator[bytes]:
    """The lines of a text that is compressed with Zstandard, as DuckDB unfolds it: Python can from 3.14 on.

    Raises:
        ValueError: it is damaged, or a line of it is longer than 64 MB.
    """
    import duckdb

    ways = (
        "compression = 'zstd', columns = {'line': 'VARCHAR'}, auto_detect = false, header = false, delim = '\\x01', "
        f"quote = '', escape = '', strict_mode = false, parallel = false, max_line_size = {LONGEST_VALUE}"
    )
    try:
        with closing(duckdb.connect(":memory:", config={"threads": 1})) as connection:
            found = connection.execute(f"SELECT line FROM read_csv(?, {ways})", [str(path)])
            while batch := found.fetchmany(AT_ONCE):
                for (line,) in batch:
                    yield (line or "").encode() + b"\n"
    except duckdb.Error as error:
        raise ValueError(f"compressed with Zstandard, and it cannot be unfolded: {str(error)[:200]}") from error
