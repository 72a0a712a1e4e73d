"""Nights in a row, each with something that happens to it: in the morning everything is as a person expects it."""

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nights_world
import pytest
from clock import Clock
from nightly import CAP, Nightly
from prefect.exceptions import Pause
from prefect.states import Suspended
from registry_books import Books, check
from remotes import Remote

import flows.refresh
from trace2skill.skills.skill import read_skill


class Life:
    """The nights of a skill in a directory, and what is new in the morning after each."""

    def __init__(self, nightly: Nightly, clock: Clock) -> None:
        self.nightly, self.clock = nightly, clock
        self.live, self.old_checkout = nightly.folder / "forms", nightly.folder / "checkout"
        self._books: Books | None = None
        self._page: list[str] = []

    @property
    def books(self) -> Books:
        """Those of the last morning."""
        assert self._books is not None
        return self._books

    def next_morning(self, *expected: str) -> None:
        """Look at what the commands print and at the books: all is as it was the morning before, but for these lines."""
        page = self.nightly.morning()
        assert news(self._page, page) == [*expected]
        books = Books.of(self.nightly.store)
        check(books, self._books, read_skill(self.live).digest, CAP)
        self._page, self._books = page, books
        self.clock.next_night()


def news(before: list[str], now: list[str]) -> list[str]:
    """Lines that are gone, then lines that are new, in the order in which they stand."""
    return [f"- {line}" for line in before if line not in now] + [f"+ {line}" for line in now if line not in before]


def suspended(*_: object) -> None:
    """The flow run waits for its form, and the process that carried it goes on to other things."""
    raise Pause(state=Suspended())


BEFORE = Books(
    versions=[("a", "", 1), ("b", "a", 2)],
    changes=[("a", "", "adopt", "", "found", True), ("b", "a", "promote", "run-1", "better", True)],
    judgements=[("forms", "b", 1, "run-1", "a", "promote", "monday")],
    looks=[("forms", "a", "key", 1, 1, 0.6, 0.4, True, "monday")],
    places=[("plan", "mark", "sealed", "test")],
    spent={"2026-01": 0.5},
)
NOW = replace(
    BEFORE,
    versions=[*BEFORE.versions, ("c", "b", 3)],
    changes=[*BEFORE.changes, ("c", "b", "promote", "run-2", "better", True)],
    looks=[*BEFORE.looks, ("forms", "b", "key", 1, 2, 0.6, 0.4, True, "tuesday")],
    spent={"2026-01": 0.9},
)


@pytest.mark.parametrize(
    "wrong",
    [
        {"versions": [*BEFORE.versions, ("c", "x", 3)]},
        {"versions": [*BEFORE.versions, ("c", "a", 3), ("c", "b", 4)]},
        {"changes": [*BEFORE.changes, ("c", "a", "promote", "run-2", "better", True)]},
        {"changes": [*BEFORE.changes, ("c", "b", "promote", "run-2", "better", False)]},
        {"changes": [*NOW.changes, ("b", "c", "rollback", "", "", True), ("c", "b", "promote", "run-2", "", True)]},
        {"changes": NOW.changes[1:]},
        {"judgements": [("forms", "b", 1, "run-1", "a", "reject", "monday")]},
        {"looks": BEFORE.looks[1:]},
        {"looks": [("forms", "a", "key", 1, 1, 0.2, 0.8, True, "monday")]},
        {"looks": [("forms", "a", "key", 1, 1, 0.6, 0.4, False, "monday")]},
        {"places": [("plan", "mark", "sealed", "evolve")]},
        {"spent": {"2026-01": 1.1}},
        {"spent": {"2026-02": 0.1}},
    ],
)
def test_books_that_are_wrong_are_found_wrong(wrong: dict[str, Any]) -> None:
    check(NOW, BEFORE, "c", CAP)
    with pytest.raises((AssertionError, KeyError)):
        check(replace(NOW, **wrong), BEFORE, "c", CAP)
    with pytest.raises(AssertionError):
        check(NOW, BEFORE, "a", CAP)


