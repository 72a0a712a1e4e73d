"""Contradictions: rules that say the opposite of each other. They are never settled silently.

A rule opposes another when both say nearly the same words and only one of them forbids. What a model may do with two
such rules is to state when each holds; otherwise they stay apart as an open conflict, with the evidence of both sides.
"""

import re
from collections.abc import Sequence

from trace2skill.consolidate.groups import Dropped, EditGroup, united
from trace2skill.core.record import Record
from trace2skill.core.similarity import words

FORBIDS = {"never", "not", "don", "dont", "avoid", "no", "without", "cannot", "neither"}
INSISTS = {"always", "must", "do", "should", "t"}
CONDITION = re.compile(
    r"\b(if|when|whenever|unless|only|except|where|while|otherwise|before|after|until|in case)\b", re.IGNORECASE
)
ALIKE = 0.8


class OpenConflict(Record):
    """Two or more groups that cannot stand together, and why. None of them reaches the skill; a person decides."""

    sides: tuple[EditGroup, ...]
    reason: str


def opposed(a: str, b: str) -> bool:
    """Do two rules say nearly the same, and only one of them forbids it?"""
    left, right = set(words(a)), set(words(b))
    if bool(left & FORBIDS) == bool(right & FORBIDS):
        return False
    left, right = left - FORBIDS - INSISTS, right - FORBIDS - INSISTS
    return bool(left) and len(left & right) / len(left | right) >= ALIKE


def opposed_pairs(groups: Sequence[EditGroup]) -> list[tuple[EditGroup, EditGroup]]:
    """The pairs that oppose each other, in the order given."""
    return [(a, b) for n, a in enumerate(groups) for b in groups[n + 1 :] if opposed(a.text, b.text)]


def is_conditional(merged: str, a: EditGroup, b: EditGroup) -> bool:
    """Does a text say when each of two opposed rules holds? It has a condition that neither of them had."""
    had = min(len(CONDITION.findall(a.text)), len(CONDITION.findall(b.text)))
    return len(CONDITION.findall(merged)) > had


def absorb(
    groups: Sequence[EditGroup], conflicts: Sequence[OpenConflict]
) -> tuple[list[EditGroup], list[OpenConflict]]:
    """Groups that repeat one side of an open conflict join that side, so that it is not settled by being repeated."""
    left, open_now = list(groups), list(conflicts)
    for number, conflict in enumerate(open_now):
        sides = list(conflict.sides)
        for group in list(left):
            side = next((i for i, other in enumerate(sides) if repeats(group, other)), None)
            if side is not None:
                sides[side] = united(sides[side].edits, [sides[side], group])
                left.remove(group)
        open_now[number] = conflict.model_copy(update={"sides": tuple(sides)})
    return left, open_now


def weigh(conflicts: Sequence[OpenConflict], enough: int) -> tuple[list[EditGroup], list[Dropped], list[OpenConflict]]:
    """Settle the conflicts in which only one side has the support of `enough` tasks: that side stands again.

    So one odd run cannot hold up what many ask for. The weak sides are dropped like anything with little support, and
    the record says what they opposed. Returns groups that stand again, what is dropped, and what stays open.
    """
    standing: list[EditGroup] = []
    dropped: list[Dropped] = []
    still: list[OpenConflict] = []
    for conflict in conflicts:
        strong = [side for side in conflict.sides if side.support.weight >= enough]
        if len(conflict.sides) < 2 or len(strong) != 1:
            still.append(conflict)
            continue
        standing += strong
        for side in conflict.sides:
            if side != strong[0]:
                tasks = len(strong[0].support.tasks)
                reason = (
                    f"asked for by fewer than {enough} tasks, against {tasks} for {strong[0].id}: {conflict.reason}"
                )
                dropped.append(Dropped(group=side, reason=reason))
    disputed = {side.id for conflict in still for side in conflict.sides}
    return [group for group in standing if group.id not in disputed], dropped, still


def repeats(a: EditGroup, b: EditGroup) -> bool:
    """Do two groups say the same thing, neither forbidding what the other allows?"""
    left, right = set(words(a.text)), set(words(b.text))
    if bool(left & FORBIDS) != bool(right & FORBIDS):
        return False
    return bool(left | right) and len(left & right) / len(left | right) >= ALIKE


def in_order(conflicts: Sequence[OpenConflict]) -> tuple[OpenConflict, ...]:
    """Open conflicts without doubles, in a fixed order."""
    distinct = {tuple(sorted(side.id for side in item.sides)): item for item in conflicts}
    return tuple(distinct[key] for key in sorted(distinct))
