"""Three kinds of work with planted causes: what agents did, how it ended, and what a rule must name to state a cause.

A planted cause makes a session fail (most of the time), or is an error that is put right in the same way each time. The
rest is noise: other calls in any order, searches that find nothing, red tests, errors that are put right in a way of
their own, failures without a cause.
"""

import random
from collections.abc import Callable
from typing import Any, NamedTuple

FAILS, BASE = 0.93, 0.1
SHARE = 0.22
TRACEBACK = 'Traceback (most recent call last):\n  File "tools/report.py", line 3'
LOCKED = "Error: lock timeout while waiting for the table"


class Call(NamedTuple):
    """One call and its answer."""

    tool: str
    arguments: dict[str, Any]
    answer: str
    code: int = 0


class Planted(NamedTuple):
    """A cause: its name, and the words that a line must hold to state it, any of the alternatives.

    Those by outcome show in how sessions end; the others are errors that are put right.
    """

    name: str
    words: tuple[tuple[str, ...], ...]
    by_outcome: bool = False

    def stated_in(self, line: str) -> bool:
        """Does a line name all that makes the cause?"""
        return any(all(word in line for word in one) for one in self.words)


class Told(NamedTuple):
    """One session."""

    id: str
    asked: str
    calls: list[Call]
    passed: bool
    shows: tuple[bool, ...]
    """For each cause of its world whether it is in here."""


class World(NamedTuple):
    """One kind of work."""

    name: str
    causes: tuple[Planted, ...]
    session: Callable[[int, random.Random], Told]


def ended(chance: random.Random, *wrong: bool) -> bool:
    """Whether it passed."""
    return chance.random() > (FAILS if any(wrong) else BASE)


def orders(number: int, chance: random.Random) -> Told:
    """A desk for orders, with tools of its own."""
    order, calls = f"R{chance.randrange(10**6):06d}", list[Call]()
    looks = [
        Call("find_order", {"order": order}, f"{order}: 2 items, paid"),
        Call("get_policy", {"topic": "refund"}, "within 30 days"),
    ]
    no_policy, voucher, dated = (chance.random() < SHARE for _ in range(3))
    calls += looks[:1] if no_policy else looks
    if chance.random() < 0.5:
        calls.insert(chance.randrange(len(calls) + 1), Call("add_note", {"order": order, "text": "called"}, "noted"))
    if dated:
        day, month = chance.randrange(1, 28), chance.randrange(1, 12)
        wrong = {"order": order, "day": f"{month:02d}/{day:02d}/2024"}
        calls.append(Call("list_slots", wrong, "Error: the day must be an ISO date", 1))
        calls.append(Call("list_slots", {"order": order, "day": f"2024-{month:02d}-{day:02d}"}, "9:00, 14:00"))
    if chance.random() < 0.15:  # put right, and each time in another way
        other = f"R{chance.randrange(10**6):06d}"
        calls.append(Call("find_order", {"order": other}, f"Error: no order is called {other}", 1))
        calls.append(Call("find_order", {"order": order}, "found"))
    method = "voucher" if voucher else chance.choice(["card", "bank"])
    calls.append(
        Call("refund_order", {"order": order, "method": method, "amount": chance.randrange(5, 900)}, "refunded")
    )
    if chance.random() < 0.6:
        calls.append(Call("send_mail", {"order": order, "template": chance.choice(["short", "long"])}, "sent"))
    shows = (no_policy, voucher, dated)
    return Told(f"orders-{number}", f"Refund order {order}, please.", calls, ended(chance, no_policy, voucher), shows)