@pytest.fixture
def life(tmp_path: Path, prefect_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Life]:
    """The evening before the first night."""
    clock = Clock(monkeypatch, datetime(2026, 1, 23, 3, tzinfo=UTC))
    found = Life(Nightly(tmp_path, prefect_home), clock)
    found.live.mkdir()
    (found.live / "SKILL.md").write_text(nights_world.SKILL)
    shutil.copytree(found.live, found.old_checkout)
    found.nightly.add_forms("invoice", "amount")
    with found.nightly.at_work():
        yield found


@pytest.mark.slow
def test_five_nights_leave_the_history_that_a_person_expects(life: Life) -> None:
    five_nights(life)


@pytest.mark.slow  # the same and five more
def test_ten_nights_leave_the_history_that_a_person_expects(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    five_nights(life)
    five_more(life, monkeypatch)


def five_nights(life: Life) -> None:
    """A first one, tasks that are added, a rollback, logs that are added, and a person's edit."""
    nightly = life.nightly
    # The first night.
    nightly.refresh()
    life.next_morning(
        "+ 1 | v1 | by hand | people",
        "+ champion | 2 | v2 | promoted | v1 | run 1 | sim/scripted | promote",
        "+ 2026-01-23 adopt v1: found in its directory",
        "+ 2026-01-23 promote v2 from v1: the candidate is better on 2 and worse on 0 of 2 held-out tasks",
        "+ run 1 completed, 01-23",
        "+ night 1 (2026-01-23): promoted, 0.0 -> 100.0, 1 tried, 1 in, 0 out",
        "+ SKILL.md:13 Give the field `amount` as whole cents, without a point. asked by 4 tasks",
    )
    # Tasks are added.
    nightly.add_forms("parcel", "name")
    nightly.refresh()
    life.next_morning(
        "- champion | 2 | v2 | promoted | v1 | run 1 | sim/scripted | promote",
        "+ 2 | v2 | promoted | v1 | run 1 | sim/scripted | promote",
        "+ champion | 3 | v3 | promoted | v2 | run 2 | sim/scripted | promote",
        "+ 2026-01-24 promote v3 from v2: the candidate is better on 2 and worse on 0 of 4 held-out tasks",
        "+ run 2 completed, 01-24",
        "+ night 2 (2026-01-24): promoted, 50.0 -> 100.0, 1 tried, 1 in, 0 out",
        "+ SKILL.md:14 The field `name` is taken only as capital letters, family first. asked by 4 tasks",
    )
    # A rollback: what it took out is not proposed again the night after, though its tasks fail again.
    nightly("rollback", "forms", "--why", "the office says otherwise")
    nightly.refresh()
    life.next_morning(
        "- 2 | v2 | promoted | v1 | run 1 | sim/scripted | promote",
        "- champion | 3 | v3 | promoted | v2 | run 2 | sim/scripted | promote",
        "- SKILL.md:14 The field `name` is taken only as capital letters, family first. asked by 4 tasks",
        "+ champion | 2 | v2 | promoted | v1 | run 1 | sim/scripted | promote",
        "+ 3 | v3 | promoted | v2 | run 2 | sim/scripted | promote",
        "+ 2026-01-25 rollback v2 from v3: the office says otherwise",
        "+ run 3 completed, 01-25",
        "+ night 3 (2026-01-25): rejected, - -> -, 0 tried, 0 in, 1 out",
    )
    assert "not in the skill: it stood in version" in nightly("book", "forms").stdout
    # Logs are added, of work that no task asks about: nothing shows that their rule helps.
    nightly.add_logs()
    nightly.refresh("--sources", "logs")
    life.next_morning(
        "+ 4 | v4 | rejected | v2 | run 4 | sim/scripted | reject",
        "+ run 4 completed, 01-26",
        "+ night 4 (2026-01-26): rejected, 50.0 -> 50.0, 1 tried, 0 in, 0 out",
    )
    # A person edits the skill.
    with (life.live / "SKILL.md").open("a") as skill:
        skill.write("- Be brief.\n")
    nightly.refresh("--sources", "logs")
    life.next_morning(
        "- champion | 2 | v2 | promoted | v1 | run 1 | sim/scripted | promote",
        "+ 2 | v2 | promoted | v1 | run 1 | sim/scripted | promote",
        "+ champion | 5 | v5 | by hand | v2 | people",
        "+ 6 | v6 | rejected | v5 | run 5 | sim/scripted | reject",
        "+ 2026-01-27 adopt v5 from v2: found in its directory",
        "+ run 5 completed, 01-27",
        "+ night 5 (2026-01-27): rejected, 50.0 -> 50.0, 1 tried, 1 in, 0 out",
    )


def five_more(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    """An old checkout, an outage, the night after it, the month's cap, and a new month with an approval."""
    nightly, live = life.nightly, life.live
    # An old checkout lies over the directory: refused, and put right as the message says.
    shutil.rmtree(live)
    shutil.copytree(life.old_checkout, live)
    refused = nightly.refresh("--sources", "logs", code=2).complaint
    remedy = re.search(r"is it an old checkout\? `trace2skill (promote \w+ forms)` puts it right", refused)
    assert remedy, refused
    nightly(*remedy[1].split())
    nightly.refresh("--sources", "logs")
    life.next_morning(
        "- 6 | v6 | rejected | v5 | run 5 | sim/scripted | reject",
        "+ 6 | v6 | rejected | v5 | run 6 | sim/scripted | reject",
        "+ 2026-01-27 judged v6 over v5 by run 5: reject",
        "+ 2026-01-28 judged v6 over v5 by run 6: reject (stands)",
        "+ run 6 completed, 01-28",
        "+ night 6 (2026-01-28): rejected, 50.0 -> 50.0, 1 tried, 0 in, 0 out",
    )
    # An outage.
    nightly.model_is_down = True
    down = nightly.refresh("--sources", "logs", code=2).complaint
    assert "no route to host" in down
    assert down.endswith("Everything finished is kept: run the same command again")
    life.next_morning("+ run 7 failed, 01-29")
    # It is over: the night that broke off is gone on with.
    nightly.model_is_down = False
    nightly.refresh("--sources", "logs")
    life.next_morning(
        "- 6 | v6 | rejected | v5 | run 6 | sim/scripted | reject",
        "- 2026-01-28 judged v6 over v5 by run 6: reject (stands)",
        "- run 7 failed, 01-29",
        "+ 6 | v6 | rejected | v5 | run 7 | sim/scripted | reject",
        "+ 2026-01-28 judged v6 over v5 by run 6: reject",
        "+ 2026-01-30 judged v6 over v5 by run 7: reject (stands)",
        "+ run 7 completed, 01-30",
        "+ night 7 (2026-01-29): rejected, 50.0 -> 50.0, 1 tried, 0 in, 0 out",
    )
    # The last day of the month, and its cap.
    nightly.add_forms("permit", "stamp", 16)
    cap = life.books.spent["2026-01"] + 0.012
    capped = ["--sources", "logs", "--max-cost-per-month", cap]
    assert "of the month's cap of" in nightly.refresh(*capped, code=2).complaint
    life.next_morning("+ run 8 failed, 01-31")
    assert life.books.spent["2026-01"] <= cap
    # A new month has its own money, and a person is asked.
    monkeypatch.setattr(flows.refresh, "check", lambda _: None)  # no deployment is at hand, and so no form
    monkeypatch.setattr(flows.refresh, "ask", suspended)
    with pytest.raises(Pause):
        nightly.refresh(*capped, "--promote", "approve")
    listed = json.loads(nightly("status", "--json").stdout)
    (waiting,) = [item["run_id"] for item in listed if item["state"] == "waiting"]
    nightly("approve", waiting, "--why", "read it")
    life.next_morning(
        "- champion | 5 | v5 | by hand | v2 | people",
        "- run 8 failed, 01-31",
        "+ 5 | v5 | by hand | v2 | people",
        "+ champion | 7 | v7 | promoted | v5 | run 8 | sim/scripted | promote",
        "+ 2026-02-01 promote v7 from v5: the candidate is better on 4 and worse on 0 of 8 held-out tasks; "
        "approved: read it",
        "+ run 8 completed, 02-01",
        "+ night 8 (2026-01-31): promoted, 25.0 -> 75.0, 2 tried, 2 in, 0 out",
        "+ SKILL.md:15 The field `stamp` is taken only as colour and motif. asked by 8 tasks",
        "+ SKILL.md:16 Give the field `phone` as the country before it in brackets. asked by 4 tasks",
    )
    assert set(life.books.spent) == {"2026-01", "2026-02"}
    nightly("approve", waiting, code=2)


def test_a_candidate_that_is_staged_already_is_no_event_of_the_next_night(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(flows.refresh, "tell", lambda what, *_: told.append(what))
    for _ in range(2):
        life.nightly.refresh("--promote", "stage")
        life.clock.next_night()
    versions = json.loads(life.nightly("versions", "--json").stdout)["versions"]
    assert [len(version["judgements"]) for version in versions] == [0, 2], "the same candidate won twice"
    assert told == ["skill.staged"]


@pytest.mark.slow  # nights are above, and what a branch has besides is in test_skills_in_git
def test_nights_of_a_skill_on_a_branch_are_its_log(
    tmp_path: Path, prefect_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch, datetime(2026, 1, 28, 3, tzinfo=UTC))
    remote = Remote(tmp_path, {"team/forms/SKILL.md": nights_world.SKILL.encode()})
    skill = remote.address(path="team/forms")
    one, two = (Nightly(tmp_path / name, prefect_home, skill) for name in ("one", "two"))
    for worker in (one, two):
        worker.add_forms("invoice", "amount")
    log: list[str] = []
    books: dict[Path, Books] = {}

    def night(worker: Nightly, *came: str) -> None:
        """After it the branch has these commits besides, the newest first, and the worker's books hold."""
        nonlocal log
        worker.refresh()
        commits = remote.git("log", "--format=%s", "main").splitlines()
        assert commits == [*came, *log]
        live = remote.place_of(skill, tmp_path / "looked").read()
        assert live is not None
        check(now := Books.of(worker.store), books.get(worker.store), live.digest, CAP)
        log, books[worker.store] = commits, now
        clock.next_night()

    with one.at_work():
        # What one worker promotes is a commit. The other begins with it and finds nothing to do.
        first = remote.head
        night(one, "forms 2: promoted", "by a person")
        promoted = remote.head
        night(two)
        # A person commits an edit, and tasks are added.
        text = remote.git("show", "main:team/forms/SKILL.md") + "\n- Be brief.\n"
        edited = remote.commit({"team/forms/SKILL.md": text.encode()}, "Forms are filled in briefly")
        one.add_forms("parcel", "name")
        night(one, "forms 4: promoted", "Forms are filled in briefly")
        # A person takes the promotion back: it does not come again by itself, though its tasks fail again.
        reverted = remote.revert()
        night(one, 'Revert "forms 4: promoted"')
        # The other worker last saw what was promoted on the first night. It goes on from what the branch has by now.
        two.add_forms("permit", "stamp")
        night(two, "forms 3: promoted")
        assert "- Be brief." in remote.git("show", "main:team/forms/SKILL.md")
        night(one)
    assert one.history() == [
        f"2026-01-28 adopt v1: found on branch 'main' at commit {first}",
        "2026-01-28 promote v2 from v1: the candidate is better on 2 and worse on 0 of 2 held-out tasks",
        f"2026-01-30 adopt v3 from v2: found on branch 'main' at commit {edited[:12]}",
        "2026-01-30 promote v4 from v3: the candidate is better on 2 and worse on 0 of 4 held-out tasks",
        f"2026-01-31 adopt v3 from v4: found on branch 'main' at commit {reverted}",
        f"2026-02-02 adopt v5 from v3: found on branch 'main' at commit {remote.head}",
    ]
    assert two.history() == [
        f"2026-01-29 adopt v1: found on branch 'main' at commit {promoted}",
        f"2026-02-01 adopt v2 from v1: found on branch 'main' at commit {reverted}",
        "2026-02-01 promote v3 from v2: the candidate is better on 2 and worse on 0 of 4 held-out tasks",
    ]
