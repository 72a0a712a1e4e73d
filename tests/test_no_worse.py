"""The gate for a skill that is only to be smaller: what it lets through, at what level, and what its looks cost."""

import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from conftest import OFFICE_SKILL, ROOT
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from trace2skill.evaluation.acceptance import GateSettings
from trace2skill.evaluation.compare import compare
from trace2skill.evaluation.decision import decide
from trace2skill.evaluation.no_worse import no_worse, p_no_worse, tasks_needed
from trace2skill.skills.skill import read_skill, write_skill
from trace2skill.store import open_store
from trace2skill.types.decision import Decision
from trace2skill.types.evaluation import Cell, Evaluation
from trace2skill.versions.registry import Registry, Version

sys.path.insert(0, str(ROOT / "bench"))
from shrink_gate import LEVEL, lineage, losing, sure


def scored(name: str, passes: list[bool]) -> Evaluation:
    cells = [
        Cell(task_id=f"t{n:04}", seed=1, outcome="passed" if passed else "failed", hard=float(passed))
        for n, passed in enumerate(passes)
    ]
    return Evaluation.of(name, name, cells)


def losing_some(tasks: int, lost: int, won: int = 0) -> tuple[Evaluation, Evaluation]:
    before = [n >= won for n in range(tasks)]
    return scored("champion", before), scored("smaller", [n < won or n >= won + lost for n in range(tasks)])


@given(st.integers(1, 400), st.integers(0, 20), st.sampled_from([0.01, 0.02, 0.1]))
def test_where_tasks_are_only_lost_it_is_the_exact_test(tasks: int, lost: int, margin: float) -> None:
    lost = min(lost, tasks)
    found = p_no_worse([-1.0] * lost + [0.0] * (tasks - lost), margin)
    assert found == pytest.approx(binom.cdf(lost, tasks, margin), abs=1e-9)


def test_wins_and_several_seeds_are_weighed_as_the_bootstrap_weighs_them() -> None:
    differences = [-1.0] * 4 + [-1 / 3] * 5 + [1 / 3] * 6 + [1.0] * 5 + [0.0] * 180
    weights = np.random.default_rng(1).dirichlet(np.ones(len(differences) + 1), 100_000)
    share = (weights @ np.array([*differences, -1.0]) <= -0.02).mean()
    assert p_no_worse(differences, 0.02) == pytest.approx(share, abs=0.005)


def test_nothing_lost_is_enough_only_with_enough_tasks() -> None:
    enough = tasks_needed(0.05, 0.02)
    assert enough == 149
    assert p_no_worse([0.0] * enough, 0.02) <= 0.05 < p_no_worse([0.0] * (enough - 1), 0.02)
    assert p_no_worse([], 0.02) == 1.0


@pytest.mark.parametrize(
    ("tasks", "lost", "won", "verdict"),
    [
        (200, 0, 0, "promote"),
        (100, 0, 0, "not_enough_evidence"),
        (200, 2, 0, "not_enough_evidence"),
        (200, 12, 0, "reject"),
        (60, 0, 12, "promote"),
    ],
)
def test_a_smaller_skill_is_promoted_where_it_surely_loses_less_than_two_points(
    tasks: int, lost: int, won: int, verdict: str
) -> None:
    champion, smaller = losing_some(tasks, lost, won)
    found = decide(champion, smaller, GateSettings(), beside=())
    assert found.verdict == verdict
    assert found.comparison is not None
    assert found.comparison.no_worse is not None
    assert "2.0% or more" in found.reason
    assert decide(champion, smaller, GateSettings()).verdict != "promote" or won, "a candidate has to be better"
    if verdict == "not_enough_evidence":
        assert "149 tasks" in found.reason


def test_it_must_be_no_worse_than_the_version_that_shrinking_began_with_as_well() -> None:
    began, champion = losing_some(200, 3)
    assert (
        decide(champion, scored("smaller", [cell.hard > 0 for cell in champion.cells]), beside=()).verdict == "promote"
    )
    found = decide(champion, champion, beside=[began])
    assert found.verdict == "not_enough_evidence"
    assert no_worse([champion, began], champion, 0.02).p_value == p_no_worse([-1.0] * 3 + [0.0] * 197, 0.02)


