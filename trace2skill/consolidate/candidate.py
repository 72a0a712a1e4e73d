"""From the groups of a rule book to a candidate skill: route by prevalence, apply by program, check.

A group stands or falls as a whole. What cannot be applied is listed with its reason, and what cannot stand together is
set aside as an open conflict: nothing is settled or lost silently.
"""

from collections.abc import Mapping, Sequence
from operator import not_

from pydantic import Field

from trace2skill.consolidate.contradiction import OpenConflict, in_order, set_aside, weigh
from trace2skill.consolidate.editor import Editor, by_section
from trace2skill.consolidate.groups import Dropped, EditGroup
from trace2skill.consolidate.limits import SizeLimits, fewest, over_limits, squeezed
from trace2skill.consolidate.lines import mapped
from trace2skill.consolidate.node import Groups
from trace2skill.consolidate.route import Routed, Thresholds, reference_groups, route
from trace2skill.consolidate.suspected import LetThrough
from trace2skill.core.errors import SkillInvalid
from trace2skill.core.record import Record
from trace2skill.skills.apply import Applied, apply_edits, unified_diff
from trace2skill.skills.place import EditPolicy
from trace2skill.skills.skill import Skill, problems
from trace2skill.types.patch import Unplaced

REPAIRS = 2  # calls for one failed validation


_Written = tuple[Applied, list[EditGroup], list[Unplaced], list[OpenConflict]]


class Candidate(Record, form="Candidate", version=1):
    """What became of every group. `skill` equals `base` when nothing was learned."""

    base: str
    skill: str
    thresholds: tuple[int, int] = Field(description="Distinct tasks needed for SKILL.md and for a reference.")
    applied: tuple[EditGroup, ...] = Field(default=(), description="In order of support, highest first.")
    dropped: tuple[Dropped, ...] = ()
    unplaced: tuple[Unplaced, ...] = ()
    open: tuple[OpenConflict, ...] = Field(default=(), description="What contradicts or overlaps, both sides kept.")
    scripts: tuple[str, ...] = Field(default=(), description="Created scripts: to be reviewed by a person.")
    quarantined: tuple[str, ...] = Field(
        default=(), exclude_if=not_, description="What was kept out of what it would have said, as the store names it."
    )
    unjudged: tuple[str, ...] = Field(
        default=(),
        exclude_if=not_,
        description="What it says and the second look gave no answer on.",
    )
    let_through: tuple[LetThrough, ...] = Field(
        default=(), exclude_if=not_, description="What it says though it was suspected, and who called it harmless."
    )
    diff: str = ""

    @property
    def written(self) -> tuple[EditGroup, ...]:
        """What was applied, rule by rule: each rule of a file of many counts what it counts alone."""
        rules = (rule for group in self.applied for rule in group.inner or (group,))
        return tuple(sorted(rules, key=lambda rule: (-rule.support.weight, rule.id)))


def build_candidate(
    base: Skill,
    root: Groups,
    thresholds: Thresholds,
    tasks: int,
    policy: EditPolicy = EditPolicy(),
    limits: SizeLimits = SizeLimits(),
    editor: Editor | None = None,
    *,
    polish: bool = False,
) -> tuple[Skill, Candidate]:
    """Write groups into a copy of `base`.

    Args:
        base: S0, unchanged.
        root: the groups of the book.
        thresholds: support a group needs.
        tasks: distinct tasks that were analysed.
        policy: what the edits may touch.
        limits: how large the files may become.
        editor: mends a file that fails validation, in at most two calls; None withholds what is to blame at once.
        polish: let the editor reword each changed section, too.

    Raises:
        SkillInvalid: the result breaks a rule of a skill; nothing is written anywhere.
    """
    groups, aside = set_aside(root.groups, base, policy)
    standing, outweighed, still_open = weigh([*root.open, *aside], thresholds.for_tasks(tasks)[1])
    settled = Groups.of([*groups, *standing], [*root.dropped, *outweighed])
    routed = route(settled, thresholds, tasks)
    result, written, routed, unplaced, conflicts = _within_limits(base, routed, policy, limits, editor)
    if polish and editor is not None:
        result, written = _polished(base, result, written, policy, limits, editor)
    if result.problems:
        raise SkillInvalid("the candidate skill", list(result.problems))
    return result.skill, Candidate(
        base=base.digest,
        skill=result.skill.digest,
        thresholds=thresholds.for_tasks(tasks),
        applied=tuple(written),
        dropped=routed.dropped,
        unplaced=tuple(unplaced),
        open=in_order([*still_open, *conflicts]),
        scripts=tuple(sorted(_scripts(result.skill) - _scripts(base))),
        diff=result.diff,
    )


