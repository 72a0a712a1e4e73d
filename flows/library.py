"""Flow `refresh-library`: lessons once, sorted to the skills they belong to; then each skill by itself, to its gate."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.distill import analyse, distill
from flows.ingest import held_out_plan
from flows.observe import observe
from flows.refresh import build, judge
from flows.refresh import plan_run as plan_of_tasks
from flows.rollout import rollout
from tasks.artifacts import publish, publish_library
from tasks.events import tell
from tasks.gather import Gathered, gather
from tasks.hooks import flow_run_id, on_bad_end
from tasks.runner import mapped, sized, submitted
from tasks.steps import task_of
from tasks.tagged import tagged
from trace2skill.core import stopping
from trace2skill.core.errors import Interrupted
from trace2skill.core.failures import Failure, in_words
from trace2skill.runs import closing, library, promotion
from trace2skill.runs import refresh as run
from trace2skill.runs.batching import answered_ahead
from trace2skill.runs.estimate import foreseen
from trace2skill.runs.ingest import decision_without_tasks
from trace2skill.runs.intake import Intake
from trace2skill.runs.library_again import gone_on_with, rows_before
from trace2skill.runs.library_read import keep_library, settings_of_part
from trace2skill.runs.library_summary import NEW_SKILLS, LibrarySummary, ProposedSkill, SkillRow
from trace2skill.runs.library_use import use_of
from trace2skill.runs.outlook import gate_outlook
from trace2skill.runs.refresh import Plan
from trace2skill.runs.routing import RoutedLesson, Routing, delivered, to_route, with_answers
from trace2skill.runs.runtime import Runtime, runtime
from trace2skill.runs.selection import Evolution
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.steps.found import FOUND
from trace2skill.runs.steps.route import ROUTE
from trace2skill.runs.summary import RunSummary
from trace2skill.types.decision import Decision
from trace2skill.types.evaluation import Evaluation
from trace2skill.types.references import Extracted, Rolled

P = TypeVar("P")
R = TypeVar("R")
log = logging.getLogger("trace2skill.gate")
"""Below the library's name, so that Prefect shows it with the run."""


@dataclass(frozen=True)
class DecidedPart:
    """A skill's part of the run, before anything is promoted."""

    settings: RunSettings
    planned: Plan
    grown: Evolution
    scored: list[Evaluation]
    decision: Decision
    failures: list[Failure]


@flow(
    name="refresh-library",
    persist_result=False,
    flow_run_name="refresh the library {settings.label}",
    **on_bad_end("library"),
)
def refresh_library(settings: RunSettings) -> State[Any]:
    """Learn once for all skills of a library, then decide on each by itself. Returns the `LibrarySummary`."""
    settings, intake = run.take_in_logs(settings)
    settings = gone_on_with(runtime(settings))
    rt = runtime(settings)
    run.start(rt, "library", flow_run=flow_run_id())
    with tagged(*settings.tags):
        summary = learn(settings, rt, intake)
    publish_library(rt, summary)
    tell("library.refreshed", summary.library, {"run": summary.run_id, "outcome": summary.headline})
    if summary.failures:
        words = f"{in_words(summary.failures)}. The next run picks them up"
        return Completed(name="PartiallyCompleted", message=words, data=summary)
    return Completed(message=summary.headline, data=summary)


def learn(settings: RunSettings, rt: Runtime, intake: Intake) -> LibrarySummary:
    """The stages of the run, one after the other."""
    whole = keep_library(rt)
    planned, why_not = plan_run(settings, rt)
    foreseen(rt, intake, () if settings.of_logs else planned.evolve, planned.validation)
    rolled = roll_out(settings, rt, planned, whole)
    analysed = lessons_of_all(settings, rolled.results, intake)
    failures = [*rolled.failures, *analysed.failures]
    routing, failed = route(settings, rt, analysed.results)
    failures += failed
    sessions = [*(item.trajectory_id for item in rolled.results), *(item.id for item in intake.taken)]
    use = use_of(rt, sessions)
    rows, lost = each_skill(rt, planned, why_not, routing, use.used)
    library.keep_routing(rt, routing, decided={row.name for row in rows if row.state == "decided"})
    proposed, unwritten = new_skills(settings, rt, routing.of(""))
    failures += [*lost, *unwritten]
    read = run.told_of_logs(rt, intake, planned) if settings.of_logs and planned.validation else intake.read
    intake = intake.model_copy(update={"read": read})
    return library.finish_library(rt, rows, routing, proposed, rolled.results, use, failures, intake)


