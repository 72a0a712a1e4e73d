"""A canary: two versions of a skill in real sessions, and an end as soon as it is sure which is better."""

import json
import shutil
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import OFFICE_SKILL, ROOT
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from trace2skill.cli.app import app
from trace2skill.core import clock
from trace2skill.core.errors import BadInput
from trace2skill.evaluation.canary import CanaryEnd, has_candidate, skewed, weighed
from trace2skill.skills.skill import read_skill, write_skill
from trace2skill.store import open_store
from trace2skill.versions.registry import Registry, Version

sys.path.insert(0, str(ROOT / "bench"))
from canary import history


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), max_size=60), st.floats(0.01, 0.99))
def test_no_bet_can_lose_more_than_is_there(told: list[tuple[bool, float]], share: float) -> None:
    found = weighed([CanaryEnd(str(place), *one) for place, one in enumerate(told)], share)
    assert found.for_better > 0
    assert found.for_worse > 0
    assert (found.verdict == "goes_on") == (max(found.for_better, found.for_worse) < 2 / found.level)


@pytest.mark.parametrize("better", [True, False])
def test_it_ends_with_the_session_after_which_a_gambler_has_twice_what_the_level_asks_for(better: bool) -> None:
    told = [CanaryEnd(f"s{number}", number % 2 == 0, float((number % 2 == 0) == better)) for number in range(200)]
    at = weighed(told, 0.5).decided_at
    assert 0 < at < 100
    before, then = weighed(told[: at - 1], 0.5), weighed(told[:at], 0.5)
    assert max(before.for_better, before.for_worse) < 2 / 0.05 <= max(then.for_better, then.for_worse)
    assert (before.verdict, then.verdict) == ("goes_on", "better" if better else "worse")


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_versions_that_are_equally_good_seldom_end_it_and_others_do(share: float) -> None:
    same = [weighed(history(number, share, 0.0, 400), share).verdict for number in range(120)]
    assert sum(verdict != "goes_on" for verdict in same) <= 0.05 * len(same) + 3
    for lift, wanted in ((0.3, "better"), (-0.3, "worse")):
        found = [weighed(history(number, share, lift, 600), share).verdict for number in range(10)]
        assert found.count(wanted) >= 8
        assert set(found) <= {wanted, "goes_on"}


def test_a_session_always_gets_the_same_and_the_share_is_kept() -> None:
    names = [f"session {number}" for number in range(4000)]
    drawn = [has_candidate("C1", name, 0.2) for name in names]
    assert drawn == [has_candidate("C1", name, 0.2) for name in names]
    assert drawn != [has_candidate("C2", name, 0.2) for name in names]
    assert sum(drawn) == pytest.approx(800, abs=110)
    assert skewed(4000, sum(drawn), 0.2) is None
    assert skewed(4000, sum(drawn) - 300, 0.2) is not None


