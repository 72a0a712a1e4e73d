"""`Client`: one request in, one answer out, remembered under its content key and written to the ledger.

The same request is paid for once, in this run or any later one; two threads that ask it at the same time share one
call. A call that failed leaves a ledger row and no answer.
"""

import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from trace2skill.core.budget import Budget
from trace2skill.core.errors import BudgetReached, Interrupted, Unanswered
from trace2skill.core.forms import as_text, from_text_or_none
from trace2skill.core.step_label import StepLabel
from trace2skill.llm import embedding, transport
from trace2skill.llm.batch.awaiting import Batched, Shown, answered_in_batches, own_are_settled
from trace2skill.llm.batch.sending import Sender, Waiting, count_open
from trace2skill.llm.embedding import Embedding, EmbeddingRequest
from trace2skill.llm.failures import CallFailed
from trace2skill.llm.handoff import askers
from trace2skill.llm.request import Answer, Request
from trace2skill.llm.spans import call_span
from trace2skill.store import CallOutcome, LedgerRow, Store
from trace2skill.types.trajectory import Usage

log = logging.getLogger(__name__)
A = TypeVar("A", Answer, Embedding)


NOTHING_USED = Usage()


@dataclass
class Bill:
    """What work done elsewhere cost, and how that is known."""

    usage: Usage = NOTHING_USED
    cost_from: str = "nothing was bought"
    outcome: CallOutcome = "agent_failed"


