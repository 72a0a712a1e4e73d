"""Flow `experiment`: the grid of one file, arm by arm, then every arm with every user on every set."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.arm import make_arm
from flows.evaluate import score as evaluated
from flows.refresh import plan_run
from tasks.artifacts import publish_experiment
from tasks.hooks import flow_run_id, on_bad_end
from tasks.runner import sized
from tasks.tagged import tagged
from trace2skill.core.errors import Trace2SkillError
from trace2skill.core.failures import Failure, in_words
from trace2skill.core.progress import watcher
from trace2skill.experiment import study as run
from trace2skill.experiment.definition import TestSet
from trace2skill.experiment.grid import Arm, ArmResult, ExperimentSettings, condition_of, seeds_of
from trace2skill.experiment.result import MeasuredArm
from trace2skill.experiment.study import Study
from trace2skill.types.references import RolloutJob


def _lead(given: Any) -> Any:
    return run.lead_settings(ExperimentSettings.model_validate(given))


@flow(
    name="experiment",
    persist_result=False,
    flow_run_name="experiment {settings.label}",
    **on_bad_end("experiment", _lead),
)
def experiment(settings: ExperimentSettings) -> State[Any]:
    """Run the grid of a file and write its tables. What an earlier run did comes out of the store.

    Returns the `ExperimentResult`, in a state whose name and message say what is missing in it.
    """
    study = run.start(settings, flow_run=flow_run_id())
    with tagged("experiment", study.experiment.name):
        arms, failures = make_arms(study)
        measured = [item for user, tested in study.columns() for item in score(study, user, tested, arms)]
    result = run.finish(study, arms, measured, failures)
    publish_experiment(study.lead, result)
    if result.failures:
        words = f"{in_words(result.failures)}. The next run picks them up"
        return Completed(name="PartiallyCompleted", message=words[:2000], data=result)
    return Completed(message=str(result.directory), data=result)


def make_arms(study: Study) -> tuple[list[ArmResult], list[Failure]]:
    """Every arm. One that cannot be made is named, and the others go on without it."""
    planned = plan_run(study.lead.settings, study.lead)
    jobs = [
        RolloutJob(task_id=task, seed=seed) for task in planned.evolve for seed in study.lead.settings.learning.seeds
    ]
    made: dict[Arm, ArmResult] = {}
    failures: list[Failure] = []
    watcher().begin("arms", len(study.arms))
    for arm in study.arms:
        try:
            made[arm] = run.keep_arm(study, one_arm(study, arm, jobs, made))
            watcher().item("arms", arm.name, "done")
        except Trace2SkillError as error:
            failures.append(run.arm_failed(study, arm, error))
            watcher().item("arms", arm.name, "failed")
    return list(made.values()), failures


def one_arm(study: Study, arm: Arm, jobs: list[RolloutJob], made: dict[Arm, ArmResult]) -> ArmResult:
    """One arm, as a flow of its own."""
    settings, condition = study.learning(arm), condition_of(study.experiment, arm)
    like = run.length_of(study, arm, made)
    share = study.experiment.operation.max_failed_share
    return sized(make_arm, settings)(settings, arm, condition, jobs, like, share)


def score(study: Study, user: str, tested: TestSet, arms: list[ArmResult]) -> list[MeasuredArm]:
    """All arms with one user's agent on one set."""
    settings, tasks = study.scoring(user, tested), study.tasks_of(tested)
    conditions = study.users_of(arms, user)
    scored = evaluated(settings, conditions, tasks, seeds_of(study.experiment, tested))
    return run.keep_scores(study, user, tested, arms, scored)
