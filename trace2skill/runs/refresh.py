"""What opens and closes a refresh: the plan of a run, and its summary, its files and its promotion."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trace2skill.analysts.mining import Mining
from trace2skill.consolidate.candidate import Candidate
from trace2skill.consolidate.ledger import SupportLedger, build_ledger, confirmed, united_ledgers
from trace2skill.consolidate.quarantine import Quarantined
from trace2skill.consolidate.settle import RuleBook
from trace2skill.consolidate.standing import with_votes
from trace2skill.core.errors import BadInput
from trace2skill.core.failures import Failure
from trace2skill.core.forms import as_text, as_value, from_text_or_none
from trace2skill.core.record import Record
from trace2skill.domains.base import Audit
from trace2skill.evaluation.conditions import Condition
from trace2skill.runs.disputes import disputed_before, keep_disputes
from trace2skill.runs.distill import Distilled, analyses_of, ends_of
from trace2skill.runs.estimate import Estimate
from trace2skill.runs.held_back import united
from trace2skill.runs.held_out import keep_evaluations, seen_before
from trace2skill.runs.intake import NOTHING_READ, Intake, take_in
from trace2skill.runs.lineage import keep_evidence
from trace2skill.runs.preflight import check, store_from
from trace2skill.runs.promotion import is_champion
from trace2skill.runs.report import write_report
from trace2skill.runs.run_progress import ProgressFile, RunProgress, State
from trace2skill.runs.runtime import RunKind, Runtime, runtime
from trace2skill.runs.selection import Evolution
from trace2skill.runs.settings import LOGS, RunSettings
from trace2skill.runs.settings_file import write_settings
from trace2skill.runs.steps.stored import stored
from trace2skill.runs.summary import CandidateScore, LeftOut, RunSummary, SourcesRead, Spent
from trace2skill.skills.skill import Skill, read_skill, write_skill
from trace2skill.store import RunRow
from trace2skill.types.decision import Decision
from trace2skill.types.evaluation import Evaluation
from trace2skill.types.lesson import Lesson
from trace2skill.types.patch import Patch
from trace2skill.types.references import RolloutJob
from trace2skill.versions.registry import Registry


class Plan(Record):
    """Which tasks a run evolves on and which it holds out, without those that teach nothing."""

    evolve: tuple[str, ...]
    validation: tuple[str, ...]
    left_out: tuple[LeftOut, ...]

    def jobs(self, seeds: Sequence[int], skill: str) -> list[RolloutJob]:
        """The rollouts that lessons come from."""
        return [RolloutJob(task_id=task, seed=seed, skill=skill) for task in self.evolve for seed in seeds]


NAMED = 5
COMMANDS: dict[RunKind, str] = {
    "run": "run",
    "rollout": "rollout",
    "evaluate": "evaluate",
    "ablate": "ablate RUN",
    "drift": "drift",
    "ingest": "ingest",
}
"""The command that repeats a run of a kind."""
NO_PLAN = Plan(evolve=(), validation=(), left_out=())
"""The plan of a run that has no tasks."""


def start(rt: Runtime, kind: RunKind = "run", *, flow_run: str = "", **arguments: Any) -> str:
    """Open the run: check the models, and write its row. Returns the run's id.

    Args:
        rt: the runtime.
        kind: what kind of run it is.
        flow_run: id of the Prefect flow run.
        arguments: what the flow was given besides the settings, as JSON has it; a retry gives them again.

    Raises:
        BadInput: a model is unknown, lacks its key, or has no price.
    """
    rt.begin(kind)
    check(rt)
    if rt.given_skill is not None:
        rt.store.put("skill", rt.given_skill.digest, rt.given_skill)
        if rt.settings.data.skill is not None:
            keep_evidence(rt, rt.given_skill)
            Registry(rt.store).adopt(rt.given_skill)
    rt.store.start_run(RunRow(id=rt.run_id, kind=kind, settings=as_text(rt.settings)))
    settings = as_value(rt.settings)
    first = RunProgress(
        run_id=rt.run_id,
        kind=kind,
        settings=settings,
        arguments=arguments,
        store=store_from(rt.settings, rt.run_id),
        flow_run=flow_run,
    )
    write_settings(rt.settings, rt.run_directory(), COMMANDS.get(kind, kind))
    rt.progress = ProgressFile(rt.run_directory(), first, lambda: rt.store.ledger_total(rt.run_id).cost)
    return rt.run_id


def take_in_logs(settings: RunSettings) -> tuple[RunSettings, Intake]:
    """Read the logs a run learns from. Returns the settings with what was read, which then names the run, and that.

    Raises:
        BadInput: there is nothing to read, or a path, the labels or the format is not what it should be.
    """
    if settings.data.sources is None:
        return settings, NOTHING_READ
    rt = runtime(settings)
    held_out = [rt.task(id) for id in (*rt.splits.validation, *rt.splits.test)]
    said_in_evolve = {rt.task(id).instruction for id in rt.splits.evolve}
    telling = {task.instruction for task in held_out} - said_in_evolve
    intake = take_in(rt.store, settings.data.sources, [task.id for task in held_out], telling)
    sources = settings.data.sources.model_copy(update={"content": intake.content})
    return settings.changed(sources=sources), intake


def as_it_went_on(settings: RunSettings, kind: RunKind) -> RunSettings:
    """The settings under which a run went on after it had read its logs: what was read names the run."""
    if settings.data.sources is None or settings.data.sources.content:
        return settings
    for row in reversed(runtime(settings).store.runs()):
        if row.kind == kind and row.state == "running":
            found = from_text_or_none(row.settings, RunSettings)
            if found is None:
                continue
            sources = found.data.sources and found.data.sources.model_copy(update={"content": ""})
            if found.changed(sources=sources).identity == settings.identity:
                return found
    return settings


def skill_given(rt: Runtime) -> str:
    """The digest of the skill that a run starts from.

    Raises:
        BadInput: there is none.
    """
    if rt.given_skill is None:
        raise BadInput("this run needs a skill to start from (--skill)")
    return rt.given_skill.digest


def plan(rt: Runtime, audits: Sequence[Audit]) -> Plan:
    """Leave out the tasks that cannot teach: those the untouched input passes, those gold itself
    does not pass, and those whose gold was found to contradict the request.

    Raises:
        BadInput: nothing is left to evolve on or to hold out.
    """
    left_out = {item.task_id: LeftOut(**item.model_dump()) for item in audits if item.verdict != "usable"}
    for task in sorted(seen_before(rt, rt.given_skill) & set(rt.splits.validation)):
        reason = "the skill has learned from it in an earlier run, so it proves nothing here"
        left_out.setdefault(task, LeftOut(task_id=task, verdict="seen", reason=reason))
    for task, why in disputed_before(rt).items():
        left_out.setdefault(task, LeftOut(task_id=task, verdict="reference", reason=why))
    kept = {
        name: tuple(task for task in getattr(rt.splits, name) if task not in left_out)
        for name in ("evolve", "validation")
    }
    for name, tasks in kept.items():
        if not tasks:
            why = _why_none([left_out[task] for task in getattr(rt.splits, name)])
            raise BadInput(f"no task is left in the {name} split of {rt.settings.data.path}: {why}")
    return Plan(
        **kept,
        left_out=tuple(item for _, item in sorted(left_out.items())),
    )


def _why_none(left_out: Sequence[LeftOut]) -> str:
    """What a person can mend: the tasks of the split, all of which were left out, or else their number."""
    if not left_out:
        return "use more tasks (--tasks)"
    named = [f"{item.task_id} ({item.verdict.replace('_', ' ')}: {item.reason})" for item in left_out]
    more = f" and {len(named) - NAMED} more" if len(named) > NAMED else ""
    return f"left out were {'; '.join(named[:NAMED])}{more}. Mend their checks, or use more tasks (--tasks)"


def nothing_learned(base: str, thresholds: tuple[int, int]) -> Candidate:
    """The candidate of a run without any proposal: S0 itself."""
    return Candidate(base=base, skill=base, thresholds=thresholds)


def finish(
    rt: Runtime,
    planned: Plan,
    grown: Evolution,
    evaluations: Sequence[Evaluation],
    decision: Decision,
    failures: Sequence[Failure],
    scores: Sequence[CandidateScore] = (),
    *,
    read: SourcesRead | None = None,
    approval: str = "",
    state: State = "completed",
) -> RunSummary:
    """Write the candidate, the summary and the report to the run's directory, and close the run.

    A run that waits for a person (`state` 'waiting') has all of it, too: that is what the person looks at. Logs that
    taught nothing start no skill: then no skill is written.
    """
    rolled, distilled, candidate = grown.rolled, grown.distilled, grown.candidate
    base, skill = rt.skill(candidate.base), rt.skill(candidate.skill)
    if base is None or skill is None:
        raise BadInput("a refresh needs a skill")
    keep_support(rt, base, skill, candidate, distilled)
    before = rt.store.get("foreseen", rt.run_id, Estimate)
    directory = rt.run_directory()
    nothing = skill.digest == base.digest and rt.settings.data.skill is None and rt.settings.data.domain == LOGS
    target = None if nothing else directory / "skill" / skill.name
    if target is not None:
        write_skill(skill, target)
    summary = RunSummary(
        run_id=rt.run_id,
        mode="deepening" if rt.settings.data.skill else "creation",
        domain=rt.domain.name,
        models=tuple(sorted({rt.settings.agent_name, rt.settings.models.analyst.name, rt.settings.models.merger.name})),
        simulated=rt.settings.models.simulated,
        skill_name=skill.name,
        base=base.digest,
        tasks={"evolve": len(planned.evolve), "validation": len(planned.validation), "test": len(rt.splits.test)},
        left_out=planned.left_out,
        trajectories=dict(sorted(Counter(item.cell.outcome for item in rolled).items())),
        ends=ends_of(rolled, rt.settings.models.agent.max_tokens, rt.store, distilled),
        verdicts=distilled.verdicts,
        lessons=distilled.lessons,
        patches=len(distilled.proposed),
        leaves=distilled.rules,
        remembered=distilled.remembered,
        book=distilled.book,
        uncut=distilled.uncut,
        analyses=analyses_of(distilled),
        candidate=candidate,
        evaluations=tuple(evaluations),
        decision=decision,
        promoted=is_champion(rt, candidate),
        approval=approval,
        candidates=tuple(scores),
        spent=spent(rt),
        foreseen=before.cost if before else None,
        failures=tuple(failures),
        sources=_with_account(rt, read),
        quarantined=_quarantined(rt, distilled),
        disputed=tuple(
            LeftOut(task_id=said.task_id, verdict="reference", reason=said.why)
            for said in keep_disputes(rt, distilled.analysed)
        ),
        candidate_directory=target,
    )
    keep_evaluations(rt, evaluations, "validation")
    _write_pages(summary, directory)
    write_report(rt.store, summary, rt.settings, directory)
    end(rt, state, as_text(summary), decision.reason + (f"; {approval}" if approval else ""))
    return summary


def _with_account(rt: Runtime, read: SourcesRead | None) -> SourcesRead | None:
    mined = rt.store.get("mining", rt.run_id, Mining) if read else None
    return read.model_copy(update={"mined": tuple(mined.as_lines())}) if read and mined else read


def _quarantined(rt: Runtime, distilled: Distilled) -> tuple[Quarantined, ...]:
    found = (rt.store.get("quarantine", digest, Quarantined) for digest in distilled.quarantined)
    return tuple(united(item for item in found if item))


def keep_support(rt: Runtime, base: Skill, skill: Skill, candidate: Candidate, distilled: Distilled) -> None:
    """Write the support ledger of the candidate, and the votes for what S0 stated already into both ledgers.

    Run again it changes nothing: a vote counts once.
    """

    def lesson(id: str) -> Lesson | None:
        return rt.store.get("lesson", id, Lesson)

    patches = [rt.store.get("patch", item.content, Patch) for item in distilled.proposed]
    confirmations = [item for patch in patches if patch for item in patch.confirms]
    parent = rt.store.get("support", base.digest, SupportLedger)
    book = stored(rt, "book", distilled.book, RuleBook) if distilled.book else RuleBook()
    voting = [item.trajectory_id for item in distilled.proposed]

    def with_all_votes(ledger: SupportLedger | None, version: Skill) -> SupportLedger | None:
        if confirmations:
            ledger = confirmed(ledger, version, confirmations, lesson)
        return with_votes(ledger, version, book, voting, lesson)

    before = with_all_votes(parent, base)
    if before is not None:
        rt.store.put("support", base.digest, before)
    if skill.digest != base.digest:
        ledger = build_ledger(base, skill, candidate, lesson, parent, forget_after=rt.settings.learning.forget_after)
        ledger = united_ledgers(rt.store.get("support", skill.digest, SupportLedger), ledger)
        rt.store.put("support", skill.digest, with_all_votes(ledger, skill) or ledger)


def end(rt: Runtime, state: State, summary: str = "", message: str = "") -> None:
    """Close a run with its summary as JSON, '' for none, and a word on how it ended."""
    rt.store.finish_run(rt.run_id, state, summary)
    if rt.progress:
        rt.progress.end(state, message)


def spent(rt: Runtime) -> Spent:
    """What the run has used so far, over all its attempts."""
    total = rt.store.ledger_total(rt.run_id)
    return Spent(
        calls=total.calls,
        from_memory=total.from_memory,
        tokens_in=total.tokens_in,
        tokens_out=total.tokens_out,
        cost=total.cost,
    )


def _write_pages(summary: RunSummary, directory: Path) -> None:
    (directory / "summary.md").write_text(summary.as_markdown(), encoding="utf-8")
    (directory / "summary.json").write_text(summary.model_dump_json(indent=2) + "\n", encoding="utf-8")
    (directory / "skill.diff").write_text(summary.candidate.diff, encoding="utf-8")


def all_jobs(rt: Runtime) -> list[RolloutJob]:
    """Every task but the sealed ones at every seed, with the skill given or with none."""
    skill = rt.given_skill.digest if rt.given_skill else None
    tasks = [task for task in rt.tasks if task not in rt.splits.test]
    return [RolloutJob(task_id=task, seed=seed, skill=skill) for task in tasks for seed in rt.settings.learning.seeds]


def conditions_of(rt: Runtime, directories: Sequence[Path]) -> list[Condition]:
    """No skill, and each of the skill directories, which are kept in the store.

    Raises:
        BadInput: a directory is no skill.
    """
    found = [Condition(name="no skill", skill=None)]
    for directory in directories:
        skill = read_skill(directory)
        rt.store.put("skill", skill.digest, skill)
        found.append(Condition(name=str(directory), skill=skill.digest))
    return found
