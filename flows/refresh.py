"""Flow `refresh`: rollout, distill, evaluate, decide. What a nightly run does."""

import logging
from collections.abc import Sequence
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import deployment
from prefect.states import Completed

from flows.distill import distill
from flows.evaluate import score
from flows.observe import observe
from flows.rollout import rollout
from flows.shrink import shrink
from tasks.answers import settle
from tasks.approval import ask, check
from tasks.artifacts import publish
from tasks.events import tell
from tasks.gather import Gathered, gather
from tasks.hooks import flow_run_id, on_bad_end, planned_day
from tasks.limits import held
from tasks.runner import mapped, sized, submitted
from tasks.steps import task_of
from tasks.tagged import tagged
from trace2skill.consolidate.candidate import Candidate
from trace2skill.core.failures import Failure, in_words
from trace2skill.runs import closing, promotion, selection
from trace2skill.runs import refresh as run
from trace2skill.runs.distill import Distilled
from trace2skill.runs.estimate import foreseen
from trace2skill.runs.evolve_tasks import for_base, for_candidate
from trace2skill.runs.intake import Intake
from trace2skill.runs.night import tonight
from trace2skill.runs.nightly_request import propose_winner
from trace2skill.runs.replay import replay_of, still_out
from trace2skill.runs.rounds import Search
from trace2skill.runs.runtime import Runtime, runtime
from trace2skill.runs.selection import Evolution
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.shrink import shrinking_of
from trace2skill.runs.sources_read import SourcesRead
from trace2skill.runs.steps.apply import APPLY
from trace2skill.runs.steps.audit import AUDIT
from trace2skill.runs.steps.draft import DRAFT
from trace2skill.runs.summary import CandidateScore, RunSummary
from trace2skill.skills.library import is_library
from trace2skill.types.decision import Decision
from trace2skill.types.evaluation import Evaluation
from trace2skill.types.references import Extracted, Rolled

log = logging.getLogger("trace2skill.gate")
"""Below the library's name, so that Prefect shows it with the run."""


@flow(
    name="refresh",
    persist_result=False,
    flow_run_name="refresh {settings.label} {settings.learning.analysts}",
    **on_bad_end("run"),
)
def refresh(settings: RunSettings) -> State[Any]:
    """Learn from rollouts on the evolve tasks, and say on held-out tasks whether the new skill is better.

    Returns the `RunSummary`, in a state whose name and message say where the run went on without some items. A library
    is what `refresh_library` is for, which returns its own summary.
    """
    check(settings)
    if is_library(settings.data.skill):
        from flows.library import refresh_library  # it is made of the stages of this one

        with held(settings):
            return sized(refresh_library, settings)(settings, return_state=True)
    with held(settings):
        answered(settings)
        settings = tonight(settings, runtime(settings).store, planned_day())
        settings, intake = run.take_in_logs(settings)
        rt = runtime(settings)
        before = closing.outcome_before(rt)
        run.start(rt, flow_run=flow_run_id())
        with tagged(*settings.tags):
            summary = learn(settings, rt, intake)
        answered(settings)
    summary = propose_winner(rt, summary)
    publish(rt, summary)
    if closing.is_news(rt, summary, before):  # events are for what has happened
        tell(f"skill.{summary.outcome}", summary.skill_name, summary.headline())
    if summary.failures:
        return Completed(
            name="PartiallyCompleted", message=f"{in_words(summary.failures)}. The next run picks them up", data=summary
        )
    return Completed(message=summary.decision.reason, data=summary)


def answered(settings: RunSettings) -> None:
    """Before it reads the skill and after it is done, a run of a deployment carries out what was answered meanwhile.

    The run that asked was Cancelled where this one had its place.
    """
    if deployment.id:
        settle(settings.operation.store, settings.operation.store_wait_seconds)


def learn(settings: RunSettings, rt: Runtime, intake: Intake) -> RunSummary:
    """The stages of a refresh, one after the other."""
    planned = plan_run(settings, rt)
    gate = foreseen(rt, intake, planned.evolve, planned.validation).gate
    if gate and gate.in_words:
        log.warning("%s: %s", rt.run_id, gate.in_words)
    base = skill_to_improve(settings, rt)
    observed = what_logs_show(settings, intake)
    grown = [
        evolve(settings, rt, planned, base, number, observed.results) for number in range(settings.learning.candidates)
    ]
    best, scores = choose(settings, planned, [evolution for evolution, _ in grown])
    failures = [*observed.failures, *(failure for _, failed in grown for failure in failed)]
    return decide_and_promote(settings, rt, planned, best, failures, scores, intake.read if intake.taken else None)


def what_logs_show(settings: RunSettings, intake: Intake) -> Gathered[Extracted]:
    """What was drawn from imported trajectories: the same for every candidate."""
    if not intake.taken:
        return Gathered(results=[], failures=())
    return sized(observe, settings)(settings, intake.taken)


def plan_run(settings: RunSettings, rt: Runtime) -> run.Plan:
    """Audit the tasks, then leave out those that can teach nothing."""
    ids = [*([] if settings.of_logs else rt.splits.evolve), *rt.splits.validation]
    audits = gather(rt, AUDIT.name, mapped(task_of(AUDIT), settings, ids), ids, tolerated=0.0)
    return run.plan(rt, audits.results)


