"""What a flow leaves behind when it does not end well: the run's row says so."""

from typing import Any

from prefect import Flow
from prefect.client.schemas.objects import FlowRun, State

from trace2skill.errors import Trace2SkillError
from trace2skill.refresh import close
from trace2skill.runtime import runtime
from trace2skill.settings import RunSettings


def mark_run(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """Write the run's end into the store: 'failed', or 'interrupted' for a crash or a cancellation.

    A worker calls hooks by these names, so they are part of the interface.
    """
    del flow
    try:
        settings = RunSettings.model_validate(flow_run.parameters["settings"])
        close(runtime(settings), "failed" if state.is_failed() else "interrupted")
    except Trace2SkillError:  # what ended the flow is told by its state; here is nothing to add
        return


ON_BAD_END: dict[str, Any] = {"on_failure": [mark_run], "on_crashed": [mark_run], "on_cancellation": [mark_run]}
