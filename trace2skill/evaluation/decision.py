"""`Decision`: is the candidate better than the skill it came from? A verdict, the reason in words, the numbers."""

from collections.abc import Sequence
from dataclasses import replace

from trace2skill.evaluation.acceptance import GateEvidence, GateSettings, judged
from trace2skill.evaluation.compare import compare
from trace2skill.evaluation.ends import SAYS_NOTHING, coverage, of_each, without_undecided
from trace2skill.evaluation.no_worse import no_worse
from trace2skill.evaluation.power import smallest_lift, spread_of
from trace2skill.types.comparison import Comparison
from trace2skill.types.decision import Decision, Look, Verdict
from trace2skill.types.evaluation import Evaluation
from trace2skill.versions.spending import single_look


def decide(
    champion: Evaluation,
    candidate: Evaluation,
    settings: GateSettings = GateSettings(),
    *,
    look: Look | None = None,
    skill_tokens: int = 0,
    repeat: Evaluation | None = None,
    beside: Sequence[Evaluation] | None = None,
) -> Decision:
    """Decide over two evaluations of the same tasks.

    Args:
        champion: the skill in use.
        candidate: the one that would replace it.
        settings: what a promotion needs.
        look: the share of the level that this look has; the whole level without one.
        skill_tokens: size of the candidate's SKILL.md.
        repeat: the A/A arm: the champion again, with fresh seeds. Shown, and decides nothing.
        beside: given for a candidate that is to be smaller and need only be no worse than the champion and than
            these. None for one that is to be better.
    """
    found = _compared(champion, candidate, settings, beside)
    this = look or single_look(settings.level)
    decided = min(map(coverage, (champion, candidate, *(beside or ()))))
    ends = "; ".join(of_each((champion, candidate, *(beside or ())), SAYS_NOTHING))
    evidence = GateEvidence(found, settings, this, skill_tokens, decided, ends)
    verdict, reason = judged(evidence)
    if ends and verdict != "unfinished":
        old, new, *others = without_undecided(champion, candidate, *(beside or ()))
        fewer = _compared(old, new, settings, None if beside is None else others)
        verdict, reason = _but_for_limits(fewer, evidence, verdict, reason)
    measured = found.tasks > 1 and decided >= settings.coverage
    lifts = measured and beside is None
    return Decision(
        verdict=verdict,
        reason=reason,
        comparison=found,
        look=this if measured else None,
        smallest_lift=_detectable(champion, candidate, found, this) if lifts else None,
        skill_tokens=skill_tokens,
        repeat=compare(champion, repeat, score=settings.score) if repeat else None,
    )


def is_covered(champion: Evaluation, candidate: Evaluation, settings: GateSettings, *beside: Evaluation) -> bool:
    """Do enough of all matrices say something of their skill for a look? Where not, none is spent."""
    return bool(champion.by_task().keys() & candidate.by_task().keys()) and (
        min(map(coverage, (champion, candidate, *beside))) >= settings.coverage
    )


def _compared(
    champion: Evaluation, candidate: Evaluation, settings: GateSettings, beside: Sequence[Evaluation] | None
) -> Comparison:
    found = compare(champion, candidate, score=settings.score)
    if beside is None:
        return found
    tested = no_worse([champion, *beside], candidate, settings.shrink_loss, settings.score)
    return found.model_copy(update={"no_worse": tested})


def _but_for_limits(fewer: Comparison, evidence: GateEvidence, verdict: Verdict, reason: str) -> tuple[Verdict, str]:
    """The verdict, where it is the same without the runs that were ended for the agent (`fewer`); else `unfinished`."""
    without = judged(replace(evidence, found=fewer))[0] if fewer.tasks else "not_enough_evidence"
    if "promote" in (verdict, without) and verdict != without:
        said = f"with them {verdict.replace('_', ' ')}, without them {without.replace('_', ' ')}"
        return "unfinished", f"runs that the agent did not end would decide ({said}): {evidence.ends}"
    return verdict, f"{reason}; {evidence.ends}"


def _detectable(champion: Evaluation, candidate: Evaluation, found: Comparison, look: Look) -> float:
    return smallest_lift(found.tasks, max(1, found.seeds), spread_of(champion, candidate), look.level)
