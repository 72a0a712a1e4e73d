"""Rollouts that tell: tasks are rolled out by what they can still teach, and the few of the others stand for the rest."""

from collections.abc import Iterator, Sequence

import nights_world
import pytest
from forms_of_tests import forms
from hypothesis import given
from hypothesis import strategies as st
from in_process import Done, refresh

from trace2skill.consolidate.candidate import Candidate
from trace2skill.runs.distill import Distilled
from trace2skill.runs.estimate import estimate
from trace2skill.runs.night import tonight
from trace2skill.runs.report.page import render_report
from trace2skill.runs.rounds import NO_BETTER, Search, is_better, mean_hard
from trace2skill.runs.runtime import forget_runtimes, runtime
from trace2skill.runs.spread import (
    DrawnTask,
    RolloutSpread,
    SkillScores,
    SpreadSettings,
    TaskHistory,
    again,
    known_before,
    telling,
)
from trace2skill.sim.scripted import scripted
from trace2skill.types.evaluation import Cell
from trace2skill.types.references import Rolled

TELLING = SpreadSettings(by="telling")
ALWAYS = {f"p{n:02}": TaskHistory("S0", 2, 2, n % 3) for n in range(20)}
MIXED = {f"m{n}": TaskHistory("S0", 1, 2, 0) for n in range(3)}
FAILING = {f"f{n}": TaskHistory("S0", 0, n + 1, 0) for n in range(4)}
KNOWN = {**ALWAYS, **MIXED, **FAILING}
TASKS = dict.fromkeys((*KNOWN, "new"), "sums")


def drawn(known: dict[str, TaskHistory] = KNOWN, skill: str = "S0", **how: object) -> RolloutSpread:
    return telling(TASKS, known, skill, 3, TELLING.model_copy(update=how), "night 1")


def rolled(skill: str, ends: dict[str, bool]) -> list[Rolled]:
    scores = [{"outcome": "failed", "hard": 0.0, "soft": 0.0}, {"outcome": "passed", "hard": 1.0, "soft": 1.0}]
    return [
        Rolled(trajectory_id=task, content=task, skill=skill, cell=Cell(task_id=task, seed=1, **scores[passed]))  # type: ignore[arg-type]
        for task, passed in ends.items()
    ]


def test_both_outcomes_have_every_seed_failures_and_news_one_and_of_passes_a_share_those_of_longest_ago() -> None:
    found = drawn()
    assert {task for task, item in found.tasks.items() if item.seeds == 3} == {*MIXED}
    assert {*FAILING, "new", *MIXED} < {*found.tasks}
    canaries = {*found.tasks} & {*ALWAYS}
    assert len(canaries) == 2
    assert all(KNOWN[task].last == 0 for task in canaries)
    assert all(found.tasks[task] == DrawnTask(1, 10.0) for task in canaries)
    assert drawn() == found
    assert len({tuple(telling(TASKS, KNOWN, "S0", 3, TELLING, night).tasks) for night in range(9)}) > 1
    jobs = found.jobs((41, 42, 43), "S0")
    assert len(jobs) == found.runs == 3 * 3 + 4 + 1 + 2


def test_a_failure_with_the_skill_calls_back_those_of_its_kind_that_passed_with_an_earlier_one() -> None:
    with_a_failure = {**KNOWN, "p00": TaskHistory("S1", 0, 1, 4)}
    assert {*drawn(with_a_failure, "S1").tasks} == {*TASKS}
    one_of_another_kind = telling({**TASKS, "p00": "dates"}, with_a_failure, "S1", 3, TELLING, "night 1")
    assert len({*one_of_another_kind.tasks} & {*ALWAYS}) == 3


def test_at_most_so_many_rollouts_and_what_has_both_outcomes_goes_first() -> None:
    found = drawn(most=10)
    assert found.runs <= 10
    assert {*found.tasks} & {*MIXED} == {*MIXED}
    assert len({*found.tasks} & {*ALWAYS}) == 1
    assert drawn(most=1).runs == 1


@given(
    st.dictionaries(st.text("abc", min_size=1, max_size=3), st.booleans(), min_size=1, max_size=40), st.integers(1, 9)
)
def test_what_is_drawn_stands_for_every_task(passed: dict[str, bool], tenths: int) -> None:
    known = {task: TaskHistory("S0", int(ok), 1, 0) for task, ok in passed.items()}
    how = TELLING.model_copy(update={"canaries": tenths / 10})
    found = telling(dict.fromkeys(passed, "k"), known, "S0", 1, how, "x")
    assert sum(item.weight for item in found.tasks.values()) == pytest.approx(len(passed))
    everything = telling(dict.fromkeys(passed, "k"), {}, "S0", 1, how, "x")
    later = again(everything, rolled("S0", passed), dict.fromkeys(passed, "k"), how, "x")
    assert sum(item.weight for item in later.tasks.values()) == pytest.approx(len(passed))
    assert {task for task, ok in passed.items() if not ok} <= {*later.tasks}


