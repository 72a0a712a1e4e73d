"""The mapped tasks: one per step, thin. They take ids and settings, never bodies.

A task's cache key is the step's own key, made by the library. Only what can pass is retried; what a retry cannot mend
fails at once.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from prefect import Task, task
from prefect.cache_policies import CachePolicy
from prefect.client.schemas.objects import State, TaskRun
from prefect.context import TaskRunContext
from prefect.tasks import exponential_backoff

from tasks.serializer import FormSerializer
from trace2skill.baselines.bank import BankSettings
from trace2skill.baselines.rewrite import Rewritten
from trace2skill.consolidate.candidate import Candidate
from trace2skill.core.errors import InfrastructureFault, StoreUnavailable, Unanswered
from trace2skill.core.noun import Noun
from trace2skill.domains.base import Audit
from trace2skill.llm import ModelSettings
from trace2skill.runs.runtime import runtime
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.steps import baselines as baseline_steps
from trace2skill.runs.steps import learning as steps
from trace2skill.runs.steps.baselines import Banked, Embedded
from trace2skill.types.references import Extracted, Merged, Pair, Proposed, Rolled, RolloutJob

Inputs = dict[str, Any]
N = TypeVar("N", bound=Noun)


def keyed(key: Callable[[Inputs], str]) -> CachePolicy:
    """A cache policy by a key that the library makes of a task's inputs."""

    def compute(_: TaskRunContext, inputs: Inputs) -> str:
        return key(inputs)

    return CachePolicy.from_cache_key_fn(compute)


def _can_pass(_: Task[..., Any], __: TaskRun, state: State[Any]) -> bool:
    """Is the failure one that a second try may not meet?"""
    result = state.result(raise_on_failure=False)
    return isinstance(result, (InfrastructureFault, StoreUnavailable)) and not isinstance(result, Unanswered)


def once(settings: RunSettings, key: str, cls: type[N], step: Callable[[], N]) -> N:
    """The step's result, made once for a key although several runs share the store and come to it at the same time.

    An embedded store belongs to one process, whose tasks have keys of their own: there is nobody to wait for.
    """
    store = runtime(settings).store
    if store.embedded:
        return step()
    with store.alone(key):
        found = store.get("step", key, cls)
        if found is None:
            found = step()
            store.put("step", key, found)
        return found


KEPT: dict[str, Any] = {"persist_result": True, "result_serializer": FormSerializer()}
AGAIN: dict[str, Any] = {
    "retries": 2,
    "retry_delay_seconds": exponential_backoff(backoff_factor=2),
    "retry_jitter_factor": 0.5,
    "retry_condition_fn": _can_pass,
}


@task(
    task_run_name="audit: {task_id}",
    cache_policy=keyed(lambda i: steps.audit_key(runtime(i["settings"]), i["task_id"])),
    **KEPT,
)
def audit(settings: RunSettings, task_id: str) -> Audit:
    """Can this task teach anything?"""
    rt = runtime(settings)
    return once(settings, steps.audit_key(rt, task_id), Audit, lambda: steps.audit(rt, task_id))


@task(
    task_run_name="draft S0",
    cache_policy=keyed(lambda i: steps.draft_key(runtime(i["settings"]))),
    **KEPT,
    **AGAIN,
)
def draft(settings: RunSettings) -> str:
    """Draft S0 from the domain's description; returns its digest."""
    return steps.draft(runtime(settings))


@task(
    task_run_name="rollout: {job.name}",
    cache_policy=keyed(lambda i: steps.rollout_key(runtime(i["settings"]), i["job"])),
    **KEPT,
    **AGAIN,
)
def rollout(settings: RunSettings, job: RolloutJob) -> Rolled:
    """Let the agent work on one task and score what it leaves."""
    rt = runtime(settings)
    return once(settings, steps.rollout_key(rt, job), Rolled, lambda: steps.rollout(rt, job))


@task(
    task_run_name="extract: {rolled.name}",
    cache_policy=keyed(lambda i: steps.extract_key(runtime(i["settings"]), i["rolled"])),
    **KEPT,
    **AGAIN,
)
def extract(settings: RunSettings, rolled: Rolled) -> Extracted:
    """Draw lessons from one trajectory."""
    rt = runtime(settings)
    return once(settings, steps.extract_key(rt, rolled), Extracted, lambda: steps.extract(rt, rolled))


