"""`Store`: what is put in and got out. Puts are durable on return; any thread may call."""

import json
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel

from trace2skill.core.errors import StoreUnavailable
from trace2skill.core.forms import as_text, from_text, from_text_or_none
from trace2skill.core.money import nanos
from trace2skill.core.reservations import Reservations
from trace2skill.store.address import directory_beside
from trace2skill.store.rows import LedgerRow, LedgerTotal, RunHead, RunRow
from trace2skill.store.schema import COLUMNS

Row = tuple[str, tuple[Any, ...]]
"""Table and values, in the order of `COLUMNS`."""

RecordKind = Literal[
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
    "batch",
    "step",
    "source",
    "intake",
    "pull",
    "foreseen",
    "withheld",
    "quarantine",
    "allowance",
    "bank",
    "arm",
    "tree",
    "book",
    "memory",
    "signs",
    "mining",
    "dispute",
    "provider batch",
    "canary",
    "routine",
    "script",
    "library",
    "waiting",
    "review",
]
T = TypeVar("T", bound=BaseModel)
NEVER_MISSED: frozenset[RecordKind] = frozenset(
    {"withheld", "support", "memory", "provider batch", "waiting", "intake", "review"}
)
"""Kinds that are not taken for missing where they cannot be read: an analyst would be shown the answers that a log gave
away, a skill's votes would be counted anew from nothing, over those that are there, a batch would be sent again,
lessons that wait for a skill would be lost, a skill would be audited by what it has learned from, and what people have
decided would be lost."""


