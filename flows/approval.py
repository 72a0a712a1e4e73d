"""Flow `approval-deadline`: answers 'no' for a promotion that nobody approved in time."""

from uuid import UUID

from prefect import flow

from tasks.approval import answer_no


@flow(name="approval-deadline", persist_result=False, flow_run_name="end of the wait for {flow_run}")
def approval_deadline(flow_run: UUID, hours: float) -> str:
    """Resume a suspended refresh with a 'no', so that it ends as not promoted. Nothing where it goes on already."""
    return answer_no(flow_run, f"nobody answered within {hours:g} hours")
