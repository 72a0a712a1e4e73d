"""`Decision`: is the candidate better than the skill it came from? A verdict, the reason in words, the numbers."""

from typing import Literal

from pydantic import Field

from trace2skill.core.noun import Noun
from trace2skill.evaluation.acceptance import Evidence, judged
from trace2skill.evaluation.compare import compare
from trace2skill.evaluation.power import smallest_lift, spread_of
from trace2skill.types.comparison import Comparison, Score
from trace2skill.types.decision import Decision, Look
from trace2skill.types.evaluation import Evaluation
from trace2skill.versions.spending import single_look


class GateSettings(Noun):
    """What a promotion needs."""

    level: float = Field(
        default=0.05, gt=0, lt=1, description="Chance that a champion is ever replaced by a skill that is no better."
    )
    margin: float = Field(default=0.0, ge=0, lt=1, description="Smallest lift of the mean score worth a promotion.")
    coverage: float = Field(default=0.9, ge=0, le=1, description="Share of each matrix that must have a score.")
    score: Score = Field(default="hard", description="'hard' counts tasks passed, 'soft' shares of test cases.")
    no_regression: tuple[str, ...] = Field(default=(), description="Tasks that must not turn from pass to fail.")
    most_tokens_ratio: float | None = Field(
        default=2.0,
        gt=0,
        description="A candidate may use so many times the champion's tokens; none sets no limit.",
    )
    most_skill_tokens: int | None = Field(
        default=None, ge=100, description="Largest SKILL.md, four characters a token; none sets no limit."
    )
    spend: Literal["over_nights", "at_once"] = Field(
        default="over_nights", description="Whether the level is spread over all looks at one champion."
    )


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
    verdict, reason = judged(Evidence(found, settings, this, skill_tokens))
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
