"""Versions and champions: whatever crashes or races, the registry and the directory agree in the end."""

import itertools
import json
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from conftest import OFFICE_SKILL
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule
from questions_of_tests import write_math
from run_settings import run_settings
from typer.testing import CliRunner

from trace2skill.cli.app import app
from trace2skill.core.errors import BadInput, ChampionChanged
from trace2skill.llm import ModelSettings, Roles
from trace2skill.runs import refresh
from trace2skill.runs.runtime import forget_runtimes, runtime
from trace2skill.skills.skill import Skill, read_skill, write_skill
from trace2skill.store import Store, open_store
from trace2skill.types.decision import Decision
from trace2skill.versions import places
from trace2skill.versions.export import to_directory, to_git, to_zip
from trace2skill.versions.registry import Registry, Version

SKILL = read_skill(OFFICE_SKILL)
LIVE = Path("live") / SKILL.name


def variant(number: int) -> Skill:
    text = (SKILL.text("SKILL.md") or "") + f"\n- Rule number {number}.\n"
    return SKILL.with_files({"SKILL.md": text.encode()})


def kept(registry: Registry, skill: Skill, parent: Skill, run: str = "run-1") -> None:
    decision = Decision(verdict="promote", reason="it is better")
    registry.record(
        skill,
        Version(
            name=skill.name, skill=skill.digest, parent=parent.digest, run_id=run, state="candidate", decision=decision
        ),
    )