@task(
    task_run_name="contrast: {pair.name}",
    cache_policy=keyed(lambda i: steps.contrast_key(runtime(i["settings"]), i["pair"])),
    **KEPT,
    **AGAIN,
)
def contrast(settings: RunSettings, pair: Pair) -> Extracted:
    """Draw lessons from a pass and a failure of the same task."""
    rt = runtime(settings)
    return once(settings, steps.contrast_key(rt, pair), Extracted, lambda: steps.contrast(rt, pair))


@task(
    task_run_name="propose: {extracted.name}",
    cache_policy=keyed(lambda i: steps.propose_key(runtime(i["settings"]), i["extracted"], i["base"])),
    **KEPT,
    **AGAIN,
)
def propose(settings: RunSettings, extracted: Extracted, base: str) -> Proposed:
    """Write the lessons of one trajectory into a patch of S0."""
    rt = runtime(settings)
    key = steps.propose_key(rt, extracted, base)
    return once(settings, key, Proposed, lambda: steps.propose_patch(rt, extracted, base))


@task(
    task_run_name="merge: {name}",
    cache_policy=keyed(lambda i: steps.merge_key(runtime(i["settings"]), i["sides"], i["base"])),
    **KEPT,
    **AGAIN,
)
def merge(settings: RunSettings, sides: list[Merged], base: str, name: str) -> Merged:
    """Unite the sides of one node of the merge tree."""
    rt = runtime(settings)
    return once(settings, steps.merge_key(rt, sides, base), Merged, lambda: steps.merge_sides(rt, sides, base, name))


@task(
    task_run_name="apply",
    cache_policy=keyed(lambda i: steps.candidate_key(runtime(i["settings"]), i["root"], i["base"], i["tasks"])),
    **KEPT,
)
def apply(settings: RunSettings, root: Merged, base: str, tasks: int) -> Candidate:
    """Apply the root of the merge tree to S0."""
    rt = runtime(settings)
    key = steps.candidate_key(rt, root, base, tasks)
    return once(settings, key, Candidate, lambda: steps.candidate(rt, root, base, tasks))


@task(
    task_run_name="embed: {extracted.name}",
    cache_policy=keyed(lambda i: baseline_steps.embed_key(runtime(i["settings"]), i["extracted"], i["model"])),
    **KEPT,
    **AGAIN,
)
def embed(settings: RunSettings, extracted: Extracted, model: ModelSettings) -> Embedded:
    """Embed the lessons of one extraction."""
    rt = runtime(settings)
    key = baseline_steps.embed_key(rt, extracted, model)
    return once(settings, key, Embedded, lambda: baseline_steps.embed(rt, extracted, model))


@task(
    task_run_name="bank",
    cache_policy=keyed(
        lambda i: baseline_steps.bank_key(runtime(i["settings"]), i["analysed"], i["embedded"], i["how"])
    ),
    **KEPT,
)
def bank(settings: RunSettings, analysed: list[Extracted], embedded: list[Embedded], how: BankSettings) -> Banked:
    """Put the lessons of all analyses into a bank."""
    rt = runtime(settings)
    key = baseline_steps.bank_key(rt, analysed, embedded, how)
    return once(settings, key, Banked, lambda: baseline_steps.bank(rt, analysed, embedded, how))


@task(
    task_run_name="rewrite",
    cache_policy=keyed(lambda i: baseline_steps.rewrite_key(runtime(i["settings"]), i["analysed"], i["base"])),
    **KEPT,
    **AGAIN,
)
def rewrite(settings: RunSettings, analysed: list[Extracted], base: str) -> Rewritten:
    """Have one call write S0 anew from all lessons."""
    rt = runtime(settings)
    key = baseline_steps.rewrite_key(rt, analysed, base)
    return once(settings, key, Rewritten, lambda: baseline_steps.rewrite_skill(rt, analysed, base))


@task(
    task_run_name="pad",
    cache_policy=keyed(lambda i: baseline_steps.pad_key(i["base"], i["like"])),
    **KEPT,
)
def pad(settings: RunSettings, base: str, like: str) -> Rewritten:
    """Pad S0 to the length of another skill."""
    rt = runtime(settings)
    key = baseline_steps.pad_key(base, like)
    return once(settings, key, Rewritten, lambda: baseline_steps.pad(rt, base, like))
