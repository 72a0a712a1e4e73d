"""From the root of the merge tree to a candidate skill: route by prevalence, apply by program, check."""

from collections.abc import Sequence

from pydantic import Field

from trace2skill.apply import Conflict, apply_edits
from trace2skill.consolidate.groups import Dropped, EditGroup, Groups
from trace2skill.consolidate.route import Thresholds, reference_groups, route
from trace2skill.errors import SkillInvalid
from trace2skill.noun import Noun
from trace2skill.patch import Unplaced
from trace2skill.place import EditPolicy
from trace2skill.skill import Skill


class Candidate(Noun):
    """What became of every group. `skill` equals `base` when nothing was learned."""

    base: str
    skill: str
    thresholds: tuple[int, int] = Field(description="Distinct tasks needed for SKILL.md and for a reference.")
    applied: tuple[EditGroup, ...] = Field(default=(), description="In order of support, highest first.")
    dropped: tuple[Dropped, ...] = ()
    unplaced: tuple[Unplaced, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    scripts: tuple[str, ...] = Field(default=(), description="Created scripts: to be reviewed by a person.")
    diff: str = ""


def build_candidate(
    base: Skill, root: Groups, thresholds: Thresholds, tasks: int, policy: EditPolicy = EditPolicy()
) -> tuple[Skill, Candidate]:
    """Write the groups of the root into a copy of `base`.

    Args:
        base: S0, unchanged.
        root: the merged groups.
        thresholds: support a group needs.
        tasks: distinct tasks that were analysed.
        policy: what the edits may touch.

    Raises:
        SkillInvalid: the result breaks a rule of a skill; nothing is written anywhere.
    """
    routed = route(root, thresholds, tasks)
    groups = [*routed.main, *reference_groups(base, routed.reference)]
    edits = [edit for group in groups for edit in group.edits]
    order = {edit.id: rank for rank, edit in enumerate(edits)}
    result = apply_edits(base, edits, policy, order=order)
    if result.problems:
        raise SkillInvalid("the candidate skill", list(result.problems))
    failed = {item.edit.id for item in result.unplaced}
    withheld = {id for conflict in result.conflicts for id in _parties(conflict)}
    return result.skill, Candidate(
        base=base.digest,
        skill=result.skill.digest,
        thresholds=thresholds.for_tasks(tasks),
        applied=tuple(group for group in groups if not _touches(group, failed | withheld)),
        dropped=routed.dropped,
        unplaced=tuple(result.unplaced),
        conflicts=tuple(result.conflicts),
        scripts=tuple(sorted(_scripts(result.skill) - _scripts(base))),
        diff=result.diff,
    )


def _scripts(skill: Skill) -> set[str]:
    return {file.path for file in skill.files if file.path.startswith("scripts/")}


def _touches(group: EditGroup, ids: set[str]) -> bool:
    return any(edit.id in ids for edit in group.edits)


def _parties(conflict: Conflict) -> Sequence[str]:
    return (conflict.first, conflict.second)
