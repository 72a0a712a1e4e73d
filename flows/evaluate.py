"""Flow `evaluate`: skills scored on held-out tasks, through the same rollout step and store."""

from pathlib import Path

from prefect import flow, unmapped

from tasks.gather import gather
from tasks.hooks import ON_BAD_END
from tasks.runner import sized
from tasks.steps import rollout as rollout_task
from trace2skill import refresh as run
from trace2skill.evaluation.conditions import Condition, evaluation_of, jobs_of
from trace2skill.evaluation.matrix import Evaluation
from trace2skill.runtime import runtime
from trace2skill.settings import RunSettings


@flow(name="evaluate", flow_run_name="evaluate {settings.domain}", validate_parameters=False)
def evaluate(settings: RunSettings, conditions: list[Condition], task_ids: list[str]) -> list[Evaluation]:
    """Score every condition on every task and seed. A cell that broke is an infrastructure error, never a 0."""
    jobs = [job for condition in conditions for job in jobs_of(condition, task_ids, settings.held_out_seeds)]
    futures = rollout_task.map(unmapped(settings), jobs)
    # The gate judges coverage itself, so that any share of broken cells may pass here.
    done = gather("evaluate", futures, [job.name for job in jobs], max_failed_share=1.0)
    return [evaluation_of(condition, jobs, done.results) for condition in conditions]


@flow(name="evaluate-skills", flow_run_name="evaluate {settings.domain}", **ON_BAD_END)
def evaluate_skills(settings: RunSettings, skills: list[Path], split: str) -> list[Evaluation]:
    """Score skill directories, and the agent without a skill, on one split of the tasks."""
    rt = runtime(settings)
    run.start(rt, "evaluate")
    scored: list[Evaluation] = sized(evaluate, settings)(
        settings, run.conditions_of(rt, skills), list(rt.splits.named(split))
    )
    run.close(rt, "completed")
    return scored
