"""Looking after a store: how large it is, dropping what is old, taking it out as files."""

from pathlib import Path

from trace2skill.core.errors import BadInput
from trace2skill.core.record import Record
from trace2skill.store.base import Store
from trace2skill.store.rows import LedgerTotal

TABLES = ("result", "model_call", "observation", "noun", "ledger")
PRUNED = ("result", "model_call", "observation", "noun")


class TableStats(Record):
    """One table. Times are ISO, UTC, empty for no rows."""

    name: str
    rows: int
    oldest: str
    newest: str


class StoreStats(Record):
    """The whole store."""

    path: Path | str
    file_bytes: int
    tables: tuple[TableStats, ...]
    ledger: LedgerTotal


def store_stats(store: Store) -> StoreStats:
    """Count what a store holds."""
    tables = []
    for name in TABLES:
        rows, oldest, newest = store.query(f"SELECT count(*), min(written), max(written) FROM {name}")[0]
        tables.append(TableStats(name=name, rows=rows, oldest=str(oldest or ""), newest=str(newest or "")))
    return StoreStats(path=store.path, file_bytes=store.bytes_used(), tables=tuple(tables), ledger=store.ledger_total())


def prune_store(store: Store, older_than_days: int, *, dry_run: bool = False) -> dict[str, int]:
    """Drop what was written more than so many days ago; returns rows per table.

    A result names records that were written before it, so that records go only together with every result of their
    time: a result younger than the limit whose records are older would point at nothing. Therefore, where anything
    goes, the results written within a day after the limit go too. Skills, runs and the ledger stay.
    """
    limit = f"now()::TIMESTAMP - INTERVAL '{int(older_than_days)} day'"
    conditions = dict.fromkeys(PRUNED, f"written < {limit}")
    conditions["result"] = f"written < {limit} + INTERVAL '1 day'"
    kept = (
        "'skill', 'support', 'lesson', 'evaluation', 'quarantine', 'allowance', 'provider batch', 'canary', 'waiting', "
        "'script', 'pull', 'review'"
    )
    conditions["noun"] += f" AND kind NOT IN ({kept})"
    counts = {
        name: int(store.query(f"SELECT count(*) FROM {name} WHERE {condition}")[0][0])
        for name, condition in conditions.items()
    }
    if not counts["noun"]:
        conditions["result"] = f"written < {limit}"
        counts["result"] = int(store.query(f"SELECT count(*) FROM result WHERE {conditions['result']}")[0][0])
    if not dry_run:
        for name in PRUNED:  # results first: a crash in between leaves records nobody names, never names of nothing
            store.execute(f"DELETE FROM {name} WHERE {conditions[name]}")
        if store.embedded:
            store.execute("CHECKPOINT")
    return counts


def export_store(store: Store, directory: Path) -> list[Path]:
    """Write every table as `NAME.parquet`, and the ledger as `ledger.csv` besides.

    Raises:
        BadInput: the directory is not empty or cannot be made.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise BadInput(f"{directory} is not empty: name a new directory")
    except OSError as error:
        raise BadInput(f"{directory} cannot be written to: {error.strerror}") from error
    written = []
    for name in (*TABLES, "run", "version", "champion", "look", "opening", "place", "judgement"):
        written.append(directory / f"{name}.parquet")
        store.copy_table(name, written[-1], "parquet")
    written.append(directory / "ledger.csv")
    store.copy_table("ledger", written[-1], "csv")
    return written
