"""Effects of rules out of rollouts that happened anyway: intervals that hold, and wide ones where nothing can be told."""

import random
from collections.abc import Collection

import pytest

from trace2skill.evaluation.attribution import RunsOfTask, rule_effects
from trace2skill.runs.rule_effects import effects_beside

TASKS = [f"t{n:02}" for n in range(60)]


def rolled(
    dice: random.Random, skills: list[Collection[str]], lift: dict[str, dict[str, float]], seeds: int = 3
) -> list[RunsOfTask]:
    """Runs of every task with every skill; a rule lifts the pass rate of each task by so much."""
    level = {task: dice.uniform(0.2, 0.7) for task in TASKS}
    found = []
    for rules in skills:
        for task in TASKS:
            rate = min(1.0, max(0.0, level[task] + sum(lift[rule].get(task, 0.0) for rule in rules)))
            passed = sum(dice.random() < rate for _ in range(seeds))
            found.append(RunsOfTask(task, frozenset(rules), passed, seeds))
    return found


def mean_of(lift: dict[str, float]) -> float:
    return sum(lift.values()) / len(TASKS)


def world(dice: random.Random) -> tuple[dict[str, list[str]], dict[str, dict[str, float]]]:
    """Twelve rules, each asked for by six tasks, which most of them help; one harms them, one harms some others."""
    asked = {f"r{n:02}": dice.sample(TASKS, 6) for n in range(12)}
    lift = {
        rule: dict.fromkeys(tasks, -0.4 if rule == "r00" else dice.choice((0.0, 0.3, 0.4)))
        for rule, tasks in asked.items()
    }
    return asked, {**lift, "r01": dict.fromkeys(dice.sample(TASKS, 8), -0.4)}


def test_intervals_hold_what_is_true() -> None:
    inside = total = 0
    for seed in range(25):
        dice = random.Random(seed)
        asked, lift = world(dice)
        skills = [dice.sample(sorted(asked), size) for size in (0, 4, 7, 9, 12, 6)]
        for rule, found in rule_effects(rolled(dice, skills, lift), asked).items():
            inside += found.effect.low <= mean_of(lift[rule]) <= found.effect.high
            total += 1
    assert total >= 250
    assert inside / total >= 0.95


def test_with_enough_runs_a_harmful_rule_is_settled_and_a_useless_one_is_not_called_useful() -> None:
    dice = random.Random(3)
    asked = {"harms": TASKS[:12], "helps": TASKS[12:24], "idle": TASKS[24:36]}
    lift = {"harms": dict.fromkeys(TASKS[:12], -0.5), "helps": dict.fromkeys(TASKS[12:24], 0.5), "idle": {}}
    skills = [[], ["harms"], ["harms", "helps"], ["helps", "idle"]]
    found = rule_effects(rolled(dice, skills, lift, seeds=8), asked)
    assert found["harms"].effect.high < 0
    assert found["helps"].effect.low > 0
    assert not found["idle"].settled
    assert "open" in found["idle"].in_words


def test_rules_that_came_together_for_the_same_tasks_cannot_be_told_apart_and_for_others_they_can() -> None:
    dice = random.Random(5)
    lift = {"one": dict.fromkeys(TASKS[:15], 0.5), "two": {}}
    runs = rolled(dice, [[], ["one", "two"]], lift, seeds=8)
    same = rule_effects(runs, {"one": TASKS[:15], "two": TASKS[:15]})
    other = rule_effects(runs, {"one": TASKS[:15], "two": TASKS[15:30]})
    assert same["one"].effect.mean == pytest.approx(same["two"].effect.mean)
    assert not same["one"].settled
    assert other["one"].effect.low > 0
    assert not other["two"].settled


def test_what_was_never_tried_both_ways_is_left_out() -> None:
    runs = [
        RunsOfTask("a", frozenset({"r"}), 1, 1),
        RunsOfTask("b", frozenset(), 0, 1),
        RunsOfTask("a", frozenset(), 0, 0),
    ]
    assert rule_effects(runs, {"r": ["a"]}) == {}
    assert rule_effects([], {}) == {}


def test_what_a_rule_does_where_it_was_asked_for_is_told_from_what_it_does_elsewhere() -> None:
    dice = random.Random(11)
    asked = {"helps": TASKS[:10], "idle": TASKS[10:20]}
    lift = {"helps": dict.fromkeys(TASKS[:10], 0.6), "idle": {}}
    found = rule_effects(rolled(dice, [["helps", "idle"], ["helps"], ["idle"]], lift, seeds=6), asked)
    helps, idle = found["helps"].on_asking, found["idle"].on_asking
    assert helps is not None
    assert idle is not None
    assert helps.low > 0.2
    assert idle.low < 0 < idle.high < 0.5
    elsewhere = [row for row in rolled(dice, [[], ["helps"]], lift) if row.task not in asked["helps"]]
    assert rule_effects(elsewhere, {"helps": asked["helps"]})["helps"].on_asking is None, "no task that asked was run"


def test_beside_the_others_a_rule_is_not_praised_for_what_another_one_did() -> None:
    dice = random.Random(7)
    asked = {"helps": TASKS[:20], "vain": TASKS[20:30], "third": TASKS[30:40]}
    lift = {"helps": dict.fromkeys(TASKS[:40], 0.6), "vain": {}, "third": {}}
    skills: list[Collection[str]] = [[], ["helps", "vain", "third"], ["helps", "third"], ["vain", "third"]]
    runs = rolled(dice, skills, lift, seeds=6)
    alone, beside = rule_effects(runs, asked)["vain"], effects_beside(runs, asked, asked)["vain"]
    assert alone.on_asking is not None
    assert beside.on_asking is not None
    assert beside.on_asking.high < alone.on_asking.high
    assert beside.on_asking.low < 0 < beside.on_asking.high < 0.5
