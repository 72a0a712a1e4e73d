"""Flow `observe`: imported trajectories to lessons."""

from collections.abc import Sequence

from prefect import flow

from tasks.gather import Gathered, gather
from tasks.runner import mapped, submitted
from tasks.steps import task_of
from trace2skill.core.failures import Failure
from trace2skill.runs.batching import answered_ahead
from trace2skill.runs.runtime import Runtime, runtime
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.steps.judge import JUDGE, to_judge
from trace2skill.runs.steps.mine import MINE, taken_over
from trace2skill.runs.steps.observe import OBSERVE, by_rules, to_observe
from trace2skill.runs.steps.signs import SIGNS, batches
from trace2skill.runs.watermarks import Taken
from trace2skill.types.references import Extracted


@flow(
    name="observe",
    persist_result=False,
    flow_run_name="observe {settings.data.sources.analyst}",
    validate_parameters=False,
)
def observe(settings: RunSettings, taken: Sequence[Taken]) -> Gathered[Extracted]:
    """Say how the unlabelled ones ended, where that is asked for, then one analyst per trajectory, or the miner."""
    rt = runtime(settings)
    unlabelled = to_judge(rt, taken)
    answered_ahead(rt, [(JUDGE, unlabelled, ())])
    judgements = mapped(task_of(JUDGE), settings, unlabelled)
    judged = gather(rt, JUDGE.name, judgements, [item.id for item in unlabelled])
    items = to_observe(taken, judged.results)
    if by_rules(rt):
        return mine(settings, rt, items, judged.failures)
    answered_ahead(rt, [(OBSERVE, items, ())])
    futures = mapped(task_of(OBSERVE), settings, items)
    observed = gather(rt, OBSERVE.name, futures, [item.id for item in items])
    drawn = [extracted for item in observed.results for extracted in item.extracted]
    return Gathered(results=drawn, failures=(*judged.failures, *observed.failures))


def mine(
    settings: RunSettings, rt: Runtime, items: Sequence[Taken], failures: Sequence[Failure]
) -> Gathered[Extracted]:
    """The signs of the trajectories in batches, then the rules of all of them together."""
    shares = batches(items)
    futures = mapped(task_of(SIGNS), settings, shares)
    read = gather(rt, SIGNS.name, futures, [f"{place} of {len(shares)}" for place in range(1, len(shares) + 1)])
    mining = submitted(task_of(MINE), settings, read.results)
    (mined,) = gather(rt, MINE.name, [mining], ["rules"], tolerated=0.0).results
    return Gathered(results=taken_over(rt, mined), failures=(*failures, *read.failures))
