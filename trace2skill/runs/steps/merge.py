"""Step `merge`: the patches of all trajectories become one set of edit groups, along the merge tree."""

from collections.abc import Sequence

from trace2skill.consolidate import EditGroup, Groups, cut_into_groups, merge
from trace2skill.consolidate.merge import merge_identity
from trace2skill.consolidate.quarantine import Review, review
from trace2skill.core.digest import digest_of
from trace2skill.core.step_label import StepLabel
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.steps.foresight import Expected, Foresight
from trace2skill.runs.steps.step import Asks, RunStep
from trace2skill.runs.steps.stored import skill_of, stored
from trace2skill.types.patch import Patch
from trace2skill.types.references import Merged, Proposed


def _parts(rt: Runtime, sides: Sequence[Merged], base: str) -> tuple[object, ...]:
    identity = merge_identity(rt.settings.roles.merger, rt.settings.merge, rt.settings.edits)
    return identity, [side.content for side in sides], base


def merge_sides(rt: Runtime, sides: Sequence[Merged], base: str, name: str) -> Merged:
    """Unite the sides of one node of the merge tree. Without a model, equal groups become one and others stand."""
    if not rt.settings.asks_a_model:
        united = [stored(rt, "groups", side.content, Groups) for side in sides]
        return _keep_groups(rt, Groups.of([group for side in united for group in side.groups]))
    merged = merge(
        rt.door,
        rt.settings.roles.merger,
        skill_of(rt, base),
        [stored(rt, "groups", side.content, Groups) for side in sides],
        step=StepLabel("merge", name, unit=digest_of([side.content for side in sides])[:12]),
        settings=rt.settings.merge,
        policy=rt.settings.edits,
    )
    return _keep_groups(rt, merged)


def _keep_groups(rt: Runtime, groups: Groups) -> Merged:
    rt.store.put("groups", groups.digest, groups)
    return Merged(content=groups.digest, groups=len(groups.groups))


def groups_of(rt: Runtime, proposed: list[Proposed], base: str) -> Review:
    """The edit groups of all patches, equal ones united, and those that the screening keeps out."""
    groups: list[EditGroup] = []
    for item in proposed:
        groups += cut_into_groups(stored(rt, "patch", item.content, Patch), item.kind, weak=item.weak)
    return review(rt.store, skill_of(rt, base), Groups.of(groups).groups)


def keep_leaf(rt: Runtime, group: EditGroup) -> Merged:
    """Put one group into the store as a leaf of the merge tree."""
    return _keep_groups(rt, Groups.of([group]))


def _expects(seen: Foresight) -> list[Expected]:
    return [Expected(MERGE.asks[0], seen.merges())] if seen.rt.settings.asks_a_model else []


MERGE = RunStep(
    name="merge",
    version=2,
    parts=_parts,
    expects=_expects,
    do=merge_sides,
    gives=Merged,
    shown="merge: {name}",
    asks=(Asks("merge", "merger", (5_000, 800)),),
)
