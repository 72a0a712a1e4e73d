"""Waiting for batches without holding anything, and taking out of them what came of each call.

An answer is kept under its call's key with its row in the ledger, all of a batch at once, before its files go.
"""

import logging
import time
from collections.abc import Callable, Sequence

from pydantic import Field

from trace2skill.core import stopping
from trace2skill.core.errors import InfrastructureFault
from trace2skill.core.forms import as_text
from trace2skill.core.record import Record
from trace2skill.llm.batch.lines import Came, by_call, came_of, unknown_cost
from trace2skill.llm.batch.provider import GONE, BatchApi, Seen
from trace2skill.llm.batch.records import BatchedCall, ProviderBatch
from trace2skill.llm.batch.sending import Row, Sender, Waiting
from trace2skill.store import LedgerRow

log = logging.getLogger(__name__)
FIRST_PAUSE, LONGEST_PAUSE, LONGER = 0.5, 300.0, 1.4
"""Seconds between two looks at a batch, and how they grow."""
GRACE_HOURS = 1.0
"""How long after it was asked to end a batch may still be on its way."""
Shown = Callable[[Sequence[ProviderBatch], int], None]
"""Is told which batches are under way, and how many of their calls are done."""


class Batched(Record):
    """What batches left unanswered: keys of calls, with the reason in words; and how many are answered."""

    answered: int = 0
    why: dict[str, str] = Field(default_factory=dict)


def answered_in_batches(sender: Sender, waiting: Waiting, hours: float, shown: Shown) -> Batched:
    """Have calls answered in batches; the answers are in the store.

    Where the caps let only some of the calls go at once, the others follow. What no batch takes is left as well.

    Args:
        sender: who sends them.
        waiting: the calls, none of which is answered.
        hours: how long to wait for a batch before it is asked to end; what it has by then is taken.
        shown: is told of it.

    Raises:
        Interrupted: the process is to stop; batches go on, and the next who asks takes them up.
        InfrastructureFault: a provider does not end a batch, or cannot be asked for a long time.
        ModelUnusable: a person has to change something first, such as a key.
    """
    left, answered = dict(waiting), 0
    why: dict[str, str] = {}
    while left:
        batches = sender.under_way(left)
        if not batches:
            why.update(dict.fromkeys(left, "no batch took it"))
            break
        for batch, unanswered in _Wait(batches, hours, shown).ended(sender):
            mine = [call.key for call in batch.calls if left.pop(call.key, None)]
            answered += sum(key not in unanswered for key in mine)
            why.update({key: unanswered[key] for key in mine if key in unanswered})
    return Batched(answered=answered, why=why)


class _Wait:
    """The wait for some batches, each of which is settled as it ends."""

    def __init__(self, batches: Sequence[ProviderBatch], hours: float, shown: Shown) -> None:
        self._open, self._hours, self._shown = list(batches), hours, shown
        self._all, self._done = tuple(batches), dict.fromkeys((batch.name for batch in batches), 0)
        self._cancelled: dict[str, float] = {}

    def ended(self, sender: Sender) -> list[tuple[ProviderBatch, dict[str, str]]]:
        """Every batch, as they end, with the calls that it leaves unanswered and why."""
        found, pause, heard = [], FIRST_PAUSE, time.monotonic()
        while self._open:
            for batch in list(self._open):
                api = BatchApi(batch.model)
                try:
                    unanswered = self._looked_at(api, batch, sender)
                except InfrastructureFault as error:
                    if time.monotonic() - heard > GRACE_HOURS * 3600:
                        raise
                    log.warning("batch %s cannot be looked at now, and will be again: %s", batch.id, error)
                    continue
                heard = time.monotonic()
                if unanswered is not None:
                    self._open.remove(batch)
                    found.append((batch, unanswered))
            self._shown(self._all, sum(self._done.values()))
            if self._open:
                stopping.sleep(pause)
                pause = min(LONGEST_PAUSE, pause * LONGER)
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
        """Ask a batch that is late to end.

        Raises:
            InfrastructureFault: it was asked long ago.
        """
        late = time.time() - seen.created - self._hours * 3600 if seen.created else 0.0
        if late > 0 and batch.id not in self._cancelled:
            self._cancelled[batch.id] = time.monotonic()
            log.warning("batch %s has not ended within %g h and is asked to end now", batch.id, self._hours)
            api.cancel(batch.id)
        elif late > 0 and time.monotonic() - self._cancelled[batch.id] > GRACE_HOURS * 3600:
            raise InfrastructureFault(f"batch {batch.id} does not end although it was asked to; run again later")


def _results(api: BatchApi, batch: ProviderBatch, seen: Seen) -> list[Came]:
    contents = [api.read(file) for file in seen.results]
    lines, problems = by_call((content for content in contents if content is not None), batch.calls)
    missing = contents.count(None)
    lost = "its answer went with the file of the batch" if missing else "the batch has no line of it"
    came = []
    for call in batch.calls:
        if call.id in lines:
            came.append(came_of(lines[call.id], call, batch.model))
        elif missing or seen is GONE or seen.state == "completed":
            came.append(unknown_cost(call, seen.problem if seen is GONE else lost))
        else:
            outcome = "bad_request" if seen.state == "failed" else "timeout"
            words = f"the batch {'has ' if seen.state == 'expired' else 'was '}{seen.state}"
            came.append(Came(outcome=outcome, problem=f"{words}{': ' if seen.problem else ''}{seen.problem}"))
    problems += [f"{missing} files are gone"] if missing else []
    if problems:
        log.warning("batch %s of %s: %s", batch.id, batch.model.name, "; ".join(problems))
    return came


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
