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

from trace2skill.errors import StoreFromTheFuture, StoreUnavailable
from trace2skill.store.records import Store
from trace2skill.store.schema import MIGRATIONS, VERSION

log = logging.getLogger(__name__)
_open: dict[Path, Store] = {}
_latest: list[Path] = []
_guard = threading.RLock()
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 1.0


def open_store(path: Path, *, wait_seconds: float = 60.0, on_wait: Callable[[str], None] | None = None) -> Store:
    """The store at a path, made where there is none. One per file and process, shared by its threads.

    Args:
        path: the DuckDB file.
        wait_seconds: how long to wait for another process that holds the file.
        on_wait: told once, in words, that and for whom it waits.

    Raises:
        StoreUnavailable: held by another process for too long, not readable, or not a store.
        StoreFromTheFuture: written by a newer version.
    """
    resolved = path.expanduser().resolve()
    with _guard:
        known = _open.get(resolved)
        if known is not None and not known.closed:
            known.check_process()
        else:
            known = Store(resolved, _connect(resolved, wait_seconds, on_wait))
            _open[resolved] = known
        _latest[:] = [resolved]
        return known


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
def _close_all() -> None:
    for store in _open.values():
        if store.pid == os.getpid():
            store.close()


def _connect(path: Path, wait_seconds: float, on_wait: Callable[[str], None] | None) -> duckdb.DuckDBPyConnection:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(f"the store {path} cannot be made: {error}") from error
    deadline, pause, told = time.monotonic() + wait_seconds, FIRST_PAUSE, False
    while True:
        try:
            connection = duckdb.connect(str(path))
            break
        except duckdb.Error as error:
            if "Could not set lock" not in str(error):
                raise _cannot_open(path, error) from error
            holder = _holder(str(error))
            if time.monotonic() >= deadline:
                raise StoreUnavailable(
                    f"the store {path} is held by {holder}, and still was after {wait_seconds:g} s: "
                    "wait for that run to end, or use another --store"
                ) from error
            if not told:
                (on_wait or log.warning)(f"waiting up to {wait_seconds:g} s for the store {path}, held by {holder}")
                told = True
            time.sleep(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE)
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
    steps = MIGRATIONS if migrations is None else migrations
    tables = {row[0] for row in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    if tables and "store_version" not in tables:
        raise StoreUnavailable(f"{path} is a DuckDB file, but not a store of trace2skill: use another --store")
    row = connection.execute("SELECT max(version) FROM store_version").fetchone() if tables else None
    version = row[0] if row and row[0] is not None else 0
    if version > len(steps):
        raise StoreFromTheFuture(
            f"the store {path} was written by a newer trace2skill (schema {version}, this one knows {len(steps)}): "
            "upgrade trace2skill, or use another --store"
        )
    if version == len(steps):
        return
    connection.execute("BEGIN")
    try:
        connection.execute("CREATE TABLE IF NOT EXISTS store_version (version INTEGER NOT NULL)")
        for statements in steps[version:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute("INSERT INTO store_version VALUES (?)", [len(steps)])
        connection.execute("COMMIT")
    except duckdb.Error as error:
        connection.execute("ROLLBACK")
        raise StoreUnavailable(f"the store {path} could not be brought to schema {VERSION}: {error}") from error


def _cannot_open(path: Path, error: duckdb.Error) -> StoreUnavailable:
    text = str(error).splitlines()[0]
    return StoreUnavailable(
        f"the store {path} cannot be opened ({text}): restore it from a backup or use another --store"
    )


def _holder(text: str) -> str:
    found = re.search(r"held in (?P<program>.+?) \(PID (?P<pid>\d+)\)", text)
    return f"process {found['pid']} ({Path(found['program']).name})" if found else "another process"
