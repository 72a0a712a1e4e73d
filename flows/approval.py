"""Flow `approval-deadline`: answers 'no' for a promotion that nobody approved in time."""

from uuid import UUID

from prefect import flow

from tasks.answers import settle
from tasks.approval import IN_TIME, answer_no
from trace2skill.core.errors import StoreUnavailable
from trace2skill.store.address import parse

PATIENCE_SECONDS = 60.0
"""How long it waits for the store: a run that has it for longer carries the answers out when it ends."""


@flow(name="approval-deadline", persist_result=False, flow_run_name="end of the wait for {flow_run}")
def approval_deadline(flow_run: UUID, hours: float, store: str = "") -> str:
    """Resume a suspended refresh with a 'no', so that it ends as not promoted.

    Nothing where it goes on already. Where it was answered and another run had its place, the answer is carried out.
    """
    said = answer_no(flow_run, f"nobody answered within {hours:g} hours")
    if said == IN_TIME and store:
        try:
            settle(parse(store), PATIENCE_SECONDS)
        except StoreUnavailable:
            return f"{said}; the run that holds the store carries it out"
    return said
