"""`Decision`: is the candidate better than the skill it came from? A verdict, the reason in words, the numbers."""

from trace2skill.evaluation.acceptance import GateEvidence, GateSettings, judged
from trace2skill.evaluation.compare import compare
from trace2skill.evaluation.power import smallest_lift, spread_of
from trace2skill.types.comparison import Comparison
from trace2skill.types.decision import Decision, Look
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
) -> Decision:
    """Decide over two evaluations of the same tasks.

    Args:
        champion: the skill in use.
        candidate: the one that would replace it.
        settings: what a promotion needs.
        look: the share of the level that this look has; the whole level without one.
        skill_tokens: size of the candidate's SKILL.md.
        repeat: the A/A arm: the champion again, with fresh seeds. Shown, and decides nothing.
    """
    found = compare(champion, candidate, score=settings.score)
    this = look or single_look(settings.level)
    verdict, reason = judged(GateEvidence(found, settings, this, skill_tokens))
    measured = found.tasks > 1 and found.coverage >= settings.coverage
    return Decision(
        verdict=verdict,
        reason=reason,
        comparison=found,
        look=this if measured else None,
        smallest_lift=_detectable(champion, candidate, found, this) if measured else None,
        skill_tokens=skill_tokens,
        repeat=compare(champion, repeat, score=settings.score) if repeat else None,
    )


def is_covered(champion: Evaluation, candidate: Evaluation, settings: GateSettings) -> bool:
    """Do enough of both matrices have a score for a look? Where not, none is spent."""
    return bool(champion.by_task().keys() & candidate.by_task().keys()) and (
        min(champion.coverage, candidate.coverage) >= settings.coverage
    )


def _detectable(champion: Evaluation, candidate: Evaluation, found: Comparison, look: Look) -> float:
    return smallest_lift(found.tasks, max(1, found.seeds), spread_of(champion, candidate), look.level)
