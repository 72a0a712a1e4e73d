"""The shared store: a PostgreSQL database that several processes and machines have open at once.

Each put is a transaction of its own. What needs a turn (`together`, `alone`) takes it in the database, so that it
holds between processes; a process that dies lets go: `together` with its connection, `alone` when its lease ends.
"""

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import duckdb
import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout

from trace2skill.core import stopping
from trace2skill.core.errors import StoreUnavailable
from trace2skill.core.reservations import Reservations
from trace2skill.store.base import Row, Store
from trace2skill.store.duck import Turns, copy_table
from trace2skill.store.schema import COLUMNS, MIGRATIONS, POSTGRES_MIGRATIONS, PRIMARY_KEY
from trace2skill.store.shared_reservations import SharedReservations
from trace2skill.store.versioned import migrate

log = logging.getLogger(__name__)
LOCK = 0x7472_6332  # advisory locks of this product: 'trc2'
LEASE_SECONDS, BEAT_SECONDS, LOOK_SECONDS = 30.0, 5.0, 0.1
TRIES = 7
CONNECTIONS = 16
LONGEST_WAIT_SECONDS = 30.0


class PostgresStore(Store):
    """A store in a PostgreSQL database."""

    embedded = False
    row_order = "seq"

    def __init__(self, address: str, pool: ConnectionPool[Any]) -> None:
        super().__init__(address)
        self.holder = uuid.uuid4().hex
        self._pool = pool
        self._turns = Turns()
        self._ended = threading.Event()
        self._beating = threading.Thread(target=self._beat, name="store lease", daemon=True)
        self.still_here()
        self._beating.start()

    def close(self) -> None:
        """See `Store.close`."""
        if self.closed:
            return
        self._ended.set()
        self._beating.join()
        try:
            self.execute("DELETE FROM holder WHERE id = ?", [self.holder])
        except StoreUnavailable:
            log.info("the lease of this process ends by itself")
        self.closed = True
        self._pool.close()

    def bytes_used(self) -> int:
        """See `Store.bytes_used`."""
        return int(self._all("SELECT pg_database_size(current_database())")[0][0])

    @contextmanager
    def together(self) -> Iterator[Callable[..., list[tuple[Any, ...]]]]:
        """See `Store.together`: an advisory lock of the database, which ends with the transaction."""
        self.check_process()
        with self._translated(), self._pool.connection() as connection:
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])

            def run(sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
                cursor = connection.execute(_dialect(sql), list(parameters))
                return cursor.fetchall() if cursor.description else []

            yield run

    @contextmanager
    def alone(self, key: str) -> Iterator[None]:
        """See `Store.alone`.

        A lease in a table and not an advisory lock: a lock holds its connection for as long as a model takes to
        answer, and a hundred of them would hold every connection there is.
        """
        with self._turns.alone(key):
            while not self._leased(key):
                stopping.sleep(LOOK_SECONDS)
            try:
                yield
            finally:
                self.execute("DELETE FROM lease WHERE key = ? AND holder = ?", [key, self.holder])

    def reservations(self) -> Reservations:
        """See `Store.reservations`."""
        return SharedReservations(self, self.holder, self.spent_of)

    def copy_table(self, name: str, target: Path, kind: Literal["parquet", "csv"]) -> None:
        """See `Store.copy_table`: the rows go through DuckDB, which writes the file."""
        with duckdb.connect() as scratch:
            for statement in chain.from_iterable(MIGRATIONS):
                scratch.execute(statement)
            columns = [row[0] for row in scratch.execute(f"DESCRIBE {name}").fetchall()]
            rows = self._all(f"SELECT {', '.join(columns)} FROM {name}")
            if rows:
                scratch.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(columns))})", rows)
            copy_table(scratch, name, target, kind)

    def still_here(self) -> None:
        """Say that this process lives: its leases and reservations hold for another while."""
        self.execute(
            "INSERT INTO holder VALUES (?, now()::TIMESTAMP + make_interval(secs => ?)) "
            "ON CONFLICT (id) DO UPDATE SET until = excluded.until",
            [self.holder, LEASE_SECONDS],
        )

    def execute(self, sql: str, parameters: Iterable[Any] = ()) -> None:
        """See `Store.execute`."""
        self._all(sql, list(parameters))

    def _leased(self, key: str) -> bool:
        """Is the turn ours? One of our own that could not be given back, the database being away, is ours to take."""
        rows = self._all(
            "INSERT INTO lease VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET holder = excluded.holder "
            "WHERE lease.holder = excluded.holder OR NOT EXISTS (SELECT 1 FROM holder WHERE holder.id = lease.holder "
            "AND holder.until > now()::TIMESTAMP) RETURNING key",
            [key, self.holder],
        )
        return bool(rows)

    def _beat(self) -> None:
        while not self._ended.wait(BEAT_SECONDS):
            try:
                self.still_here()
            except StoreUnavailable as error:
                log.warning("%s", error)

    def _put(self, rows: list[Row]) -> None:
        self.check_process()

        def write(connection: "psycopg.Connection[Any]") -> None:
            for table, values in rows:
                connection.execute(_INSERTS[table], values)

        self._tried(write)

    def _all(self, sql: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
        self.check_process()

        def read(connection: "psycopg.Connection[Any]") -> list[tuple[Any, ...]]:
            cursor = connection.execute(_dialect(sql), parameters or [])
            return cursor.fetchall() if cursor.description else []

        found: list[tuple[Any, ...]] = self._tried(read)
        return found

    def _tried(self, work: Callable[["psycopg.Connection[Any]"], Any]) -> Any:
        """Do it in a transaction of its own, again where the connection was lost or transactions met."""
        if self.closed:
            raise StoreUnavailable(f"the store {self.path} is closed")
        for attempt in range(1, TRIES + 1):
            try:
                with self._translated(), self._pool.connection() as connection:
                    return work(connection)
            except StoreUnavailable as error:
                if attempt == TRIES or not isinstance(error.__cause__, PASSING):
                    raise
                time.sleep(0.1 * 2**attempt)
        raise AssertionError("the last try ends with a result or an error")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (psycopg.Error, PoolTimeout) as error:
            text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise StoreUnavailable(
                f"the store {self.path} cannot be used ({text}): is the database running, and has its disk room?"
            ) from error


PASSING = (psycopg.OperationalError, PoolTimeout)
"""What a second try may not meet: a lost connection, a restart, a deadlock, a serialisation failure."""


def connect(address: str, wait_seconds: float) -> PostgresStore:
    """Open a database, and bring its tables to the current schema.

    Raises:
        StoreUnavailable: it cannot be reached, or is no store.
        StoreFromTheFuture: its schema is newer than this version knows.
    """
    # Said, since a database that was made in the locale C answers with bytes otherwise.
    keywords = {"options": "-c TimeZone=UTC", "application_name": "trace2skill", "client_encoding": "UTF8"}
    patience = min(wait_seconds, LONGEST_WAIT_SECONDS)
    pool: ConnectionPool[Any] = ConnectionPool(
        address,
        kwargs=keywords,
        min_size=1,
        max_size=CONNECTIONS,
        timeout=patience,
        open=False,
    )
    try:
        pool.open(wait=True, timeout=min(patience, 15.0))
        with pool.connection() as connection:
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            sql = "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"
            tables = {row[0] for row in connection.execute(sql).fetchall()}
            migrate(
                lambda text, *given: connection.execute(_dialect(text), given), tables, address, POSTGRES_MIGRATIONS
            )
    except (psycopg.Error, PoolTimeout) as error:
        pool.close()
        said = str(error).strip().splitlines() or [type(error).__name__]
        raise StoreUnavailable(
            f"the store {address} cannot be opened ({said[0]}): is the database running, and may this user use it "
            "(PGPASSWORD)?"
        ) from error
    except BaseException:
        pool.close()
        raise
    return PostgresStore(address, pool)


def _dialect(sql: str) -> Any:
    """The statement with PostgreSQL's placeholders. None of ours has a question mark in a text."""
    return sql.replace("%", "%%").replace("?", "%s")


def _insert(table: str) -> str:
    names = [name for name, _ in COLUMNS[table]]
    keys, rest = names[: PRIMARY_KEY[table]], names[PRIMARY_KEY[table] :]
    values = ", ".join(["%s"] * len(names))
    sql = f"INSERT INTO {table} ({', '.join(names)}, written) VALUES ({values}, clock_timestamp()::TIMESTAMP)"
    if keys:
        updates = ", ".join(f"{name} = excluded.{name}" for name in (*rest, "written"))
        sql += f" ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {updates}"
    return sql


_INSERTS: dict[str, Any] = {table: _insert(table) for table in COLUMNS}