class World:
    """A champion in use, another version, and logs of sessions."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.skill = read_skill(OFFICE_SKILL)
        self.place = folder / "live" / self.skill.name
        write_skill(self.skill, self.place)
        made = f"{self.skill.text('SKILL.md')}\n- One line more.\n".encode()
        self.other = self.skill.with_files({"SKILL.md": made})
        store = open_store(folder / "s.duckdb")
        registry = Registry(store)
        registry.adopt(self.skill, self.place)
        registry.record(self.other, Version(name=self.skill.name, skill=self.other.digest, state="candidate"))
        store.close()
        self.served = folder / "served"
        self.sessions: list[tuple[str, bool]] = []

    def run(self, *words: str, code: int = 0) -> Any:
        found = CliRunner().invoke(app, ["canary", *words])
        assert found.exit_code == code, found.output + str(found.exception)
        return found

    def told(self, *words: str) -> dict[str, Any]:
        return dict(json.loads(self.run(*words, "--json", "--store", str(self.folder / "s.duckdb")).stdout))

    def start(self, *more: str) -> dict[str, Any]:
        return self.told("start", str(self.place), self.other.digest[:12], "--to", str(self.served), *more)

    def pick(self, session: str) -> str:
        return Path(self.run("pick", str(self.served), session).stdout.strip()).parent.name

    def log(self, name: str, ends: dict[str, float | None]) -> Path:
        path = self.folder / f"{name}.jsonl"
        rows = [
            {"id": id, "messages": [{"role": "user", "text": "Go on."}, {"role": "agent", "text": "Done."}]}
            | ({} if score is None else {"outcome": score})
            for id, score in ends.items()
        ]
        path.write_text("\n".join(map(json.dumps, rows)))
        return path

    def look(self, path: Path, *more: str) -> dict[str, Any]:
        return self.told("look", str(self.served), str(path), "--format", "rows", *more)

    @property
    def live(self) -> str:
        return read_skill(self.place).digest


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_better_version_wins_is_served_to_all_and_becomes_champion_where_that_was_asked_for(world: World) -> None:
    made = world.start("--share", "0.5")
    drawn = {f"s{number}": world.pick(f"s{number}") for number in range(60)}
    assert set(drawn.values()) == {"champion", "candidate"}
    assert (world.served / "candidate" / world.skill.name / "SKILL.md").read_text() == world.other.text("SKILL.md")
    first = {id: float(side == "candidate") for id, side in [*drawn.items()][:8]}
    found = world.look(world.log("first", {**first, "not served": 1.0, "s50": None}))
    assert (found["new"], found["not_served"], found["canary"]["by_time"]) == (8, 1, False)
    assert found["canary"]["ended"] == ""
    again = world.look(world.log("first", dict.fromkeys(first, 0.0)))
    assert (again["new"], again["test"]["for_better"]) == (0, found["test"]["for_better"]), "each session counts once"
    rest = {id: float(side == "candidate") for id, side in drawn.items()}
    found = world.look(world.log("rest", rest), "--promote")
    assert (found["canary"]["ended"], found["canary"]["champion"]) == ("better", made["champion"])
    assert world.live == world.other.digest
    assert {world.pick(f"later {number}") for number in range(9)} == {"candidate"}
    over = world.run("look", str(world.served), str(world.folder), "--store", str(world.folder / "s.duckdb"), code=1)
    assert isinstance(over.exception, BadInput)
    assert "has ended (better)" in str(over.exception)


def test_a_worse_version_goes_at_once_and_one_of_which_nobody_can_tell_at_the_end(world: World) -> None:
    world.start("--share", "0.5", "--most", "30")
    drawn = {f"s{number}": world.pick(f"s{number}") for number in range(60)}
    found = world.look(world.log("all", {id: float(side == "champion") for id, side in drawn.items()}), "--promote")
    assert found["canary"]["ended"] == "worse"
    assert world.live == world.skill.digest
    assert {world.pick(f"later {number}") for number in range(9)} == {"champion"}
    world.start("--share", "0.5", "--most", "30")
    served = [f"t{number}" for number in range(40)]
    for name in served:
        world.pick(name)
    found = world.look(world.log("more", dict.fromkeys(served, 1.0)))
    assert found["canary"]["ended"] == "undecided"


def test_where_sessions_of_one_version_are_missing_nothing_is_decided(world: World) -> None:
    world.start("--share", "0.5", "--patience", "0")
    drawn = {f"s{number}": world.pick(f"s{number}") for number in range(80)}
    kept = {id: 1.0 for id, side in drawn.items() if side == "champion"}
    kept |= dict.fromkeys([id for id, side in drawn.items() if side == "candidate"][:8], 0.0)
    found = world.look(world.log("some", kept))
    assert found["uneven"] < 0.001
    assert found["canary"]["ended"] == ""


def test_what_ends_it_besides_and_what_is_refused(world: World) -> None:
    world.start()
    twice = CliRunner().invoke(
        app, ["canary", "start", str(world.place), world.other.digest[:12], "--to", str(world.served),
              "--store", str(world.folder / "s.duckdb")],
    )  # fmt: skip
    assert "goes on" in str(twice.exception)
    taken = world.folder / "taken"
    taken.mkdir()
    (taken / "thesis.txt").write_text("mine")
    refused = CliRunner().invoke(
        app, ["canary", "start", str(world.place), world.other.digest[:12], "--to", str(taken),
              "--store", str(world.folder / "s.duckdb")],
    )  # fmt: skip
    assert "would be lost" in str(refused.exception)
    for name in (" ", "x" * 201):
        assert "drawn by its name" in str(
            CliRunner().invoke(app, ["canary", "pick", str(world.served), name]).exception
        )
    assert "no canary's folder" in str(CliRunner().invoke(app, ["canary", "pick", str(taken), "s"]).exception)
    store = open_store(world.folder / "s.duckdb")
    newer = world.skill.with_files({"SKILL.md": f"{world.skill.text('SKILL.md')}\n- Two.\n".encode()})
    registry = Registry(store)
    registry.record(newer, Version(name=newer.name, skill=newer.digest, state="candidate"))
    registry.promote(newer, world.place, expected=world.skill.digest, run_id="r", reason="a night")
    store.close()
    ended = world.look(world.log("none", {"s1": 1.0}))
    assert ended["ended"] == "stopped"
    assert "champion is" in ended["why"]
    assert {world.pick(f"later {number}") for number in range(9)} == {"champion"}
    assert read_skill(world.served / "champion" / world.skill.name).digest == newer.digest, "what is champion now"


def test_without_a_note_of_what_was_served_sessions_since_the_start_count(world: World) -> None:
    world.start("--share", "0.5")
    rows = [
        {"id": name, "outcome": 1, "messages": [
            {"role": "user", "text": "Go on.", "time": when}, {"role": "agent", "text": "Done.", "time": when}]}
        for name, when in (("before", "2020-01-01T00:00:00Z"), ("after", "2099-01-01T00:00:00Z"))
    ]  # fmt: skip
    path = world.folder / "timed.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    found = world.look(path)
    assert (found["new"], found["not_served"], found["canary"]["by_time"]) == (1, 1, True)
    stopped = world.told("stop", str(world.served), "--why", "enough")
    assert (stopped["ended"], stopped["why"]) == ("stopped", "enough")


def test_sessions_are_tested_in_the_order_in_which_they_were_served(world: World) -> None:
    """In the order in which ends become known the candidate's would come last, whatever became of the days."""
    world.start("--share", "0.5")
    drawn = [(f"s{number}", world.pick(f"s{number}")) for number in range(40)]
    quick = {name: 1.0 for name, side in drawn if side == "champion"}
    first = world.look(world.log("quick", quick))
    head = next(number for number, (_, side) in enumerate(drawn) if side == "candidate")
    assert (first["new"], first["waiting"]) == (head, len(quick) - head)
    second = world.look(world.log("all", {name: 1.0 for name, _ in drawn}))
    assert [one[0] for one in second["canary"]["seen"]] == [name for name, _ in drawn]
    assert second["waiting"] == 0