@pytest.fixture
def store(tmp_path: Path, address: Path | str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.chdir(tmp_path)
    opened = open_store(address)
    yield opened
    opened.close()


@pytest.fixture
def live(tmp_path: Path) -> Path:
    directory = tmp_path / "live" / SKILL.name
    write_skill(SKILL, directory)
    return directory


def promoted(registry: Registry, skill: Skill, over: Skill, live: Path) -> None:
    kept(registry, skill, over)
    registry.promote(skill, live, expected=over.digest, run_id="run-1", reason="better")


def test_promote_roll_back_and_back_again(store: Store, live: Path) -> None:
    registry = Registry(store)
    registry.adopt(SKILL, LIVE)
    promoted(registry, variant(1), SKILL, live)
    assert read_skill(live) == variant(1)
    registry.rollback(SKILL.name, live, reason="worse in practice")
    assert read_skill(live) == SKILL
    registry.rollback(SKILL.name, live)
    assert read_skill(live) == variant(1)
    assert [change.kind for change in registry.history(SKILL.name)] == ["adopt", "promote", "rollback", "rollback"]
    registry.rollback(SKILL.name, live, to=SKILL.digest)
    assert registry.champion(SKILL.name) == SKILL.digest
    assert [item.number for item in registry.versions(SKILL.name)] == [1, 2]
    assert read_skill(registry.directory(variant(1))) == variant(1)


def test_of_two_that_promote_at_once_one_wins_and_the_other_is_told(store: Store, live: Path) -> None:
    registry = Registry(store)
    registry.adopt(SKILL, LIVE)
    ends: list[str] = []
    gate = threading.Barrier(8)

    def one(number: int) -> None:
        kept(registry, variant(number), SKILL, f"run-{number}")
        gate.wait()
        try:
            registry.promote(variant(number), live, expected=SKILL.digest, run_id=f"run-{number}", reason="better")
            ends.append("won")
        except ChampionChanged as changed:
            ends.append("lost" if changed.champion == registry.champion(SKILL.name) else "lost to nobody")

    threads = [threading.Thread(target=one, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ends) == ["lost"] * 7 + ["won"]
    assert read_skill(live).digest == registry.champion(SKILL.name)


def test_what_people_change_by_hand_is_a_version_and_never_overwritten(store: Store, live: Path) -> None:
    registry = Registry(store)
    registry.adopt(SKILL, LIVE)
    write_skill(variant(7), live)
    registry.adopt(read_skill(live), live)
    assert registry.champion(SKILL.name) == variant(7).digest
    assert registry.versions(SKILL.name)[-1].state == "by_hand"
    kept(registry, variant(8), SKILL)
    with pytest.raises(ChampionChanged):
        registry.promote(variant(8), live, expected=SKILL.digest, run_id="run-8", reason="")
    assert read_skill(live) == variant(7)


def judged(registry: Registry, skill: Skill, run: str, verdict: str, over: Skill = SKILL) -> None:
    decision = Decision(verdict=verdict, reason=f"{verdict} by {run}")
    state = "rejected" if verdict == "reject" else "candidate"
    version = Version(
        name=skill.name, skill=skill.digest, parent=SKILL.digest, run_id=run, state=state, decision=decision
    )
    registry.record(skill, version, over.digest)


def test_a_staged_winner_keeps_its_win_until_the_same_comparison_is_lost(store: Store) -> None:
    registry, skill = Registry(store), variant(1)
    registry.adopt(SKILL, LIVE)

    def shown() -> tuple[str, str, str]:
        found = registry.version(skill.digest)
        assert found.decision
        return found.decision.verdict, found.run_id, found.state

    judged(registry, skill, "monday", "promote")
    for night in ("tuesday", "wednesday"):
        judged(registry, skill, night, "not_enough_evidence")
        judged(registry, skill, night, "not_enough_evidence")  # the run is repeated: it is said once
    judged(registry, skill, "thursday", "reject", over=variant(2))  # another comparison
    assert shown() == ("promote", "monday", "candidate")
    win = registry.win(registry.version(skill.digest), SKILL.digest)
    assert win
    assert win.run_id == "monday"
    assert registry.win(registry.version(skill.digest), variant(2).digest) is None
    judged(registry, skill, "friday", "reject")
    assert shown() == ("reject", "friday", "rejected")
    assert registry.win(registry.version(skill.digest), SKILL.digest) is None
    judged(registry, skill, "saturday", "promote")
    assert shown() == ("promote", "saturday", "candidate")
    nights = [(item.run_id, item.verdict) for item in registry.judgements(registry.version(skill.digest))]
    assert nights == [
        ("monday", "promote"),
        ("tuesday", "not_enough_evidence"),
        ("wednesday", "not_enough_evidence"),
        ("thursday", "reject"),
        ("friday", "reject"),
        ("saturday", "promote"),
    ]


def test_a_winner_that_was_judged_again_is_promoted_without_a_why(tmp_path: Path, live: Path, store: Store) -> None:
    registry, skill = Registry(store), variant(1)
    registry.adopt(SKILL, LIVE)
    judged(registry, skill, "monday", "promote")
    judged(registry, skill, "tuesday", "not_enough_evidence")
    store.close()
    runner, at = CliRunner(), ["--store", str(store.path)]
    told = json.loads(runner.invoke(app, ["versions", "--json", *at]).stdout)
    assert [said["run_id"] for said in told["versions"][1]["judgements"]] == ["monday", "tuesday"]
    lines = runner.invoke(app, ["versions", *at]).stdout.splitlines()
    assert [line.partition(" by ")[2] for line in lines if " judged " in line] == [
        "monday: promote (stands)",
        "tuesday: not enough evidence",
    ]
    done = runner.invoke(app, ["promote", skill.digest[:12], str(live), "--json", *at])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["run_id"] == "monday"
    assert read_skill(live) == skill


def test_an_old_directory_rolls_nothing_back_and_is_put_right_by_what_the_refusal_names(
    store: Store, live: Path
) -> None:
    registry, new = Registry(store), variant(1)
    registry.adopt(SKILL, live)
    promoted(registry, new, SKILL, live)
    before = registry.history(SKILL.name)
    write_skill(SKILL, live)  # a git checkout, a new container, a second worker
    with pytest.raises(BadInput) as refused:
        registry.adopt(read_skill(live), live)
    said = str(refused.value)
    assert f"`trace2skill promote {new.digest[:12]} {live}` puts it right" in said
    assert f"`trace2skill rollback {live} --to {SKILL.digest[:12]}` goes back to that version" in said
    assert registry.history(SKILL.name) == before
    store.close()
    runner, at = CliRunner(), ["--store", str(store.path)]
    done = runner.invoke(app, ["promote", new.digest[:12], str(live), *at])
    assert f"holds the champion {new.digest[:12]} again" in done.output
    assert read_skill(live) == new
    write_skill(SKILL, live)
    done = runner.invoke(app, ["rollback", str(live), "--to", SKILL.digest[:12], "--json", *at])
    assert json.loads(done.stdout)["kind"] == "rollback"
    with closing(open_store(store.path)) as opened:
        kinds = [change.kind for change in Registry(opened).history(SKILL.name)]
        assert kinds == ["adopt", "promote", "rollback"]
        Registry(opened).adopt(read_skill(live), live)  # what was decided for is no old checkout
        assert len(Registry(opened).history(SKILL.name)) == 3


def test_no_run_begins_on_an_old_directory_and_measuring_it_changes_no_champion(tmp_path: Path, live: Path) -> None:
    write_math(tmp_path / "data", 12)
    given = run_settings(
        domain="math",
        data=tmp_path / "data",
        skill=live,
        roles=Roles.all_played_by(ModelSettings(name="sim/office")),
        store=tmp_path / "s.duckdb",
        output=tmp_path / "runs",
        sandbox="process",
    )
    try:
        registry = Registry(runtime(given).store)
        refresh.start(runtime(given))
        promoted(registry, variant(1), SKILL, live)
        before = registry.history(SKILL.name)
        write_skill(SKILL, live)
        for kind in ("run", "drift"):
            with pytest.raises(BadInput, match="old checkout"):
                refresh.start(runtime(given), kind)
        refresh.start(runtime(given), "evaluate")
        assert registry.history(SKILL.name) == before
        write_skill(variant(2), live)
        forget_runtimes()
        refresh.start(runtime(given))
        assert Registry(runtime(given).store).history(SKILL.name)[-1].kind == "adopt", "an edit by people"
    finally:
        forget_runtimes()


def test_nothing_to_go_back_to_is_said(store: Store, live: Path) -> None:
    registry = Registry(store)
    with pytest.raises(BadInput, match="nothing was promoted"):
        registry.rollback(SKILL.name, live)
    registry.adopt(SKILL, LIVE)
    with pytest.raises(BadInput, match="nothing to go back to"):
        registry.rollback(SKILL.name, live)
    with pytest.raises(BadInput, match="no version with digest"):
        registry.version("00000000")


def test_a_look_is_spent_once_however_often_it_is_asked_for(store: Store) -> None:
    registry = Registry(store)
    first = registry.look("a", "champion", ["candidate 1"], 0.05)
    assert registry.look("a", "champion", ["candidate 1"], 0.05) == first
    second = registry.look("a", "champion", ["candidate 2"], 0.05)
    assert (first.number, second.number) == (1, 2)
    assert registry.look("a", "another champion", ["candidate 2"], 0.05).number == 1
    assert registry.look("b", "champion", ["candidate 2"], 0.05).number == 1


def test_versions_go_out_as_directory_zip_and_git_branch(store: Store, live: Path, tmp_path: Path) -> None:
    registry = Registry(store)
    registry.adopt(SKILL, LIVE)
    promoted(registry, variant(1), SKILL, live)
    assert read_skill(to_directory(variant(1), tmp_path / "out")) == variant(1)
    one, two = to_zip(variant(1), tmp_path / "a.skill"), to_zip(variant(1), tmp_path / "b.skill")
    assert one.read_bytes() == two.read_bytes()
    with zipfile.ZipFile(one) as archive:
        archive.extractall(tmp_path / "unzipped")
    assert read_skill(tmp_path / "unzipped" / SKILL.name) == variant(1)
    repository = tmp_path / "repository"
    subprocess.run(["git", "init", "-q", str(repository)], check=True)
    assert to_git(registry, SKILL.name, repository, "skills") == 2
    log = subprocess.run(
        ["git", "-C", str(repository), "log", "--format=%H %B", "skills"], capture_output=True, text=True, check=True
    ).stdout
    assert "promote: it is better." in log
    assert f"Skill-Digest: {variant(1).digest}" in log
    head = log.split()[0]
    to_git(registry, SKILL.name, repository, "again")
    again = subprocess.run(
        ["git", "-C", str(repository), "rev-parse", "again"], capture_output=True, text=True, check=True
    )
    assert again.stdout.strip() == head, "the same versions give the same commits"
    subprocess.run(["git", "-C", str(repository), "checkout", "-q", "skills"], check=True)
    assert read_skill(repository / SKILL.name) == variant(1)
    with pytest.raises(BadInput, match="git says"):
        to_git(registry, SKILL.name, tmp_path / "unzipped", "skills")


class Crash(Exception):
    """The process dies here."""


class Champions(RuleBasedStateMachine):
    """Runs promote, people edit and roll back, processes die between the decision and the swap."""

    skills = Bundle("skills")

    @initialize()
    def begin(self) -> None:
        import tempfile

        self.folder = Path(tempfile.mkdtemp(prefix="t2s-registry-"))
        self.store = open_store(self.folder / "s.duckdb")
        self.live = self.folder / "live" / SKILL.name
        write_skill(SKILL, self.live)
        self.registry = Registry(self.store)
        self.registry.adopt(SKILL, self.live)
        self.expected = SKILL.digest
        self.crashed = False

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()

    def settle(self) -> None:
        self.registry.recover(SKILL.name, self.live)
        self.crashed = False

    @rule(number=st.integers(1, 4), crash=st.sampled_from(["no", "before", "after"]))
    def promote(self, number: int, crash: str) -> None:
        self.settle()
        skill, champion = variant(number), self.registry.champion(SKILL.name)
        kept(self.registry, skill, SKILL)
        with crashing(crash):
            try:
                self.registry.promote(skill, self.live, expected=str(champion), run_id="r", reason="")
            except Crash:
                self.crashed = True
        self.expected = skill.digest

    @rule(number=st.integers(1, 4))
    def promote_over_the_wrong_one(self, number: int) -> None:
        self.settle()
        kept(self.registry, variant(number), SKILL)
        with pytest.raises(ChampionChanged):
            self.registry.promote(variant(number), self.live, expected="0" * 64, run_id="r", reason="")

    @rule(crash=st.sampled_from(["no", "before", "after"]))
    def roll_back(self, crash: str) -> None:
        self.settle()
        previous = self.registry.history(SKILL.name)[-1].previous
        if not previous:
            return
        with crashing(crash):
            try:
                self.registry.rollback(SKILL.name, self.live)
            except Crash:
                self.crashed = True
        self.expected = previous

    @rule(number=st.integers(5, 6))
    def edit_by_hand(self, number: int) -> None:
        self.settle()
        write_skill(variant(number), self.live)
        if self.registry.is_former(variant(number)):
            with pytest.raises(BadInput, match="old checkout"):
                self.registry.adopt(read_skill(self.live), self.live)
            self.registry.put_right(SKILL.name, self.live)
            return
        self.registry.adopt(read_skill(self.live), self.live)
        self.expected = variant(number).digest

    @rule()
    def start_again(self) -> None:
        self.store.close()
        self.store = open_store(self.folder / "s.duckdb")
        self.registry = Registry(self.store)
        self.settle()

    @invariant()
    def the_champion_is_the_last_decision(self) -> None:
        assert self.registry.champion(SKILL.name) == self.expected
        changes = self.registry.history(SKILL.name)
        assert [change.number for change in changes] == list(range(1, len(changes) + 1))
        assert all(b.previous == a.skill for a, b in itertools.pairwise(changes))
        assert all(change.done for change in changes[:-1])
        known = {item.skill for item in self.registry.versions(SKILL.name)}
        assert {change.skill for change in changes} <= known

    @invariant()
    def the_directory_is_a_whole_skill_and_the_champion_unless_a_crash_is_open(self) -> None:
        live = read_skill(self.live).digest
        if not self.crashed:
            assert live == self.expected
        changes = self.registry.history(SKILL.name)
        assert live in (changes[-1].skill, changes[-1].previous)


class crashing:
    """Let the process die before or after the directory is swapped."""

    def __init__(self, when: str) -> None:
        self.when = when

    def __enter__(self) -> None:
        self.real = places.write_skill
        calls = {"n": 0}

        def write(skill: Skill, directory: Path) -> None:
            calls["n"] += 1
            if self.when == "before":
                raise Crash
            self.real(skill, directory)
            if self.when == "after":
                raise Crash
            return

        places.write_skill = write

    def __exit__(self, *_: object) -> None:
        places.write_skill = self.real


TestChampions = Champions.TestCase
TestChampions.settings = settings(
    max_examples=12, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
)
