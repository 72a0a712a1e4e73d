"""The rules of acceptance: what a candidate must stand up to, one after the other, each with its reason in words.

A new rule is a small class with one method and an entry in `RULES`, or in `SHRINKING` for a skill that only has to be
smaller; what it needs to be told is a field of the settings
(`GateSettings`). The first rule that has something to say against the candidate decides; whom none holds up wins.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

from pydantic import Field

from trace2skill.core.record import Record
from trace2skill.evaluation.no_worse import tasks_needed
from trace2skill.types.comparison import Comparison, Score
from trace2skill.types.decision import Look, Verdict

Said = tuple[Verdict, str]
"""A verdict and its reason."""


class GateSettings(Record):
    """What a promotion needs."""

    level: float = Field(
        default=0.05,
        gt=0,
        lt=1,
        description="Of the promotions, the share that may be wrong; where no candidate is better, the chance of any.",
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
    shrink_loss: float = Field(
        default=0.02,
        gt=0,
        lt=1,
        exclude_if=lambda loss: loss == 0.02,
        description="A smaller skill may lose less than this of the mean score, beside the champion and beside the "
        "last version that was promoted as the better one.",
    )
    spend: Literal["over_nights", "over_life", "at_once"] = Field(
        default="over_nights",
        description="Spread the level over all looks, and earn it anew by promotions; or never; or spend it at once.",
    )


@dataclass(frozen=True)
class GateEvidence:
    """What is judged: the comparison of candidate and champion, and what else counts."""

    found: Comparison
    settings: GateSettings
    look: Look
    skill_tokens: int
    decided: float = 1.0
    """Share of each matrix, the smaller, that has a score and an end of the agent's own: see `evaluation.ends`."""
    ends: str = ""
    """How many of the others there are, in words."""

    @property
    def seen(self) -> str:
        """What the comparison shows, in words that go on after 'the candidate is'."""
        found = self.found
        if found.no_worse:
            return (
                f"smaller, better on {len(found.better)} and worse on {len(found.worse)} of {found.tasks} held-out "
                f"tasks (lift {found.lift.mean:+.1%}; that it loses {found.no_worse.margin:.1%} or more has "
                f"p = {found.no_worse.p_value:.4f}, {found.no_worse.test})"
            )
        return (
            f"better on {len(found.better)} and worse on {len(found.worse)} of {found.tasks} held-out tasks "
            f"(lift {found.lift.mean:+.1%}, 95% interval {found.lift.low:+.1%} to {found.lift.high:+.1%}, "
            f"p = {found.p_value:.4f}, {found.test})"
        )

    @property
    def shown(self) -> str:
        """The same with the level that was passed."""
        return f"{self.seen}, at level {self.look.level:.4f} of look {self.look.number}"


class AcceptanceRule(Protocol):
    """One thing that a candidate must stand up to."""

    def against(self, evidence: GateEvidence) -> Said | None:
        """The verdict and why, where the candidate does not stand up to it; None where it does."""


class Coverage:
    """Enough of the runs have a score."""

    def against(self, evidence: GateEvidence) -> Said | None:
        """See `AcceptanceRule`."""
        found, needed = evidence.found, evidence.settings.coverage
        if found.tasks and found.coverage >= needed:
            return None
        return "not_enough_evidence", (
            f"{found.coverage:.0%} of the held-out runs have a score and {needed:.0%} are needed; "
            "the others ended in infrastructure errors: run again"
        )


class OwnEnds:
    """Enough of the runs were ended by the agent, and not by a limit or by the model's server.

    A run that was cut off says as little of the skill as one without a score: both together are bounded by `coverage`.
    """

    def against(self, evidence: GateEvidence) -> Said | None:
        """See `AcceptanceRule`."""
        needed = evidence.settings.coverage
        if evidence.decided >= needed:
            return None
        return "unfinished", (
            f"{evidence.decided:.0%} of the held-out runs have a score and an end of the agent's own, and {needed:.0%} "
            f"are needed: {evidence.ends}"
        )


