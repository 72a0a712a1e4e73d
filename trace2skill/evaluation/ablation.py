"""The causal effect of edits: what a candidate scores without one of its edit groups.

Groups are left out one at a time, the most expensive ones first, within a stated number of rollouts. A group is left
alone as soon as its interval says enough; the seeds that saves go to the others.
"""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from trace2skill.consolidate import parts
from trace2skill.consolidate.candidate import Candidate
from trace2skill.consolidate.groups import EditGroup
from trace2skill.consolidate.limits import CHARS_PER_TOKEN
from trace2skill.core.record import Record
from trace2skill.evaluation.compare import compare
from trace2skill.skills.place import EditPolicy
from trace2skill.skills.skill import Skill
from trace2skill.types.comparison import Interval
from trace2skill.types.evaluation import Evaluation

Verdict = Literal["keep", "prune", "unknown"]


class AblationSettings(Record):
    """How far an ablation goes."""

    rollouts: int = Field(default=400, ge=1, description="Most rollouts in all, besides those that are in the store.")
    seeds: int = Field(default=3, ge=1, le=16, description="Most seeds for one group.")
    worth: float = Field(
        default=0.05,
        gt=0,
        lt=1,
        description="A group that surely adds less than this to the mean score is pruned: its tokens are worth more.",
    )


class GroupEffect(Record):
    """What a group does: the score of the candidate minus that of the candidate without it."""

    group: str
    text: str
    tokens: int
    tasks: int = Field(description="Support in distinct tasks.")
    effect: Interval
    seeds: int
    verdict: Verdict
    reason: str


class Ablation(Record, form="Ablation", version=1):
    """The effects of a candidate's groups, and the skill without those to prune."""

    candidate: str
    effects: tuple[GroupEffect, ...]
    rollouts: int = Field(description="Runs of the matrix that were needed, in the store or not.")
    pruned: str | None = Field(default=None, description="Digest of the pruned skill; none where all groups stay.")


def by_cost(candidate: Candidate) -> list[EditGroup]:
    """The groups of a candidate, the one with the most tokens first."""
    return sorted(candidate.applied, key=lambda group: (-tokens_of(group), group.id))


def tokens_of(group: EditGroup) -> int:
    """Tokens a group adds to the skill, four characters each."""
    return -(-len(group.text) // CHARS_PER_TOKEN)


def without(base: Skill, candidate: Candidate, left_out: Sequence[str], policy: EditPolicy) -> Skill | None:
    """The candidate without some of its groups; None where that is no valid skill."""
    found = parts.without(base, candidate, left_out, policy)
    return found[0].skill if found else None


def judge(group: EditGroup, full: Evaluation, ablated: Evaluation, settings: AblationSettings) -> GroupEffect:
    """What is known of a group after so many seeds.

    Keep: the interval of its effect is above 0. Prune: it is below 0, or the effect is not positive and the interval is
    below `worth`. Unknown otherwise, and where nothing passes with or without it.
    """
    found = compare(ablated, full)
    low, high = found.lift.low, found.lift.high
    verdict: Verdict = "unknown"
    reason = "the interval holds both 0 and an effect worth having: more tasks or seeds would tell"
    if low > 0:
        verdict, reason = "keep", "the skill scores lower without it"
    elif high < 0:
        verdict, reason = "prune", "the skill scores higher without it"
    elif found.before_score.mean == found.after_score.mean == 0:
        reason = "nothing passes with it or without it, so that nothing can be told"
    elif found.lift.mean <= 0 and high < settings.worth:
        verdict, reason = "prune", f"it adds less than {settings.worth:.0%}"
    return GroupEffect(
        group=group.id,
        text=group.text,
        tokens=tokens_of(group),
        tasks=len(group.support.tasks),
        effect=found.lift,
        seeds=found.seeds,
        verdict=verdict,
        reason=reason,
    )


def untried(group: EditGroup, known: str = "") -> GroupEffect:
    """What is known of a group that the budget did not reach; `known` is what other rollouts have told, in words."""
    return GroupEffect(
        group=group.id,
        text=group.text,
        tokens=tokens_of(group),
        tasks=len(group.support.tasks),
        effect=Interval(mean=0.0, low=-1.0, high=1.0),
        seeds=0,
        verdict="unknown",
        reason="not tried: the budget was used up, or the skill is not valid without it"
        + (f"; of other rollouts: {known}" if known else ""),
    )