def _within_limits(
    base: Skill, routed: Routed, policy: EditPolicy, limits: SizeLimits, editor: Editor | None
) -> tuple[Applied, list[EditGroup], Routed, list[Unplaced], list[OpenConflict]]:
    """Apply; where a file becomes too large, as few of the least supported groups as will do move or drop out."""

    def tried(moved: int, dropped: int) -> tuple[Routed, _Written, tuple[str, ...]]:
        now = squeezed(routed, moved, dropped)
        written = _apply_whole_groups(base, [*now.main, *reference_groups(base, now.reference)], policy, editor)
        return now, written, over_limits(base, written[0].skill, limits)

    now, written, too_large = tried(0, 0)
    if too_large:
        moved = fewest(len(routed.main), lambda count: "SKILL.md" not in tried(count, 0)[2])
        dropped = fewest(len(routed.main) + len(routed.reference), lambda count: not tried(moved, count)[2])
        now, written, too_large = tried(moved, dropped)
        if too_large:  # nothing that was added is to blame: it was so before
            now, written, _ = tried(0, 0)
    return (written[0], written[1], now, *written[2:])


def _apply_whole_groups(
    base: Skill, groups: Sequence[EditGroup], policy: EditPolicy, editor: Editor | None
) -> _Written:
    """Apply groups, leaving out those of which any edit cannot land, until all that is left lands whole."""
    left, unplaced, conflicts = list(groups), list[Unplaced](), list[OpenConflict]()
    while True:
        edits = [edit for group in left for edit in group.edits]
        order = {edit.id: rank for rank, edit in enumerate(edits)}
        result = apply_edits(base, edits, policy, order=order)
        owner = {edit.id: group for group in left for edit in group.edits}
        unplaced += result.unplaced
        lost = {owner[item.edit.id].id for item in result.unplaced}
        if not lost:
            conflicts += _as_open_conflicts(result, owner)
            lost = {owner[id].id for clash in result.conflicts for id in (clash.first, clash.second)}
        if not lost and result.problems:
            mended = _mended(base, result, left, editor) if editor else None
            if mended is not None:
                return mended, left, unplaced, conflicts
            culprit = _culprit(base, left, policy)
            if culprit is not None:
                reason = f"the skill would not be valid with it: {'; '.join(result.problems)}"
                unplaced += [Unplaced(edit=edit, reason=reason) for edit in culprit.edits]
                lost = {culprit.id}
        if not lost:
            return result, left, unplaced, conflicts
        left = [group for group in left if group.id not in lost]


def _mended(base: Skill, applied: Applied, groups: Sequence[EditGroup], editor: Editor) -> Applied | None:
    """The result with the failing file mended by at most two calls; None where it stays invalid or loses a group."""
    skill, found = applied.skill, list(applied.problems)
    for _ in range(REPAIRS):
        path = failing_file(skill, found[0])
        repaired = editor.repair(skill, path, [line for line in found if failing_file(skill, line) == path])
        if repaired is None:
            return None
        skill, found = repaired, problems(repaired, base)
        if not found:
            kept = all(mapped(base, skill, group) == mapped(base, applied.skill, group) for group in groups)
            change = {"skill": skill, "diff": unified_diff(base, skill), "problems": ()}
            return applied.model_copy(update=change) if kept else None
    return None


def failing_file(skill: Skill, problem: str) -> str:
    """The file a problem of a skill is about: the one it names first, else SKILL.md."""
    return next((file.path for file in skill.files if problem.startswith(file.path)), "SKILL.md")


def _polished(
    base: Skill,
    applied: Applied,
    groups: list[EditGroup],
    policy: EditPolicy,
    limits: SizeLimits,
    editor: Editor,
) -> tuple[Applied, list[EditGroup]]:
    """The result with each changed section reworded, as long as every group can still be found in its lines."""
    for section in by_section(groups):
        new = {
            old.id: worded for old, worded in zip(section, editor.reword(base, section), strict=True) if worded != old
        }
        tried = [new.get(group.id, group) for group in groups]
        edits = [edit for group in tried for edit in group.edits]
        result = apply_edits(base, edits, policy, order={edit.id: rank for rank, edit in enumerate(edits)})
        whole = not (result.unplaced or result.conflicts or result.problems or over_limits(base, result.skill, limits))
        pairs = zip(groups, tried, strict=True)
        if new and whole and all(mapped(base, result.skill, b) == mapped(base, applied.skill, a) for a, b in pairs):
            applied, groups = result, tried
    return applied, groups


def _culprit(base: Skill, groups: Sequence[EditGroup], policy: EditPolicy) -> EditGroup | None:
    """The least supported group without which the skill is valid, None where no single one is to blame."""
    for group in reversed(groups):
        edits = [edit for other in groups if other.id != group.id for edit in other.edits]
        if not apply_edits(base, edits, policy).problems:
            return group
    return None


def _as_open_conflicts(result: Applied, owner: Mapping[str, EditGroup]) -> list[OpenConflict]:
    found = []
    for clash in result.conflicts:
        sides = {owner[id].id: owner[id] for id in (clash.first, clash.second)}
        found.append(OpenConflict(sides=tuple(sides.values()), reason=clash.reason))
    return found


def _scripts(skill: Skill) -> set[str]:
    return {file.path for file in skill.files if file.path.startswith("scripts/")}
