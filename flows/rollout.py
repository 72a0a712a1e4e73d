"""Flow `rollout`: let the agent work on tasks, one mapped run per task and seed."""

from prefect import flow, unmapped

from tasks.gather import Gathered, gather
from tasks.hooks import on_bad_end
from tasks.runner import sized
from tasks.steps import rollout as rollout_task
from trace2skill import refresh as run
from trace2skill.runtime import runtime
from trace2skill.settings import RunSettings
from trace2skill.step_items import Rolled, RolloutJob


@flow(name="rollout", flow_run_name="rollout {settings.domain}", validate_parameters=False)
def rollout(settings: RunSettings, jobs: list[RolloutJob]) -> Gathered[Rolled]:
    """Roll out every job; the failed ones are named and can be run again alone."""
    futures = rollout_task.map(unmapped(settings), jobs)
    return gather("rollout", futures, [job.name for job in jobs], settings.max_failed_share)


@flow(name="rollout-all", flow_run_name="rollout {settings.domain}", **on_bad_end("rollout"))
def rollout_all(settings: RunSettings) -> Gathered[Rolled]:
    """Roll out every task at every seed, with the skill given or with none."""
    rt = runtime(settings)
    run.start(rt, "rollout")
    rolled = sized(rollout, settings)(settings, run.all_jobs(rt))
    run.close(rt, "completed")
    return rolled