class Client:
    """The model client of one run. Safe to use from many threads."""

    def __init__(self, store: Store, budget: Budget, run_id: str) -> None:
        self._store = store
        self._budget = budget
        self._run_id = run_id
        self._ahead: set[str] = set()
        self._left_out: dict[str, str] = {}
        if store.embedded:  # the books of the other kind outlive a process
            count_open(store, budget)

    def known(self, request: Request) -> Answer | None:
        """The answer that is kept, None where there is none; nobody is asked and nothing is written down."""
        return self._remembered(request.key, Answer)

    def ahead(self, waiting: Waiting, hours: float, shown: Shown, *, singly: bool, new: bool = True) -> Batched:
        """Have calls answered in batches before somebody asks them one by one; see `answered_in_batches`, also for what
        it raises.

        Args:
            waiting: the calls, by their keys.
            hours: how long to wait for a batch.
            shown: is told how far they are.
            singly: may what batches leave unanswered be asked singly, at the single price? Else it fails when it is.
            new: may batches be sent? Else those that were sent before are waited for, and no more.
        """
        left = answered_in_batches(self._sender(), waiting, hours, shown, new=new)
        self._ahead |= waiting.keys() - left.why.keys()
        self._left_out.update({} if singly else left.why)
        return left

    def settle(self, hours: float, shown: Shown, *, wait: bool) -> None:
        """Book what the run has at providers, whoever wanted it: what has ended, or all, for which it then waits.

        See `answered_in_batches`, also for what it raises.
        """
        self._ahead |= own_are_settled(self._sender(), hours, shown, wait=wait)

    def _sender(self) -> Sender:
        return Sender(self._store, self._budget, self._run_id)

    def complete(self, request: Request, *, step: StepLabel) -> Answer:
        """Answer the request: from memory where it was answered before, else by the model.

        Args:
            request: what to ask.
            step: the stage and the item that ask, for the ledger.

        Raises:
            InfrastructureFault: the provider did not answer in all tries; worth running the step again later.
            Unanswered: a batch left it unanswered, and it may not be asked singly.
            ModelUnusable: the provider refused in a way that only a person can mend.
            BudgetReached: the call could pass the cap of the run.
        """
        by_hand = request.settings.handoff
        if by_hand and self._store.get_call(request.key) is None:
            askers.note(by_hand, request.key, str(step), self._run_id, step.unit)
        with self._store.alone(request.key), call_span(request, run_id=self._run_id, step=step) as span:
            answer = self._remembered(request.key, Answer)
            if answer is not None:
                self._note_memory(request, step)
                span.answered(answer, tries=0)
                return answer
            if request.key in self._left_out:
                raise Unanswered(
                    f"its batch left it unanswered ({self._left_out[request.key]}), and it may not be asked singly "
                    "(--batch-rest fail): run again, and it goes in another batch"
                )
            answer, tries = self._pay(
                request, step, transport.cost_bound(request), lambda: transport.send(request, step=str(step))
            )
            span.answered(answer, tries=tries)
            return answer

    def _note_memory(self, request: Request, step: StepLabel) -> None:
        """Who is the first to ask for what this run had answered in a batch is no one who asks again."""
        if request.key in self._ahead:
            self._ahead.discard(request.key)
        else:
            self._store.put_ledger(self._row(request, step, Usage(), outcome="from_memory", attempts=0))

    def ended(self, request: Request, answer: Answer) -> None:
        """Say that nothing more is asked in the conversation which `answer` ends: a reader may be waiting for it."""
        if request.settings.handoff:
            askers.end(request.settings.handoff, answer.key)

    @contextmanager
    def elsewhere(
        self, bound: float, *, step: StepLabel, model: str, params: dict[str, Any], key: str
    ) -> Iterator["Bill"]:
        """Hold money for work whose calls of a model somebody else makes, e.g. an agent's own program.

        The block says on the bill what it cost; that is settled and written to the ledger, also where the block fails.

        Args:
            bound: what the work may cost at most, in US dollars, as far as anybody knows.
            step: as for `complete`.
            model: the model's name, for the ledger.
            params: what else the ledger is to say.
            key: names the work.

        Raises:
            BudgetReached: the bound could pass the cap of the run.
        """
        bill, started = Bill(), time.monotonic()
        with self._budget.reserve(bound) as reservation:
            try:
                yield bill
            finally:
                usage = bill.usage
                reservation.settle(usage.cost)
                self._store.put_ledger(
                    LedgerRow(
                        run_id=self._run_id,
                        **_stage(step),
                        role="agent",
                        model=model,
                        params={**params, "cost_from": bill.cost_from},
                        tokens_in=usage.prompt,
                        tokens_out=usage.completion,
                        tokens_cached=usage.cached or None,
                        cost=usage.cost,
                        latency_seconds=time.monotonic() - started,
                        attempts=1,
                        outcome=bill.outcome,
                        call_key=key,
                    )
                )

    def embed(self, request: EmbeddingRequest, *, step: StepLabel) -> Embedding:
        """The vectors of texts, remembered, priced and capped as an answer is. Raises as `complete`."""
        with self._store.alone(request.key):
            known = self._remembered(request.key, Embedding)
            if known is not None:
                self._store.put_ledger(self._row(request, step, Usage(), outcome="from_memory", attempts=0))
                return known
            bound = embedding.cost_bound(request)
            return self._pay(request, step, bound, lambda: embedding.send(request))[0]

    def _remembered(self, key: str, cls: type[A]) -> A | None:
        text = self._store.get_call(key)
        return from_text_or_none(text, cls) if text is not None else None

    def _pay(
        self, request: Request | EmbeddingRequest, step: StepLabel, bound: float, send: Callable[[], tuple[A, int]]
    ) -> tuple[A, int]:
        started = time.monotonic()
        lost = 0.0
        try:
            with self._budget.reserve(bound) as reservation:
                try:
                    answer, tries = send()
                except Exception as error:
                    lost = _lost(error, bound)
                    reservation.settle(lost)
                    raise
                reservation.settle(answer.usage.cost)
        except Interrupted:
            raise
        except Exception as error:  # one that nobody foresaw has its row in the ledger, too
            latency = time.monotonic() - started
            log.warning("%s %s: %s", self._run_id, step, error)
            note = "at most: its answer could not be read" if lost else ""
            row = self._row(
                request,
                step,
                Usage(cost=lost),
                outcome=_outcome(error),
                attempts=_tries(error),
                latency=latency,
                note=note,
            )
            self._store.put_ledger(row)
            raise
        latency = time.monotonic() - started
        more: dict[str, Any] = {"latency": latency, "note": answer.usage_note, "cached": answer.tokens_cached}
        row = self._row(request, step, answer.usage, outcome="answered", attempts=tries, **more)
        self._store.put_call(request.key, as_text(answer), row)
        return answer, tries

    def _row(
        self,
        request: Request | EmbeddingRequest,
        step: StepLabel,
        usage: Usage,
        *,
        outcome: CallOutcome,
        attempts: int,
        latency: float = 0.0,
        note: str = "",
        cached: int | None = None,
    ) -> LedgerRow:
        sent = transport.parameters(request) if isinstance(request, Request) else embedding.parameters(request)
        if note:
            sent = {**sent, "cost_from": note}
        return LedgerRow(
            run_id=self._run_id,
            **_stage(step),
            role=request.role,
            model=request.settings.name,
            params=json.loads(json.dumps(sent)),
            seed=request.seed,
            tokens_in=usage.prompt,
            tokens_out=usage.completion,
            tokens_cached=cached,
            cost=usage.cost,
            latency_seconds=latency,
            attempts=attempts,
            outcome=outcome,
            call_key=request.key,
        )


def _stage(step: StepLabel) -> dict[str, str]:
    return {"step": str(step), "stage": step.stage, "part": step.part, "unit": step.unit}


def _outcome(error: Exception) -> CallOutcome:
    if isinstance(error, BudgetReached):
        return "budget"
    cause = error.__cause__
    return cause.kind if isinstance(cause, CallFailed) else "bad_request"


def _lost(error: Exception, bound: float) -> float:
    """What a call that failed has cost all the same: its bound, where the model answered and nobody can read it."""
    cause = error.__cause__
    return bound if isinstance(cause, CallFailed) and cause.answered else 0.0


def _tries(error: Exception) -> int:
    cause = error.__cause__
    return cause.tries if isinstance(cause, CallFailed) else 0
