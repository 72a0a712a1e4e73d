"""A gate that cannot promote whatever comes out says so before anything is spent, and what would do."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from in_process import refresh
from product import run
from questions_of_tests import write_math, write_skill_for_sums
from run_settings import run_settings

from trace2skill.evaluation.acceptance import GateSettings
from trace2skill.evaluation.compare import sign_flip
from trace2skill.evaluation.outlook import best_p_value, outlook
from trace2skill.llm import ModelSettings, Roles
from trace2skill.runs.estimate import estimate
from trace2skill.runs.report.page import render_report
from trace2skill.runs.runtime import forget_runtimes, runtime
from trace2skill.runs.settings import RunSettings
from trace2skill.types.comparison import Score
from trace2skill.versions.registry import Registry
from trace2skill.versions.spending import look


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    forget_runtimes()


def sums(tmp_path: Path, tasks: int, **more: Any) -> RunSettings:
    """So many problems; a quarter of them is held out for validation."""
    if not (tmp_path / "data").exists():
        write_math(tmp_path / "data", tasks)
        write_skill_for_sums(tmp_path / "sums")
    return run_settings(
        data=tmp_path / "data",
        domain="math",
        skill=tmp_path / "sums",
        roles=Roles.all_played_by(ModelSettings(name="sim/office")),
        sandbox="process",
        store=tmp_path / "s.duckdb",
        output=tmp_path / "runs",
        **more,
    )


@pytest.mark.parametrize(("score", "seeds"), [("hard", 1), ("hard", 3), ("hard", 11), ("soft", 2)])
@pytest.mark.parametrize("tasks", [1, 5, 13, 14, 20])
def test_the_best_p_is_what_the_test_itself_says_when_all_turn(tasks: int, seeds: int, score: Score) -> None:
    _, p_value = sign_flip([1 / seeds] * tasks, hard=score == "hard", one_seed=seeds == 1)
    assert best_p_value(tasks, seeds, score) == pytest.approx(p_value)


def test_five_tasks_cannot_pass_the_first_look_and_six_can() -> None:
    five = outlook(5, 1, GateSettings(), look(1, 0.05))
    assert (five.can_promote, five.tasks_needed) == (False, 6)
    assert "p would be 0.0312, and look 1 has level 0.0295; 6 held-out tasks would do" in five.in_words
    assert not outlook(5, 16, GateSettings(), look(1, 0.05)).can_promote, "seeds make no task two"
    assert outlook(6, 1, GateSettings(), look(1, 0.05)).in_words == ""
    assert outlook(6, 1, GateSettings(), look(2, 0.05)).tasks_needed == 8


def test_tasks_the_champion_passes_and_a_margin_out_of_reach_count() -> None:
    found = outlook(40, 3, GateSettings(), look(1, 0.05), settled=37)
    assert (found.can_promote, found.tasks_needed) == (False, 6)
    assert "that the champion does not always pass (it passes 37)" in found.in_words
    assert not outlook(40, 1, GateSettings(margin=0.3), look(1, 0.05), settled=30).can_promote
    soft = outlook(40, 1, GateSettings(score="soft"), look(19, 0.05))
    assert (soft.can_promote, soft.tasks_needed) == (False, None), "no resample is rarer than one in 10,000"


def test_the_bill_says_it_for_the_look_that_the_run_would_take(tmp_path: Path) -> None:
    settings = sums(tmp_path, 24)
    rt = runtime(settings)
    found = estimate(rt).gate
    assert found is not None
    assert (found.tasks, found.look, found.can_promote) == (6, 1, True)
    assert rt.given_skill is not None
    for night in range(2):
        Registry(rt.store).look(rt.given_skill.name, rt.given_skill.digest, night, 0.05)
    found = estimate(rt).gate
    assert found is not None
    assert (found.look, found.can_promote, found.tasks_needed) == (3, False, 9)
    forget_runtimes()
    shared = estimate(runtime(sums(tmp_path, 24, candidates=4, select="validation", gate={"spend": "at_once"}))).gate
    assert shared is not None
    assert (shared.look, shared.level, shared.can_promote) == (1, 0.0125, False), "each candidate has a share"
    forget_runtimes()
    assert estimate(runtime(sums(tmp_path, 24, evaluate=False))).gate is None


def test_a_run_that_is_done_again_takes_the_look_it_took(tmp_path: Path) -> None:
    settings = sums(tmp_path, 24)
    done = refresh(settings)
    assert done.summary is not None
    assert done.summary.decision.look is not None
    found = estimate(done.rt).gate
    assert found is not None
    assert found.look == done.summary.decision.look.number == 1
    assert "one-sided p" in render_report(done.rt.store, done.summary, settings)


def test_a_run_and_its_pages_say_it(tmp_path: Path, prefect_home: Path, caplog: pytest.LogCaptureFixture) -> None:
    sums(tmp_path, 20)
    options = [*("--data", "data", "--domain", "math", "--skill", "sums", "--model", "sim/office"), "--sandbox=process"]
    where = ["--store", "s.duckdb", "--output", "runs"]
    said = run(tmp_path, prefect_home, "estimate", *options, *where)
    assert "6 held-out tasks would do" in " ".join(said.stdout.split())
    said = run(tmp_path, prefect_home, "run", *options, *where, "--analysts", "+error")
    assert "no result of this run can promote" in f"{said.complaint}{caplog.text}", "on stderr, or where tests catch it"
    assert "no result of this run can promote" in " ".join(said.stdout.split())
    (directory,) = (tmp_path / "runs").iterdir()
    for page in ("summary.md", "report.html"):
        assert "6 held-out tasks would do" in (directory / page).read_text()
