"""Flow `rollout`: let the agent work on tasks, one mapped run per task and seed."""

from prefect import flow

from flows.shard import in_shards
from tasks.gather import Gathered, gather
from tasks.hooks import flow_run_id, on_bad_end
from tasks.runner import mapped, sized
from tasks.steps import task_of
from trace2skill.runs import refresh as run
from trace2skill.runs.runtime import runtime
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.steps.rollout import ROLLOUT
from trace2skill.types.references import Rolled, RolloutJob


@flow(name="rollout", persist_result=False, flow_run_name="rollout {settings.label}", validate_parameters=False)
def rollout(settings: RunSettings, jobs: list[RolloutJob]) -> Gathered[Rolled]:
    """Roll out every job; the failed ones are named and can be run again alone."""
    if settings.operation.shards > 1:
        sized(in_shards, settings)(settings, "rollout", jobs)
    futures = mapped(task_of(ROLLOUT), settings, jobs)
    return gather(runtime(settings), ROLLOUT.name, futures, [job.name for job in jobs])


@flow(name="rollout-all", persist_result=False, flow_run_name="rollout {settings.label}", **on_bad_end("rollout"))
def rollout_all(settings: RunSettings) -> Gathered[Rolled]:
    """Roll out every task at every seed, with the skill given or with none."""
    rt = runtime(settings)
    run.start(rt, "rollout", flow_run=flow_run_id())
    rolled = sized(rollout, settings)(settings, run.all_jobs(rt))
    run.end(rt, "completed")
    return rolled
