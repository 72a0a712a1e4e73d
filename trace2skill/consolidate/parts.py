"""The rules of a candidate one by one, and the candidate without some of them."""

from collections.abc import Collection, Sequence

from trace2skill.consolidate.candidate import Candidate
from trace2skill.consolidate.cut import MARK, plain_words
from trace2skill.consolidate.groups import Dropped, EditGroup
from trace2skill.consolidate.route import can_be_thinned, thinned
from trace2skill.skills.apply import Applied, apply_edits
from trace2skill.skills.place import EditPolicy
from trace2skill.skills.skill import Skill, problems


def parts_of(candidate: Candidate) -> tuple[EditGroup, ...]:
    """What can be left out of a candidate by itself: each group, and of a file of many rules each rule.

    A file that was reworded since its rules were put into it is one part.
    """
    return tuple(part for group in candidate.applied for part in (group.inner if can_be_thinned(group) else (group,)))


def without(
    base: Skill, candidate: Candidate, left_out: Collection[str], policy: EditPolicy
) -> tuple[Applied, tuple[EditGroup, ...]] | None:
    """The candidate without those of its groups and parts, by id, and the groups that it then has; None where that is
    no valid skill.
    """
    kept = [thinned(group, left_out) if can_be_thinned(group) else group for group in candidate.applied]
    groups = tuple(group for group in kept if group is not None and group.id not in left_out)
    edits = [edit for group in groups for edit in group.edits]
    result = apply_edits(base, edits, policy, order={edit.id: rank for rank, edit in enumerate(edits)})
    if result.unplaced or result.conflicts or problems(result.skill, base):
        return None
    return result, groups


def left(candidate: Candidate, applied: Applied, groups: tuple[EditGroup, ...], out: Sequence[Dropped]) -> Candidate:
    """The candidate that is left of one, with a record of each part that is not in it."""
    scripts = tuple(path for path in candidate.scripts if any(file.path == path for file in applied.skill.files))
    return candidate.model_copy(
        update={
            "skill": applied.skill.digest,
            "applied": groups,
            "dropped": (*candidate.dropped, *out),
            "scripts": scripts,
            "diff": applied.diff,
        }
    )


def is_same_rule(one: EditGroup, other: EditGroup) -> bool:
    """Do two groups say the same: in the same words, or by most of what was said for either?"""
    words, others = ([plain_words(MARK.sub("", edit.content)) for edit in group.edits] for group in (one, other))
    if words == others:
        return True
    said, also = ({(saying.trajectory_id, saying.text) for saying in group.said} for group in (one, other))
    return 2 * len(said & also) > min(len(said), len(also)) > 0
