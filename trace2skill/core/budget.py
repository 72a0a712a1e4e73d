"""Money: reserve before a call, settle after it, refuse what could pass a cap.

A reservation is an upper bound of what the call can cost (every byte of the prompt a token, every allowed token of
the answer used), so the sum of settled calls never passes a cap. Where the bound of a new call does not fit only
because others are still under way, the caller waits for them to settle, since most settle far below their bound.
There is a cap for the run and one for the calendar month; a call has to fit into both. What another run has left at a
provider is not waited for, nor what nobody waits for: it may be held for weeks.
"""

import logging
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from trace2skill.core import clock, stopping
from trace2skill.core.errors import BudgetReached, StoreUnavailable
from trace2skill.core.money import dollars, nanos
from trace2skill.core.reservations import MONTH, RUN, Lasting, LocalReservations, Reservations, Short

log = logging.getLogger(__name__)
LOOK_SECONDS = 0.2
SILENT_SECONDS = 5.0
"""Whoever waits longer for others to settle says so."""


class Budget:
    """The caps of one run, in US dollars, shared by all who spend under the same caps. None means no cap."""

    def __init__(
        self,
        cap: float | None,
        spent: float = 0.0,
        *,
        monthly: float | None = None,
        reservations: Reservations | None = None,
        run_id: str = "run",
    ) -> None:
        self._cap, self._monthly, self._run = cap, monthly, f"{RUN}{run_id}"
        self._reservations = reservations or LocalReservations(lambda name: nanos(spent) if name == self._run else 0)
        self._changed = threading.Condition()
        self._waiting, self._told = 0, False

    @contextmanager
    def reserve(self, bound: float) -> Iterator["Reservation"]:
        """Hold `bound` US dollars for the block; what it settles stays spent, the rest is released.

        Raises:
            BudgetReached: even with nothing else under way the bound would pass a cap; or all that is, is what another
                run or an earlier process has left at a provider.
        """
        reservation, ticket = Reservation(), uuid.uuid4().hex
        self._wait_for(ticket, bound, self._caps())
        try:
            yield reservation
        finally:
            self._settle(ticket, nanos(reservation.cost))
            self._tell_all()

    def hold(self, ticket: str, bounds: Sequence[float]) -> int:
        """Reserve for as many of the first calls as fit the caps together at once, and say how many; it may be none.

        It is held until `settle`, and in a shared store beyond the end of this process. Nobody is waited for: whoever
        would wait makes `room` first, where they hold nothing that others need.

        Args:
            ticket: names what is reserved.
            bounds: what each call may cost at most, in US dollars.
        """
        amounts, caps = [nanos(bound) for bound in bounds], self._caps()
        while amounts:
            short = self._reservations.reserve(ticket, sum(amounts), caps, lasting=True)
            if short is None:
                return len(amounts)
            left, fit = short.cap - short.spent - short.reserved, 0
            while fit < len(amounts) - 1 and amounts[fit] <= left:
                left, fit = left - amounts[fit], fit + 1
            amounts = amounts[:fit]
        return 0

    def room(self, bound: float) -> None:
        """Wait until `bound` US dollars could be held. Raises as `reserve`."""
        with self.reserve(bound):
            return

    def hold_anyway(self, ticket: str, bound: float, run_id: str) -> None:
        """The same, without asking whether it fits, for what a run has begun before: it goes on at its provider."""
        names = [f"{RUN}{run_id}", *(name for name in self._caps() if name != self._run)]
        self._reservations.reserve(ticket, nanos(bound), dict.fromkeys(names), lasting=True)

    def settle(self, ticket: str, cost: float) -> None:
        """Say what became of what `hold` reserved, in US dollars. Said again before `forget` it counts once."""
        self._settle(ticket, nanos(cost))
        self._tell_all()

    def forget(self, ticket: str) -> None:
        """What became of a ticket is written down where whoever comes looks first."""
        try:
            self._reservations.forget(ticket)
        except StoreUnavailable as error:
            log.info("it stays in the books that %s is settled: %s", ticket, error)

    def attend(self, ticket: str, who: str) -> None:
        """See `Reservations.attend`."""
        self._reservations.attend(ticket, who)

    def attended(self, ticket: str) -> bool:
        """See `Reservations.attended`."""
        return self._reservations.attended(ticket)

    def leave(self, ticket: str, who: str) -> None:
        """See `Reservations.leave`."""
        try:
            self._reservations.leave(ticket, who)
        except StoreUnavailable as error:
            log.info("it stays in the books until this process ends that it waits for %s: %s", ticket, error)
        self._tell_all()

    def _tell_all(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _settle(self, ticket: str, cost: int) -> None:
        """Books that cannot be reached must not cost an answer that was paid for: its bound stays reserved."""
        try:
            self._reservations.settle(ticket, cost)
        except StoreUnavailable as error:
            log.warning("a call could not be settled, and counts as its bound: %s", error)

    def _caps(self) -> dict[str, int | None]:
        month = f"{MONTH}{clock.now():%Y-%m}"
        given = {self._run: self._cap, month: self._monthly}
        return {name: None if cap is None else nanos(cap) for name, cap in sorted(given.items())}

    def _wait_for(self, ticket: str, bound: float, caps: Mapping[str, int | None]) -> None:
        amount, began = nanos(bound), time.monotonic()
        with self._changed:
            self._waiting += 1
            try:
                while (short := self._reservations.reserve(ticket, amount, caps)) is not None:
                    left = [item for item in short.lasting if not self._ends(item)]
                    if short.reserved <= sum(item.amount for item in left):
                        raise BudgetReached(_in_words(short, bound, left))
                    stopping.check()
                    self._tell(short, bound, time.monotonic() - began)
                    self._changed.wait(LOOK_SECONDS)  # another process may settle, too, and tells nobody here
            finally:
                self._waiting -= 1
                self._told = self._told and self._waiting > 0

    def _ends(self, item: Lasting) -> bool:
        """Is it settled as soon as it ends, by this process, or by another that is at work on this run?"""
        own = item.run_id == self._run.removeprefix(RUN)
        return item.attended == "here" or (item.attended == "elsewhere" and own)

    def _tell(self, short: Short, bound: float, seconds: float) -> None:
        """Say once that calls wait, however many do."""
        if seconds < SILENT_SECONDS or self._told:
            return
        self._told = True
        log.warning(
            "a call that may cost $%.4f waits for others: of %s $%.4f is spent, and $%.4f is held by what is under way",
            *(bound, _cap_in_words(short), dollars(short.spent), dollars(short.reserved)),
        )


class Reservation:
    """What the block of `Budget.reserve` tells about the real cost."""

    def __init__(self) -> None:
        self.cost = 0.0

    def settle(self, cost: float) -> None:
        """Say what the call did cost, in US dollars."""
        self.cost += cost


def _in_words(short: Short, bound: float, left: Sequence[Lasting]) -> str:
    option = "--max-cost-per-month" if short.cap_name.startswith(MONTH) else "--max-cost"
    runs = ", ".join(f"`trace2skill retry {run}`" for run in sorted({item.run_id for item in left}))
    held = f", and ${dollars(short.reserved):.4f} is held for batches that are still at their provider" if runs else ""
    remedy = f"let their runs end first ({runs} goes on with one that has stopped), or " if runs else ""
    return (
        f"the next call may cost up to ${bound:.4f}, and ${dollars(short.spent):.4f} of {_cap_in_words(short)} is "
        f"spent{held}; all that was paid for is kept: {remedy}run again with a higher {option}"
    )


def _cap_in_words(short: Short) -> str:
    whose = "month's " if short.cap_name.startswith(MONTH) else ""
    return f"the {whose}cap of ${dollars(short.cap):.2f}"
