"""Flow `distill`: trajectories to lessons to patches to one merged set of edit groups."""

from collections.abc import Sequence
from typing import Any

from prefect import flow, unmapped
from prefect.futures import PrefectFuture

from flows.shard import in_shards
from tasks.gather import Gathered, gather
from tasks.runner import sized, timed
from tasks.steps import task_of
from trace2skill.consolidate import EditGroup, plan_merges
from trace2skill.runs.distill import Distilled, choose_for_analysis, choose_pairs, quarantined_of, with_lessons
from trace2skill.runs.runtime import runtime
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.steps.contrast import CONTRAST
from trace2skill.runs.steps.extract import EXTRACT
from trace2skill.runs.steps.merge import MERGE, groups_of, keep_leaf
from trace2skill.runs.steps.propose import PROPOSE
from trace2skill.types.references import Extracted, Merged, Rolled


@flow(name="distill", flow_run_name="distill {settings.analysts}", validate_parameters=False)
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
    proposed = gather(rt, "propose", patches, [item.name for item in taught])
    looked = groups_of(rt, proposed.results, base)
    leaves, root = merge_all(settings, list(looked.kept), base)
    return Distilled(
        base=base,
        analysed=tuple(analyses),
        proposed=tuple(proposed.results),
        leaves=leaves,
        root=root,
        quarantined=quarantined_of(proposed.results, looked),
        failures=(*analysed.failures, *proposed.failures),
    )


def analyse(settings: RunSettings, rolled: list[Rolled]) -> Gathered[Extracted]:
    """One analyst per trajectory, and one per pair where pairs are asked for."""
    chosen = choose_for_analysis(rolled, settings.analysts, settings.error_analyst)
    rt = runtime(settings)
    if settings.shards > 1:
        sized(in_shards, settings)(settings, "extract", chosen)
    extracts = timed(task_of(EXTRACT), settings).map(unmapped(settings), chosen)
    pairs = choose_pairs(rolled, settings.analysts)
    contrasts = timed(task_of(CONTRAST), settings).map(unmapped(settings), pairs)
    analysed = gather(rt, "extract", extracts, [item.name for item in chosen])
    compared = gather(rt, "contrast", contrasts, [item.name for item in pairs])
    return Gathered(results=[*analysed.results, *compared.results], failures=(*analysed.failures, *compared.failures))


def merge_all(settings: RunSettings, groups: list[EditGroup], base: str) -> tuple[int, Merged | None]:
    """Submit the whole merge tree up front: every merge starts when its two inputs exist, with no level barrier.

    A merge that fails leaves the rest to finish; then the stage fails, since a root without it would lose lessons.
    """
    rt = runtime(settings)
    plan = plan_merges(groups, settings.merge.fan_in)
    nodes: list[Any] = [keep_leaf(rt, group) for group in plan.leaves]
    futures: list[PrefectFuture[Merged]] = []
    one_merge = timed(task_of(MERGE), settings)
    for number, inputs in enumerate(plan.merges, start=1):
        name = f"{number} of {len(plan.merges)}"
        futures.append(one_merge.submit(settings, [nodes[i] for i in inputs], base, name))
        nodes.append(futures[-1])
    names = [f"{number} of {len(futures)}" for number in range(1, len(futures) + 1)]
    merged = gather(rt, "merge", futures, names, tolerated=0.0).results
    if merged:
        return len(plan.leaves), merged[-1]
    return len(plan.leaves), keep_leaf(rt, plan.leaves[0]) if plan.leaves else None
