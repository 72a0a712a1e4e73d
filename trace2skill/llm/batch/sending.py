"""Sending a batch once, however often the process dies: what is to be sent is written down first, under a name.

Whoever finds a batch that was intended and not known to be sent asks the provider for one of that name before anything
else. A batch that was sent is never sent again.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from uuid import uuid4

from trace2skill.core import clock, stopping
from trace2skill.core.budget import Budget
from trace2skill.core.errors import BudgetReached, ModelUnusable
from trace2skill.core.step_label import StepLabel
from trace2skill.llm.batch.lines import line_of
from trace2skill.llm.batch.provider import BatchApi
from trace2skill.llm.batch.records import BatchedCall, ProviderBatch
from trace2skill.llm.failures import CallFailed, can_pass
from trace2skill.llm.request import Request
from trace2skill.llm.settings import ModelSettings
from trace2skill.store import LedgerRow, RecordKind, Store

log = logging.getLogger(__name__)
KIND: RecordKind = "provider batch"
Waiting = Mapping[str, tuple[Request, StepLabel]]
"""Requests by their keys, each with the step that asks."""
Row = tuple[str, str | None, LedgerRow]
"""What came of a call: its key, its answer as it is kept, and its row in the ledger."""
MOST_CALLS, MOST_BYTES = 50_000, 100_000_000
"""Of one batch: what the strictest provider takes, and half of it."""
SETTLE_SECONDS = (0.0, 2.0, 8.0)
"""When to ask for a batch that may just have been sent: it can be on its way still when its sender has died."""


def open_batches(store: Store) -> list[ProviderBatch]:
    """The batches of any run that are not settled. Raises as `Store.get`."""
    return [batch for _, batch in store.entries(KIND, ProviderBatch) if batch.state != "settled"]


def count_open(store: Store, budget: Budget) -> None:
    """Hold the money of batches that earlier processes have left at providers: it is on nobody's books but theirs."""
    for batch in open_batches(store):
        if not budget.attended(batch.name):  # who is about to send it holds as much of it as fits
            budget.hold_anyway(batch.name, batch.bound, batch.run_id)


