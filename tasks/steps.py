"""The mapped tasks: one per step, made of the list of steps by one function. They take ids and settings, never bodies.

A task's cache key is the step's own key, made by the library. Only what can pass is retried; what a retry cannot mend
fails at once.
"""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar, cast

from prefect import Task, task
from prefect.cache_policies import CachePolicy
from prefect.client.schemas.objects import State, TaskRun
from prefect.context import TaskRunContext
from prefect.tasks import exponential_backoff

from tasks.serializer import FormSerializer
from trace2skill.core.errors import InfrastructureFault, StoreUnavailable, Unanswered
from trace2skill.core.record import Record
from trace2skill.runs.runtime import runtime
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.steps import STEPS
from trace2skill.runs.steps.step import RunStep

Inputs = dict[str, Any]
R = TypeVar("R")


def keyed(key: Callable[[Inputs], str]) -> CachePolicy:
    """A cache policy by a key that the library makes of a task's inputs."""

    def compute(_: TaskRunContext, inputs: Inputs) -> str:
        return key(inputs)

    return CachePolicy.from_cache_key_fn(compute)


def _can_pass(_: Task[..., Any], __: TaskRun, state: State[Any]) -> bool:
    """Is the failure one that a second try may not meet?"""
    result = state.result(raise_on_failure=False)
    return isinstance(result, (InfrastructureFault, StoreUnavailable)) and not isinstance(result, Unanswered)


def once(settings: RunSettings, step: RunStep[R], given: Inputs) -> R:
    """The step's result, made once for a key although several runs share the store and come to it at the same time.

    An embedded store belongs to one process, whose tasks have keys of their own: there is nobody to wait for.
    """
    rt = runtime(settings)
    if rt.store.embedded or not issubclass(step.gives, Record):
        return step(rt, **given)
    key = step.key(rt, **given)
    with rt.store.alone(key):
        found: Any = rt.store.get("step", key, step.gives)
        if found is None:
            found = step(rt, **given)
            rt.store.put("step", key, found)
        return cast(R, found)


KEPT: dict[str, Any] = {"persist_result": True, "result_serializer": FormSerializer()}
AGAIN: dict[str, Any] = {
    "retries": 2,
    "retry_delay_seconds": exponential_backoff(backoff_factor=2),
    "retry_jitter_factor": 0.5,
    "retry_condition_fn": _can_pass,
}


def task_of(step: RunStep[R]) -> Task[..., R]:
    """The task of a step: it takes the settings and the step's inputs, by place or by name."""
    return TASKS[step.name]


def _made(step: RunStep[R]) -> Task[..., R]:
    taken = inspect.signature(step.do)
    settings = inspect.Parameter("settings", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=RunSettings)
    signature = taken.replace(parameters=[settings, *list(taken.parameters.values())[1:]])

    def carry_out(*given: Any, **named: Any) -> R:
        inputs = signature.bind(*given, **named).arguments
        return once(inputs.pop("settings"), step, inputs)

    def key(inputs: Inputs) -> str:
        return step.key(runtime(inputs["settings"]), **{name: inputs[name] for name in step.inputs})

    carry_out.__name__ = carry_out.__qualname__ = step.name  # what a person reads in the UI
    carry_out.__doc__ = step.do.__doc__
    carry_out.__signature__ = signature  # type: ignore[attr-defined]
    options = {**KEPT, **(AGAIN if step.again else {})}
    return task(task_run_name=step.shown, cache_policy=keyed(key), **options)(carry_out)


TASKS: dict[str, Task[..., Any]] = {step.name: _made(step) for step in STEPS}
