"""A person's yes before a promotion: the flow run suspends, needs no worker while it waits, and a form resumes it.

On resumption the flow starts again from its first step; all its steps are in the store, and it comes back here, where
the answer is. A run of the deployment `approval-deadline`, scheduled for the end of the wait, answers 'no' where nobody
else did, so that a wait always ends in a finished run.
"""

from datetime import timedelta
from typing import cast
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.deployments import run_deployment
from prefect.exceptions import NotPausedError, ObjectNotFound
from prefect.flow_runs import resume_flow_run, suspend_flow_run
from prefect.input import RunInput
from prefect.runtime import deployment
from prefect.runtime import flow_run as running
from prefect.states import Cancelled
from pydantic import Field

from tasks.deployed import deployment_name
from trace2skill.core import clock
from trace2skill.core.errors import BadInput
from trace2skill.runs.promotion import Approval
from trace2skill.runs.settings import RunSettings

DEADLINE = "approval-deadline"
IN_TIME = "answered in time"
GRACE_HOURS = 24.0
"""Longer than the wait itself, so that the deadline's own run ends it and not Prefect, which would fail the run."""


class ApprovalForm(RunInput):
    """The form in the Prefect UI."""

    promote: bool = Field(default=False, description="Replace the skill in use by the candidate.")
    reason: str = Field(default="", description="Why; it is kept with the version.")


def check(settings: RunSettings) -> None:
    """Refuse an approval that could never be given, before anything is spent.

    Raises:
        BadInput: the flow run has no deployment, so that nothing could start it again; or the deployment that ends
            the wait is missing.
    """
    if settings.operation.promote != "approve":
        return
    if not deployment.id:
        raise BadInput(
            "promotion by approval needs a deployment, whose run the Prefect UI can resume (docs/deploy.md): here use "
            "--promote stage, then `trace2skill promote`"
        )
    with get_client(sync_client=True) as client:
        try:
            client.read_deployment_by_name(deployment_name(DEADLINE))
        except ObjectNotFound as error:
            raise BadInput(
                f"promotion by approval needs the deployment {deployment_name(DEADLINE)}: `trace2skill "
                "deploy`, or `make serve`"
            ) from error


def ask(question: str, key: str, hours: float, store: str = "") -> Approval:
    """Suspend the flow run until a person has answered, or so many hours have passed.

    Args:
        question: Markdown shown above the form.
        key: names what is asked, in letters, digits and dashes: the same question is asked once.
        hours: how long to wait.
        store: where the run's store is, for the deadline to carry an answer out that this run cannot.
    """
    deadline = _end_the_wait(str(running.id), key, hours, store)
    form = ApprovalForm.with_initial_data(description=question, promote=False, reason="")
    seconds = int((hours + GRACE_HOURS) * 3600)
    answer = suspend_flow_run(wait_for_input=form, timeout=seconds, key=key)
    _cancel(deadline)
    return Approval(given=answer.promote, reason=answer.reason)


def answer_no(flow_run: UUID, reason: str) -> str:
    """Resume a suspended flow run with a 'no' and its reason. Returns what was done."""
    try:
        resume_flow_run(flow_run, run_input={"promote": False, "reason": reason})
    except NotPausedError:
        return IN_TIME
    return reason


def _end_the_wait(flow_run: str, key: str, hours: float, store: str) -> UUID:
    scheduled = run_deployment(
        deployment_name(DEADLINE),
        parameters={"flow_run": flow_run, "hours": hours, "store": store},
        scheduled_time=clock.now() + timedelta(hours=hours),
        timeout=0,
        as_subflow=False,
        idempotency_key=f"{flow_run} {key}",
    )
    return UUID(str(cast(FlowRun, scheduled).id))


def _cancel(deadline: UUID) -> None:
    """Somebody has answered: the run that would answer for them is not needed."""
    with get_client(sync_client=True) as client:
        found = client.read_flow_run(deadline)
        if found.state is not None and found.state.is_scheduled():
            client.set_flow_run_state(deadline, Cancelled(message="answered in time"), force=True)
