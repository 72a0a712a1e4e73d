"""The mapped task of an ingestion: one trajectory of a log each."""

from typing import Any

from prefect import task
from prefect.cache_policies import CachePolicy
from prefect.context import TaskRunContext

from trace2skill import ingest as steps
from trace2skill.ingest import IngestSettings, Mined, Taken


def _key(_: TaskRunContext, inputs: dict[str, Any]) -> str:
    return steps.mine_key(inputs["item"])


@task(
    task_run_name="mine: {item.id}",
    cache_policy=CachePolicy.from_cache_key_fn(_key),
    persist_result=True,
    result_serializer="json",
)
def mine(settings: IngestSettings, item: Taken) -> Mined:
    """Draw lessons from one trajectory by rules."""
    return steps.mine_taken(settings, item)
