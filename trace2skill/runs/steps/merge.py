"""Step `merge`: the patches of all trajectories become one set of edit groups, along the merge tree."""

from collections.abc import Callable, Sequence
from typing import Any

from trace2skill.consolidate import EditGroup, Groups, cut_into_groups, merge, plan_merges
from trace2skill.consolidate.merge import merge_identity
from trace2skill.consolidate.quarantine import Review, review
from trace2skill.core.digest import digest_of
from trace2skill.core.step_label import StepLabel
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.steps.asks import Asks, Expected
from trace2skill.runs.steps.foresight import Foresight
from trace2skill.runs.steps.step import RunStep
from trace2skill.runs.steps.stored import skill_of, stored
from trace2skill.types.patch import Patch
from trace2skill.types.references import Merged, MergeTree, Proposed


def _parts(rt: Runtime, sides: Sequence[Merged], base: str) -> tuple[object, ...]:
    identity = merge_identity(rt.settings.models.merger, rt.settings.learning.merge, rt.settings.learning.edits)
    return identity, [side.content for side in sides], base


def merge_sides(rt: Runtime, sides: Sequence[Merged], base: str, name: str) -> Merged:
    """Unite the sides of one node of the merge tree. Without a model, equal groups become one and others stand."""
    if "merger" not in rt.settings.roles_asked:
        united = [stored(rt, "groups", side.content, Groups) for side in sides]
        return _keep_groups(rt, Groups.of([group for side in united for group in side.groups]))
    merged = merge(
        rt.client,
        rt.settings.models.merger,
        skill_of(rt, base),
        [stored(rt, "groups", side.content, Groups) for side in sides],
        step=StepLabel("merge", name, unit=digest_of([side.content for side in sides])[:12]),
        settings=rt.settings.learning.merge,
        policy=rt.settings.learning.edits,
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


def climb(
    rt: Runtime, groups: Sequence[EditGroup], one_merge: Callable[[list[Any], str], Any]
) -> tuple[list[Any], tuple[tuple[int, ...], ...]]:
    """Lay the groups out as leaves and start every merge of the tree, those nearest to the leaves first.

    Args:
        rt: the run.
        groups: the leaves; none gives no node.
        one_merge: starts a merge of nodes, with its name; returns its result or a future of it.

    Returns:
        the nodes, leaves first and the root last, and of each merge the numbers of the nodes that it unites.
    """
    plan = plan_merges(groups, rt.settings.learning.merge.fan_in)
    nodes: list[Any] = [keep_leaf(rt, group) for group in plan.leaves]
    for number, inputs in enumerate(plan.merges, start=1):
        nodes.append(one_merge([nodes[i] for i in inputs], f"{number} of {len(plan.merges)}"))
    return nodes, plan.merges


def keep_tree(rt: Runtime, nodes: Sequence[Merged], merges: Sequence[tuple[int, ...]]) -> str:
    """Put the tree as it came out into the store, for the report; returns its digest, '' for no tree."""
    tree = MergeTree(nodes=tuple(nodes), merges=tuple(merges))
    if not nodes:
        return ""
    rt.store.put("tree", tree.digest, tree)
    return tree.digest


def merged_one_by_one(rt: Runtime, groups: Sequence[EditGroup], base: str) -> tuple[list[Merged], str]:
    """The tree in this thread, without Prefect: its nodes, leaves first and the root last, and its digest."""
    nodes, merges = climb(rt, groups, lambda sides, name: MERGE(rt, sides, base, name))
    return nodes, keep_tree(rt, nodes, merges)


def _expects(seen: Foresight) -> list[Expected]:
    return [Expected(MERGE.asks[0], seen.merges())] if "merger" in seen.rt.settings.roles_asked else []


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
