"""Tags by kind of task and skill, on the run that a person looks for and on the stages below it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from prefect import tags
from prefect.client.orchestration import get_client
from prefect.runtime import flow_run as running

log = logging.getLogger(__name__)


@contextmanager
def tagged(*wanted: str) -> Iterator[None]:
    """Tag the flow run around the caller, which has those of its deployment alone, and what runs in the block.

    Tags are for people: where the server does not take them, the run goes on without.
    """
    missing = set(wanted) - set(running.tags or ())
    if running.id and missing:
        try:
            with get_client(sync_client=True) as client:
                client.update_flow_run(UUID(running.id), tags={*(running.tags or ()), *missing})
        except Exception as error:  # noqa: BLE001 - any failure of the server
            log.warning("the run was not tagged: %s", error)
    with tags(*wanted):
        yield