def plan_run(settings: RunSettings, rt: Runtime) -> tuple[Plan, str]:
    """Audit the tasks once, for all skills. Over logs alone there may be none, for a reason: nothing is tried then."""
    if settings.of_logs:
        planned, why_not = held_out_plan(settings, rt)
        return planned or run.NO_PLAN, why_not
    return plan_of_tasks(settings, rt), ""


def roll_out(settings: RunSettings, rt: Runtime, planned: Plan, whole: str) -> Gathered[Rolled]:
    """The rollouts that lessons come from, with all of the library."""
    if settings.of_logs:
        return Gathered(results=[], failures=())
    return sized(rollout, settings)(settings, planned.jobs(settings.learning.seeds, whole))


def lessons_of_all(settings: RunSettings, rolled: list[Rolled], intake: Intake) -> Gathered[Extracted]:
    """What is drawn from rollouts and from logs, before anybody asks whose it is."""
    found: list[Gathered[Extracted]] = []
    if intake.taken:
        found.append(sized(observe, settings)(settings, intake.taken))
    if rolled:
        found.append(sized(analyse_all, settings)(settings, rolled))
    return Gathered(
        results=[item for one in found for item in one.results],
        failures=tuple(failure for one in found for failure in one.failures),
    )


@flow(name="analyse", persist_result=False, flow_run_name="analyse {settings.label}", validate_parameters=False)
def analyse_all(settings: RunSettings, rolled: list[Rolled]) -> Gathered[Extracted]:
    """One analyst per trajectory, and one per pair where pairs are asked for."""
    return analyse(settings, rolled)[0]


def route(settings: RunSettings, rt: Runtime, analysed: Sequence[Extracted]) -> tuple[Routing, tuple[Failure, ...]]:
    """Sort all lessons, with those that waited: by records, and the others by a model, in batches."""
    asked = to_route(rt, analysed, library.waiting_before(rt))
    answered_ahead(rt, [(ROUTE, asked.jobs, ())])
    futures = mapped(task_of(ROUTE), settings, asked.jobs)
    gathered = gather(rt, ROUTE.name, futures, [job.name for job in asked.jobs])
    answers = [future.result() if future.state.is_completed() else None for future in futures]
    routing = with_answers(rt, asked, answers)
    library.keep_routing(rt, routing)
    return routing, gathered.failures


def each_skill(
    rt: Runtime, planned: Plan, why_not: str, routing: Routing, used: dict[str, int]
) -> tuple[list[SkillRow], list[Failure]]:
    """Every skill with lessons to its decision; then all promotions, one right behind the other; then the reports.

    A failure of one holds up no other: its row says what it was, and a rerun comes back to it.
    """
    rows = rows_before(rt, routing, used)
    names = sorted({skill.name for skill in rt.library.values()} - {row.name for row in rows})
    told = {name: (len(routing.of(name)), routing.by(name), used.get(name, 0)) for name in names}
    rows += [SkillRow(name=name, state="no lessons", used=told[name][2]) for name in names if not routing.of(name)]
    failures: list[Failure] = []

    def each(parts: Mapping[str, P], work: Callable[[str, P], R]) -> dict[str, R]:
        done: dict[str, R] = {}
        for name, part in parts.items():
            try:
                done[name] = work(name, part)
            except Interrupted:
                run.end(runtime(settings_of_part(rt, name)), "interrupted")
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, it is one skill's
                stopping.check()  # a stage that was stopped fails, too: that is the end of all of them
                run.end(runtime(settings_of_part(rt, name)), "failed", message=str(error)[:2000])
                rows.append(library.failed_row(name, *told[name], error))
                failures.append(library.failure_of("skill", name, error, of=len(names)))
        return done

    def learn(name: str, lessons: list[RoutedLesson]) -> DecidedPart:
        part = settings_of_part(rt, name)
        return sized(learn_one, part)(part, rt.settings, planned, why_not, lessons)

    judged = each({name: routing.of(name) for name in names if routing.of(name)}, learn)
    settled = each(judged, lambda _, one: promote(one))
    rows += each(settled, lambda name, one: SkillRow.of(report(one), *told[name])).values()
    return rows, failures