def checkout(number: int, chance: random.Random) -> Told:
    """A checkout of a program, with a shell."""
    file, calls = f"src/part_{number}.py", list[Call]()
    lacking = 0
    bare, unchecked, forced, serial = (chance.random() < SHARE for _ in range(4))
    calls.append(bash(f"grep -rn handler_{number} src", "", 1) if chance.random() < 0.4 else bash("ls src", "app.py"))
    if bare:
        lacking = chance.randrange(1, 3)
        for module in ("tabulate", "pint")[:lacking]:
            missing = f"ModuleNotFoundError: No module named '{module}'"
            calls.append(bash(f"python tools/report.py {number}", f"{TRACEBACK}\n{missing}", 1))
            calls.append(bash(f"pip install {module}", f"Successfully installed {module}-1.0"))
        calls.append(bash(f"python tools/report.py {number}", "report written"))
    if serial:
        calls.append(bash("npm run build", "Error: heap limit reached, the build ran out of memory", 1))
        calls.append(bash("npm run build --max-old-space-size=4096", "built"))
    calls.append(bash(f"sed -i s/old/new/ {file}", ""))
    if chance.random() < 0.5:
        calls.append(bash("pytest -q", "== 1 failed, 4 passed in 0.3s ==", 1))
        calls.append(bash(f"sed -i s/new/newer/ {file}", ""))
    if not unchecked:
        calls.append(bash("make check", "all good"))
    calls.append(bash("git commit -m done" + (" --no-verify" if forced else ""), "[main 1234abc] done"))
    shows = (lacking == 2, unchecked, forced, serial)
    passed = ended(chance, unchecked, forced)
    return Told(f"checkout-{number}", f"Mend part {number} of the program.", calls, passed, shows)


def database(number: int, chance: random.Random) -> Told:
    """A database that is looked after."""
    table, calls = f"t_{chance.randrange(10**5)}", [Call("read_log", {"lines": chance.randrange(20, 99)}, "quiet")]
    locked, released, forced, stale, unscoped = (chance.random() < share for share in (0.5, 0.5, SHARE, SHARE, SHARE))
    if unscoped:
        setting = {"key": f"work_mem_{number}", "value": f"{chance.randrange(8, 64)}MB"}
        calls.append(Call("set_config", setting, "Error: the scope of the setting is missing", 1))
        calls.append(Call("set_config", {**setting, "scope": "session"}, "set"))
    if stale:
        calls.append(Call("restart_service", {"name": "db"}, "Error: stale pid file of the service is in the way", 1))
        calls.append(Call("clear_pid", {"name": "db"}, "cleared"))
        calls.append(Call("restart_service", {"name": "db"}, "started"))
    if chance.random() < 0.5:
        calls.append(Call("describe_table", {"table": table}, "3 columns"))
    if locked:
        query = {"table": table, "sql": f"vacuum {table}"}
        calls.append(Call("run_query", query, LOCKED, 1))
        if released:
            calls.append(Call("release_lock", {"table": table}, "released"))
        calls.append(Call("run_query", query, "done") if released else Call("run_query", query, LOCKED, 1))
    calls.append(Call("force_apply" if forced else "apply_plan", {"table": table}, "applied"))
    if chance.random() < 0.5:
        calls.append(Call("read_log", {"lines": chance.randrange(20, 99)}, "quiet"))
    shows = (locked and released, forced, stale, unscoped)
    return Told(f"database-{number}", f"Vacuum {table}.", calls, ended(chance, locked and not released, forced), shows)


def bash(command: str, answer: str, code: int = 0) -> Call:
    """A command of a shell."""
    return Call("bash", {"command": command}, answer, code)


WORLDS = (
    World("orders", (
        Planted("refund without the policy", (("get_policy", "refund_order"), ("Use `get_policy`",)), True),
        Planted("refund as a voucher", (("refund_order", "method", "voucher"),), True),
        Planted("dates that are not ISO", (("list_slots", "day", "9999-99-99"),)),
    ), orders),
    World("checkout", (
        Planted("modules that are not there", (("tabulate", "pint", "pip install"),)),
        Planted("no check after the edit", (("make check", "sed"), ("make check", "git commit"), ("Use `make",)), True),
        Planted("hooks skipped", (("git commit", "--no-verify"),), True),
        Planted("build out of memory", (("npm run", "--max-old-space-size=4096"),)),
    ), checkout),
    World("database", (
        Planted("a lock that is waited for", (("run_query", "lock timeout", "release_lock"),)),
        Planted("plans by force", (("force_apply",), ("apply_plan",)), True),
        Planted("a stale pid file", (("restart_service", "clear_pid", "stale pid"),)),
        Planted("a scope that is missing", (("set_config", "scope"),)),
    ), database),
)  # fmt: skip
