"""Caps that several processes share, in their PostgreSQL store.

What a process had reserved when it died counts as spent: a call under way may have been paid for, and nobody is left
to say what it cost. A lasting reservation is its own holder. Once it is booked it has none, and its amount is what is
booked as spent, so that whoever settles it after all corrects that.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import tenacity

from trace2skill.core.errors import StoreUnavailable
from trace2skill.core.reservations import Lasting, Short
from trace2skill.store.base import Store

Run = Callable[..., list[tuple[Any, ...]]]
LASTING_DAYS = 30
"""After so many days nobody will say any more what came of a lasting reservation: it counts as spent."""
ATTENDED = "attended "
"""What leases begin with that say which processes wait for a lasting reservation; its ticket follows."""
BOOKED = ""
"""In place of the holder of a lasting reservation whose amount is booked."""


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
                    lasts = tuple(self._lasting(run, name))
                    return Short(cap_name=name, cap=cap, spent=spent, reserved=reserved, lasting=lasts)
            for name in caps:
                run("UPDATE purse SET reserved = reserved + ? WHERE name = ?", amount, name)
            if lasting:
                run(
                    f"INSERT INTO holder VALUES (?, now()::TIMESTAMP + INTERVAL '{LASTING_DAYS} days') "
                    "ON CONFLICT (id) DO UPDATE SET until = excluded.until",
                    ticket,
                )
            holder = ticket if lasting else self._holder
            run("INSERT INTO reservation VALUES (?, ?, ?, ?)", ticket, holder, amount, "\n".join(caps))
            return None

    def settle(self, ticket: str, cost: int) -> None:
        """See `Reservations.settle`. Where this process was taken for dead meanwhile, its bound is booked already.

        Tried again where the connection was lost: a ticket is settled once, however often it is asked for.
        """
        self._surely(lambda: self._settled(ticket, cost))

    def forget(self, ticket: str) -> None:
        """See `Reservations.forget`."""
        self._surely(
            lambda: self._store.execute("DELETE FROM reservation WHERE id = ? AND holder = ?", [ticket, BOOKED])
        )

    def attend(self, ticket: str, who: str) -> None:
        """See `Reservations.attend`."""
        key = [f"{ATTENDED}{ticket} {who}", self._holder]
        self._store.execute("INSERT INTO lease VALUES (?, ?) ON CONFLICT (key) DO NOTHING", key)

    def leave(self, ticket: str, who: str) -> None:
        """See `Reservations.leave`."""
        self._store.execute("DELETE FROM lease WHERE key = ?", [f"{ATTENDED}{ticket} {who}"])

    def attended(self, ticket: str) -> bool:
        """See `Reservations.attended`."""
        return bool(_attending(lambda sql, *given: self._store.query(sql, given), ticket))

    @staticmethod
    def _surely(work: Callable[[], None]) -> None:
        for attempt in tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(StoreUnavailable),
            stop=tenacity.stop_after_attempt(5),
            wait=tenacity.wait_random_exponential(multiplier=0.2, max=5),
            reraise=True,
        ):
            with attempt:
                work()

    def _settled(self, ticket: str, cost: int) -> None:
        with self._store.together() as run:
            for holder, amount, names in run("SELECT holder, amount, purses FROM reservation WHERE id = ?", ticket):
                if holder == BOOKED:
                    _book(run, 0, cost - amount, names.split("\n"))
                else:
                    _book(run, amount, cost, names.split("\n"))
            run("DELETE FROM reservation WHERE id = ? AND holder NOT IN (?, id)", ticket, BOOKED)
            run("UPDATE reservation SET holder = ?, amount = ? WHERE id = ?", BOOKED, cost, ticket)
            run("DELETE FROM holder WHERE id = ?", ticket)

    def _lasting(self, run: Run, name: str) -> Iterator[Lasting]:
        """What lasts of what is reserved of a cap."""
        for ticket, amount, purses in run("SELECT id, amount, purses FROM reservation WHERE holder = id ORDER BY id"):
            names = purses.split("\n")
            if name in names:
                by = _attending(run, ticket)
                yield Lasting.of(amount, names, here=self._holder in by, elsewhere=bool(by))

    def _make(self, name: str) -> None:
        """A cap begins with what the ledger says was spent, once."""
        if name in self._known:
            return
        before = self._before(name)
        self._store.execute("INSERT INTO purse VALUES (?, ?, 0) ON CONFLICT (name) DO NOTHING", [name, before])
        self._known.add(name)


def _attending(run: Run, ticket: str) -> set[str]:
    """The processes that live and wait for a lasting reservation."""
    sql = (
        "SELECT lease.holder FROM lease JOIN holder ON holder.id = lease.holder AND holder.until > now()::TIMESTAMP "
        "WHERE starts_with(lease.key, ?)"
    )
    return {str(holder) for (holder,) in run(sql, f"{ATTENDED}{ticket} ")}


def _count_the_dead(run: Run) -> None:
    """What nobody answers for any more is spent; of what lasts it stays known, since somebody may settle it yet."""
    alone = "NOT EXISTS (SELECT 1 FROM holder WHERE holder.id = reservation.holder AND holder.until > now()::TIMESTAMP)"
    gone = run(f"DELETE FROM reservation WHERE holder NOT IN (?, id) AND {alone} RETURNING amount, purses", BOOKED)
    gone += run(f"UPDATE reservation SET holder = ? WHERE holder = id AND {alone} RETURNING amount, purses", BOOKED)
    for amount, names in gone:
        _book(run, amount, amount, names.split("\n"))
    if run("DELETE FROM holder WHERE until <= now()::TIMESTAMP RETURNING id"):
        alone = "NOT EXISTS (SELECT 1 FROM holder WHERE holder.id = lease.holder)"
        run(f"DELETE FROM lease WHERE starts_with(lease.key, ?) AND {alone}", ATTENDED)


def _book(run: Run, reserved: int, spent: int, names: list[str]) -> None:
    for name in names:
        run("UPDATE purse SET reserved = reserved - ?, spent = spent + ? WHERE name = ?", reserved, spent, name)
