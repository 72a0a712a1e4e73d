"""Waiting for batches without holding anything, and taking out of them what came of each call.

An answer is kept under its call's key with its row in the ledger, all of a batch at once, before its files go.
"""

import heapq
import logging
import time
from collections.abc import Callable, Sequence

from pydantic import Field

from trace2skill.core import clock, stopping
from trace2skill.core.errors import InfrastructureFault
from trace2skill.core.forms import as_text
from trace2skill.core.record import Record
from trace2skill.llm.batch.lines import Came, Lines, by_call, came_of, unknown_cost
from trace2skill.llm.batch.provider import GONE, BatchApi, Seen
from trace2skill.llm.batch.records import BatchedCall, ProviderBatch
from trace2skill.llm.batch.sending import Row, Sender, Waiting
from trace2skill.store import LedgerRow

log = logging.getLogger(__name__)
FIRST_PAUSE, LONGEST_PAUSE, LONGER = 0.5, 300.0, 1.4
"""Seconds between two looks at a batch, and how they grow."""
ENDING = "cancelling"
GRACE_HOURS = 1.0
"""How long after it was asked to end a batch may still be on its way."""
Shown = Callable[[Sequence[ProviderBatch], int], None]
"""Is told which batches are under way, and how many of their calls are done."""


class Batched(Record):
    """What batches left unanswered: keys of calls, with the reason in words; and how many are answered."""

    answered: int = 0
    why: dict[str, str] = Field(default_factory=dict)


def answered_in_batches(sender: Sender, waiting: Waiting, hours: float, shown: Shown, *, new: bool = True) -> Batched:
    """Have calls answered in batches; the answers are in the store.

    Where the caps let only some of the calls go at once, the others follow. What no batch takes is left as well.

    Args:
        sender: who sends them.
        waiting: the calls, none of which is answered.
        hours: how long to wait for a batch before it is asked to end; what it has by then is taken.
        shown: is told of it.
        new: may batches be sent? Else those that were sent before are waited for, and no more.

    Raises:
        Interrupted: the process is to stop; batches go on, and the next who asks takes them up.
        InfrastructureFault: a provider does not end a batch, or cannot be asked for a long time.
        ModelUnusable: a person has to change something first, such as a key.
    """
    left, answered = dict(waiting), 0
    why: dict[str, str] = {}
    try:
        while left:
            batches = sender.under_way(left, new=new)
            if not batches:
                why.update(dict.fromkeys(left, "no batch took it"))
                break
            for batch, unanswered in _Wait(batches, hours, shown).ended(sender):
                mine = [call.key for call in batch.calls if left.pop(call.key, None)]
                answered += sum(key not in unanswered for key in mine)
                why.update({key: unanswered[key] for key in mine if key in unanswered})
    finally:
        sender.leave()
    return Batched(answered=answered, why=why)


def own_are_settled(sender: Sender, hours: float, shown: Shown, *, wait: bool) -> set[str]:
    """Settle what its run has at providers, whoever wanted it: what has ended, or all, as it ends.

    Returns the keys of the calls that are answered. Raises as `answered_in_batches`.
    """
    try:
        waiting = _Wait(sender.own(), hours, shown)
        found = waiting.ended(sender) if wait else waiting.look(sender)
    finally:
        sender.leave()
    return {call.key for batch, unanswered in found for call in batch.calls if call.key not in unanswered}


