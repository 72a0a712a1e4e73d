"""The mapped tasks over imported trajectories, thin like those of `tasks.steps`."""

from prefect import task

from tasks.steps import AGAIN, KEPT, keyed, once
from trace2skill.runs.intake import Taken
from trace2skill.runs.runtime import runtime
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.steps import logs as steps
from trace2skill.types.references import Observed


@task(
    task_run_name="judge: {item.id}",
    cache_policy=keyed(lambda i: steps.judge_key(runtime(i["settings"]), i["item"])),
    **KEPT,
    **AGAIN,
)
def judge(settings: RunSettings, item: Taken) -> Taken:
    """Ask a model how one imported trajectory ended."""
    rt = runtime(settings)
    return once(settings, steps.judge_key(rt, item), Taken, lambda: steps.judge(rt, item))


@task(
    task_run_name="observe: {item.id}",
    cache_policy=keyed(lambda i: steps.observe_key(runtime(i["settings"]), i["item"])),
    **KEPT,
    **AGAIN,
)
def observe(settings: RunSettings, item: Taken) -> Observed:
    """Draw lessons from one imported trajectory."""
    rt = runtime(settings)
    return once(settings, steps.observe_key(rt, item), Observed, lambda: steps.observe(rt, item))
