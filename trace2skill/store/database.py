"""Opening the file: one store per file and process, waiting for another process to let go, migrating the schema."""

import atexit
import logging
import os
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

from trace2skill.core import clock
from trace2skill.core.errors import BadInput, StoreUnavailable
from trace2skill.store import versioned
from trace2skill.store.base import Store
from trace2skill.store.duck import DuckStore
from trace2skill.store.schema import MIGRATIONS, VERSION
from trace2skill.store.snapshot import Snapshot, copied

log = logging.getLogger(__name__)
_open: dict[Path | str, Store] = {}
_latest: list[Path | str] = []
_copies: list[Snapshot] = []
_guard = threading.RLock()
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 1.0


def open_store(
    address: Path | str, *, wait_seconds: float = 60.0, on_wait: Callable[[str], None] | None = None
) -> Store:
    """The store at an address, made where there is none. One per address and process, shared by its threads.

    Args:
        address: a DuckDB file, or the URL of a PostgreSQL database.
        wait_seconds: how long to wait for another process that holds the file.
        on_wait: told once, in words, that and for whom it waits.

    Raises:
        StoreUnavailable: held by another process for too long, not readable, or not a store.
        StoreFromTheFuture: written by a newer version.
        BadInput: the packages for PostgreSQL are not installed.
    """
    resolved = address.expanduser().resolve() if isinstance(address, Path) else address
    with _guard:
        known = _open.get(resolved)
        if known is not None and not known.closed:
            known.check_process()
        else:
            known = _opened(resolved, wait_seconds, on_wait)
            _open[resolved] = known
        _latest[:] = [resolved]
        return known


def store_to_read(address: Path | str, *, on_copy: Callable[[str], None] | None = None) -> Store:
    """The store at an address, for those who only look. Nobody waits: what another process holds is read from a copy.

    Args:
        address: as for `open_store`.
        on_copy: told, in words, that and of whom a copy is read.

    Raises:
        StoreUnavailable: as `open_store`; there may be no room for a copy.
    """
    resolved = address.expanduser().resolve() if isinstance(address, Path) else address
    with _guard:
        known = _open.get(resolved)
        if not isinstance(resolved, Path) or (known is not None and not known.closed):
            return open_store(address)
        found = _attempt(resolved)
        if isinstance(found, str):
            copy = copied(resolved)
            if copy is None:
                return open_store(address)
            at = f"{clock.now():%H:%M:%S} UTC"
            (on_copy or log.warning)(f"{found} holds the store {resolved}: shown is what it had written at {at}")
            _copies.append(Snapshot(resolved, _connect(Path(copy.name) / resolved.name, 0.0, None), copy))
            return _copies[-1]
        _open[resolved] = DuckStore(resolved, _migrated(found, resolved))
        _latest[:] = [resolved]
        return _open[resolved]


def current_store() -> Store:
    """The store this process opened last and has not closed.

    Raises:
        StoreUnavailable: there is none.
    """
    with _guard:
        store = _open.get(_latest[0]) if _latest else None
    if store is None or store.closed:
        raise StoreUnavailable("this process has no store open: open one with open_store(path) before running tasks")
    return store


@atexit.register
def close_all() -> None:
    """Close what this process has open, at its end: what waits is written, and copies to look at are removed."""
    for store in (*_open.values(), *_copies):
        if store.pid == os.getpid():
            store.close()


def _opened(address: Path | str, wait_seconds: float, on_wait: Callable[[str], None] | None) -> Store:
    if isinstance(address, Path):
        return DuckStore(address, _connect(address, wait_seconds, on_wait))
    try:
        from trace2skill.store.postgres import connect
    except ModuleNotFoundError as error:
        raise BadInput("a store in PostgreSQL needs its packages: pip install 'trace2skill[postgres]'") from error
    return connect(address, wait_seconds)


def _connect(path: Path, wait_seconds: float, on_wait: Callable[[str], None] | None) -> duckdb.DuckDBPyConnection:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(f"the store {path} cannot be made: {error}") from error
    deadline, pause, told = time.monotonic() + wait_seconds, FIRST_PAUSE, False
    while True:
        found = _attempt(path)
        if not isinstance(found, str):
            return _migrated(found, path)
        if time.monotonic() >= deadline:
            raise StoreUnavailable(
                f"the store {path} is held by {found}, and still was after {_in_words(wait_seconds)}: "
                "wait for that run to end, or use another --store"
            )
        if not told:
            (on_wait or log.warning)(
                f"waiting up to {_in_words(wait_seconds)} for the store {path}, held by {found}; "
                "another --store waits for nobody, and begins with nothing that is known here"
            )
            told = True
        time.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE)


def _attempt(path: Path) -> duckdb.DuckDBPyConnection | str:
    """A connection, or who holds the file, in words."""
    try:
        connection = duckdb.connect(str(path))
        connection.execute("SET GLOBAL TimeZone = 'UTC'")  # every time in a store is UTC, wherever it was written
    except duckdb.Error as error:
        if "Could not set lock" not in str(error):
            raise _cannot_open(path, error) from error
        return _holder(str(error))
    return connection


def _migrated(connection: duckdb.DuckDBPyConnection, path: Path) -> duckdb.DuckDBPyConnection:
    try:
        migrate(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def migrate(connection: duckdb.DuckDBPyConnection, path: Path, migrations: list[list[str]] | None = None) -> None:
    """Bring a file to the current schema, in one transaction.

    Raises:
        StoreFromTheFuture: its schema is newer than this version knows.
        StoreUnavailable: it is a DuckDB file of something else.
    """
    tables = {row[0] for row in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    connection.execute("BEGIN")
    try:
        versioned.migrate(lambda sql, *given: connection.execute(sql, given), tables, path, migrations or MIGRATIONS)
        connection.execute("COMMIT")
    except duckdb.Error as error:
        connection.execute("ROLLBACK")
        raise StoreUnavailable(f"the store {path} could not be brought to schema {VERSION}: {error}") from error
    except StoreUnavailable:
        connection.execute("ROLLBACK")
        raise


def _cannot_open(path: Path, error: duckdb.Error) -> StoreUnavailable:
    text = str(error).splitlines()[0]
    return StoreUnavailable(
        f"the store {path} cannot be opened ({text}): restore it from a backup or use another --store"
    )


def _in_words(seconds: float) -> str:
    return f"{seconds / 3600:g} h" if seconds >= 3600 else f"{seconds:g} s"


def _holder(text: str) -> str:
    found = re.search(r"held in (?P<program>.+?) \(PID (?P<pid>\d+)\)", text)
    return f"process {found['pid']} ({Path(found['program']).name})" if found else "another process"
