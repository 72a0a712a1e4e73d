"""The statistics of an evaluation, against independent computations, and what the gate makes of them."""

import itertools
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trace2skill.evaluation.acceptance import GateSettings
from trace2skill.evaluation.compare import bootstrap, compare, exact_sign_flip, sign_flip
from trace2skill.evaluation.decision import decide
from trace2skill.evaluation.power import Spread, power_of, report, smallest_lift, spread_of
from trace2skill.types.evaluation import Cell, Evaluation, score_names
from trace2skill.versions.spending import look


def evaluation(name: str, hard: dict[tuple[str, int], float | None], tokens: int = 100) -> Evaluation:
    cells = [
        Cell(task_id=task, seed=seed, outcome="infrastructure_error")
        if value is None
        else Cell(
            task_id=task, seed=seed, outcome="passed" if value == 1 else "failed", hard=value, soft=value, tokens=tokens
        )
        for (task, seed), value in hard.items()
    ]
    return Evaluation.of(name, name, cells)


def one_seed(name: str, passed: list[bool], **more: int) -> Evaluation:
    return evaluation(name, {(f"k{n:03}", 1): float(value) for n, value in enumerate(passed)}, **more)


def test_200_random_tables_agree_with_statsmodels() -> None:
    from statsmodels.stats.contingency_tables import mcnemar

    rng = random.Random(5)
    for _ in range(200):
        tasks = rng.randint(2, 60)
        share = rng.random()
        old = [rng.random() < share for _ in range(tasks)]
        new = [value if rng.random() < rng.random() else not value for value in old]
        found = compare(one_seed("a", old), one_seed("b", new))
        table = [
            [sum(o is x and n is y for o, n in zip(old, new, strict=True)) for y in (True, False)]
            for x in (True, False)
        ]
        theirs = mcnemar(table, exact=True)
        assert len(found.better) == table[1][0]
        assert len(found.worse) == table[0][1]
        assert min(1.0, 2 * min(found.p_value, found.p_worse)) == pytest.approx(theirs.pvalue, abs=1e-12)
        assert found.lift.mean == pytest.approx((sum(new) - sum(old)) / tasks)
        assert found.lift.low - 1e-9 <= found.lift.mean <= found.lift.high + 1e-9


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=9))
@settings(max_examples=60, deadline=None)
def test_the_exact_sign_flip_counts_every_assignment_of_signs(whole: list[int]) -> None:
    told = [value for value in whole if value]
    flips = itertools.product((-1, 1), repeat=len(told))
    sums = [sum(sign * abs(value) for sign, value in zip(signs, told, strict=True)) for signs in flips]
    expected = sum(total >= sum(told) for total in sums) / len(sums) if told else 1.0
    assert exact_sign_flip(told) == pytest.approx(expected)
    assert sign_flip([value / 3 for value in whole], hard=True, one_seed=False)[1] == pytest.approx(expected)


def test_soft_scores_go_through_scipy_and_agree_where_both_are_exact() -> None:
    differences = [0.25, 0.5, -0.25, 1.0, 0.75, 0.5, 0.25]
    name, soft = sign_flip(differences, hard=False, one_seed=False)
    assert name == "sign-flip, exact"
    assert soft == pytest.approx(sign_flip(differences, hard=True, one_seed=False)[1])
    many, p_value = sign_flip([math.sin(n) + 0.3 for n in range(60)], hard=False, one_seed=False)
    assert many == "sign-flip, 9999 resamples"
    assert 0 < p_value < 0.2


def test_intervals_and_exact_tests_are_those_of_scipy() -> None:
    """Which a run does not import: it takes more than a second."""
    import numpy as np
    from scipy.stats import binomtest
    from scipy.stats import bootstrap as resample

    for count in (2, 7, 33):
        values = [math.sin(number * count) for number in range(count)]
        found = resample(
            (np.asarray(values),),
            np.mean,
            n_resamples=9_999,
            method="percentile",
            rng=np.random.default_rng(0),
            batch=1_000,
        )
        assert bootstrap(values) == tuple(map(float, found.confidence_interval))
        for better in range(count + 1):
            told = [1.0] * better + [-1.0] * (count - better)
            p_value = binomtest(better, count, 0.5, alternative="greater").pvalue
            assert sign_flip(told, hard=True, one_seed=True)[1] == pytest.approx(p_value, rel=1e-12)


def test_seeds_of_one_task_are_no_independent_evidence() -> None:
    tasks, seeds = [f"k{n}" for n in range(6)], (1, 2, 3)
    old = evaluation("a", {(task, seed): 0.0 for task in tasks for seed in seeds})
    new = evaluation("b", {(task, seed): 1.0 for task in tasks for seed in seeds})
    assert compare(old, new).p_value == pytest.approx(1 / 2**6)
    assert compare(old, new).seeds == 3


def test_power_agrees_with_statsmodels() -> None:
    from statsmodels.stats.power import NormalIndPower

    for tasks, deviation, lift, level in itertools.product((16, 40, 200), (0.3, 0.6), (0.05, 0.15), (0.05, 0.01)):
        spread = Spread(between=0.0, within=deviation**2)
        theirs = NormalIndPower().power(lift / deviation, tasks, level, ratio=0, alternative="larger")
        assert power_of(lift, tasks, 1, spread, level) == pytest.approx(theirs, abs=1e-6)
        seen = smallest_lift(tasks, 1, spread, level)
        assert power_of(seen, tasks, 1, spread, level) == pytest.approx(0.8, abs=1e-6) or seen == 1.0