class NoRegression:
    """No task is lost that must not be."""

    def against(self, evidence: GateEvidence) -> Said | None:
        """See `AcceptanceRule`."""
        lost = sorted(set(evidence.settings.no_regression) & set(evidence.found.worse))
        if not lost:
            return None
        names = ", ".join(lost)
        return "reject", f"the candidate loses on tasks that must not regress: {names}; it is {evidence.seen}"


class Significance:
    """The lift is larger than the margin, and too large for chance."""

    def against(self, evidence: GateEvidence) -> Said | None:
        """See `AcceptanceRule`."""
        found, look, margin = evidence.found, evidence.look, evidence.settings.margin
        if passes(found.lift.mean, found.p_value, look, margin):
            return None
        if not found.better and not found.worse:
            return "reject", f"the candidate changes nothing on {found.tasks} held-out tasks"
        if found.lift.mean < 0 or found.lift.high <= margin:
            return "reject", f"the candidate is {evidence.seen}"
        return "not_enough_evidence", (
            f"the candidate is {evidence.seen}; look {look.number} has level {look.level:.4f}: "
            "add tasks or seeds (`trace2skill power`)"
        )


class LosesNothing:
    """Of a smaller skill: that it loses as much as the margin or more is too unlikely."""

    def against(self, evidence: GateEvidence) -> Said | None:
        """See `AcceptanceRule`."""
        found, look = evidence.found, evidence.look
        tested = found.no_worse
        if tested is None or tested.p_value <= look.level:
            return None
        if found.lift.mean < 0 and (found.lift.high < 0 or found.lift.mean <= -tested.margin):
            return "reject", f"the candidate is {evidence.seen}"
        return "not_enough_evidence", (
            f"the candidate is {evidence.seen}; look {look.number} has level {look.level:.4f}, which takes "
            f"{tasks_needed(look.level, tested.margin)} tasks of which none is lost: add tasks, or allow a larger loss"
        )


class TokenCeiling:
    """The candidate does not use many times the champion's tokens."""

    def against(self, evidence: GateEvidence) -> Said | None:
        """See `AcceptanceRule`."""
        tokens = next(effect for effect in evidence.found.effects if effect.name == "tokens")
        allowed = evidence.settings.most_tokens_ratio
        if allowed is None or (tokens.ratio or 0.0) <= allowed:
            return None
        return "reject", (
            f"the candidate is {evidence.shown}, but uses {tokens.ratio:.2f} times the tokens and {allowed:g} "
            "are allowed: raise the ceiling if the lift is worth it"
        )


class SizeCeiling:
    """Its SKILL.md is not too long."""

    def against(self, evidence: GateEvidence) -> Said | None:
        """See `AcceptanceRule`."""
        allowed = evidence.settings.most_skill_tokens
        if allowed is None or evidence.skill_tokens <= allowed:
            return None
        return "reject", (
            f"the candidate is {evidence.shown}, but its SKILL.md has {evidence.skill_tokens} tokens and {allowed} "
            "are allowed"
        )


RULES: tuple[AcceptanceRule, ...] = (
    Coverage(),
    OwnEnds(),
    NoRegression(),
    Significance(),
    TokenCeiling(),
    SizeCeiling(),
)
"""In the order in which they are asked."""
SHRINKING: tuple[AcceptanceRule, ...] = (
    Coverage(),
    OwnEnds(),
    NoRegression(),
    LosesNothing(),
    TokenCeiling(),
    SizeCeiling(),
)
"""The same for a smaller skill, of which nobody expects a lift."""


def judged(evidence: GateEvidence) -> Said:
    """What the rules say."""
    for rule in SHRINKING if evidence.found.no_worse else RULES:
        said = rule.against(evidence)
        if said is not None:
            return said
    return "promote", f"the candidate is {evidence.shown}"


def passes(lift: float, p_value: float, look: Look, margin: float = 0.0) -> bool:
    """The test itself: is the lift larger than the margin, and too large for chance at the level of this look?"""
    return lift > margin and p_value <= look.level
