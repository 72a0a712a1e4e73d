"""Prefect's results live in the project's store, so that the UI says `Cached` and Retry runs only what failed.

The block document holds no path: a process owns one store, which the flow opens before it submits anything, and the
block reads and writes that one. So one document serves every store on a Prefect server, and two runs with different
stores never fight over it.
"""

from typing import Any

from prefect import Flow
from prefect._internal.compatibility.async_dispatch import async_dispatch
from prefect.exceptions import ObjectAlreadyExists
from prefect.filesystems import WritableFileSystem

from tasks.parameters import guarded
from tasks.serializer import readable
from tasks.server import check_server, keep_signals_from_server
from trace2skill.core.errors import FormUnreadable
from trace2skill.core.forms import missed
from trace2skill.store import Store, current_store

BLOCK_NAME = "trace2skill"
TRIES = 4
"""The kind of block, its schema and its document may each come second once."""


class StoreResults(WritableFileSystem):
    """Result storage over the store that this process has open."""

    _block_type_name = "trace2skill store results"
    _block_type_slug = "trace2skill-results"
    _description = "Keeps task results in the DuckDB store of trace2skill, under content keys."

    async def aread_path(self, path: str) -> bytes:
        """The record under a key, or ValueError."""
        return _read(current_store(), path)

    @async_dispatch(aread_path)
    def read_path(self, path: str) -> bytes:  # type: ignore[override]
        """The record under a key, or ValueError."""
        return _read(current_store(), path)

    async def awrite_path(self, path: str, content: bytes) -> None:
        """Keep a record under a key; returns when it is durable."""
        current_store().put_result(path, content)

    @async_dispatch(awrite_path)
    def write_path(self, path: str, content: bytes) -> None:  # type: ignore[override]
        """Keep a record under a key; returns when it is durable."""
        current_store().put_result(path, content)


def _read(store: Store, key: str) -> bytes:
    content = store.get_result(key)
    if content is None:
        raise ValueError(f"no result under {key}")  # what Prefect takes for "not there"
    try:
        return readable(content)
    except FormUnreadable as error:
        missed(error)
        raise ValueError(f"no result under {key} that can be read") from error


def with_store_results(flow: Flow[..., Any]) -> Flow[..., Any]:
    """The flow with its task results in the store. Saves the block document on the Prefect server in use.

    What flows themselves return is not kept: Prefect would pickle it, and it is made again from the tasks' results.

    Raises:
        BadInput: the server that the settings name does not answer.
    """
    check_server()
    keep_signals_from_server()
    return guarded(flow.with_options(result_storage=saved_block(), persist_result=False))


def saved_block() -> StoreResults:
    """The block, known to the Prefect server in use.

    Prefect asks the server whether it knows this kind of block, and then makes it known. Of several commands that meet
    a new server at once one comes second with that, and finds the kind there when it looks again.
    """
    block, tries = StoreResults(), 0
    while True:
        try:
            block.save(BLOCK_NAME, overwrite=True)
            return block
        except ObjectAlreadyExists:
            tries += 1
            if tries == TRIES:
                raise
