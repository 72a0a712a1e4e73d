"""Trace stores, asked through their APIs: which traces there are, and each as the reader of its format takes it."""

from trace2skill.traces.stores.address import (
    LogsAddress,
    LogsPath,
    TraceStoreAddress,
    check_samples,
    files_of,
    stores_of,
)
from trace2skill.traces.stores.find import store_at
from trace2skill.traces.stores.pull import Listed, Page, Pull, Pulled, PullMemory
from trace2skill.traces.stores.rest import NotPulled

__all__ = [
    "Listed",
    "LogsAddress",
    "LogsPath",
    "NotPulled",
    "Page",
    "Pull",
    "PullMemory",
    "Pulled",
    "TraceStoreAddress",
    "check_samples",
    "files_of",
    "store_at",
    "stores_of",
]