class Store(ABC):
    """An open store. Made by `open_store`; how it is kept is the business of its two kinds."""

    embedded: bool
    """Does one process own it, so that no other can have it open?"""
    row_order: str
    """The column that says in which order rows of the ledger were written."""

    def __init__(self, address: Path | str) -> None:
        self.path = address
        self.pid = os.getpid()
        self.closed = False

    @property
    def beside(self) -> Path:
        """The directory for files that belong to the store."""
        return directory_beside(self.path)

    @abstractmethod
    def close(self) -> None:
        """Write what waits and let go of the store. Closing twice is harmless."""

    @abstractmethod
    def bytes_used(self) -> int:
        """How large the store is on its disk."""

    @abstractmethod
    @contextmanager
    def together(self) -> Iterator[Callable[..., list[tuple[Any, ...]]]]:
        """Read and write as one: the block is given a function that runs a statement; all of it holds, or nothing.

        For the registry of versions, which must see no half of another's change. One block at a time, in all
        processes.
        """

    @abstractmethod
    @contextmanager
    def alone(self, key: str) -> Iterator[None]:
        """Be the only one at work on a key, in all threads and processes that have the store; wait for one's turn.

        Whoever held it and died is not waited for.
        """

    @abstractmethod
    def reservations(self) -> Reservations:
        """What runs may spend and have reserved, shared by all who have the store open."""

    @abstractmethod
    def copy_table(self, name: str, target: Path, kind: Literal["parquet", "csv"]) -> None:
        """Write a table to a file."""

    @abstractmethod
    def execute(self, sql: str, parameters: Iterable[Any] = ()) -> None:
        """A statement of housekeeping, outside the writer: never while a run is under way."""

    @abstractmethod
    def _put(self, rows: list[Row]) -> None: ...

    @abstractmethod
    def _all(self, sql: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]: ...

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

    def put_batch(self, id: str, record: BaseModel, calls: Iterable[tuple[str, str | None, LedgerRow]] = ()) -> None:
        """Keep a provider's batch and what came of its calls, all or nothing: key, answer and ledger row of each.

        An answer of None is none; of one that was answered before, only the row is written.
        """
        rows: list[Row] = [("noun", ("provider batch", id, as_text(record)))]
        for key, answer, ledger in calls:
            if answer is not None and self.get_call(key) is None:
                rows.append(("model_call", (key, answer)))
            rows.append(_ledger_row(ledger))
        self._put(rows)

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

    def put(self, kind: RecordKind, id: str, record: BaseModel) -> None:
        """Keep a record under its kind and id. Its class has a form."""
        self._put([("noun", (kind, id, as_text(record)))])

    def put_all(self, records: Iterable[tuple[RecordKind, str, BaseModel]]) -> None:
        """Keep several records at once: all of them or none."""
        rows: list[Row] = [("noun", (kind, id, as_text(record))) for kind, id, record in records]
        if rows:
            self._put(rows)

    def get(self, kind: RecordKind, id: str, cls: type[T]) -> T | None:
        """The record of that kind and id, or None. One that cannot be read is None, too, with a warning.

        Raises:
            FormUnreadable: it cannot be read, and is of a kind that `NEVER_MISSED` names.
        """
        row = self._one("SELECT value FROM noun WHERE kind = ? AND id = ?", [kind, id])
        return _read(kind, row[0], cls) if row else None

    def several(self, kind: RecordKind, ids: Sequence[str], cls: type[T]) -> dict[str, T]:
        """The records of these ids that are there and can be read, by id: one question for all. Raises as `get`."""
        marks = ", ".join("?" for _ in ids)
        rows = self._all(f"SELECT id, value FROM noun WHERE kind = ? AND id IN ({marks})", [kind, *ids]) if ids else []
        return {str(id): record for id, value in rows if (record := _read(kind, value, cls)) is not None}

    def all_of(self, kind: RecordKind, cls: type[T]) -> list[T]:
        """Every record of a kind that can be read, in the order they were written. Raises as `get`."""
        rows = self._all("SELECT value FROM noun WHERE kind = ? ORDER BY written, id", [kind])
        return [record for row in rows if (record := _read(kind, row[0], cls)) is not None]

    def entries(self, kind: RecordKind, cls: type[T]) -> list[tuple[str, T]]:
        """Every record of a kind that can be read, with its id, in the order of ids. Raises as `get`."""
        rows = self._all("SELECT id, value FROM noun WHERE kind = ? ORDER BY id", [kind])
        return [(str(id), record) for id, value in rows if (record := _read(kind, value, cls)) is not None]

    def ids_of(self, kind: RecordKind) -> set[str]:
        """The ids of all records of a kind."""
        return {str(row[0]) for row in self._all("SELECT id FROM noun WHERE kind = ?", [kind])}

    def start_run(self, run: RunRow) -> None:
        """Open a run, or open it again: its attempts are counted."""
        with self.together() as tell:
            tell(
                "INSERT INTO run VALUES (?, ?, ?, 'running', '', 1, now()::TIMESTAMP, NULL) ON CONFLICT (id) DO UPDATE "
                "SET state = 'running', settings = excluded.settings, attempts = run.attempts + 1, ended = NULL",
                *(run.id, run.kind, run.settings),
            )

    def finish_run(self, run_id: str, state: str, summary: str) -> None:
        """Close a run with its state and summary."""
        with self.together() as tell:
            tell("UPDATE run SET state = ?, summary = ?, ended = now()::TIMESTAMP WHERE id = ?", state, summary, run_id)

    def run(self, run_id: str) -> RunRow | None:
        """The run of that id, or None."""
        row = self._one("SELECT id, kind, settings, state, summary, attempts FROM run WHERE id = ?", [run_id])
        return RunRow(**dict(zip(RunRow.model_fields, row, strict=True))) if row else None

    def run_heads(self) -> list[RunHead]:
        """All runs, oldest first, without their settings and summaries."""
        rows = self._all("SELECT id, kind, state, attempts, summary <> '' FROM run ORDER BY started, id")
        return [RunHead(**dict(zip(RunHead.model_fields, row, strict=True))) for row in rows]

    def runs(self, *kinds: str, newest_first: bool = False) -> Iterator[RunRow]:
        """The runs of some kinds, or of all, oldest first. One is held at a time: summaries can be large."""
        heads = self.run_heads()
        for head in reversed(heads) if newest_first else heads:
            row = self.run(head.id) if not kinds or head.kind in kinds else None
            if row is not None:
                yield row

    def ledger_total(self, run_id: str | None = None) -> LedgerTotal:
        """Sums over the ledger, of one run or of all."""
        row = self._one(
            "SELECT count(*) FILTER (WHERE outcome = 'answered'), count(*) FILTER (WHERE outcome = 'from_memory'), "
            "count(*) FILTER (WHERE outcome NOT IN ('answered', 'from_memory')), coalesce(sum(tokens_in), 0), "
            "coalesce(sum(tokens_out), 0), coalesce(sum(tokens_cached), 0), coalesce(sum(cost), 0) "
            "FROM ledger WHERE run_id = coalesce(?, run_id)",
            [run_id],
        )
        return LedgerTotal(**dict(zip(LedgerTotal.model_fields, row or (), strict=True)))

    def ledger(self, run_id: str | None = None) -> list[LedgerRow]:
        """Ledger rows in the order they were written, of one run or of all."""
        names = [name for name, _ in COLUMNS["ledger"]]
        where = f"WHERE run_id = coalesce(?, run_id) ORDER BY written, {self.row_order}"
        sql = f"SELECT {', '.join(names)} FROM ledger {where}"
        rows = [dict(zip(names, row, strict=True)) for row in self._all(sql, [run_id])]
        return [LedgerRow(**{**row, "params": json.loads(row["params"])}) for row in rows]

    def query(self, sql: str, parameters: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows of a read-only question, for housekeeping and reports."""
        return self._all(sql, list(parameters))

    def spent_of(self, cap_name: str) -> int:
        """What the ledger says was paid under a cap: 'run ID' or 'month YYYY-MM' (UTC). Billionths of a US dollar."""
        kind, _, name = cap_name.partition(" ")
        column = "run_id" if kind == "run" else "substr(CAST(written AS TEXT), 1, 7)"
        rows = self._all(f"SELECT cost FROM ledger WHERE cost > 0 AND {column} = ?", [name])
        return sum(nanos(row[0]) for row in rows)

    def _one(self, sql: str, parameters: list[Any]) -> tuple[Any, ...] | None:
        return next(iter(self._all(sql, parameters)), None)


def _read(kind: RecordKind, text: str, cls: type[T]) -> T | None:
    return from_text(text, cls) if kind in NEVER_MISSED else from_text_or_none(text, cls)


def _ledger_row(row: LedgerRow) -> Row:
    values = row.model_dump()
    values["params"] = json.dumps(values["params"], sort_keys=True)
    return "ledger", tuple(values[name] for name, _ in COLUMNS["ledger"])