class _Wait:
    """The wait for some batches, each of which is settled as it ends."""

    def __init__(self, batches: Sequence[ProviderBatch], hours: float, shown: Shown) -> None:
        self._open, self._hours, self._shown = list(batches), hours, shown
        self._all, self._done = tuple(batches), dict.fromkeys((batch.name for batch in batches), 0)
        self._heard = time.monotonic()
        self._began, self._cancelled = clock.now().timestamp(), dict[str, float]()

    def ended(self, sender: Sender) -> list[tuple[ProviderBatch, dict[str, str]]]:
        """Every batch, as they end, with the calls that it leaves unanswered and why."""
        found, pause = [], FIRST_PAUSE
        while self._open:
            found += self.look(sender)
            if self._open:
                stopping.sleep(pause)
                pause = min(LONGEST_PAUSE, pause * LONGER)
        return found

    def look(self, sender: Sender) -> list[tuple[ProviderBatch, dict[str, str]]]:
        """Those that have ended since the last look."""
        found = []
        for batch in list(self._open):
            try:
                unanswered = self._looked_at(BatchApi(batch.model), batch, sender)
            except InfrastructureFault as error:
                if time.monotonic() - self._heard > GRACE_HOURS * 3600:
                    raise
                log.warning("batch %s cannot be looked at now, and will be again: %s", batch.id, error)
                continue
            self._heard = time.monotonic()
            if unanswered is not None:
                self._open.remove(batch)
                found.append((batch, unanswered))
        self._shown(self._all, sum(self._done.values()))
        return found

    def _looked_at(self, api: BatchApi, batch: ProviderBatch, sender: Sender) -> dict[str, str] | None:
        """What a batch leaves unanswered, once it has ended and is settled; None where it goes on."""
        seen = api.look(batch.id)
        over = seen is GONE or seen.ended
        self._done[batch.name] = len(batch.calls) if over else min(seen.done + seen.failed, len(batch.calls))
        if not over:
            self._hurry(api, batch, seen)
            return None
        with sender.alone(batch):
            if not sender.is_settled(batch):
                came = _results(api, batch, seen)
                sender.settle(batch, sum(item.cost for item in came), _rows(batch, came))
                api.remove(seen.files)
                return {call.key: item.problem for call, item in zip(batch.calls, came, strict=True) if not item.answer}
        return {call.key: "another run read the batch" for call in batch.calls if not sender.has(call.key)}

    def _hurry(self, api: BatchApi, batch: ProviderBatch, seen: Seen) -> None:
        """Ask a batch that is late to end, at each look until it is about to: one such request may be lost.

        Its hours count from when it was made, where the provider says so and that is not yet to come, else from when
        it was intended.

        Raises:
            InfrastructureFault: it was asked long ago.
        """
        now = clock.now().timestamp()
        since = seen.created if 0 < seen.created <= now else batch.intended or self._began
        if now - since <= self._hours * 3600:
            return
        if batch.id not in self._cancelled:
            self._cancelled[batch.id] = time.monotonic()
            log.warning("batch %s has not ended within %g h and is asked to end now", batch.id, self._hours)
        elif time.monotonic() - self._cancelled[batch.id] > GRACE_HOURS * 3600:
            raise InfrastructureFault(f"batch {batch.id} does not end although it was asked to; run again later")
        if seen.state != ENDING:
            api.cancel(batch.id)


def _results(api: BatchApi, batch: ProviderBatch, seen: Seen) -> list[Came]:
    """What came of each call. Of those without a line as many as may have been answered cost the most they may have."""
    contents = [api.read(file) for file in seen.results]
    found = by_call((content for content in contents if content is not None), batch.calls)
    gone = contents.count(None)
    missing = [call for call in batch.calls if call.id not in found.lines]
    paid = heapq.nlargest(_perhaps_answered(seen, found, gone, missing), missing, key=lambda call: call.bound)
    unknown = {call.key for call in paid}
    lost = "its answer went with the file of the batch" if gone else "the batch has no line of it"
    came = []
    for call in batch.calls:
        if call.id in found.lines:
            came.append(came_of(found.lines[call.id], call, batch.model))
        elif call.key in unknown:
            came.append(unknown_cost(call, seen.problem if seen is GONE else lost))
        else:
            outcome = "bad_request" if seen.state == "failed" else "timeout"
            words = f"the batch {'has ' if seen.state == 'expired' else 'was '}{seen.state}"
            came.append(Came(outcome=outcome, problem=f"{words}{': ' if seen.problem else ''}{seen.problem}"))
    problems = [*found.problems, *([f"{gone} files are gone"] if gone else [])]
    if problems:
        log.warning("batch %s of %s: %s", batch.id, batch.model.name, "; ".join(problems))
    return came


def _perhaps_answered(seen: Seen, found: Lines, gone: int, missing: Sequence[BatchedCall]) -> int:
    """How many of the calls without a line may have been answered all the same, as far as the provider lets us know.

    A batch that came to its end has answered all. One that was cut short has answered as many as it says, and those of
    its lines that name no call of it. One that was refused before it began has answered none.
    """
    if gone or seen is GONE or seen.state == "completed":
        return len(missing)
    if not seen.counted:
        refused = seen.state == "failed" and not seen.results
        return 0 if refused else len(missing)
    return min(len(missing), max(found.strange, seen.done + seen.failed - len(found.lines)))


def _rows(batch: ProviderBatch, came: Sequence[Came]) -> list[Row]:
    return [
        (call.key, as_text(item.answer) if item.answer else None, _row(batch, call, item))
        for call, item in zip(batch.calls, came, strict=True)
    ]


def _row(batch: ProviderBatch, call: BatchedCall, came: Came) -> LedgerRow:
    """The row of a call. It has no time of its own: it waited with all the others."""
    usage, step = came.answer.usage if came.answer else None, call.step
    return LedgerRow(
        run_id=batch.run_id,
        step=str(step),
        stage=step.stage,
        part=step.part,
        unit=step.unit,
        role=call.role,
        model=batch.model.name,
        params={**call.params, "batch": batch.id, **({"cost_from": came.note} if came.note else {})},
        seed=call.seed,
        tokens_in=usage.prompt if usage else 0,
        tokens_out=usage.completion if usage else 0,
        tokens_cached=came.answer.tokens_cached if came.answer else None,
        cost=came.cost,
        attempts=1,
        outcome=came.outcome,
        call_key=call.key,
    )