def test_a_version_that_shrinking_began_with_does_not_lose_by_the_clock() -> None:
    """Where runs of it were ended for it, the smaller skill is not the better for that."""
    began, smaller = losing_some(300, 9)
    champion = scored("champion", [cell.hard > 0 for cell in smaller.cells])
    assert decide(champion, smaller, beside=[began]).verdict == "not_enough_evidence"
    ended = began.model_copy(
        update={
            "cells": tuple(
                cell.model_copy(update={"outcome": "failed", "hard": 0.0, "stop": "time_limit"}) if n >= 280 else cell
                for n, cell in enumerate(began.cells)
            )
        }
    )
    found = decide(champion, smaller, beside=[ended])
    assert found.verdict != "promote"
    assert "20 of 300 runs were ended by the clock" in found.reason


def test_a_loss_that_is_allowed_to_be_larger_takes_fewer_tasks() -> None:
    champion, smaller = losing_some(40, 0)
    assert decide(champion, smaller, GateSettings(shrink_loss=0.1), beside=()).verdict == "promote"


def test_its_looks_cost_what_others_do_and_its_promotions_earn_nothing(tmp_path: Path) -> None:
    skill, store = read_skill(OFFICE_SKILL), open_store(tmp_path / "s.duckdb")
    place = tmp_path / "live" / skill.name
    write_skill(skill, place)
    registry = Registry(store)
    registry.adopt(skill, place)
    champion = skill
    left = []
    for number in (1, 2):
        made = skill.with_files({"SKILL.md": f"{skill.text('SKILL.md')}\n- Line {number}.\n".encode()})
        look = registry.look(skill.name, champion.digest, number, 0.05, smaller=True)
        same = registry.look(skill.name, champion.digest, number, 0.05, smaller=True)
        assert (look.number, same.number) == (1, 1)
        compared = compare(*losing_some(200, 0))
        tested = no_worse([losing_some(200, 0)[0]], losing_some(200, 0)[1], 0.02)
        decision = Decision(
            verdict="promote", reason="smaller", look=look, comparison=compared.model_copy(update={"no_worse": tested})
        )
        version = Version(name=skill.name, skill=made.digest, parent=champion.digest, state="candidate")
        registry.record(made, version.model_copy(update={"decision": decision}), champion.digest)
        registry.promote(made, place, expected=champion.digest, run_id="r", reason="smaller")
        assert registry.before_shrinking(skill.name) == skill.digest, "however many promotions only made it smaller"
        champion = made
        left.append(registry.next_look(skill.name, champion.digest, 0.05).level)
    smaller = registry.history(skill.name)[1].skill
    better = skill.with_files({"SKILL.md": f"{skill.text('SKILL.md')}\n- Better.\n".encode()})
    registry.record(better, Version(name=skill.name, skill=better.digest, state="candidate"))
    registry.promote(better, place, expected=champion.digest, run_id="r", reason="better")
    assert registry.before_shrinking(skill.name) == better.digest
    registry.rollback(skill.name, place, to=smaller, reason="back")
    assert registry.before_shrinking(skill.name) == skill.digest, "a smaller version is measured by what it was"
    assert left[0] == left[1] == pytest.approx(0.0295, abs=1e-4)
    store.close()


def test_skills_that_lose_the_margin_get_through_no_more_often_than_the_level_says() -> None:
    rng, following = np.random.default_rng(5), partial(losing, lost=0.02)
    lives = [lineage(rng, sure(rng, 200), following, 5, 1, 0.02) for _ in range(120)]
    assert sum(any(night < 0 for night in promoted) for promoted in lives) <= 2 * LEVEL * len(lives)
    fine = [lineage(rng, sure(rng, 200), partial(losing, lost=0.0), 1, 1, 0.0) for _ in range(5)]
    assert fine == [[1]] * 5