def test_a_session_whose_end_nobody_knows_holds_up_the_others_for_some_days(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.start("--share", "0.5", "--patience", "3")
    names = [f"s{number}" for number in range(12)]
    for name in names:
        world.pick(name)
    path = world.log("some", dict.fromkeys(names[1:], 1.0))
    assert (world.look(path)["new"], world.look(path)["waiting"]) == (0, 11)
    later = datetime.now(UTC) + timedelta(days=4)
    monkeypatch.setattr(clock, "now", lambda: later)
    found = world.look(world.log("none", {}))
    assert (found["new"], found["waiting"], found["canary"]["given_up"]) == (11, 0, ["s0"])
    assert world.look(world.log("late", {"s0": 0.0}))["new"] == 0, "it is too late"


def test_the_champion_is_found_again_from_another_directory_and_a_failed_promotion_is_made_up_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(world.folder)
    world.told(
        "start", f"live/{world.skill.name}", world.other.digest[:12], "--to", str(world.served), "--share", "0.5"
    )
    drawn = {f"s{number}": world.pick(f"s{number}") for number in range(60)}
    path = world.log("all", {id: float(side == "candidate") for id, side in drawn.items()})
    elsewhere = world.folder / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    aside = world.place.with_name("aside")
    world.place.rename(aside)
    world.place.write_text("no directory")
    failed = CliRunner().invoke(
        app, ["canary", "look", str(world.served), str(path), "--format", "rows", "--promote",
              "--store", str(world.folder / "s.duckdb")],
    )  # fmt: skip
    assert failed.exit_code
    world.place.unlink()
    aside.rename(world.place)
    found = world.look(path, "--promote")
    assert (found["canary"]["ended"], world.live) == ("better", world.other.digest)
    assert not list(elsewhere.iterdir())


def test_a_candidate_that_people_promote_is_served_to_all(world: World) -> None:
    world.start()
    store = open_store(world.folder / "s.duckdb")
    registry = Registry(store)
    registry.promote(world.other, world.place, expected=world.skill.digest, run_id="", reason="by hand")
    store.close()
    assert world.look(world.log("none", {"s1": 1.0}))["ended"] == "stopped"
    assert {world.pick(f"later {number}") for number in range(9)} == {"candidate"}


def test_one_note_at_home_does_not_hide_what_was_served_elsewhere_and_what_has_no_time_is_nobodys(world: World) -> None:
    world.start("--share", "0.5")
    world.pick("a trial")
    times = {f"s{number}": f"2099-01-01T00:{number:02}:00Z" for number in range(20)}
    rows = [
        {"id": name, "outcome": 1, "messages": [{"role": "user", "text": "Go.", **({"time": when} if when else {})},
                                                {"role": "agent", "text": "Done."}]}
        for name, when in {**times, "timeless": ""}.items()
    ]  # fmt: skip
    path = world.folder / "timed.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    found = world.look(path)
    assert (found["new"], found["not_served"], found["canary"]["by_time"]) == (20, 1, True)


def test_a_copy_of_the_folder_learns_of_the_end_by_a_look(world: World, tmp_path: Path) -> None:
    world.start()
    copy = tmp_path / "copy"
    shutil.copytree(world.served, copy)
    world.told("stop", str(world.served))
    over = CliRunner().invoke(
        app, ["canary", "look", str(copy), str(tmp_path), "--store", str(world.folder / "s.duckdb")]
    )
    assert "has ended" in str(over.exception)
    assert json.loads((copy / "canary.json").read_text())["serves"] == "champion"


def test_a_log_that_comes_late_is_not_put_before_what_was_tested(world: World) -> None:
    """Which logs come late may hang on the version: they would be tested out of their order."""
    world.start("--share", "0.5")

    def logged(name: str, *minutes: int) -> Path:
        rows = [
            {"id": f"s{minute}", "outcome": 1, "messages": [
                {"role": "user", "text": "Go.", "time": f"2099-01-01T00:{minute:02}:00Z"}, {"role": "agent", "text": "Done."}]}
            for minute in minutes
        ]  # fmt: skip
        path = world.folder / f"{name}.jsonl"
        path.write_text("\n".join(map(json.dumps, rows)))
        return path

    assert world.look(logged("first", 5, 6, 7))["new"] == 3
    found = world.look(logged("second", 1, 8))
    assert (found["new"], found["canary"]["given_up"]) == (1, ["s1"])