def skill_to_improve(settings: RunSettings, rt: Runtime) -> str:
    """S0: the skill given, or one drafted by the model."""
    if rt.given_skill is not None:
        return rt.given_skill.digest
    return gather(rt, DRAFT.name, [submitted(task_of(DRAFT), settings)], ["S0"], tolerated=0.0).results[0]


def evolve(
    settings: RunSettings, rt: Runtime, planned: run.Plan, base: str, number: int, observed: list[Extracted]
) -> tuple[Evolution, tuple[Failure, ...]]:
    """One evolution run: roll out with seeds of its own, distill, and build a candidate; again with that candidate."""
    seeds = selection.seeds_of(settings.learning.seeds, number)
    spread = for_base(rt, planned.evolve, base, seeds)
    rolled = sized(rollout, settings)(settings, spread.jobs(seeds, base))
    distilled = sized(distill, settings)(settings, rolled.results, base, observed)
    failures = [*rolled.failures, *distilled.failures]
    spread = for_candidate(rt, spread, rolled.results, seeds)
    search = Search(number, tuple(rolled.results), settings.learning.rounds, spread)
    search.learned(rolled.results, distilled, build(settings, rt, distilled))
    failures += replay(settings, rt, search)
    while (skill := search.to_try) is not None:
        tried = sized(rollout, settings)(settings, spread.jobs(seeds, skill))
        failures += [*tried.failures, *replay(settings, rt, search, tried.results)]
        if search.to_try != skill:
            continue  # rules were taken out: what is left is rolled out in its place
        search.tried(tried.results)
        if search.goes_on:
            again = search.failing
            distilled = sized(distill, settings)(settings, again, base, (), distilled, skill)
            failures += distilled.failures
            search.learned(again, distilled, still_out(rt, build(settings, rt, distilled), search.replays))
    return search.evolution, tuple(failures)


def replay(settings: RunSettings, rt: Runtime, search: Search, tried: Sequence[Rolled] = ()) -> tuple[Failure, ...]:
    """Take rules out of the last candidate that break evolve tasks: with rounds, once it was rolled out there."""
    failures: list[Failure] = []
    if (trials := replay_of(rt, search, tried)) is not None:
        while jobs := trials.next_jobs():
            rolled = sized(rollout, settings)(settings, jobs)
            failures += rolled.failures
            trials.take(rolled.results)
        search.replayed(trials.candidate, trials.record(search.number))
    return tuple(failures)


def build(settings: RunSettings, rt: Runtime, distilled: Distilled) -> Candidate:
    """The candidate skill, or S0 itself where nobody proposed anything."""
    if distilled.root is None:
        return run.nothing_learned(distilled.base, settings.learning.thresholds.for_tasks(distilled.tasks))
    future = submitted(task_of(APPLY), settings, distilled.root, distilled.base, distilled.tasks)
    return gather(rt, APPLY.name, [future], ["candidate"], tolerated=0.0).results[0]


def choose(
    settings: RunSettings, planned: run.Plan, grown: list[Evolution]
) -> tuple[Evolution, tuple[CandidateScore, ...]]:
    """The best of several evolution runs."""
    if len(grown) == 1:
        return grown[0], ()
    tasks = planned.validation if settings.learning.select == "validation" else planned.evolve
    scored = score(settings, promotion.conditions_to_choose(grown), list(tasks))
    index, scores = selection.best(grown, scored)
    return grown[index], scores


def decide_and_promote(
    settings: RunSettings,
    rt: Runtime,
    planned: run.Plan,
    best: Evolution,
    failures: list[Failure],
    scores: tuple[CandidateScore, ...],
    read: SourcesRead | None = None,
) -> RunSummary:
    """Score the candidate against the champion, decide, and promote; again where another run promotes meanwhile."""
    rival: str | None = best.candidate.base
    approval = None
    while rival is not None:
        champion = rival
        scored, decision = judge(settings, rt, planned, best.candidate, champion, failures)
        if promotion.awaits_approval(rt, best.candidate, decision):
            waiting = closing.finish(rt, planned, best, scored, decision, failures, scores, read=read, state="waiting")
            publish(rt, waiting)
            hours, store = settings.operation.approval_hours, str(settings.operation.store)
            approval = ask(*promotion.question(rt, waiting, champion), hours, store)
        rival = promotion.promote(rt, best.candidate, champion, decision, approval)
    answer = approval.in_words() if approval else ""
    promoted = best.candidate if promotion.is_champion(rt, best.candidate) else None
    smaller = shrink(settings, shrinking_of(rt, planned.evolve, planned.validation, promoted))
    ended: dict[str, Any] = {"read": read, "approval": answer, "shrunk": smaller}
    return closing.finish(rt, planned, best, scored, decision, failures, scores, **ended)


def judge(
    settings: RunSettings,
    rt: Runtime,
    planned: run.Plan,
    candidate: Candidate,
    champion: str,
    failures: list[Failure],
) -> tuple[list[Evaluation], Decision]:
    """The evaluations of candidate and champion, and the decision over them."""
    tasks = list(planned.validation)
    scored = score(settings, promotion.conditions(rt, candidate, champion), tasks)
    again = score(settings, promotion.repeat_of(rt, candidate, champion), tasks, promotion.fresh_seeds(settings))
    return [*scored, *again], promotion.verdict(rt, candidate, scored, again, failures)
