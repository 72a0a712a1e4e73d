"""The store: one DuckDB file, one owner process, one writer thread with group commit.

It keeps what was paid for: results of steps and answers of models under content keys, the ledger of calls, the records,
and the runs. Nothing else in the product imports duckdb.
"""

from trace2skill.store.base import RecordKind, Store, T
from trace2skill.store.database import close_all, current_store, open_store, store_to_read
from trace2skill.store.rows import CallOutcome, LedgerRow, LedgerTotal, RunHead, RunRow

__all__ = [
    "CallOutcome",
    "LedgerRow",
    "LedgerTotal",
    "RecordKind",
    "RunHead",
    "RunRow",
    "Store",
    "T",
    "close_all",
    "current_store",
    "open_store",
    "store_to_read",
]