def test_a_loss_on_a_task_that_stands_for_ten_outweighs_a_few_gains() -> None:
    before = rolled("S0", {"a": False, "b": False, "p": True})
    after = rolled("S1", {"a": True, "b": True, "p": False})
    assert is_better(before, after)
    ten = RolloutSpread({"a": DrawnTask(1), "b": DrawnTask(1), "p": DrawnTask(1, 10.0)})
    assert not is_better(before, after, ten)
    assert mean_hard(after, ten) == pytest.approx(2 / 12)


def test_a_round_that_gains_two_and_loses_what_stands_for_ten_is_no_better() -> None:
    ten = RolloutSpread({"a": DrawnTask(1), "b": DrawnTask(1), "p": DrawnTask(1, 10.0)})
    search = Search(0, tuple(rolled("S0", {"a": False, "b": False, "p": True})), 2, ten)
    learned = Distilled(base="S0", analysed=(), proposed=())
    search.learned(search.rolled, learned, Candidate(base="S0", skill="C1", thresholds=(2, 2)))
    search.tried(rolled("C1", {"a": True, "b": True, "p": False}))
    (score,) = search.evolution.rounds
    assert score.ended == NO_BETTER
    assert (score.before, score.hard) == (pytest.approx(10 / 12), pytest.approx(2 / 12))


def test_what_is_known_is_of_the_skill_in_use_or_else_of_the_last() -> None:
    def run(skill: str, passed: int, scored: int) -> Sequence[SkillScores]:
        return [SkillScores(skill=skill, tasks={"t": (passed, scored)})]

    runs = [run("S0", 1, 1), run("S1", 0, 1), run("S0", 0, 1)]
    assert known_before(runs, "S1") == {"t": TaskHistory("S1", 0, 1, 1)}
    assert known_before(runs, "S0") == {"t": TaskHistory("S0", 1, 2, 2)}, "what another has shown is left out"
    assert known_before(runs[1:], "S2") == {"t": TaskHistory("S0", 0, 1, 1)}


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Done]]:
    """Two nights of a world with causes behind causes, the second with what is foreseen of it."""
    folder = tmp_path_factory.mktemp("nights")
    found = []
    with scripted(nights_world.speak):
        for number in (1, 2, 2):
            settings = forms(folder, 80, moving_seeds=True, night=number, rounds=2, max_cost=None, promote="auto")
            settings = settings.changed(spread=TELLING)
            found.append(refresh(tonight(settings, runtime(settings).store, f"2026-03-{number:02}"), 4))
            if number == 1:
                forget_runtimes()
        yield found
    forget_runtimes()


def test_a_night_rolls_out_what_still_fails_and_finds_what_was_hidden(nights: list[Done]) -> None:
    first, second, _ = (done.summary for done in nights)
    assert first is not None
    assert second is not None
    assert first.promoted
    assert second.learned
    base = second.rolled[0]
    assert base.skill == first.candidate.skill
    evolve = len(nights[0].rt.splits.evolve)
    assert len(first.rolled[0].tasks) == evolve, "nothing was known of any task"
    assert len(first.rolled[1].tasks) < evolve, "of what S0 passes, only canaries are rolled out again"
    assert len(base.tasks) < 0.6 * evolve
    text = nights[1].rt.skill(second.candidate.skill)
    known = nights_world.stated(text.body) if text else frozenset()
    assert len(known) > len(nights_world.stated(first.candidate.skill)), "and it goes on learning"
    said = f"S0 was rolled out on {len(base.tasks)} of {evolve} evolve tasks"
    assert said in second.as_markdown()
    assert said in render_report(nights[1].rt.store, second, nights[1].rt.settings)
    assert "was rolled out on" not in first.as_markdown()


def test_a_night_that_is_run_again_rolls_out_the_same_and_pays_nothing(nights: list[Done]) -> None:
    _, second, again_ = nights
    assert again_.missed["rollout"] == 0
    assert second.summary is not None
    assert again_.summary is not None
    assert again_.summary.rolled == second.summary.rolled


def test_the_bill_counts_what_would_be_rolled_out(nights: list[Done]) -> None:
    foreseen = nights[1].estimate
    assert foreseen is not None
    rollouts = next(stage for stage in foreseen.stages if stage.stage == "rollout")
    paid = sum(done.missed["rollout"] for done in nights[1:2])
    assert rollouts.steps == pytest.approx(paid, rel=0.25)


def test_to_ask_what_a_night_will_cost_settles_nothing(nights: list[Done]) -> None:
    rt = nights[-1].rt
    settings = tonight(rt.settings.changed(night=3, night_of=""), rt.store, "2026-03-03")
    known = rt.store.ids_of("memory")
    forget_runtimes()
    later = runtime(settings)
    estimate(later)
    assert later.store.ids_of("memory") == known, "what ends before the night begins is still known to it"
