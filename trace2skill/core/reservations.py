"""The books of caps: what is spent and reserved of each, in billionths of a US dollar."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from trace2skill.core.record import Record

RUN, MONTH = "run ", "month "
"""What names of caps begin with."""


class Lasting(Record):
    """What is reserved beyond the end of a process, in billionths of a dollar, and which run has reserved it."""

    amount: int
    run_id: str
    attended: Literal["here", "elsewhere", "nowhere"]
    """Where is a process that waits for what goes on, and will settle it?"""

    @classmethod
    def of(cls, amount: int, caps: Iterable[str], *, here: bool, elsewhere: bool = False) -> "Lasting":
        """What is reserved of these caps."""
        runs = [name.removeprefix(RUN) for name in caps if name.startswith(RUN)]
        where: Any = "here" if here else "elsewhere" if elsewhere else "nowhere"
        return cls(amount=amount, run_id=next(iter(runs), ""), attended=where)


class Short(Record):
    """Why an amount was not reserved: what of which cap is spent, and what others hold. In billionths of a dollar."""

    cap_name: str
    cap: int
    spent: int
    reserved: int
    lasting: tuple[Lasting, ...] = ()
    """What of it lasts."""


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
        """Release what the ticket reserved, and book what was spent. Nothing where there is no such ticket any more.

        One that lasts stays as one that is booked until it is forgotten: settled once more, it counts once.
        """

    def forget(self, ticket: str) -> None:
        """Nobody will settle a lasting one again: that it is booked is written down elsewhere."""

    def attend(self, ticket: str, who: str) -> None:
        """Somebody in this process waits for what goes on, and will settle the ticket: until they leave it, or die."""

    def leave(self, ticket: str, who: str) -> None:
        """They do so no longer."""

    def attended(self, ticket: str) -> bool:
        """Does anybody?"""


@dataclass
class _Held:
    """What is reserved, and of what; `booked` is what was spent of it, once that is known."""

    amount: int
    names: tuple[str, ...]
    lasting: bool
    booked: int | None = None


class LocalReservations:
    """The caps of one process. `spent` says what was spent before, by name of the cap; it is asked once for each."""

    def __init__(self, spent: Callable[[str], int] = lambda _: 0) -> None:
        self._before = spent
        self._spent: dict[str, int] = {}
        self._reserved: dict[str, int] = {}
        self._tickets: dict[str, _Held] = {}
        self._attended: dict[str, set[str]] = {}
        self._guard = threading.Lock()

    def reserve(
        self, ticket: str, amount: int, caps: Mapping[str, int | None], *, lasting: bool = False
    ) -> Short | None:
        """See `Reservations.reserve`. Nothing lasts beyond the process: whoever goes on reserves anew."""
        with self._guard:
            if ticket in self._tickets:
                return None
            for name, cap in caps.items():
                if name not in self._spent:
                    self._spent[name], self._reserved[name] = self._before(name), 0
                spent, reserved = self._spent[name], self._reserved[name]
                if cap is not None and spent + reserved + amount > cap:
                    lasts = tuple(self._lasting(name))
                    return Short(cap_name=name, cap=cap, spent=spent, reserved=reserved, lasting=lasts)
            for name in caps:
                self._reserved[name] += amount
            self._tickets[ticket] = _Held(amount, tuple(caps), lasting)
            return None

    def settle(self, ticket: str, cost: int) -> None:
        """See `Reservations.settle`."""
        with self._guard:
            held = self._tickets.get(ticket)
            if held is None:
                return
            for name in held.names:
                self._reserved[name] -= held.amount if held.booked is None else 0
                self._spent[name] += cost - (held.booked or 0)
            held.booked = cost
            if not held.lasting:
                del self._tickets[ticket]

    def forget(self, ticket: str) -> None:
        """See `Reservations.forget`."""
        with self._guard:
            if ticket in self._tickets and self._tickets[ticket].booked is not None:
                del self._tickets[ticket]

    def attend(self, ticket: str, who: str) -> None:
        """See `Reservations.attend`."""
        with self._guard:
            self._attended.setdefault(ticket, set()).add(who)

    def leave(self, ticket: str, who: str) -> None:
        """See `Reservations.leave`."""
        with self._guard:
            others = self._attended.pop(ticket, set()) - {who}
            if others:
                self._attended[ticket] = others

    def attended(self, ticket: str) -> bool:
        """See `Reservations.attended`."""
        return ticket in self._attended

    def _lasting(self, name: str) -> Iterator[Lasting]:
        for ticket, held in self._tickets.items():
            if held.lasting and held.booked is None and name in held.names:
                yield Lasting.of(held.amount, held.names, here=ticket in self._attended)
