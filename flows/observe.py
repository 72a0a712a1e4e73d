"""Flow `observe`: imported trajectories to lessons."""

from prefect import flow, unmapped

from tasks.gather import Gathered, gather
from tasks.logs import judge as judge_task
from tasks.logs import observe as observe_task
from tasks.runner import timed
from trace2skill.runs.intake import Intake
from trace2skill.runs.runtime import runtime
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.steps.logs import to_judge, to_observe
from trace2skill.types.references import Extracted


@flow(
    name="observe",
    persist_result=False,
    flow_run_name="observe {settings.data.sources.analyst}",
    validate_parameters=False,
)
def observe(settings: RunSettings, intake: Intake) -> Gathered[Extracted]:
    """Say how the unlabelled ones ended, where that is asked for, then one analyst per trajectory."""
    rt = runtime(settings)
    unlabelled = to_judge(rt, intake)
    judgements = timed(judge_task, settings).map(unmapped(settings), unlabelled)
    judged = gather(rt, "judge", judgements, [item.id for item in unlabelled])
    items = to_observe(intake, judged.results)
    futures = timed(observe_task, settings).map(unmapped(settings), items)
    observed = gather(rt, "observe", futures, [item.id for item in items])
    drawn = [extracted for item in observed.results for extracted in item.extracted]
    return Gathered(results=drawn, failures=(*judged.failures, *observed.failures))
