"""Flow `rollout`: let the agent work on tasks, one mapped run per task and seed."""

from prefect import flow, unmapped

from tasks.gather import Gathered, gather
from tasks.steps import rollout as rollout_task
from trace2skill.settings import RunSettings
from trace2skill.steps import Rolled, RolloutJob


@flow(name="rollout", flow_run_name="rollout: {stage}", validate_parameters=False)
def rollout(settings: RunSettings, jobs: list[RolloutJob], stage: str = "rollout") -> Gathered[Rolled]:
    """Roll out every job; the failed ones are named and can be run again alone."""
    futures = rollout_task.map(unmapped(settings), jobs)
    return gather(stage, futures, [job.name for job in jobs], settings.max_failed_share)
