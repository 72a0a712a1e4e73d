"""Seeds that move: each night its own, the same again for the same night, and a night that broke off is gone on with."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import forms_of_tests
import pytest
from conftest import ROOT
from in_process import Done, refresh
from product import run
from ruamel.yaml import YAML

from deployments.declared import declared
from trace2skill.runs.night import tonight
from trace2skill.runs.refresh import as_it_went_on, end, start
from trace2skill.runs.runtime import forget_runtimes, runtime
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.settings_file import read_settings
from trace2skill.sim.scripted import scripted

sys.path.insert(0, str(ROOT / "bench"))
from nights_world import speak, write_world


@pytest.fixture(autouse=True)
def _world() -> Iterator[None]:
    with scripted(speak):
        yield
    forget_runtimes()


def forms(tmp_path: Path, **more: Any) -> RunSettings:
    return forms_of_tests.forms(tmp_path, 24, **{"moving_seeds": True, **more})


def on(settings: RunSettings, day: str) -> RunSettings:
    return tonight(settings, runtime(settings).store, day)


def ended(settings: RunSettings, how: Any) -> None:
    """A run with these settings, which came so far."""
    rt = runtime(settings)
    start(rt)
    if how:
        end(rt, how)


def test_a_night_has_seeds_of_its_own_and_the_same_ones_again(tmp_path: Path) -> None:
    plain = forms(tmp_path, seeds=(41, 42))
    first = on(plain, "2026-03-01")
    assert (first.learning.night, first.learning.night_of) == (1, "2026-03-01")
    assert first.learning.seeds[1] - first.learning.seeds[0] == 1
    assert on(plain, "2026-03-01") == first, "asking is not spending a night"
    ended(first, "completed")
    assert on(plain, "2026-03-01") == first, "a rerun on its day"
    second = on(plain, "2026-03-02")
    assert second.learning.night == 2
    assert not {*first.learning.seeds} & {*second.learning.seeds}
    assert second.gate.held_out_seeds == first.gate.held_out_seeds == plain.gate.held_out_seeds
    assert runtime(second).run_id != runtime(first).run_id
    assert on(first, "2026-03-09") == first, "settings that a run wrote down are that night for ever"


@pytest.mark.parametrize("how", ["", "failed", "interrupted", "waiting"])
def test_a_night_that_no_run_has_finished_is_gone_on_with(tmp_path: Path, how: str) -> None:
    plain = forms(tmp_path)
    first = on(plain, "2026-03-01")
    ended(first, how)
    assert on(plain, "2026-03-02") == first
    ended(first, "completed")
    assert on(plain, "2026-03-02").learning.night == 2


def test_nights_are_counted_for_each_skill_and_have_other_seeds_there(tmp_path: Path) -> None:
    plain = forms(tmp_path)
    ended(on(plain, "2026-03-01"), "completed")
    text = (tmp_path / "forms" / "SKILL.md").read_text().replace("name: forms", "name: papers")
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "SKILL.md").write_text(text)
    other = on(forms(tmp_path, skill=tmp_path / "papers"), "2026-03-02")
    assert other.learning.night == 1
    assert other.learning.seeds != on(plain, "2026-03-01").learning.seeds


def test_a_night_that_is_named_is_that_night_and_without_moving_seeds_there_is_none(tmp_path: Path) -> None:
    named = on(forms(tmp_path, night=7), "2026-03-01")
    assert named.learning.night == 7
    alone = on(forms(tmp_path, moving_seeds=False, night=7), "2026-03-01")
    assert alone.learning.seeds == named.learning.seeds, "to name a night is enough"
    assert all(0 < seed < 2**31 for seed in named.learning.seeds)
    still = forms(tmp_path, moving_seeds=False)
    assert on(still, "2026-03-01") == still
    assert not {"night", "night_of", "moving_seeds"} & still.learning.model_dump().keys()


def test_a_hook_finds_the_run_of_the_night_that_its_flow_was_at(tmp_path: Path) -> None:
    plain = forms(tmp_path)
    first = on(plain, "2026-03-01")
    ended(first, "")
    assert as_it_went_on(plain, "run") == first
    ended(first, "completed")
    assert as_it_went_on(plain, "run") == plain


def test_a_second_night_without_news_rolls_out_anew_and_looks_at_other_runs(tmp_path: Path) -> None:
    def night(number: int) -> Done:
        return refresh(on(forms(tmp_path, night=number), f"2026-03-0{number}"))

    first, again, second = night(1), night(1), night(2)
    evolve = len(runtime(first.rt.settings).splits.evolve)
    assert again.missed["rollout"] == 0
    assert second.missed["rollout"] >= evolve
    assert first.summary is not None
    assert second.summary is not None
    assert second.summary.remembered > 0
    (seed,) = first.summary.seeds
    assert f"night 1 of this skill (2026-03-01), rollout seeds {seed}" in first.summary.as_markdown()


def test_a_run_states_its_night_and_its_settings_repeat_it(tmp_path: Path, prefect_home: Path) -> None:
    write_world(tmp_path, 24)
    how = [
        "--data",
        "data",
        "--domain",
        forms_of_tests.WORLD,
        "--skill",
        "forms",
        "--model",
        "sim/scripted",
        "--sandbox=process",
    ]
    how += ["--analysts", "+error", "--error-analyst", "one_call", "--moving-seeds", "--rounds", "2", "--no-evaluate"]
    how += ["--store", "s.duckdb", "--output", "runs"]
    said = run(tmp_path, prefect_home, "run", *how)
    words = " ".join(said.stdout.split())
    assert "night 1 of this skill" in words
    assert "round 2 (chosen): " in words
    (directory,) = (tmp_path / "runs").iterdir()
    kept = read_settings(directory / "settings.yaml")["learning"]
    assert (kept["moving_seeds"], kept["night"]) == (True, 1)
    run(tmp_path, prefect_home, "run", "--settings", directory / "settings.yaml")
    assert [item.name for item in (tmp_path / "runs").iterdir()] == [directory.name]


def test_the_nightly_deployment_has_seeds_that_move_two_rounds_and_rollouts_that_tell() -> None:
    given = {item.name: item.shown["parameters"].get("settings", {}) for item in declared()}
    learning = {"moving_seeds": True, "rounds": 2, "replay": 48, "spread": {"by": "telling"}}
    assert given["nightly-refresh"]["learning"] == learning
    assert "learning" not in given["drift-watch"]
    assert given["nightly-refresh"]["data"] == given["drift-watch"]["data"]
    shown = YAML(typ="safe").load((ROOT / "deployments" / "prefect.yaml").read_text())
    assert RunSettings.model_validate(shown["deployments"][0]["parameters"]["settings"]).learning.rounds == 2
