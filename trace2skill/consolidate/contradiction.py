"""Open conflicts: what cannot stand together. It is never settled silently.

Which rules oppose each other is found by meaning (see `assign` and `settle`); here are edits that cannot both be
applied, and what is done with conflicts that nobody could settle.
"""

import re
from collections.abc import Sequence

from trace2skill.consolidate.groups import Dropped, EditGroup
from trace2skill.core.record import Record
from trace2skill.skills.apply import conflicts
from trace2skill.skills.place import EditPolicy, place
from trace2skill.skills.skill import Skill
from trace2skill.types.patch import Unplaced

FORBIDS = {"never", "not", "don", "dont", "avoid", "no", "without", "cannot", "neither"}
CONDITION = re.compile(
    r"\b(if|when|whenever|unless|only|except|where|while|otherwise|before|after|until|in case)\b", re.IGNORECASE
)


class OpenConflict(Record):
    """Two or more groups that cannot stand together, and why. None of them reaches the skill; a person decides."""

    sides: tuple[EditGroup, ...]
    reason: str


def set_aside(
    groups: Sequence[EditGroup], base: Skill, policy: EditPolicy
) -> tuple[list[EditGroup], list[OpenConflict]]:
    """Take out the groups that cannot both be applied; each pair becomes an open conflict.

    A group with an edit that has no place is left in: it is told of when all is applied.
    """
    homeless = {group.id for group in groups if any(isinstance(place(base, e, policy), Unplaced) for e in group.edits)}
    housed = [group for group in groups if group.id not in homeless]
    owner = {edit.id: group for group in housed for edit in group.edits}
    found = []
    for clash in conflicts(base, [edit for group in housed for edit in group.edits], policy):
        a, b = owner[clash.first], owner[clash.second]
        found.append(OpenConflict(sides=(a,) if a.id == b.id else (a, b), reason=clash.reason))
    out = {side.id for conflict in found for side in conflict.sides}
    return [group for group in groups if group.id not in out], found


def weigh(aside: Sequence[OpenConflict], enough: int) -> tuple[list[EditGroup], list[Dropped], list[OpenConflict]]:
    """Settle the conflicts in which only one side has the support of `enough` tasks: that side stands again.

    So one odd run cannot hold up what many ask for. The weak sides are dropped like anything with little support, and
    the record says what they opposed. Returns groups that stand again, what is dropped, and what stays open.
    """
    standing: list[EditGroup] = []
    dropped: list[Dropped] = []
    still: list[OpenConflict] = []
    for conflict in aside:
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


def in_order(found: Sequence[OpenConflict]) -> tuple[OpenConflict, ...]:
    """Open conflicts without doubles, in a fixed order."""
    distinct = {tuple(sorted(side.id for side in item.sides)): item for item in found}
    return tuple(distinct[key] for key in sorted(distinct))
