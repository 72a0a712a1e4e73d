"""Money: reserve before a call, settle after it, refuse what could pass the cap.

A reservation is an upper bound of what the call can cost (every byte of the prompt a token, every allowed token of
the answer used), so the sum of settled calls never passes the cap. Where the bound of a new call does not fit only
because others are still under way, the caller waits for them to settle, since most settle far below their bound.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from trace2skill.errors import BudgetReached


class Budget:
    """The cap of one run, in US dollars, shared by all threads of the process. None means no cap."""

    def __init__(self, cap: float | None, spent: float = 0.0) -> None:
        self._cap = cap
        self._spent = spent
        self._reserved = 0.0
        self._changed = threading.Condition()

    @property
    def spent(self) -> float:
        """US dollars settled so far, with what the run had spent before."""
        with self._changed:
            return self._spent

    @contextmanager
    def reserve(self, bound: float) -> Iterator["Reservation"]:
        """Hold `bound` US dollars for the block; what it settles stays spent, the rest is released.

        Raises:
            BudgetReached: even with nothing else under way the bound would pass the cap.
        """
        with self._changed:
            while self._cap is not None and self._spent + self._reserved + bound > self._cap:
                if self._reserved <= 0:
                    raise BudgetReached(
                        f"the next call may cost up to ${bound:.4f}, and ${self._spent:.4f} of the cap of "
                        f"${self._cap:.2f} is spent; all that was paid for is kept: run again with a higher --max-cost"
                    )
                self._changed.wait()
            self._reserved += bound
        reservation = Reservation()
        try:
            yield reservation
        finally:
            with self._changed:
                self._reserved -= bound
                if self._reserved < 1e-12:  # floating-point dust must not look like a call under way
                    self._reserved = 0.0
                self._spent += reservation.cost
                self._changed.notify_all()


class Reservation:
    """What the block of `Budget.reserve` tells about the real cost."""

    def __init__(self) -> None:
        self.cost = 0.0

    def settle(self, cost: float) -> None:
        """Say what the call did cost, in US dollars."""
        self.cost += cost
