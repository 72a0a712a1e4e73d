"""How many steps of a flow are under way at once and where: threads of one process, or Dask or Ray by a setting."""

import logging
import os
from collections.abc import Iterable
from copy import copy
from typing import Any, ParamSpec, TypeVar, cast

from prefect import Flow, Task, unmapped
from prefect.futures import PrefectFuture
from prefect.task_runners import ThreadPoolTaskRunner
from prefect.utilities.annotations import quote

from tasks.parameters import guarded
from trace2skill.core.errors import BadInput
from trace2skill.runs.settings import RunSettings

P = ParamSpec("P")
R = TypeVar("R")


def _is_news(record: logging.LogRecord) -> bool:
    """Prefect warns with every task run that a time limit ends a thread only between two blocking operations.

    Ours are model calls and commands, which have limits of their own.
    """
    return "Timeouts in worker threads cannot" not in str(record.msg)


logging.getLogger("prefect.task_runs").addFilter(_is_news)


def sized(flow: Flow[P, R], settings: RunSettings) -> Flow[P, R]:
    """The flow with `settings.operation.workers` threads, or on the task runner that the settings name.

    Its parameters are recorded in short: see `tasks.parameters`.

    Raises:
        BadInput: the runner's package is not installed.
    """
    chosen = copy(flow)  # `with_options` works out the schema of the parameters again: 0.2 s of CPU for each stage
    chosen.task_runner = _runner(settings)
    return guarded(chosen)


def mapped(task: Task[P, R], settings: RunSettings, items: Iterable[Any], *rest: object) -> list[PrefectFuture[R]]:
    """A run of the task for each item, with the settings before it and `rest`, the same for all, behind it.

    All are quoted: they hold no futures, and Prefect would look for some in every text of every item, three times a
    run, which costs more than the run itself.
    """
    behind = [unmapped(quote(item)) for item in rest]
    return list(timed(task, settings).map(unmapped(quote(settings)), [quote(item) for item in items], *behind))


def mapped_after(
    task: Task[P, R], settings: RunSettings, items: Iterable[tuple[Any, PrefectFuture[Any] | None]], *rest: object
) -> list[PrefectFuture[R]]:
    """The same for items that runs have made which are done: the UI's graph has an edge from each to what it led to.

    An edge takes a millisecond of CPU. Runs in other processes have none: those would be waited for there.
    """
    if settings.operation.runner != "threads":
        return mapped(task, settings, [item for item, _ in items], *rest)
    run: Any = timed(task, settings).submit
    behind = [quote(item) for item in rest]
    return [
        run(quote(settings), quote(item), *behind, wait_for=[made] if made is not None else None)
        for item, made in items
    ]


def submitted(task: Task[P, R], settings: RunSettings, *given: object) -> PrefectFuture[R]:
    """One run of the task; see `mapped`."""
    run: Any = task.submit
    return cast("PrefectFuture[R]", run(quote(settings), *(quote(item) for item in given)))


def timed(task: Task[P, R], settings: RunSettings) -> Task[P, R]:
    """The task with the settings' time limit for one step.

    A model call and a command have limits of their own, far below it; this one is for a step that goes on all the same.
    Where a model is answered by hand there is none: how long its requests wait is a setting of that model.
    """
    by_hand = settings.models.handoffs
    return task.with_options(timeout_seconds=None if by_hand else settings.operation.step_seconds)


def _runner(settings: RunSettings) -> Any:
    how = settings.operation
    if how.runner == "threads":
        return ThreadPoolTaskRunner(max_workers=how.workers)
    try:
        if how.runner == "dask":
            from prefect_dask.task_runners import DaskTaskRunner

            processes = min(how.workers, os.cpu_count() or 1)  # steps wait for models: most can be threads
            threads = -(-how.workers // processes)
            return DaskTaskRunner(cluster_kwargs={"n_workers": processes, "threads_per_worker": threads})
        from prefect_ray import RayTaskRunner

        return RayTaskRunner(init_kwargs={"num_cpus": how.workers})
    except ModuleNotFoundError as error:
        raise BadInput(f"runner '{how.runner}' needs its package: pip install 'trace2skill[{how.runner}]'") from error
