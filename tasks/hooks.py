"""What a flow leaves behind when it does not end well: the run's row and its progress file say so."""

from collections.abc import Callable
from typing import Any

from prefect import Flow
from prefect.client.schemas.objects import FlowRun, State
from prefect.runtime import flow_run as running

from tasks.parameters import whole
from trace2skill.core.errors import Trace2SkillError
from trace2skill.runs.refresh import as_it_went_on, end
from trace2skill.runs.run_progress import State as RunState
from trace2skill.runs.runtime import RunKind, forget_runtimes, is_open, runtime
from trace2skill.runs.settings import RunSettings

PATIENCE_SECONDS = 30.0
"""How long a worker waits for the store to write down that a run crashed; another run may have it by then."""


def flow_run_id() -> str:
    """Id of the flow run around the caller, '' where there is none."""
    return str(running.id or "")


def planned_day() -> str:
    """The day for which the flow run around the caller was planned: the same in all its attempts."""
    return str(running.scheduled_start_time.date().isoformat())


def on_bad_end(kind: RunKind, read: Callable[[Any], RunSettings] = RunSettings.model_validate) -> dict[str, Any]:
    """The hooks of a flow that carries out runs of that kind; `read` makes the run's settings of the flow's.

    They write the run's end into the store: 'failed', or 'interrupted' for a crash or a cancellation. A worker calls
    hooks by the names of their parameters, so these are part of the interface.
    """

    def mark_run(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
        del flow
        try:
            settings = read(whole(flow_run.parameters["settings"]))
            mine = is_open(settings)
            patient = settings if mine else settings.changed(store_wait_seconds=PATIENCE_SECONDS)
            rt = runtime(as_it_went_on(patient, kind))
            rt.begin(kind)
            ended: RunState = "failed" if state.is_failed() else "interrupted"
            end(rt, ended, message=str(state.message or "")[:2000])
            if not mine:  # a worker runs the hooks of a flow run that crashed: it must not go on holding the store
                forget_runtimes()
        except Trace2SkillError:  # what ended the flow is told by its state; here is nothing to add
            return

    return {"on_failure": [mark_run], "on_crashed": [mark_run], "on_cancellation": [mark_run]}
