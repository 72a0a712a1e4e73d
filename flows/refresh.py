"""Flow `refresh`: rollout, distill, evaluate, decide. What a nightly run does."""

from prefect import flow, unmapped
from prefect.artifacts import create_markdown_artifact

from flows.distill import distill
from flows.evaluate import evaluate
from flows.rollout import rollout
from tasks.gather import gather
from tasks.hooks import ON_BAD_END
from tasks.runner import sized
from tasks.steps import apply, audit, draft
from trace2skill import refresh as run
from trace2skill.consolidate.candidate import Candidate
from trace2skill.distill import Distilled
from trace2skill.runtime import Runtime, runtime
from trace2skill.settings import RunSettings
from trace2skill.summary import RunSummary


@flow(name="refresh", flow_run_name="refresh {settings.domain} {settings.analysts}", **ON_BAD_END)
def refresh(settings: RunSettings) -> RunSummary:
    """Learn from rollouts on the evolve tasks, and say on held-out tasks whether the new skill is better."""
    rt = runtime(settings)
    run.start(rt, "refresh")
    planned = plan_run(settings, rt)
    base = skill_to_improve(settings, rt)
    rolled = sized(rollout, settings)(settings, planned.jobs(settings.seeds, base))
    distilled = sized(distill, settings)(settings, rolled.results, base)
    candidate = build(settings, rt, distilled)
    evaluations = sized(evaluate, settings)(settings, run.conditions(rt, candidate), list(planned.validation))
    decision = run.verdict(rt, evaluations)
    failures = (*rolled.failures, *distilled.failures)
    summary = run.finish(rt, planned, rolled.results, distilled, candidate, evaluations, decision, failures)
    create_markdown_artifact(summary.as_markdown(), key="refresh-summary", description=f"{summary.run_id}")
    return summary


def plan_run(settings: RunSettings, rt: Runtime) -> run.Plan:
    """Audit the tasks, then leave out those that can teach nothing."""
    ids = [*rt.splits.evolve, *rt.splits.validation]
    audits = gather("audit", audit.map(unmapped(settings), ids), ids, max_failed_share=0.0)
    return run.plan(rt, audits.results)


def skill_to_improve(settings: RunSettings, rt: Runtime) -> str:
    """S0: the skill given, or one drafted by the model."""
    if rt.given_skill is not None:
        return rt.given_skill.digest
    return gather("draft", [draft.submit(settings)], ["S0"], max_failed_share=0.0).results[0]


def build(settings: RunSettings, rt: Runtime, distilled: Distilled) -> Candidate:
    """The candidate skill, or S0 itself where nobody proposed anything."""
    if distilled.root is None:
        return run.nothing_learned(distilled.base, settings.thresholds.for_tasks(distilled.tasks))
    future = apply.submit(settings, distilled.root, distilled.base, distilled.tasks)
    return gather("apply", [future], ["candidate"], max_failed_share=0.0).results[0]
