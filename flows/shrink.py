"""Flow `shrink`: the champion without what nobody misses, through the same gate."""

from prefect import flow

from flows.evaluate import score
from flows.rollout import rollout
from tasks.gather import gather
from tasks.hooks import flow_run_id, on_bad_end
from tasks.reading import MappedRunner
from tasks.runner import mapped, sized
from tasks.steps import task_of
from tasks.tagged import tagged
from trace2skill.core.errors import BadInput
from trace2skill.core.failures import Failure
from trace2skill.core.forms import as_text
from trace2skill.runs import refresh as run
from trace2skill.runs.runtime import runtime
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.shrink import Shrinking, shrinking_of
from trace2skill.runs.shrunk import Shrunk
from trace2skill.runs.steps.audit import AUDIT


@flow(name="shrink", persist_result=False, flow_run_name="shrink {settings.label}", **on_bad_end("shrink"))
def shrink_skill(settings: RunSettings) -> Shrunk:
    """Propose a smaller champion, and let it compete. What a night does after its gate, where it is told to."""
    rt = runtime(settings)
    run.start(rt, "shrink", flow_run=flow_run_id())
    ids = [*rt.splits.evolve, *rt.splits.validation]
    with tagged(*settings.tags):
        audits = gather(rt, AUDIT.name, mapped(task_of(AUDIT), settings, ids), ids, tolerated=0.0)
        planned = run.plan(rt, audits.results)
        shrunk = shrink(settings, shrinking_of(rt, planned.evolve, planned.validation))
    if shrunk is None:
        raise BadInput("this run needs a skill that is champion (--skill), and to be told what may go (--shrink)")
    run.end(rt, "completed", as_text(shrunk), shrunk.in_words)
    return shrunk


def shrink(settings: RunSettings, one: Shrinking | None) -> Shrunk | None:
    """The stages of a pass, one after the other; nothing where there is none."""
    if one is None:
        return None
    failures: tuple[Failure, ...] = ()
    while jobs := one.jobs():
        rolled = sized(rollout, settings)(settings, jobs)
        one.take(rolled.results)
        failures += rolled.failures
    one.take_shorter(MappedRunner(settings).shorten(one.sections()))
    conditions = one.conditions()
    scored = score(settings, conditions, one.held_out)
    return one.settle(scored, failures)