@flow(
    name="refresh-skill-of-library",
    persist_result=False,
    flow_run_name="refresh {settings.label}",
    validate_parameters=False,
)
def learn_one(
    settings: RunSettings, whole: RunSettings, planned: Plan, why_not: str, lessons: list[RoutedLesson]
) -> DecidedPart:
    """One skill: its lessons to a candidate, and the candidate to a decision. Nothing is promoted here."""
    rt, all_of_it = runtime(settings), runtime(whole)
    run.start(rt, "ingest" if settings.of_logs else "run", flow_run=flow_run_id())
    base, mine, sources = run.skill_given(rt), library.plan_of_part(rt, planned, all_of_it), settings.data.sources
    distilled = sized(distill, settings)(settings, [], base, delivered(all_of_it, lessons))
    candidate = build(settings, rt, distilled)
    failures = list(distilled.failures)
    grown = Evolution(number=0, rolled=(), distilled=distilled, candidate=candidate)
    gate = gate_outlook(rt, mine.validation)
    if gate and gate.in_words:
        log.warning("%s: %s", rt.given_skill.name if rt.given_skill else "", gate.in_words)
    if not mine.validation:
        decision = library.nothing_scored(mine) if planned.validation else decision_without_tasks(sources, why_not)
        return DecidedPart(settings, mine, grown, [], decision, failures)
    scored, decision = judge(settings, rt, mine, candidate, base, failures)
    return DecidedPart(settings, mine, grown, scored, decision, failures)


def promote(one: DecidedPart) -> DecidedPart:
    """Promote the candidate of a skill where it won; where somebody else has promoted meanwhile it competes anew."""
    rt, candidate = runtime(one.settings), one.grown.candidate
    rival = promotion.promote(rt, candidate, candidate.base, one.decision)
    while rival is not None:
        scored, decision = judge(one.settings, rt, one.planned, candidate, rival, one.failures)
        one = replace(one, scored=scored, decision=decision)
        rival = promotion.promote(rt, candidate, rival, decision)
    return one


def report(one: DecidedPart) -> RunSummary:
    """What came of a skill, written down."""
    rt = runtime(one.settings)
    summary = closing.finish(rt, one.planned, one.grown, one.scored, one.decision, one.failures)
    publish(rt, summary)
    return summary


def new_skills(
    settings: RunSettings, rt: Runtime, waiting: Sequence[RoutedLesson]
) -> tuple[list[ProposedSkill], list[Failure]]:
    """Skills that the library lacks: what enough tasks ask for is written beside, for people to take up.

    Skills may have been promoted by now: what fails here is told in the report of the run, and is not its end.
    """
    failures: list[Failure] = []
    try:
        job = library.founding(rt, waiting)
        if job is None:
            return [], failures
        answered_ahead(rt, [(FOUND, [job], ())])
        asked = gather(rt, FOUND.name, [submitted(task_of(FOUND), settings, job)], [job.name], tolerated=1.0)
        stopping.check()  # a stage that was stopped fails, too
        failures += asked.failures
        found = [new for answer in asked.results for new in library.asked_for(rt, job, answer, waiting)]
    except Interrupted:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the skills there are have come to their ends
        stopping.check()
        return [], [*failures, library.failure_of(NEW_SKILLS[0], "new skills", error)]
    return [write_new(rt, new, lessons, failures) for new, lessons in found], failures


def write_new(rt: Runtime, new: ProposedSkill, lessons: list[RoutedLesson], failures: list[Failure]) -> ProposedSkill:
    """Have its rules written as those of any skill; one that cannot be written says why."""
    if new.why_not:
        return new
    try:
        part = library.settings_of_new(rt, new)
        fresh = runtime(part)
        learned = sized(distill, part)(part, [], run.skill_given(fresh), delivered(rt, lessons))
        failures += learned.failures
        return library.written(rt, fresh, new, learned, build(part, fresh, learned))
    except Interrupted:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, it is one skill's
        stopping.check()
        failures.append(library.failure_of(NEW_SKILLS[1], new.name, error))
        return new.model_copy(update={"why_not": failures[-1].message})
