"""Flow `observe`: imported trajectories to lessons."""

from prefect import flow, unmapped

from tasks.gather import Gathered, gather
from tasks.runner import timed
from tasks.steps import task_of
from trace2skill.runs.intake import Intake
from trace2skill.runs.runtime import runtime
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.steps.judge import JUDGE, to_judge
from trace2skill.runs.steps.observe import OBSERVE, to_observe
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
    judgements = timed(task_of(JUDGE), settings).map(unmapped(settings), unlabelled)
    judged = gather(rt, JUDGE.name, judgements, [item.id for item in unlabelled])
    items = to_observe(intake, judged.results)
    futures = timed(task_of(OBSERVE), settings).map(unmapped(settings), items)
    observed = gather(rt, OBSERVE.name, futures, [item.id for item in items])
    drawn = [extracted for item in observed.results for extracted in item.extracted]
    return Gathered(results=drawn, failures=(*judged.failures, *observed.failures))
