"""`Store`: what is put in and got out. Puts are durable on return; any thread may call."""

import json
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeVar

import duckdb
from pydantic import BaseModel

from trace2skill.errors import StoreUnavailable
from trace2skill.store.rows import LedgerRow, LedgerTotal, RunRow
from trace2skill.store.schema import COLUMNS
from trace2skill.store.writer import Row, Writer

NounKind = Literal[
    "trajectory",
    "extraction",
    "lesson",
    "patch",
    "groups",
    "skill",
    "support",
    "evaluation",
    "timing",
    "ablation",
    "drift",
    "source",
]
T = TypeVar("T", bound=BaseModel)


class Store:
    """An open store. Made by `open_store`."""

    def __init__(self, path: Path, connection: duckdb.DuckDBPyConnection) -> None:
        self.path = path
        self.pid = os.getpid()
        self.closed = False
        self._connection = connection
        self._writer = Writer(connection.cursor(), str(path))
        self._local = threading.local()
        self._cursors: list[duckdb.DuckDBPyConnection] = []
        self._runs_guard = threading.Lock()

    def close(self) -> None:
        """Write what waits and let go of the file. Closing twice is harmless."""
        if self.closed:
            return
        self.closed = True
        self._writer.stop()
        for cursor in self._cursors:
            cursor.close()
        self._cursors.clear()
        self._connection.close()

    def check_process(self) -> None:
        """A store belongs to the process that opened it.

        Raises:
            StoreUnavailable: this is a forked child.
        """
        if os.getpid() != self.pid:
            raise StoreUnavailable(f"the store {self.path} was opened by another process before a fork: open it anew")

    def get_result(self, key: str) -> bytes | None:
        """The result of a step, or None."""
        row = self._one("SELECT value FROM result WHERE key = ?", [key])
        return bytes(row[0]) if row else None

    def put_result(self, key: str, value: bytes) -> None:
        """Keep the result of a step."""
        self._put([("result", (key, value))])

    def get_call(self, key: str) -> str | None:
        """A model's answer as JSON text, or None."""
        row = self._one("SELECT value FROM model_call WHERE key = ?", [key])
        return str(row[0]) if row else None

    def put_call(self, key: str, answer: str, ledger: LedgerRow) -> None:
        """Keep a model's answer and its ledger row, in one transaction."""
        self._put([("model_call", (key, answer)), _ledger_row(ledger)])

    def put_ledger(self, row: LedgerRow) -> None:
        """Write the ledger row of a call that failed or was answered from memory."""
        self._put([_ledger_row(row)])

    def get_observation(self, key: str) -> str | None:
        """What a tool answered the first time, or None."""
        row = self._one("SELECT value FROM observation WHERE key = ?", [key])
        return str(row[0]) if row else None

    def put_observation(self, key: str, value: str) -> None:
        """Keep what a tool answered."""
        self._put([("observation", (key, value))])

    def put(self, kind: NounKind, id: str, noun: BaseModel) -> None:
        """Keep a noun under its kind and id."""
        self._put([("noun", (kind, id, noun.model_dump_json()))])

    def get(self, kind: NounKind, id: str, cls: type[T]) -> T | None:
        """The noun of that kind and id, or None."""
        row = self._one("SELECT value FROM noun WHERE kind = ? AND id = ?", [kind, id])
        return cls.model_validate_json(row[0]) if row else None

    def all_of(self, kind: NounKind, cls: type[T]) -> list[T]:
        """Every noun of a kind, in the order they were written."""
        rows = self._all("SELECT value FROM noun WHERE kind = ? ORDER BY written, id", [kind])
        return [cls.model_validate_json(row[0]) for row in rows]

    def start_run(self, run: RunRow) -> None:
        """Open a run, or open it again: its attempts are counted."""
        with self._runs_guard:
            self._cursor().execute(
                "INSERT INTO run VALUES (?, ?, ?, 'running', '', 1, now()::TIMESTAMP, NULL) ON CONFLICT (id) DO UPDATE "
                "SET state = 'running', settings = excluded.settings, attempts = run.attempts + 1, ended = NULL",
                [run.id, run.kind, run.settings],
            )

    def finish_run(self, run_id: str, state: str, summary: str) -> None:
        """Close a run with its state and summary."""
        with self._runs_guard:
            self._cursor().execute(
                "UPDATE run SET state = ?, summary = ?, ended = now()::TIMESTAMP WHERE id = ?", [state, summary, run_id]
            )

    def run(self, run_id: str) -> RunRow | None:
        """The run of that id, or None."""
        return next((row for row in self.runs() if row.id == run_id), None)

    def runs(self) -> list[RunRow]:
        """All runs, oldest first."""
        rows = self._all("SELECT id, kind, settings, state, summary, attempts FROM run ORDER BY started, id")
        names = ("id", "kind", "settings", "state", "summary", "attempts")
        return [RunRow(**dict(zip(names, row, strict=True))) for row in rows]

    def ledger_total(self, run_id: str | None = None) -> LedgerTotal:
        """Sums over the ledger, of one run or of all."""
        row = self._one(
            "SELECT count(*) FILTER (outcome = 'answered'), count(*) FILTER (outcome = 'from_memory'), "
            "count(*) FILTER (outcome NOT IN ('answered', 'from_memory')), coalesce(sum(tokens_in), 0), "
            "coalesce(sum(tokens_out), 0), coalesce(sum(tokens_cached), 0), coalesce(sum(cost), 0) "
            "FROM ledger WHERE run_id = coalesce(?, run_id)",
            [run_id],
        )
        return LedgerTotal(**dict(zip(LedgerTotal.model_fields, row or (), strict=True)))

    def ledger(self, run_id: str | None = None) -> list[LedgerRow]:
        """Ledger rows in the order they were written, of one run or of all."""
        names = [name for name, _ in COLUMNS["ledger"]]
        sql = f"SELECT {', '.join(names)} FROM ledger WHERE run_id = coalesce(?, run_id) ORDER BY written, rowid"
        rows = [dict(zip(names, row, strict=True)) for row in self._all(sql, [run_id])]
        return [LedgerRow(**{**row, "params": json.loads(row["params"])}) for row in rows]

    @contextmanager
    def together(self) -> Iterator[Callable[..., list[tuple[Any, ...]]]]:
        """Read and write as one: the block is given a function that runs a statement; all of it holds, or nothing.

        For the registry of versions, which must see no half of another's change. One block at a time.
        """
        with self._runs_guard:
            cursor = self._cursor()
            cursor.execute("BEGIN")
            try:
                yield lambda sql, *parameters: cursor.execute(sql, list(parameters)).fetchall()
            except BaseException:
                cursor.execute("ROLLBACK")
                raise
            cursor.execute("COMMIT")

    def query(self, sql: str, parameters: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows of a read-only question, for housekeeping and reports."""
        return self._all(sql, list(parameters))

    def execute(self, sql: str, parameters: Iterable[Any] = ()) -> None:
        """A statement of housekeeping, outside the writer: never while a run is under way."""
        self._cursor().execute(sql, list(parameters))

    def _put(self, rows: list[Row]) -> None:
        self.check_process()
        self._writer.put(rows)

    def _one(self, sql: str, parameters: list[Any]) -> tuple[Any, ...] | None:
        return self._cursor().execute(sql, parameters).fetchone()

    def _all(self, sql: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
        return self._cursor().execute(sql, parameters or []).fetchall()

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


def _ledger_row(row: LedgerRow) -> Row:
    values = row.model_dump()
    values["params"] = json.dumps(values["params"], sort_keys=True)
    return "ledger", tuple(values[name] for name, _ in COLUMNS["ledger"])
