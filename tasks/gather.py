"""Waiting for a mapped stage: every item ends before anything is decided, then the good ones are told from the bad.

A failed future is never handed to a plain call: there Prefect ends the flow *Completed* with result None.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture, as_completed

from trace2skill.failures import Failure, tolerate
from trace2skill.progress import ItemState, watcher

R = TypeVar("R")


@dataclass(frozen=True)
class Gathered(Generic[R]):
    """A stage's results, in the order of its items, and its failures."""

    results: list[R]
    failures: tuple[Failure, ...]


def gather(
    stage: str, futures: Sequence[PrefectFuture[R]], names: Sequence[str], max_failed_share: float
) -> Gathered[R]:
    """Wait for all futures of a stage, telling the watcher as each ends.

    Raises:
        StageFailed: more than `max_failed_share` of the items failed; names them.
    """
    if not futures:
        return Gathered(results=[], failures=())
    watch = watcher()
    watch.begin(stage, len(futures))
    name_of = {id(future): name for future, name in zip(futures, names, strict=True)}
    for future in as_completed(list(futures)):
        future.wait()  # settles the future's own state; without it `.state` asks the server, which lags behind
        watch.item(stage, name_of[id(future)], _in_a_word(future.state))
    results, failures = [], []
    for future, name in zip(futures, names, strict=True):
        if future.state.is_completed():
            results.append(future.result())
        else:
            failures.append(_failure(stage, name, future.state))
    tolerate(stage, len(futures), failures, max_failed_share)
    return Gathered(results=results, failures=tuple(failures))


def _in_a_word(state: State[Any]) -> ItemState:
    if state.is_completed():
        return "cached" if state.name == "Cached" else "done"
    return "skipped" if state.is_pending() else "failed"


def _failure(stage: str, name: str, state: State[Any]) -> Failure:
    if state.is_pending():
        return Failure(stage=stage, name=name, kind="skipped", message="the step before it failed")
    error = state.result(raise_on_failure=False)
    kind = type(error).__name__ if isinstance(error, BaseException) else state.name or "Failed"
    return Failure(stage=stage, name=name, kind=kind, message=str(error or state.message)[:500])
