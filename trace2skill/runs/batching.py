"""The calls of one-call stages in batches, before the stages come to them.

Each item of a stage is begun with a client that asks nobody: it says what it would ask first, and that ends the
attempt. The calls are answered in batches and kept under their keys; then the stage goes on as ever and finds its
answers in the store. So a batch changes no result, and what it leaves out is asked as if there were none. Whatever a
stage asks beyond its first call, such as once more for an answer that cannot be read, is asked singly.

Calls that are in a batch already are waited for with or without `--batch`, which only decides whether new ones go out.
"""

import copy
import logging
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from trace2skill.core import stopping
from trace2skill.core.budget import Budget
from trace2skill.core.errors import BadInput, InfrastructureFault, Interrupted, ModelUnusable
from trace2skill.core.progress import watcher
from trace2skill.core.step_label import StepLabel
from trace2skill.llm import Answer, Client, ModelSettings, Request
from trace2skill.llm.batch.provider import PROVIDERS, provider_of
from trace2skill.llm.batch.records import ProviderBatch
from trace2skill.llm.batch.sending import open_batches
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.steps.step import RunStep
from trace2skill.store import Store

log = logging.getLogger("trace2skill.batch")
"""Below the library's name, so that Prefect shows it with the run."""
PLAYERS = ("analyst", "merger")
"""Who is asked by stages of one call."""
Stage = tuple[RunStep[Any], Sequence[Any], tuple[object, ...]]
"""A step, its items, and what all of them are given besides."""


class WouldAsk(Exception):
    """What an item would ask first that the store cannot answer."""

    def __init__(self, request: Request, step: StepLabel) -> None:
        super().__init__(str(step))
        self.request, self.step = request, step


