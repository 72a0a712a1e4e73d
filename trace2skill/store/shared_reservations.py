"""Caps that several processes share, in their PostgreSQL store.

What a process had reserved when it died counts as spent: a call under way may have been paid for, and nobody is left
to say what it cost.
"""

from collections.abc import Callable, Mapping
from typing import Any

import tenacity

from trace2skill.core.budget import Short
from trace2skill.core.errors import StoreUnavailable
from trace2skill.store.base import Store

Run = Callable[..., list[tuple[Any, ...]]]
LASTING_DAYS = 30
"""After so many days nobody will say any more what came of a lasting reservation: it counts as spent."""


class SharedReservations:
    """See `budget.Reservations`. Every change is one transaction, one at a time in all processes."""

    def __init__(self, store: Store, holder: str, spent: Callable[[str], int]) -> None:
        self._store = store
        self._holder = holder
        self._before = spent
        self._known: set[str] = set()

    def reserve(
        self, ticket: str, amount: int, caps: Mapping[str, int | None], *, lasting: bool = False
    ) -> Short | None:
        """See `Reservations.reserve`. One that lasts is its own holder, and not the process."""
        for name in caps:
            self._make(name)
        with self._store.together() as run:
            _count_the_dead(run)
            if run("SELECT id FROM reservation WHERE id = ?", ticket):
                return None
            for name, cap in caps.items():
                ((spent, reserved),) = run("SELECT spent, reserved FROM purse WHERE name = ?", name)
                if cap is not None and spent + reserved + amount > cap:
                    return Short(cap_name=name, cap=cap, spent=spent, reserved=reserved)
            for name in caps:
                run("UPDATE purse SET reserved = reserved + ? WHERE name = ?", amount, name)
            if lasting:
                run(f"INSERT INTO holder VALUES (?, now()::TIMESTAMP + INTERVAL '{LASTING_DAYS} days')", ticket)
            holder = ticket if lasting else self._holder
            run("INSERT INTO reservation VALUES (?, ?, ?, ?)", ticket, holder, amount, "\n".join(caps))
            return None

    def settle(self, ticket: str, cost: int) -> None:
        """See `Reservations.settle`. Where this process was taken for dead meanwhile, its bound is booked already.

        Tried again where the connection was lost: a ticket is settled once, however often it is asked for.
        """
        for attempt in tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(StoreUnavailable),
            stop=tenacity.stop_after_attempt(5),
            wait=tenacity.wait_random_exponential(multiplier=0.2, max=5),
            reraise=True,
        ):
            with attempt:
                self._settled(ticket, cost)

    def _settled(self, ticket: str, cost: int) -> None:
        with self._store.together() as run:
            run("DELETE FROM holder WHERE id = ?", ticket)
            found = run("DELETE FROM reservation WHERE id = ? RETURNING amount, purses", ticket)
            for amount, names in found:
                _book(run, amount, cost, names.split("\n"))

    def _make(self, name: str) -> None:
        """A cap begins with what the ledger says was spent, once."""
        if name in self._known:
            return
        before = self._before(name)
        self._store.execute("INSERT INTO purse VALUES (?, ?, 0) ON CONFLICT (name) DO NOTHING", [name, before])
        self._known.add(name)


def _count_the_dead(run: Run) -> None:
    gone = run(
        "DELETE FROM reservation WHERE NOT EXISTS (SELECT 1 FROM holder WHERE holder.id = reservation.holder "
        "AND holder.until > now()::TIMESTAMP) RETURNING amount, purses"
    )
    for amount, names in gone:
        _book(run, amount, amount, names.split("\n"))


def _book(run: Run, reserved: int, spent: int, names: list[str]) -> None:
    for name in names:
        run("UPDATE purse SET reserved = reserved - ?, spent = spent + ? WHERE name = ?", reserved, spent, name)