def test_what_a_wanted_lift_needs() -> None:
    spread = Spread(between=0.02, within=0.3)
    found = report(40, 1, spread, 0.05, wanted=0.15)
    assert found.tasks_needed is not None
    assert found.seeds_needed is not None
    assert (
        power_of(0.15, found.tasks_needed, 1, spread, 0.05)
        >= 0.8
        > power_of(0.15, found.tasks_needed - 1, 1, spread, 0.05)
    )
    assert (
        power_of(0.15, 40, found.seeds_needed, spread, 0.05)
        >= 0.8
        > power_of(0.15, 40, found.seeds_needed - 1, spread, 0.05)
    )
    hopeless = report(3, 1, Spread(between=0.3, within=0.3), 0.05, wanted=0.05)
    assert hopeless.seeds_needed is None


def test_the_spread_is_split_into_tasks_and_seeds() -> None:
    rng = random.Random(3)
    keys = [(f"k{n}", seed) for n in range(300) for seed in range(4)]
    lifts = {f"k{n}": rng.choice((0.0, 0.5)) for n in range(300)}
    old = evaluation("a", {key: float(rng.random() < 0.3) for key in keys})
    new = evaluation("b", {key: float(rng.random() < 0.3 + lifts[key[0]]) for key in keys})
    found = spread_of(old, new)
    assert found.known
    assert found.between == pytest.approx(0.0625, abs=0.03)
    assert found.within == pytest.approx(0.21 + (0.21 + 0.16) / 2, abs=0.06)


def test_the_level_is_never_overspent() -> None:
    assert sum(look(number, 0.05).level for number in range(1, 5000)) < 0.05
    levels = [look(number, 0.05) for number in range(1, 50)]
    assert all(a.level > b.level and a.remaining > b.remaining > 0 for a, b in itertools.pairwise(levels))


OLD, NEW = [False] * 12 + [True] * 4, [True] * 11 + [False] + [True] * 4


def test_a_clear_lift_is_promoted_and_says_with_which_numbers() -> None:
    decision = decide(one_seed("S0", OLD), one_seed("candidate", NEW))
    assert decision.verdict == "promote"
    assert "better on 11 and worse on 0 of 16" in decision.reason
    assert decision.comparison is not None
    assert decision.comparison.test == "McNemar, exact"


@pytest.mark.parametrize(
    ("gate", "verdict", "said"),
    [
        ({"margin": 0.95}, "reject", "95% interval"),
        ({"most_tokens_ratio": 1.2}, "reject", "1.50 times the tokens"),
        ({"most_skill_tokens": 100}, "reject", "900 tokens"),
        ({"level": 0.0001}, "not_enough_evidence", "level 0.0001"),
        ({"no_regression": ("k015",)}, "reject", "must not regress: k015"),
    ],
)
def test_every_setting_of_the_gate_can_hold_a_candidate_back(gate: dict[str, object], verdict: str, said: str) -> None:
    new = [*NEW[:-1], False] if "no_regression" in gate else NEW
    decision = decide(
        one_seed("S0", OLD), one_seed("candidate", new, tokens=150), GateSettings(**gate), skill_tokens=900
    )
    assert decision.verdict == verdict
    assert said in decision.reason


def test_infrastructure_errors_are_no_failures_and_too_many_of_them_no_verdict() -> None:
    keys = [(f"k{n}", 1) for n in range(40)]
    old = evaluation("S0", dict.fromkeys(keys, 0.0))
    some = evaluation("candidate", {key: None if n < 3 else 1.0 for n, key in enumerate(keys)})
    assert decide(old, some).verdict == "promote"
    third = evaluation("candidate", {key: None if n % 10 < 3 else 1.0 for n, key in enumerate(keys)})
    decision = decide(old, third)
    assert decision.verdict == "not_enough_evidence"
    assert "70% of the held-out runs have a score" in decision.reason
    assert decision.look is None, "no level is spent where nothing could be seen"


def test_an_equal_skill_is_rejected_and_a_worse_one_too() -> None:
    assert decide(one_seed("S0", OLD), one_seed("candidate", OLD)).verdict == "reject"
    assert decide(one_seed("S0", NEW), one_seed("candidate", OLD)).verdict == "reject"
    slight = [*OLD[:1], True, *OLD[2:]]
    assert decide(one_seed("S0", OLD), one_seed("candidate", slight)).verdict == "not_enough_evidence"


def test_the_a_a_arm_is_shown_and_decides_nothing() -> None:
    decision = decide(one_seed("S0", OLD), one_seed("candidate", NEW), repeat=one_seed("S0 again", NEW))
    assert decision.verdict == "promote"
    assert decision.repeat is not None
    assert decision.repeat.lift.mean > 0.5


def test_tables_say_over_how_many_seeds_a_score_is_averaged() -> None:
    cells = [Cell(task_id=f"t{n % 3}", seed=n // 3, outcome="passed", hard=float(n % 2)) for n in range(12)]
    one, four = Evaluation.of("one", None, cells[:3]), Evaluation.of("four", None, cells)
    assert score_names([one, one]) == ("hard", "soft")
    assert score_names([four, four]) == ("hard (avg@4)", "soft (avg@4)")
    assert four.hard == 0.5
