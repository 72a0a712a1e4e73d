"""A stage spread over several processes: its items cut into batches that are named by what they hold."""

from collections.abc import Sequence

from trace2skill.core.digest import digest_of
from trace2skill.core.errors import BadInput
from trace2skill.core.record import Record
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.settings import RunSettings
from trace2skill.types.references import AnalysisJob, RolloutJob


class Batch(Record, form="Batch", version=1):
    """The items of one shard: rollouts to do, or trajectories to analyse."""

    items: tuple[RolloutJob | AnalysisJob, ...]


def save(rt: Runtime, items: Sequence[RolloutJob | AnalysisJob]) -> list[str]:
    """Deal the items out, one by one in turn, to as many batches as there are shards; returns the batches' ids.

    Raises:
        BadInput: the store is a DuckDB file, which only one process can have open.
    """
    if rt.store.embedded:
        raise BadInput(
            f"{rt.settings.operation.shards} shards need a store that several processes share, and {rt.store.path} is "
            "a DuckDB file: give --store postgresql://..., or one shard"
        )
    count = min(rt.settings.operation.shards, len(items))
    ids = []
    for number in range(count):
        batch = Batch(items=tuple(items[number::count]))
        ids.append(digest_of("batch 1", batch.model_dump(mode="json")))
        rt.store.put("batch", ids[-1], batch)
    return ids


def load(rt: Runtime, batch: str) -> list[RolloutJob | AnalysisJob]:
    """The items of a batch.

    Raises:
        BadInput: the store has no such batch.
    """
    found = rt.store.get("batch", batch, Batch)
    if found is None:
        raise BadInput(f"the store {rt.store.path} has no batch {batch[:12]}: is it the store of the run it is of?")
    return list(found.items)


def settings_of(settings: RunSettings) -> RunSettings:
    """The settings of a shard: those of the run, without further shards."""
    return settings.changed(shards=1)
