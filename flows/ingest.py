"""Flow `ingest`: logs of agents to a candidate skill, which is scored where there are tasks to hold out.

Logs alone hold none: then nothing is evaluated, and nothing promoted.
"""

import logging

from prefect import flow

from flows.distill import distill
from flows.observe import observe
from flows.refresh import build, decide_and_promote, plan_run
from tasks.artifacts import publish
from tasks.hooks import flow_run_id, on_bad_end
from tasks.parameters import guarded
from tasks.runner import sized
from tasks.tagged import tagged
from trace2skill.core.errors import BadInput
from trace2skill.runs import closing, promotion
from trace2skill.runs import refresh as run
from trace2skill.runs.ingest import IngestSettings, decision_without_tasks
from trace2skill.runs.nightly_request import propose_winner
from trace2skill.runs.outlook import gate_outlook
from trace2skill.runs.runtime import Runtime, runtime
from trace2skill.runs.selection import Evolution
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.summary import RunSummary

log = logging.getLogger("trace2skill.gate")
"""Below the library's name, so that Prefect shows it with the run."""


@flow(name="ingest", persist_result=False, flow_run_name="ingest {settings.analyst}")
def ingest(settings: IngestSettings) -> RunSummary:
    """Read what is new in logs, analyse each segment, and write the candidate; nothing is promoted."""
    wanted = settings.as_run()
    with tagged(*wanted.tags):
        return guarded(learn_from_logs)(wanted)


@flow(
    name="learn-from-logs",
    persist_result=False,
    flow_run_name="learn from logs by {settings.data.sources.analyst}",
    **on_bad_end("ingest"),
)
def learn_from_logs(settings: RunSettings) -> RunSummary:
    """The same with the settings of a run, which may name tasks to gate on: then it ends as a refresh does."""
    settings, intake = run.take_in_logs(settings)
    rt = runtime(settings)
    run.start(rt, "ingest", flow_run=flow_run_id())
    base = run.skill_given(rt)
    with tagged(*settings.tags):
        planned, why_not = held_out_plan(settings, rt)
        observed = sized(observe, settings)(settings, intake.taken)
        distilled = sized(distill, settings)(settings, [], base, observed.results)
        candidate = build(settings, rt, distilled)
    grown = Evolution(number=0, rolled=(), distilled=distilled, candidate=candidate)
    failures = (*observed.failures, *distilled.failures)
    if planned is not None:
        told = run.told_of_logs(rt, intake, planned)
        with tagged(*settings.tags):
            summary = decide_and_promote(settings, rt, planned, grown, [*failures], (), told)
        summary = propose_winner(rt, summary)
    else:
        decision = decision_without_tasks(settings.data.sources, why_not)
        promotion.promote(rt, grown.candidate, base, decision)
        summary = closing.finish(rt, run.NO_PLAN, grown, [], decision, failures, read=intake.read)
    publish(rt, summary)
    return summary


def held_out_plan(settings: RunSettings, rt: Runtime) -> tuple[run.Plan | None, str]:
    """The tasks that are held out, audited before anything is learned; None, and in words why, where there are none."""
    if not rt.tasks:
        return None, ""
    try:
        planned = plan_run(settings, rt)
    except BadInput as error:
        log.warning("%s: nothing is tried: %s", rt.run_id, error)
        return None, str(error)
    gate = None if rt.library else gate_outlook(rt, planned.validation)  # each skill of a library has a gate of its own
    if gate is not None and gate.in_words:
        log.warning("%s: %s", rt.run_id, gate.in_words)
    return planned, ""
