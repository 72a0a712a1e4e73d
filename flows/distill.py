"""Flow `distill`: trajectories to lessons to patches to one merged set of edit groups."""

from collections.abc import Sequence

from prefect import flow, unmapped
from prefect.futures import PrefectFuture

from flows.shard import in_shards
from tasks.gather import Gathered, gather
from tasks.runner import sized, timed
from tasks.steps import task_of
from trace2skill.consolidate import EditGroup
from trace2skill.runs.distill import Distilled, choose_for_analysis, choose_pairs, quarantined_of, with_lessons
from trace2skill.runs.runtime import runtime
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.steps.contrast import CONTRAST
from trace2skill.runs.steps.extract import EXTRACT
from trace2skill.runs.steps.merge import MERGE, climb, groups_of, keep_tree
from trace2skill.runs.steps.propose import PROPOSE
from trace2skill.types.references import Extracted, Merged, Rolled


@flow(
    name="distill",
    persist_result=False,
    flow_run_name="distill {settings.learning.analysts}",
    validate_parameters=False,
)
def distill(settings: RunSettings, rolled: list[Rolled], base: str, observed: Sequence[Extracted] = ()) -> Distilled:
    """One analyst per trajectory, one patch per analysis with lessons, merged in pairs along the tree.

    `observed` is what was drawn from imported trajectories: it goes the same way.
    """
    return learn_from(settings, rolled, base, observed)


def learn_from(settings: RunSettings, rolled: list[Rolled], base: str, observed: Sequence[Extracted] = ()) -> Distilled:
    """The stages of a distillation."""
    rt = runtime(settings)
    analysed = analyse(settings, rolled)
    analyses = [*analysed.results, *observed]
    taught = with_lessons(analyses)
    patches = timed(task_of(PROPOSE), settings).map(unmapped(settings), taught, unmapped(base))
    proposed = gather(rt, PROPOSE.name, patches, [item.name for item in taught])
    looked = groups_of(rt, proposed.results, base)
    leaves, root, tree = merge_all(settings, list(looked.kept), base)
    return Distilled(
        base=base,
        analysed=tuple(analyses),
        proposed=tuple(proposed.results),
        leaves=leaves,
        root=root,
        tree=tree,
        quarantined=quarantined_of(proposed.results, looked),
        failures=(*analysed.failures, *proposed.failures),
    )


def analyse(settings: RunSettings, rolled: list[Rolled]) -> Gathered[Extracted]:
    """One analyst per trajectory, and one per pair where pairs are asked for."""
    chosen = choose_for_analysis(rolled, settings.learning.analysts, settings.learning.error_analyst)
    rt = runtime(settings)
    if settings.operation.shards > 1:
        sized(in_shards, settings)(settings, "extract", chosen)
    extracts = timed(task_of(EXTRACT), settings).map(unmapped(settings), chosen)
    pairs = choose_pairs(rolled, settings.learning.analysts)
    contrasts = timed(task_of(CONTRAST), settings).map(unmapped(settings), pairs)
    analysed = gather(rt, EXTRACT.name, extracts, [item.name for item in chosen])
    compared = gather(rt, CONTRAST.name, contrasts, [item.name for item in pairs])
    return Gathered(results=[*analysed.results, *compared.results], failures=(*analysed.failures, *compared.failures))


def merge_all(settings: RunSettings, groups: list[EditGroup], base: str) -> tuple[int, Merged | None, str]:
    """Submit the whole merge tree up front: every merge starts when its two inputs exist, with no level barrier.

    A merge that fails leaves the rest to finish; then the stage fails, since a root without it would lose lessons.
    Returns the number of leaves, the root, and the digest of the tree.
    """
    rt = runtime(settings)
    one_merge = timed(task_of(MERGE), settings)
    nodes, merges = climb(rt, groups, lambda sides, name: one_merge.submit(settings, sides, base, name))
    leaves: list[Merged] = nodes[: len(groups)]
    futures: list[PrefectFuture[Merged]] = nodes[len(groups) :]
    names = [f"{number} of {len(futures)}" for number in range(1, len(futures) + 1)]
    every = [*leaves, *gather(rt, MERGE.name, futures, names, tolerated=0.0).results]
    return len(leaves), every[-1] if every else None, keep_tree(rt, every, merges)
