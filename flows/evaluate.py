"""Flow `evaluate`: skills scored on held-out tasks, through the same rollout step and store."""

from prefect import flow, unmapped

from tasks.gather import gather
from tasks.steps import rollout as rollout_task
from trace2skill.evaluation.conditions import Condition, evaluation_of, jobs_of
from trace2skill.evaluation.matrix import Evaluation
from trace2skill.settings import RunSettings


@flow(name="evaluate", flow_run_name="evaluate {split}", validate_parameters=False)
def evaluate(
    settings: RunSettings, conditions: list[Condition], task_ids: list[str], split: str = "validation"
) -> list[Evaluation]:
    """Score every condition on every task and seed. A cell that broke is an infrastructure error, never a 0."""
    jobs = [job for condition in conditions for job in jobs_of(condition, task_ids, settings.held_out_seeds)]
    futures = rollout_task.map(unmapped(settings), jobs)
    # The gate judges coverage itself, so that any share of broken cells may pass here.
    done = gather("evaluate", futures, [job.name for job in jobs], max_failed_share=1.0)
    return [evaluation_of(condition, jobs, done.results) for condition in conditions]
