"""Money: reserve before a call, settle after it, refuse what could pass a cap.

A reservation is an upper bound of what the call can cost (every byte of the prompt a token, every allowed token of
the answer used), so the sum of settled calls never passes a cap. Where the bound of a new call does not fit only
because others are still under way, the caller waits for them to settle, since most settle far below their bound.
There is a cap for the run and one for the calendar month; a call has to fit into both.
"""

import logging
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol

from trace2skill.core import clock, stopping
from trace2skill.core.errors import BudgetReached, StoreUnavailable
from trace2skill.core.money import dollars, nanos
from trace2skill.core.record import Record

log = logging.getLogger(__name__)
LOOK_SECONDS = 0.2


class Short(Record):
    """Why an amount was not reserved: what of which cap is spent, and what others hold. In billionths of a dollar."""

    cap_name: str
    cap: int
    spent: int
    reserved: int


class Reservations(Protocol):
    """Keeps the books of several caps: what is spent and what is reserved of each."""

    def reserve(
        self, ticket: str, amount: int, caps: Mapping[str, int | None], *, lasting: bool = False
    ) -> Short | None:
        """Reserve an amount of every cap named, all or none; None when it is done, or was before under this ticket.

        A name without a cap is booked, too: another run may have a cap for it. `lasting` is for what goes on elsewhere
        when this process ends: where the books outlive it, so does the reservation, until somebody settles it.
        """

    def settle(self, ticket: str, cost: int) -> None:
        """Release what the ticket reserved, and book what was spent. Nothing where there is no such ticket any more."""


class LocalReservations:
    """The caps of one process. `spent` says what was spent before, by name of the cap; it is asked once for each."""

    def __init__(self, spent: Callable[[str], int] = lambda _: 0) -> None:
        self._before = spent
        self._spent: dict[str, int] = {}
        self._reserved: dict[str, int] = {}
        self._tickets: dict[str, tuple[int, tuple[str, ...]]] = {}
        self._guard = threading.Lock()

    def reserve(
        self, ticket: str, amount: int, caps: Mapping[str, int | None], *, lasting: bool = False
    ) -> Short | None:
        """See `Reservations.reserve`. Nothing lasts beyond the process: whoever goes on reserves anew."""
        del lasting
        with self._guard:
            if ticket in self._tickets:
                return None
            for name, cap in caps.items():
                if name not in self._spent:
                    self._spent[name], self._reserved[name] = self._before(name), 0
                spent, reserved = self._spent[name], self._reserved[name]
                if cap is not None and spent + reserved + amount > cap:
                    return Short(cap_name=name, cap=cap, spent=spent, reserved=reserved)
            for name in caps:
                self._reserved[name] += amount
            self._tickets[ticket] = (amount, tuple(caps))
            return None

    def settle(self, ticket: str, cost: int) -> None:
        """See `Reservations.settle`."""
        with self._guard:
            amount, names = self._tickets.pop(ticket, (0, ()))
            for name in names:
                self._reserved[name] -= amount
                self._spent[name] += cost


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
        self._cap, self._monthly, self._run = cap, monthly, f"run {run_id}"
        self._reservations = reservations or LocalReservations(lambda name: nanos(spent) if name == self._run else 0)
        self._changed = threading.Condition()

    @contextmanager
    def reserve(self, bound: float) -> Iterator["Reservation"]:
        """Hold `bound` US dollars for the block; what it settles stays spent, the rest is released.

        Raises:
            BudgetReached: even with nothing else under way the bound would pass a cap.
        """
        reservation, ticket = Reservation(), uuid.uuid4().hex
        self._wait_for(ticket, bound, self._caps())
        try:
            yield reservation
        finally:
            self._settle(ticket, nanos(reservation.cost))
            with self._changed:
                self._changed.notify_all()

    def hold(self, ticket: str, bounds: Sequence[float], *, patient: bool = True) -> int:
        """Reserve for as many of the first calls as fit the caps together, and say how many; none where not one does.

        It is held until `settle`, and in a shared store beyond the end of this process.

        Args:
            ticket: names what is reserved.
            bounds: what each call may cost at most, in US dollars.
            patient: wait for others that are under way; else none is what fits at once.
        """
        amounts, caps = [nanos(bound) for bound in bounds], self._caps()
        with self._changed:
            while amounts:
                short = self._reservations.reserve(ticket, sum(amounts), caps, lasting=True)
                if short is None:
                    return len(amounts)
                left, fit = short.cap - short.spent - short.reserved, 0
                while fit < len(amounts) - 1 and amounts[fit] <= left:
                    left, fit = left - amounts[fit], fit + 1
                if fit == 0 and short.reserved > 0 and patient:
                    stopping.check()
                    self._changed.wait(LOOK_SECONDS)
                else:
                    amounts = amounts[:fit]
            return 0

    def hold_anyway(self, ticket: str, bound: float, run_id: str) -> None:
        """The same, without asking whether it fits, for what a run has begun before: it goes on at its provider."""
        names = [f"run {run_id}", *(name for name in self._caps() if name != self._run)]
        self._reservations.reserve(ticket, nanos(bound), dict.fromkeys(names), lasting=True)

    def settle(self, ticket: str, cost: float) -> None:
        """Say what became of what `hold` reserved, in US dollars."""
        self._settle(ticket, nanos(cost))
        with self._changed:
            self._changed.notify_all()

    def _settle(self, ticket: str, cost: int) -> None:
        """Books that cannot be reached must not cost an answer that was paid for: its bound stays reserved."""
        try:
            self._reservations.settle(ticket, cost)
        except StoreUnavailable as error:
            log.warning("a call could not be settled, and counts as its bound: %s", error)

    def _caps(self) -> dict[str, int | None]:
        month = f"month {clock.now():%Y-%m}"
        given = {self._run: self._cap, month: self._monthly}
        return {name: None if cap is None else nanos(cap) for name, cap in sorted(given.items())}

    def _wait_for(self, ticket: str, bound: float, caps: Mapping[str, int | None]) -> None:
        amount = nanos(bound)
        with self._changed:
            while (short := self._reservations.reserve(ticket, amount, caps)) is not None:
                if short.reserved <= 0:
                    raise BudgetReached(_in_words(short, bound))
                stopping.check()
                self._changed.wait(LOOK_SECONDS)  # another process may settle, too, and tells nobody here


class Reservation:
    """What the block of `Budget.reserve` tells about the real cost."""

    def __init__(self) -> None:
        self.cost = 0.0

    def settle(self, cost: float) -> None:
        """Say what the call did cost, in US dollars."""
        self.cost += cost


def _in_words(short: Short, bound: float) -> str:
    monthly = short.cap_name.startswith("month")
    option = "--max-cost-per-month" if monthly else "--max-cost"
    of = f"of the month's cap of ${dollars(short.cap):.2f}" if monthly else f"of the cap of ${dollars(short.cap):.2f}"
    return (
        f"the next call may cost up to ${bound:.4f}, and ${dollars(short.spent):.4f} {of} is spent; all that was paid "
        f"for is kept: run again with a higher {option}"
    )
