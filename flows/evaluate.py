"""Flow `evaluate`: skills scored on held-out tasks, through the same rollout step and store."""

from prefect import flow

from tasks.gather import gather
from tasks.hooks import flow_run_id, on_bad_end
from tasks.runner import mapped, sized
from tasks.steps import task_of
from tasks.tagged import tagged
from trace2skill.evaluation.conditions import Condition, evaluation_of, jobs_of
from trace2skill.runs import held_out
from trace2skill.runs import refresh as run
from trace2skill.runs.runtime import runtime
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.steps.rollout import ROLLOUT
from trace2skill.skills.git_address import SkillAddress
from trace2skill.types.evaluation import Evaluation


@flow(name="evaluate", persist_result=False, flow_run_name="evaluate {settings.label}", validate_parameters=False)
def evaluate(
    settings: RunSettings, conditions: list[Condition], task_ids: list[str], seeds: tuple[int, ...] | None = None
) -> list[Evaluation]:
    """Score every condition on every task and seed. A cell that broke is an infrastructure error, never a 0."""
    chosen = settings.gate.held_out_seeds if seeds is None else seeds
    # Conditions that came out as the same skill are one condition, and are rolled out once.
    jobs = list(dict.fromkeys(job for condition in conditions for job in jobs_of(condition, task_ids, chosen)))
    futures = mapped(task_of(ROLLOUT), settings, jobs)
    # The gate judges coverage itself, so that any share of broken cells may pass here.
    done = gather(runtime(settings), "evaluate", futures, [job.name for job in jobs], tolerated=1.0)
    most = settings.models.agent.max_tokens
    return [evaluation_of(condition, jobs, done.results, most) for condition in conditions]


def score(
    settings: RunSettings, conditions: list[Condition], task_ids: list[str], seeds: tuple[int, ...] | None = None
) -> list[Evaluation]:
    """`evaluate` as a stage of a run; without conditions there is none, and so no flow run that did nothing."""
    return sized(evaluate, settings)(settings, conditions, task_ids, seeds) if conditions else []


@flow(name="evaluate-skills", persist_result=False, flow_run_name="evaluate {settings.label}", **on_bad_end("evaluate"))
def evaluate_skills(settings: RunSettings, skills: list[SkillAddress], split: str, why: str = "") -> list[Evaluation]:
    """Score skills, by their places, and the agent without a skill, on one split; the test split needs a reason.

    Where no place is named it is the skill of the settings, if they have one.
    """
    rt = runtime(settings)
    given = {"skills": [str(path) for path in skills], "split": split, "why": why}
    run.start(rt, "evaluate", flow_run=flow_run_id(), **given)
    tasks = held_out.tasks_of_split(rt, split, why)
    with tagged(*settings.tags):
        scored = score(settings, run.conditions_of(rt, skills), tasks)
    held_out.keep_evaluations(rt, scored, split)
    run.end(rt, "completed")
    return scored
