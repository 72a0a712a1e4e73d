"""Flow `refresh`: rollout, distill, evaluate, decide. What a nightly run does."""

from prefect import flow, unmapped
from prefect.artifacts import create_markdown_artifact

from flows.distill import distill
from flows.evaluate import evaluate
from flows.rollout import rollout
from tasks.gather import gather
from tasks.hooks import on_bad_end
from tasks.runner import sized
from tasks.steps import apply, audit, draft
from trace2skill import promotion
from trace2skill import refresh as run
from trace2skill.consolidate.candidate import Candidate
from trace2skill.distill import Distilled
from trace2skill.evaluation import selection
from trace2skill.evaluation.decision import Decision
from trace2skill.evaluation.matrix import Evaluation
from trace2skill.evaluation.selection import Evolution
from trace2skill.failures import Failure
from trace2skill.runtime import Runtime, runtime
from trace2skill.settings import RunSettings
from trace2skill.summary import CandidateScore, RunSummary


@flow(name="refresh", flow_run_name="refresh {settings.domain} {settings.analysts}", **on_bad_end("run"))
def refresh(settings: RunSettings) -> RunSummary:
    """Learn from rollouts on the evolve tasks, and say on held-out tasks whether the new skill is better."""
    rt = runtime(settings)
    run.start(rt)
    planned = plan_run(settings, rt)
    base = skill_to_improve(settings, rt)
    grown = [evolve(settings, rt, planned, base, number) for number in range(settings.candidates)]
    best, scores = choose(settings, planned, [evolution for evolution, _ in grown])
    evaluations, decision = decide_and_promote(settings, rt, planned, best.candidate)
    failures = [failure for _, failed in grown for failure in failed]
    summary = run.finish(
        rt, planned, best.rolled, best.distilled, best.candidate, evaluations, decision, failures, scores
    )
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


def evolve(
    settings: RunSettings, rt: Runtime, planned: run.Plan, base: str, number: int
) -> tuple[Evolution, tuple[Failure, ...]]:
    """One evolution run: roll out with seeds of its own, distill, and build a candidate."""
    jobs = planned.jobs(selection.seeds_of(settings.seeds, number), base)
    rolled = sized(rollout, settings)(settings, jobs)
    distilled = sized(distill, settings)(settings, rolled.results, base)
    grown = Evolution(
        number=number, rolled=tuple(rolled.results), distilled=distilled, candidate=build(settings, rt, distilled)
    )
    return grown, (*rolled.failures, *distilled.failures)


def build(settings: RunSettings, rt: Runtime, distilled: Distilled) -> Candidate:
    """The candidate skill, or S0 itself where nobody proposed anything."""
    if distilled.root is None:
        return run.nothing_learned(distilled.base, settings.thresholds.for_tasks(distilled.tasks))
    future = apply.submit(settings, distilled.root, distilled.base, distilled.tasks)
    return gather("apply", [future], ["candidate"], max_failed_share=0.0).results[0]


def choose(
    settings: RunSettings, planned: run.Plan, grown: list[Evolution]
) -> tuple[Evolution, tuple[CandidateScore, ...]]:
    """The best of several evolution runs."""
    if len(grown) == 1:
        return grown[0], ()
    tasks = planned.validation if settings.select == "validation" else planned.evolve
    scored = sized(evaluate, settings)(settings, promotion.conditions_to_choose(grown), list(tasks))
    index, scores = selection.best(grown, scored)
    return grown[index], scores


def decide_and_promote(
    settings: RunSettings, rt: Runtime, planned: run.Plan, candidate: Candidate
) -> tuple[list[Evaluation], Decision]:
    """Score the candidate against the champion and decide; again where another run promotes in the meantime."""
    rival: str | None = candidate.base
    while rival is not None:
        champion = rival
        tasks = list(planned.validation)
        scored = sized(evaluate, settings)(settings, promotion.conditions(rt, candidate, champion), tasks)
        again = sized(evaluate, settings)(
            settings, promotion.repeat_of(rt, candidate, champion), tasks, seeds=promotion.fresh_seeds(settings)
        )
        decision = promotion.verdict(rt, candidate, scored, again)
        rival = promotion.promote(rt, candidate, champion, decision)
    return [*scored, *again], decision
