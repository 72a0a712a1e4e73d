"""Rounds: causes behind other causes come out, nothing learned before is lost, and held-out tasks are looked at once."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import forms_of_tests
import pytest
from conftest import ROOT
from in_process import Done, refresh

from trace2skill.consolidate.candidate import Candidate
from trace2skill.consolidate.ledger import SupportLedger
from trace2skill.llm import ModelSettings, Roles
from trace2skill.runs.distill import Distilled
from trace2skill.runs.estimate import Estimate, estimate
from trace2skill.runs.report.page import render_report
from trace2skill.runs.rounds import ALL_PASS, ALL_ROUNDS, NO_BETTER, NOTHING_NEW, Search
from trace2skill.runs.rule_book import listed_book
from trace2skill.runs.runtime import forget_runtimes, runtime
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.turned import Turned, turned
from trace2skill.sim.conversation import Heard, Spoken
from trace2skill.sim.scripted import scripted
from trace2skill.store import Store
from trace2skill.types.evaluation import Cell
from trace2skill.types.references import Rolled

sys.path.insert(0, str(ROOT / "bench"))
from nights_world import speak, stated

FIRST = {"amount", "name", "phone", "stamp", "title"}
"""Causes that nothing hides, in a world of this size."""


@pytest.fixture(autouse=True, scope="module")
def _world() -> Iterator[None]:
    with scripted(speak):
        yield


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    forget_runtimes()


def forms(tmp_path: Path, rounds: int, tasks: int = 64, **more: Any) -> RunSettings:
    return forms_of_tests.forms(tmp_path, tasks, rounds=rounds, **more)


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> tuple[Done, Done]:
    """The same run with one round, and then in the same store with two."""
    where = tmp_path_factory.mktemp("forms")
    return refresh(forms(where, 1, memory=False)), refresh(forms(where, 2, memory=False))


def store_of(done: Done) -> Store:
    return runtime(done.rt.settings).store


def causes(done: Done) -> set[str]:
    assert done.summary is not None
    assert done.summary.candidate_directory is not None
    return set(stated((done.summary.candidate_directory / "SKILL.md").read_text()))


def test_the_second_round_finds_what_the_first_could_not_see(nights: tuple[Done, Done]) -> None:
    one, two = nights
    assert causes(one) == FIRST
    assert causes(two) >= FIRST | {"rate", "town", "stampday", "title abroad"}
    assert two.summary is not None
    first, second = two.summary.rounds
    assert (first.chosen, second.chosen, second.ended) == (False, True, ALL_ROUNDS)
    assert first.before is not None
    assert first.hard is not None
    assert second.hard is not None
    assert first.before < first.hard == second.before < second.hard
    assert f"evolve tasks passed {first.before:.1%} before and {first.hard:.1%}" in two.summary.as_markdown()
    assert second.in_words in render_report(store_of(two), two.summary, two.rt.settings)


def test_the_first_round_is_what_a_run_of_one_round_does(nights: tuple[Done, Done]) -> None:
    """Its steps are hits in the store of a run that knew nothing of rounds, and so are all its calls."""
    one, two = nights
    assert one.summary is not None
    assert two.summary is not None
    assert one.summary.rounds == ()
    assert two.summary.rounds[0].skill == one.summary.candidate.skill
    for stage in ("extract", "propose", "induce", "write", "apply"):
        assert two.hits[stage] >= one.missed[stage] > 0, stage
    dumped = one.rt.settings.model_dump(mode="json")
    assert "rounds" not in dumped["learning"], "and the settings of a run of one round name the run that they named"


def test_a_line_has_the_supporters_of_its_own_round_and_keeps_them(nights: tuple[Done, Done]) -> None:
    one, two = nights
    assert one.summary is not None
    assert two.summary is not None
    before, after = (
        {cause: row.support for row in ledger.rows for said in row.said[:1] for cause in stated(said.text)}
        for ledger in (store_of(done).get("support", done.summary.candidate.skill, SupportLedger) for done in nights)  # type: ignore[union-attr]
        if ledger
    )
    assert {cause: after[cause] for cause in FIRST} == {cause: before[cause] for cause in FIRST}
    s0 = {item.trajectory_id for item in one.summary.analyses}
    asked = set(after["rate"].trajectories)
    assert asked & s0, "here and there the first round saw it, too"
    assert asked - s0
    every = {item.trajectory_id for item in two.summary.analyses}
    assert s0 < every
    assert asked < every


def test_the_book_says_in_which_candidates_a_rule_was_and_what_became_of_them(nights: tuple[Done, Done]) -> None:
    one, two = nights
    assert one.summary is not None
    assert two.summary is not None
    skill = runtime(two.rt.settings).given_skill
    assert skill is not None
    tried = {cause: rule.tried for rule in listed_book(store_of(two), skill).rules for cause in stated(rule.says)}
    assert [item.run_id for item in tried["amount"]] == [one.summary.run_id, two.summary.run_id]
    assert [item.candidate for item in tried["rate"]] == [two.summary.candidate.skill]
    (only,) = tried["rate"]
    assert (only.outcome, only.lift) == (two.summary.outcome, two.summary.decision.lift)
    rare = [rule for rule in listed_book(store_of(two), skill).rules if rule.tasks == 1]
    assert rare
    assert not any(rule.tried for rule in rare)


def test_held_out_tasks_are_looked_at_once_and_for_the_chosen_candidate_alone(nights: tuple[Done, Done]) -> None:
    _, two = nights
    summary = two.summary
    assert summary is not None
    skills = {item.skill for item in summary.evaluations}
    assert skills == {summary.base, summary.candidate.skill}
    loser = summary.rounds[0].skill
    seen = store_of(two).query("SELECT count(*) FROM look WHERE champion = ?", [summary.base])
    assert seen == [(2,)], "one of each of the two runs"
    learned = {item.task_id for item in summary.analyses}
    assert loser not in skills
    assert learned <= set(runtime(two.rt.settings).splits.evolve)


class Killed(BaseException):
    """What nobody catches."""


def test_a_run_that_is_killed_in_any_round_goes_on_and_pays_nothing_twice(tmp_path: Path) -> None:
    heard: list[str] = []
    most = 10_000

    def counted(request: Heard) -> Spoken:
        if len(heard) >= most:
            raise Killed
        heard.append(request.key)
        return speak(request)

    with scripted(counted, "counted") as name:
        roles = Roles.all_played_by(ModelSettings(name=name))
        whole = refresh(forms(tmp_path / "a", 2, tasks=24, roles=roles)).summary
        assert whole is not None
        assert len(whole.rounds) == 2
        calls, killed = heard.copy(), forms(tmp_path / "b", 2, tasks=24, roles=roles)
        heard.clear()
        for share in (0.4, 0.8):
            most = round(share * len(calls))
            with pytest.raises(Killed):
                refresh(killed)
            forget_runtimes()
        most = 10_000
        again = refresh(killed).summary
    assert again is not None
    assert sorted(heard) == sorted(calls), "each request was answered once"
    assert (again.candidate, again.rounds) == (whole.candidate, whole.rounds)


# --- when a search ends, and what it chooses --------------------------------------------------------------------------


def tried(skill: str, *passed: bool) -> list[Rolled]:
    ends = [{"outcome": "passed", "hard": 1.0, "soft": 1.0}, {"outcome": "failed", "hard": 0.0, "soft": 0.0}]
    return [
        Rolled(
            trajectory_id=f"T{skill}{number}",
            content=f"{skill}{number}",
            skill=skill,
            cell=Cell(task_id=f"t{number}", seed=1, **ends[not yes]),  # type: ignore[arg-type]
        )
        for number, yes in enumerate(passed)
    ]


def made_of(skill: str) -> tuple[Distilled, Candidate]:
    return Distilled(base="S0", analysed=(), proposed=()), Candidate(base="S0", skill=skill, thresholds=(2, 2))


def test_a_task_turned_if_its_mean_moved_over_the_runs_that_have_a_score_with_both() -> None:
    before, after = tried("S0", True, False, True, False), tried("C1", True, True, False, False)
    assert turned(before, after) == Turned(gained=("t1",), lost=("t2",))
    lacking = [item.model_copy(update={"cell": item.cell.model_copy(update={"outcome": "unknown"})}) for item in after]
    assert turned(before, lacking) == Turned()


def searched(most: int, *rounds: tuple[str, tuple[bool, ...]]) -> Search:
    """S0 passes one of three tasks."""
    rolled = tried("S0", True, False, False)
    search = Search(0, tuple(rolled), most)
    for skill, passed in rounds:
        search.learned(search.failing if search.made else rolled, *made_of(skill))
        if search.to_try:
            search.tried(tried(skill, *passed))
    return search


def test_a_round_that_gains_nothing_ends_the_search_and_the_one_before_competes() -> None:
    search = searched(5, ("C1", (True, True, False)), ("C2", (True, False, True)))
    assert not search.goes_on
    assert [item.ended for item in search.evolution.rounds] == ["", NO_BETTER]
    assert search.evolution.candidate.skill == "C1"
    assert [item.skill for item in search.evolution.tried] == ["C1"] * 3 + ["C2"] * 3


def test_a_candidate_that_is_known_already_is_not_rolled_out_again() -> None:
    search = searched(5, ("C1", (True, True, False)), ("C1", ()))
    assert search.to_try is None
    assert [item.ended for item in search.evolution.rounds] == ["", NOTHING_NEW]
    nothing = searched(5, ("S0", ()))
    assert nothing.to_try is None
    assert nothing.evolution.candidate.skill == "S0"


def test_the_search_ends_where_nothing_fails_or_enough_rounds_were_made() -> None:
    assert searched(5, ("C1", (True, True, True))).evolution.rounds[0].ended == ALL_PASS
    search = searched(2, ("C1", (True, True, False)), ("C2", (True, True, True)))
    assert search.evolution.candidate.skill == "C2"
    assert searched(1, ("C1", ())).to_try is None
    assert searched(1, ("C1", ())).evolution.rounds == ()


def test_the_first_candidate_competes_even_where_it_passes_no_more_and_the_gate_decides() -> None:
    search = searched(3, ("C1", (True, False, False)))
    assert not search.goes_on
    assert search.evolution.candidate.skill == "C1"


def test_a_round_learns_from_what_still_fails_and_what_fails_now() -> None:
    search = searched(3, ("C1", (False, True, True)))
    assert [item.cell.task_id for item in search.failing] == ["t0"]


# --- the bill ---------------------------------------------------------------------------------------------------------


def test_rounds_are_on_the_bill(tmp_path: Path) -> None:
    def asked(found: Estimate) -> dict[str, int]:
        return {item.stage: item.steps for item in found.stages}

    one, three = (asked(estimate(runtime(forms(tmp_path, rounds)))) for rounds in (1, 3))
    evolve = len(runtime(forms(tmp_path, 1)).splits.evolve)
    assert three["rollout"] == one["rollout"] + 3 * evolve
    assert three["extract"] == 3 * one["extract"]
    assert three["propose"] > 2 * one["propose"]
    assert three["induce"] > one["induce"]
    two_candidates = asked(estimate(runtime(forms(tmp_path, 3, candidates=2))))
    assert two_candidates["rollout"] > three["rollout"] + 3 * evolve
