"""How many steps of a flow are under way at once: threads of one process, as many as the settings say."""

from typing import Any, ParamSpec, TypeVar

from prefect import Flow
from prefect.task_runners import ThreadPoolTaskRunner

from trace2skill.settings import RunSettings

P = ParamSpec("P")
R = TypeVar("R")


def sized(flow: Flow[P, R], settings: RunSettings) -> Flow[P, R]:
    """The flow with `settings.workers` threads."""
    runner: Any = ThreadPoolTaskRunner(max_workers=settings.workers)
    return flow.with_options(task_runner=runner)
