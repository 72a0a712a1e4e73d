"""Flow `distill`: trajectories to lessons to patches to rules, and the rules to one book."""

from collections.abc import Sequence

from prefect import flow
from prefect.futures import PrefectFuture

from flows.shard import in_shards
from tasks.gather import Gathered, gather
from tasks.reading import MappedRunner
from tasks.runner import mapped, mapped_after, sized
from tasks.steps import task_of
from trace2skill.runs.batching import answered_ahead, goes_in_batches
from trace2skill.runs.consolidation import Cutting, united
from trace2skill.runs.distill import Distilled, choose_for_analysis, choose_pairs, with_lessons
from trace2skill.runs.runtime import runtime
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.steps.contrast import CONTRAST
from trace2skill.runs.steps.extract import EXTRACT
from trace2skill.runs.steps.propose import PROPOSE
from trace2skill.types.references import Extracted, Rolled


@flow(
    name="distill",
    persist_result=False,
    flow_run_name="distill {settings.learning.analysts}",
    validate_parameters=False,
)
def distill(
    settings: RunSettings,
    rolled: list[Rolled],
    base: str,
    observed: Sequence[Extracted] = (),
    before: Distilled | None = None,
    tried: str = "",
) -> Distilled:
    """One analyst per trajectory, one patch per analysis with lessons, and one book of all their rules.

    `observed` is what was drawn from imported trajectories: it goes the same way. In a later round, `before` is what
    the round before came to, whose rules stay in the book, and `tried` the candidate that these trajectories had.
    """
    rt = runtime(settings)
    analysed, runs = analyse(settings, rolled)
    analyses = [*analysed.results, *observed]
    taught = with_lessons(analyses)
    answered_ahead(rt, [(PROPOSE, taught, (tried or base,))])
    led_to = [(item, runs.get(item.name)) for item in taught]
    patches = mapped_after(task_of(PROPOSE), settings, led_to, tried or base)
    cutting = Cutting(rt, base)
    proposed = gather(rt, PROPOSE.name, patches, [item.name for item in taught], each=cutting.take)
    failures = (*analysed.failures, *proposed.failures)
    every = [*(before.analysed if before else ()), *analyses]
    patched = [*(before.proposed if before else ()), *proposed.results]
    return united(rt, base, every, patched, MappedRunner(settings), failures, cutting)


def analyse(
    settings: RunSettings, rolled: list[Rolled]
) -> tuple[Gathered[Extracted], dict[str, PrefectFuture[Extracted]]]:
    """One analyst per trajectory, and one per pair where pairs are asked for; and the run of each by its name."""
    chosen = choose_for_analysis(rolled, settings.learning.analysts, settings.learning.error_analyst)
    rt = runtime(settings)
    pairs = choose_pairs(rolled, settings.learning.analysts)
    batched = goes_in_batches(rt, EXTRACT, chosen)
    later = [job for job, goes in zip(chosen, batched, strict=True) if goes]
    first = [job for job, goes in zip(chosen, batched, strict=True) if not goes]
    if settings.operation.shards > 1:
        sized(in_shards, settings)(settings, "extract", first)
    begun = dict(zip(map(id, first), mapped(task_of(EXTRACT), settings, first), strict=True))
    answered_ahead(rt, [(EXTRACT, later, ()), (CONTRAST, pairs, ())])  # those that ask more than once are at it
    begun |= dict(zip(map(id, later), mapped(task_of(EXTRACT), settings, later), strict=True))
    extracts = [begun[id(job)] for job in chosen]
    contrasts = mapped(task_of(CONTRAST), settings, pairs)
    analysed = gather(rt, EXTRACT.name, extracts, [item.name for item in chosen])
    compared = gather(rt, CONTRAST.name, contrasts, [item.name for item in pairs])
    runs = {run.result().name: run for run in (*extracts, *contrasts) if run.state.is_completed()}
    every = Gathered(results=[*analysed.results, *compared.results], failures=(*analysed.failures, *compared.failures))
    return every, runs
