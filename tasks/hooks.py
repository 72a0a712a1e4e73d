"""What a flow leaves behind when it does not end well: the run's row says so."""

from typing import Any

from prefect import Flow
from prefect.client.schemas.objects import FlowRun, State

from trace2skill.errors import Trace2SkillError
from trace2skill.refresh import close
from trace2skill.runtime import RunKind, runtime
from trace2skill.settings import RunSettings


def on_bad_end(kind: RunKind) -> dict[str, Any]:
    """The hooks of a flow that carries out runs of that kind.

    They write the run's end into the store: 'failed', or 'interrupted' for a crash or a cancellation. A worker calls
    hooks by the names of their parameters, so these are part of the interface.
    """

    def mark_run(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
        del flow
        try:
            rt = runtime(RunSettings.model_validate(flow_run.parameters["settings"]))
            rt.begin(kind)
            close(rt, "failed" if state.is_failed() else "interrupted")
        except Trace2SkillError:  # what ended the flow is told by its state; here is nothing to add
            return

    return {"on_failure": [mark_run], "on_crashed": [mark_run], "on_cancellation": [mark_run]}
