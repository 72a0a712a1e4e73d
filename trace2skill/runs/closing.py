"""What closes a refresh: the candidate with its support ledger, the summary and the report, in the run's directory."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from trace2skill.analysts.mining import Mining
from trace2skill.consolidate.candidate import Candidate
from trace2skill.consolidate.ledger import SupportLedger, build_ledger, confirmed, united_ledgers
from trace2skill.consolidate.quarantine import Quarantined
from trace2skill.consolidate.settle import RuleBook
from trace2skill.consolidate.standing import with_votes
from trace2skill.core.errors import BadInput
from trace2skill.core.failures import Failure
from trace2skill.core.forms import as_text, from_text_or_none
from trace2skill.runs import batching
from trace2skill.runs.disputes import keep_disputes
from trace2skill.runs.distill import Distilled, analyses_of, ends_of
from trace2skill.runs.estimate import Estimate
from trace2skill.runs.held_back import united
from trace2skill.runs.held_out import keep_evaluations
from trace2skill.runs.lineage import hand_on
from trace2skill.runs.other_logs import other_logs
from trace2skill.runs.promotion import is_champion
from trace2skill.runs.refresh import Plan, end, spent
from trace2skill.runs.report import write_report
from trace2skill.runs.reviewers_words import standing_in_words, wordings
from trace2skill.runs.rule_verdict import RuleVerdict
from trace2skill.runs.run_progress import State
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.selection import Evolution
from trace2skill.runs.shrunk import Shrunk
from trace2skill.runs.sources_read import SourcesRead
from trace2skill.runs.spread import scores_of
from trace2skill.runs.steps.stored import stored
from trace2skill.runs.summary import CandidateScore, LeftOut, RunSummary
from trace2skill.runs.verdicts import past_known, verdicts_for
from trace2skill.skills.skill import Skill, write_skill
from trace2skill.types.decision import Decision
from trace2skill.types.evaluation import Evaluation
from trace2skill.types.lesson import Lesson
from trace2skill.types.patch import Patch
from trace2skill.versions.registry import Registry


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
    shrunk: Shrunk | None = None,
    approval: str = "",
    state: State = "completed",
) -> RunSummary:
    """Write the candidate, the summary and the report to the run's directory, and close the run.

    A run that waits for a person (`state` 'waiting') has all of it, too: that is what the person looks at. Logs that
    taught nothing start no skill: then no skill is written.
    """
    batching.settle(rt, wait=True)
    distilled, candidate = grown.distilled, grown.candidate
    base, skill = rt.skill(candidate.base), rt.skill(candidate.skill)
    if base is None or skill is None:
        raise BadInput("a refresh needs a skill")
    keep_support(rt, base, skill, candidate, distilled)
    if shrunk is not None and shrunk.decision is not None:
        hand_on(rt, base, stored(rt, "skill", shrunk.skill, Skill), shrunk.parts)
    directory = rt.run_directory()
    nothing = skill.digest == base.digest and rt.settings.data.skill is None and rt.settings.of_logs
    target = None if nothing else directory / "skill" / skill.name
    if target is not None:
        write_skill(skill, target)
    disputed = tuple(
        LeftOut(task_id=said.task_id, verdict="reference", reason=said.why)
        for said in keep_disputes(rt, distilled.analysed)
    )
    summary = _summary(rt, planned, grown, evaluations, decision, read).model_copy(
        update={
            "approval": approval,
            "shrunk": shrunk,
            "candidates": tuple(scores),
            "failures": tuple(failures),
            "disputed": disputed,
            "candidate_directory": target,
        }
    )
    keep_evaluations(rt, evaluations, "validation")
    write_pages(summary, directory)
    write_report(rt.store, summary, rt.settings, directory)
    end(rt, state, as_text(summary), decision.reason + (f"; {approval}" if approval else ""))
    return summary


def outcome_before(rt: Runtime) -> str:
    """What came of this run when it ended before, '' where it has not."""
    row = rt.store.run(rt.run_id)
    if row is None or row.state != "completed":
        return ""
    found = from_text_or_none(row.summary, RunSummary)
    return found.outcome if found else ""


def is_news(rt: Runtime, summary: RunSummary, before: str) -> bool:
    """Is what came of a run told? Not what the run came to `before`, nor a candidate that stood staged without it."""
    if summary.outcome == "staged":
        registry, champion = Registry(rt.store), str(summary.evaluations[0].skill)
        version = registry.version(summary.candidate.skill)
        return summary.outcome != before and registry.win(version, champion, without=rt.run_id) is None
    return summary.outcome != before


def _summary(
    rt: Runtime,
    planned: Plan,
    grown: Evolution,
    evaluations: Sequence[Evaluation],
    decision: Decision,
    read: SourcesRead | None,
) -> RunSummary:
    """What came of a run, as far as its stages and its store tell."""
    rolled, distilled, candidate = grown.rolled, grown.distilled, grown.candidate
    most, how = rt.settings.models.agent.max_tokens, rt.settings.learning
    before, skill = rt.store.get("foreseen", rt.run_id, Estimate), stored(rt, "skill", candidate.skill, Skill)
    return RunSummary(
        run_id=rt.run_id,
        mode="deepening" if rt.settings.data.skill else "creation",
        domain=rt.domain.name,
        models=tuple(sorted({rt.settings.agent_name, rt.settings.models.analyst.name, rt.settings.models.merger.name})),
        simulated=rt.settings.models.simulated,
        skill_name=skill.name,
        base=candidate.base,
        tasks={"evolve": len(planned.evolve), "validation": len(planned.validation), "test": len(rt.splits.test)},
        left_out=planned.left_out,
        trajectories=dict(sorted(Counter(item.cell.outcome for item in rolled).items())),
        ends=ends_of([*rolled, *grown.tried], most, rt.store, distilled),
        rounds=grown.rounds,
        turned=grown.turned,
        replays=grown.replays,
        rolled=scores_of([*rolled, *grown.tried]) if how.spread.by == "telling" or grown.tried else (),
        refuted=_refuted(rt, skill, distilled),
        night=how.night,
        night_of=how.night_of,
        seeds=how.seeds if how.night else (),
        verdicts=distilled.verdicts,
        lessons=distilled.lessons,
        patches=len(distilled.proposed),
        leaves=distilled.rules,
        remembered=distilled.remembered,
        book=distilled.book,
        scripts=distilled.scripts,
        uncut=distilled.uncut,
        analyses=analyses_of(distilled),
        candidate=candidate,
        evaluations=tuple(evaluations),
        decision=decision,
        promoted=is_champion(rt, candidate),
        spent=spent(rt),
        foreseen=before.cost if before else None,
        outlook=before.gate if before else None,
        sources=_with_account(rt, read, skill.name, distilled.remembered),
        library=rt.settings.operation.of_library,
        quarantined=_quarantined(rt, [*distilled.quarantined, *candidate.quarantined]),
    )


def _refuted(rt: Runtime, skill: Skill, distilled: Distilled) -> tuple[RuleVerdict, ...]:
    book = rt.store.get("book", distilled.book, RuleBook) if distilled.book else None
    return tuple(verdicts_for(rt, skill.name, book).values()) if book else ()


def _with_account(rt: Runtime, read: SourcesRead | None, name: str, remembered: int) -> SourcesRead | None:
    """What was read, with what the rules found in it, and with whose rules the skill of that name has besides."""
    if read is None:
        return None
    mined = rt.store.get("mining", rt.run_id, Mining)
    others = other_logs(rt.store, rt.settings, name) if remembered else ()
    more = {"mined": tuple(mined.as_lines())} if mined else {}
    return read.model_copy(update={**more, "others": others, "others_of": name if others else ""})


def _quarantined(rt: Runtime, digests: Iterable[str]) -> tuple[Quarantined, ...]:
    found = (rt.store.get("quarantine", digest, Quarantined) for digest in dict.fromkeys(digests))
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
    words = wordings(past_known(rt, base.name), book.rules)

    def with_all_votes(ledger: SupportLedger | None, version: Skill) -> SupportLedger | None:
        if confirmations:
            ledger = confirmed(ledger, version, confirmations, lesson)
        return with_votes(ledger, version, book, voting, lesson, standing_in_words(version, book.rules, words))

    before = with_all_votes(parent, base)
    if before is not None:
        rt.store.put("support", base.digest, before)
    if skill.digest != base.digest:
        ledger = build_ledger(base, skill, candidate, lesson, parent, forget_after=rt.settings.learning.forget_after)
        ledger = united_ledgers(rt.store.get("support", skill.digest, SupportLedger), ledger)
        rt.store.put("support", skill.digest, with_all_votes(ledger, skill) or ledger)


def write_pages(summary: RunSummary, directory: Path) -> None:
    """Write the summary as Markdown and JSON, and the skill's diff, into a run's directory."""
    (directory / "summary.md").write_text(summary.as_markdown(), encoding="utf-8")
    (directory / "summary.json").write_text(summary.model_dump_json(indent=2) + "\n", encoding="utf-8")
    (directory / "skill.diff").write_text(summary.candidate.diff, encoding="utf-8")
