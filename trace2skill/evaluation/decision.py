"""`Decision`: is the candidate better than the skill it came from? A verdict, the reason in words, the numbers."""

from typing import Literal

from pydantic import Field

from trace2skill.core.noun import Noun
from trace2skill.evaluation.compare import compare
from trace2skill.evaluation.power import smallest_lift, spread_of
from trace2skill.types.comparison import Comparison, Score
from trace2skill.types.decision import Decision, Look, Verdict
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
    verdict, reason = _verdict(found, settings, this, skill_tokens)
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


def passes(lift: float, p_value: float, look: Look, margin: float = 0.0) -> bool:
    """The test itself: is the lift larger than the margin, and too large for chance at the level of this look?"""
    return lift > margin and p_value <= look.level


def is_covered(champion: Evaluation, candidate: Evaluation, settings: GateSettings) -> bool:
    """Do enough of both matrices have a score for a look? Where not, none is spent."""
    return bool(champion.by_task().keys() & candidate.by_task().keys()) and (
        min(champion.coverage, candidate.coverage) >= settings.coverage
    )


def _verdict(found: Comparison, settings: GateSettings, look: Look, skill_tokens: int) -> tuple[Verdict, str]:
    if not found.tasks or found.coverage < settings.coverage:
        return "not_enough_evidence", (
            f"{found.coverage:.0%} of the held-out runs have a score and {settings.coverage:.0%} are needed; "
            "the others ended in infrastructure errors: run again"
        )
    seen = (
        f"better on {len(found.better)} and worse on {len(found.worse)} of {found.tasks} held-out tasks "
        f"(lift {found.lift.mean:+.1%}, 95% interval {found.lift.low:+.1%} to {found.lift.high:+.1%}, "
        f"p = {found.p_value:.4f}, {found.test})"
    )
    lost = sorted(set(settings.no_regression) & set(found.worse))
    if lost:
        return "reject", f"the candidate loses on tasks that must not regress: {', '.join(lost)}; it is {seen}"
    if passes(found.lift.mean, found.p_value, look, settings.margin):
        return _within_ceilings(
            found, settings, skill_tokens, f"{seen}, at level {look.level:.4f} of look {look.number}"
        )
    if not found.better and not found.worse:
        return "reject", f"the candidate changes nothing on {found.tasks} held-out tasks"
    if found.lift.mean < 0 or found.lift.high <= settings.margin:
        return "reject", f"the candidate is {seen}"
    return "not_enough_evidence", (
        f"the candidate is {seen}; look {look.number} has level {look.level:.4f}: "
        "add tasks or seeds (`trace2skill power`)"
    )


def _within_ceilings(found: Comparison, settings: GateSettings, skill_tokens: int, seen: str) -> tuple[Verdict, str]:
    tokens = next(effect for effect in found.effects if effect.name == "tokens")
    if settings.most_tokens_ratio is not None and (tokens.ratio or 0.0) > settings.most_tokens_ratio:
        return "reject", (
            f"the candidate is {seen}, but uses {tokens.ratio:.2f} times the tokens and {settings.most_tokens_ratio:g} "
            "are allowed: raise the ceiling if the lift is worth it"
        )
    if settings.most_skill_tokens is not None and skill_tokens > settings.most_skill_tokens:
        return "reject", (
            f"the candidate is {seen}, but its SKILL.md has {skill_tokens} tokens and {settings.most_skill_tokens} "
            "are allowed"
        )
    return "promote", f"the candidate is {seen}"


def _detectable(champion: Evaluation, candidate: Evaluation, found: Comparison, look: Look) -> float:
    return smallest_lift(found.tasks, max(1, found.seeds), spread_of(champion, candidate), look.level)
