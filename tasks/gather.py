"""Waiting for a mapped stage: every item ends before anything is decided, then the good ones are told from the bad.

A failed future is never handed to a plain call: there Prefect ends the flow *Completed* with result None.
"""

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture, as_completed

from tasks.artifacts import StageArtifact
from tasks.events import tell
from trace2skill.core.errors import BudgetReached, Trace2SkillError
from trace2skill.core.failures import Failure, tolerate
from trace2skill.core.progress import ItemState, watcher
from trace2skill.runs.runtime import Runtime

R = TypeVar("R")


@dataclass(frozen=True)
class Gathered(Generic[R]):
    """A stage's results, in the order of its items, and its failures."""

    results: list[R]
    failures: tuple[Failure, ...]


def gather(
    rt: Runtime | None,
    stage: str,
    futures: Sequence[PrefectFuture[R]],
    names: Sequence[str],
    tolerated: float | None = None,
    each: Callable[[R], object] | None = None,
) -> Gathered[R]:
    """Wait for all futures of a stage, telling whoever watches as each ends.

    Args:
        rt: the run; None for a flow without one, which then says what is tolerated.
        stage: the stage's name.
        futures: one for each item.
        names: what the items are called.
        tolerated: share of the items that may fail; what the settings say of the stage unless given.
        each: is given each result as it comes, in no fixed order.

    Raises:
        StageFailed: more items failed than are tolerated; names them.
    """
    if not futures:
        return Gathered(results=[], failures=())
    watchers = [watcher(), *([rt.progress] if rt and rt.progress else [])]
    for watching in watchers:
        watching.begin(stage, len(futures))
    name_of = {id(future): name for future, name in zip(futures, names, strict=True)}
    with StageArtifact(stage, len(futures), rt.settings.skill_name if rt else "") as shown:
        for future in as_completed(list(futures)):
            future.wait()  # settles the future's own state; without it `.state` asks the server, which lags behind
            for watching in watchers:
                watching.item(stage, name_of[id(future)], _in_a_word(future.state))
            shown.item()
            if each is not None and future.state.is_completed():
                each(future.result())
    results, failures = [], []
    for future, name in zip(futures, names, strict=True):
        if future.state.is_completed():
            results.append(future.result())
        else:
            failures.append(_failure(stage, name, future.state, len(futures)))
    if failures and rt:
        _report(rt, failures)
    share = rt.settings.tolerated(stage) if rt and tolerated is None else tolerated
    tolerate(failures, share or 0.0)
    return Gathered(results=results, failures=tuple(failures))


def _report(rt: Runtime, failures: Sequence[Failure]) -> None:
    if rt.progress:
        rt.progress.failed(failures)
    if any(failure.kind == BudgetReached.__name__ for failure in failures):
        skill = rt.given_skill.name if rt.given_skill else "new"
        tell("budget.reached", skill, {"run": rt.run_id, "cap": rt.settings.money.max_cost or 0.0})


def _in_a_word(state: State[Any]) -> ItemState:
    if state.is_completed():
        return "cached" if state.name == "Cached" else "done"
    return "skipped" if state.is_pending() else "failed"


def _failure(stage: str, name: str, state: State[Any], of: int) -> Failure:
    if state.is_pending():
        return Failure(stage=stage, name=name, kind="skipped", message="the step before it failed", of=of)
    error = state.result(raise_on_failure=False)
    kind = type(error).__name__ if isinstance(error, BaseException) else state.name or "Failed"
    message = _with_its_place(error) if isinstance(error, BaseException) else str(state.message)
    return Failure(stage=stage, name=name, kind=kind, message=message[:500], of=of)


def _with_its_place(error: BaseException) -> str:
    """The message of an error; one that nobody foresaw says besides what it is and where it was raised."""
    if isinstance(error, Trace2SkillError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    place = f" (in {Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{place}"