class Sender:
    """Sends batches of one run, and takes up what earlier processes have begun. Whose money it holds, it attends to."""

    def __init__(self, store: Store, budget: Budget, run_id: str) -> None:
        self._store, self._budget, self._run_id = store, budget, run_id
        self._who, self._attended = uuid4().hex, set[str]()

    def under_way(self, waiting: Waiting, *, new: bool = True) -> list[ProviderBatch]:
        """Batches with these calls: those that were sent before, and new ones, as far as caps and provider let.

        Two processes that share a store come here one after the other, so that no call is in two batches. Whoever
        waits for money waits outside of this turn: it may be held for a batch that only the next one here takes up.

        Args:
            waiting: the calls.
            new: may a batch be sent? Else calls that are in none are left out.

        Raises:
            InfrastructureFault, ModelUnusable: the provider cannot be asked, as `transport.persistently`.
            BadInput: no request can be made.
        """
        while True:
            with self._store.alone(KIND):
                sent, short = self._begun(waiting, new)
            if sent or short is None:
                return sent
            try:
                self._budget.room(short)
            except BudgetReached as error:
                log.warning("no batch is sent: %s", error)
                return []

    def own(self) -> list[ProviderBatch]:
        """The batches that this run has at providers. Raises as `under_way`."""
        if not self._left_open():
            return []
        with self._store.alone(KIND):
            return [batch for batch in map(self._taken_up, self._left_open()) if batch is not None]

    def leave(self) -> None:
        """Nobody waits any more here for what was sent or taken up."""
        for name in self._attended:
            self._budget.leave(name, self._who)
        self._attended.clear()

    def settle(self, batch: ProviderBatch, cost: float = 0.0, came: Iterable[Row] = ()) -> None:
        """What came of a batch is kept, its money is free but for the cost, and nobody asks for it again.

        Whoever finds it again, because this process has died halfway, books it no second time.
        """
        self._budget.settle(batch.name, cost)
        self._store.put_batch(batch.name, batch.model_copy(update={"state": "settled", "calls": ()}), came)
        self._budget.forget(batch.name)

    def alone(self, batch: ProviderBatch) -> AbstractContextManager[None]:
        """Be the only one who settles a batch, in all processes that share the store."""
        return self._store.alone(f"{KIND} {batch.name}")

    def is_settled(self, batch: ProviderBatch) -> bool:
        """Has another process settled it?"""
        found = self._store.get(KIND, batch.name, ProviderBatch)
        return found is not None and found.state == "settled"

    def has(self, key: str) -> bool:
        """Is there an answer to the call?"""
        return self._store.get_call(key) is not None

    def _begun(self, waiting: Waiting, new: bool) -> tuple[list[ProviderBatch], float | None]:
        """The batches, and the bound of the first call that the caps did not let in, None where they let in all."""
        wanted = [batch for batch in open_batches(self._store) if any(call.key in waiting for call in batch.calls)]
        sent = [batch for batch in map(self._taken_up, wanted) if batch is not None]
        held = {call.key for batch in sent for call in batch.calls}
        left = {key: item for key, item in waiting.items() if new and key not in held}
        for model, calls, lines in _files(left):
            made, whole = self._sent(model, calls, lines)
            sent += [made] if made else []
            if not whole:
                return sent, calls[0].bound
        return sent, None

    def _left_open(self) -> list[ProviderBatch]:
        return [batch for batch in open_batches(self._store) if batch.run_id == self._run_id]

    def _attend(self, batch: ProviderBatch) -> None:
        if batch.name not in self._attended:
            self._attended.add(batch.name)
            self._budget.attend(batch.name, self._who)

    def _taken_up(self, batch: ProviderBatch) -> ProviderBatch | None:
        """A batch of an earlier process, as it is at the provider; None where it was never sent."""
        self._attend(batch)
        self._budget.hold_anyway(batch.name, batch.bound, batch.run_id)
        if batch.state == "sent":
            return batch
        id = self._found(BatchApi(batch.model), batch)
        if id is not None:
            return self._known(batch, id)
        self.settle(batch)
        return None

    def _found(self, api: BatchApi, batch: ProviderBatch) -> str | None:
        for seconds in SETTLE_SECONDS:
            stopping.sleep(seconds)
            id = api.find(batch.name)
            if id is not None:
                log.info("batch %s had been sent before this process began", id)
                return id
        return None

    def _sent(
        self, model: ModelSettings, calls: Sequence[BatchedCall], lines: Sequence[bytes]
    ) -> tuple[ProviderBatch | None, bool]:
        """A new batch of the first of these calls, None where it is refused; and whether the caps let all in."""
        name = f"trace2skill-{uuid4().hex}"
        now = clock.now().timestamp()
        batch = ProviderBatch(name=name, run_id=self._run_id, model=model, calls=tuple(calls), intended=now)
        self._attend(batch)
        self._store.put_batch(name, batch)
        fit = self._budget.hold(name, [call.bound for call in calls])
        if fit < len(calls):
            log.warning("the cap lets %d of %d calls go in a batch, at the most that they may cost", fit, len(calls))
            batch = batch.model_copy(update={"calls": batch.calls[:fit]})
            self._store.put_batch(name, batch)
        if not fit:
            self.settle(batch)
            return None, False
        return self._created(BatchApi(model), batch, b"".join(lines[:fit])), fit == len(calls)

    def _created(self, api: BatchApi, batch: ProviderBatch, content: bytes) -> ProviderBatch | None:
        """The batch at the provider. A try of which nobody knows what came is looked up before there is another."""
        try:
            file = api.upload(content, batch.name)
        except ModelUnusable as error:
            self._refused(batch, error)
            return None
        for last in (False, False, True):
            try:
                return self._known(batch, api.create(file, batch.name))
            except CallFailed as error:
                unsure = can_pass(error) or error.answered
                id = self._found(api, batch) if unsure else None
                if id is not None:
                    return self._known(batch, id)
                if last or not unsure:
                    self._refused(batch, error)
                    return None
        raise AssertionError("the last try ends in one way or the other")

    def _refused(self, batch: ProviderBatch, error: Exception) -> None:
        self.settle(batch)
        log.warning("no batch of %d calls of %s was made: %s", len(batch.calls), batch.model.name, error)

    def _known(self, batch: ProviderBatch, id: str) -> ProviderBatch:
        batch = batch.model_copy(update={"state": "sent", "id": id})
        self._store.put_batch(batch.name, batch)
        return batch


def _files(waiting: Waiting) -> Iterator[tuple[ModelSettings, list[BatchedCall], list[bytes]]]:
    """Calls of one model with their lines, as many as one batch may hold."""
    models: dict[str, list[tuple[Request, StepLabel]]] = {}
    for request, step in waiting.values():
        models.setdefault(request.settings.model_dump_json(), []).append((request, step))
    for items in models.values():
        calls: list[BatchedCall] = []
        lines: list[bytes] = []
        for request, step in items:
            line = line_of(request)
            if calls and (len(calls) == MOST_CALLS or sum(map(len, lines)) + len(line) > MOST_BYTES):
                yield request.settings, calls, lines
                calls, lines = [], []
            calls.append(BatchedCall.of(request, step))
            lines.append(line)
        yield items[0][0].settings, calls, lines