class AskingNobody(Client):
    """A client that knows what the store knows, and says of the rest that it would be asked."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, Budget(0.0), "")

    def complete(self, request: Request, *, step: StepLabel) -> Answer:
        """See `Client.complete`; raises WouldAsk instead of whatever asking may raise."""
        answer = self.known(request)
        if answer is None:
            raise WouldAsk(request, step)
        return answer

    def ended(self, request: Request, answer: Answer) -> None:
        """Nobody was asked, so that nobody waits for more."""

    def embed(self, *_: Any, **__: Any) -> NoReturn:
        """No stage of one call asks for vectors."""
        raise NotImplementedError


def goes_in_batches(rt: Runtime, step: RunStep[Any], items: Sequence[Any], *rest: object) -> list[bool]:
    """Of each item of a step: does its first call go in a batch, or is it in one?"""
    there = None if rt.settings.operation.batch else _under_way(rt)
    asking = _asking_nobody(rt) if there else rt

    def goes(item: Any) -> bool:
        if there is None:
            return True
        call = _first_call(asking, step, item, rest) if there else None
        return call is not None and call.request.key in there

    return [_may_go(step, item) and goes(item) for item in items]


def _may_go(step: RunStep[Any], item: Any) -> bool:
    return step.one_call is not None and step.one_call(item)


def _under_way(rt: Runtime) -> frozenset[str]:
    """The keys of calls that are in a batch which nobody has read yet."""
    return frozenset(call.key for batch in open_batches(rt.store) for call in batch.calls)


def check_batches(settings: RunSettings) -> None:
    """Refuse batches where no model that is asked by one-call stages can have any; say so where only some can.

    Raises:
        BadInput: none can.
    """
    asked = {role: getattr(settings.models, role) for role in PLAYERS if role in settings.roles_asked}
    if not settings.operation.batch or not asked:
        return
    without = {role: model for role, model in asked.items() if provider_of(model) is None}
    names = ", ".join(f"{role} {model.name}" for role, model in without.items())
    if len(without) == len(asked):
        raise BadInput(
            f"--batch: no calls of {names} can go in batches. LiteLLM makes batches that can be found again at "
            f"{', '.join(PROVIDERS)}: use a model of one of these, or leave --batch out"
        )
    if without:
        log.warning("calls of %s go singly, at the single price: their provider's batches cannot be used", names)


def answered_ahead(rt: Runtime, stages: Iterable[Stage]) -> None:
    """Have the first calls of all these items answered in batches, as far as their models' providers have any.

    Raises:
        Interrupted: the process is to stop; batches go on at their providers, and the run goes on with them.
        InfrastructureFault, ModelUnusable: a provider cannot be asked; batches that were sent go on likewise.
    """
    how, stages = rt.settings.operation, list(stages)
    there = None if how.batch else _under_way(rt)
    waiting = first_calls(rt, stages, there) if there is None or there else {}
    if not waiting:
        return
    name = "batch: " + ", ".join(dict.fromkeys(step.name for step, items, _ in stages if items))
    shown = _Shown(rt, name, len(waiting))
    words = _goes_on(rt)
    singly = not how.batch or how.batch_rest == "singly"
    with stopping.leaving(words):
        left = rt.client.ahead(waiting, how.batch_hours, shown, singly=singly, new=how.batch)
    shown.ended(left.answered)
    if left.why:
        reasons = ", ".join(f"{count} {why}" for why, count in _counted(left.why.values()))
        then = "asked singly, at the single price" if singly else "left out, and fail"
        log.warning("%s: %d of %d calls are %s: %s", name, len(left.why), len(waiting), then, reasons)


def _goes_on(rt: Runtime) -> str:
    return (
        f"batches go on at the provider: `trace2skill retry {rt.books}`, or the same command, goes on with them, and "
        "nothing is sent twice"
    )


def settle(rt: Runtime, *, wait: bool) -> None:
    """Book what the run has at providers, be it what its stages no longer ask for.

    As it begins, it looks what has ended since: its calls may need the money. Before it ends it waits for the rest; it
    has what it wanted then, so that a provider that cannot be asked does not fail it.

    Raises:
        Interrupted: the process is to stop.
    """
    own = [batch for batch in open_batches(rt.store) if batch.run_id == rt.books]
    if not own:
        return
    name, hours = "batch: left over", rt.settings.operation.batch_hours
    shown = _Shown(rt, name, sum(len(batch.calls) for batch in own)) if wait else None
    try:
        with stopping.leaving(_goes_on(rt)):
            rt.client.settle(hours, shown or (lambda *_: None), wait=wait)
    except (InfrastructureFault, ModelUnusable) as error:
        log.warning("%s: what they cost is held and not booked, until the run is retried: %s", name, error)
    if shown:
        shown.ended(0)


def first_calls(
    rt: Runtime, stages: Iterable[Stage], there: frozenset[str] | None = None
) -> dict[str, tuple[Request, StepLabel]]:
    """What items would ask first, by key: of those without a result, and of models whose provider takes batches.

    Where it is given what is `there`, of that alone.
    """
    asking, found = _asking_nobody(rt), dict[str, tuple[Request, StepLabel]]()
    takes: dict[str, bool] = {}

    def taken(model: ModelSettings) -> bool:
        return takes.setdefault(model.name, provider_of(model) is not None)

    for step, items, rest in stages:
        for item in items:
            call = _first_call(asking, step, item, rest) if _may_go(step, item) else None
            if call is not None and (taken(call.request.settings) if there is None else call.request.key in there):
                found.setdefault(call.request.key, (call.request, call.step))
    return found


def _first_call(asking: Runtime, step: RunStep[Any], item: Any, rest: tuple[object, ...]) -> WouldAsk | None:
    """What an item would ask first, with a client that asks nobody; None where it has a result or asks nothing."""
    stopping.check()
    if _has(asking, step, item, rest):
        return None
    try:
        step(asking, item, *rest)
    except WouldAsk as call:
        return call
    except Interrupted:
        raise
    except Exception as error:  # noqa: BLE001 - it will fail likewise in its stage, which says so
        log.debug("%s: %s", step.name, error)
    return None


def _asking_nobody(rt: Runtime) -> Runtime:
    """The run with another client."""
    asking = copy.copy(rt)
    asking.__dict__["client"] = AskingNobody(rt.store)
    return asking


def _has(rt: Runtime, step: RunStep[Any], item: Any, rest: tuple[object, ...]) -> bool:
    key = step.key(rt, item, *rest)
    return rt.store.get_result(key) is not None or rt.store.get("step", key, step.gives) is not None


def _counted(words: Iterable[str]) -> list[tuple[str, int]]:
    counts: dict[str, int] = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:3]


class _Shown:
    """Shows batches as a stage whose items are their calls."""

    def __init__(self, rt: Runtime, name: str, calls: int) -> None:
        self._name, self._calls, self._hours = name, calls, rt.settings.operation.batch_hours
        self._done = 0
        self._said: set[str] = set()
        self._watchers = [watcher(), *([rt.progress] if rt.progress else [])]
        for watching in self._watchers:
            watching.begin(name, calls)

    def __call__(self, batches: Sequence[ProviderBatch], done: int) -> None:
        for batch in batches:
            if batch.id not in self._said:
                self._said.add(batch.id)
                told = (self._name, batch.id, batch.model.name, len(batch.calls), self._hours)
                log.info("%s: %s at %s has %d calls, and at most %g h", *told)
        self._move(min(done, self._calls - 1))

    def ended(self, answered: int) -> None:
        """All batches are over."""
        self._move(answered)
        self._move(self._calls, failed=True)

    def _move(self, to: int, *, failed: bool = False) -> None:
        for _ in range(self._done, to):
            for watching in self._watchers:
                watching.item(self._name, "", "failed" if failed else "done")
        self._done = max(self._done, to)
