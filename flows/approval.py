"""Flow `approval-deadline`: answers 'no' for a promotion that nobody approved in time."""

from uuid import UUID

from prefect import flow
from prefect.exceptions import NotPausedError
from prefect.flow_runs import resume_flow_run


@flow(name="approval-deadline", flow_run_name="end of the wait for {flow_run}")
def approval_deadline(flow_run: UUID, hours: float) -> str:
    """Resume a suspended refresh with a 'no', so that it ends as not promoted. Nothing where it goes on already."""
    reason = f"nobody answered within {hours:g} hours"
    try:
        resume_flow_run(flow_run, run_input={"promote": False, "reason": reason})
    except NotPausedError:
        return "answered in time"
    return reason
