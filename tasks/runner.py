"""How many steps of a flow are under way at once and where: threads of one process, or Dask or Ray by a setting."""

from typing import Any, ParamSpec, TypeVar

from prefect import Flow, Task
from prefect.task_runners import ThreadPoolTaskRunner

from trace2skill.errors import BadInput
from trace2skill.settings import RunSettings

P = ParamSpec("P")
R = TypeVar("R")


def sized(flow: Flow[P, R], settings: RunSettings) -> Flow[P, R]:
    """The flow with `settings.workers` threads, or on the task runner that the settings name.

    Raises:
        BadInput: the runner's package is not installed.
    """
    runner: Any = _runner(settings)
    return flow.with_options(task_runner=runner)


def timed(task: Task[P, R], settings: RunSettings) -> Task[P, R]:
    """The task with the settings' time limit for one step.

    A model call and a command have limits of their own, far below it; this one is for what hangs all the same.
    """
    return task.with_options(timeout_seconds=settings.step_seconds)


def _runner(settings: RunSettings) -> Any:
    if settings.runner == "threads":
        return ThreadPoolTaskRunner(max_workers=settings.workers)
    try:
        if settings.runner == "dask":
            from prefect_dask.task_runners import DaskTaskRunner

            return DaskTaskRunner(cluster_kwargs={"n_workers": settings.workers, "threads_per_worker": 1})
        from prefect_ray import RayTaskRunner

        return RayTaskRunner(init_kwargs={"num_cpus": settings.workers})
    except ModuleNotFoundError as error:
        raise BadInput(
            f"runner '{settings.runner}' needs its package: pip install 'trace2skill[{settings.runner}]'"
        ) from error
