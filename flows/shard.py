"""Flow `shard`: a share of a stage's items, for runs over several workers and machines.

A run that has shards starts so many runs of this deployment, waits for them, and then goes through the whole stage
itself: what the shards did comes out of the shared store, and what a shard left undone it does on its own.
"""

from typing import Any, Literal

from prefect import Task, flow, task, unmapped
from prefect.deployments import run_deployment

from tasks.deployed import deployment_name
from tasks.gather import gather
from tasks.hooks import flow_run_id
from tasks.runner import mapped, sized
from tasks.steps import task_of
from trace2skill.core.errors import InfrastructureFault
from trace2skill.runs import shards as run
from trace2skill.runs.runtime import runtime
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.steps.extract import EXTRACT
from trace2skill.runs.steps.rollout import ROLLOUT
from trace2skill.types.references import AnalysisJob, RolloutJob

DEPLOYMENT = "shard"
Stage = Literal["rollout", "extract"]


@flow(name="shard", persist_result=False, flow_run_name="{stage} shard of {parent}")
def shard(settings: RunSettings, stage: Stage, batch: str, parent: str) -> int:
    """Do one share of a stage; returns how many items have a result. Items are named by `batch` in the store."""
    rt = runtime(settings)
    rt.begin("run")
    return sized(do, settings)(settings, stage, run.load(rt, batch))


@flow(name="shard-items", persist_result=False, flow_run_name="{stage}", validate_parameters=False)
def do(settings: RunSettings, stage: Stage, items: list[Any]) -> int:
    """The items of a share, one mapped run each. What fails is the parent's to report."""
    rt = runtime(settings)
    step: Task[..., Any] = task_of(ROLLOUT if stage == "rollout" else EXTRACT)
    futures = mapped(step, settings, items)
    return len(gather(rt, stage, futures, [item.name for item in items], tolerated=1.0).results)


@task(task_run_name="{stage} shard {number} of {of}")
def start_shard(settings: RunSettings, stage: Stage, batch: str, parent: str, number: int, of: int) -> str:
    """Start one run of the shard deployment and wait for its end; returns the flow run's id.

    Raises:
        InfrastructureFault: it did not complete. The run that started it does its items.
    """
    del number, of
    parameters = {"settings": settings.model_dump(mode="json"), "stage": stage, "batch": batch, "parent": parent}
    done: Any = run_deployment(
        deployment_name(DEPLOYMENT),
        parameters=parameters,
        timeout=None,
        idempotency_key=f"{flow_run_id()} {stage} {batch}",
    )
    if not done.state.is_completed():
        raise InfrastructureFault(f"the shard's flow run {done.id} ended as {done.state.name}: {done.state.message}")
    return str(done.id)


@flow(
    name="shards",
    persist_result=False,
    flow_run_name="{stage} in {settings.operation.shards} shards",
    validate_parameters=False,
)
def in_shards(settings: RunSettings, stage: Stage, items: list[RolloutJob] | list[AnalysisJob]) -> list[str]:
    """Spread the items of a stage over shards and wait for all of them."""
    rt = runtime(settings)
    batches = run.save(rt, items)
    numbers = list(range(1, len(batches) + 1))
    started = start_shard.map(
        unmapped(run.settings_of(rt.as_read)),
        unmapped(stage),
        batches,
        unmapped(rt.run_id),
        numbers,
        unmapped(len(batches)),
    )
    return gather(rt, f"{stage} shards", started, [str(number) for number in numbers], tolerated=1.0).results
