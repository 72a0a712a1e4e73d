"""Replay before the gate: rules that break tasks are found and taken out, and where nothing breaks nothing more is paid."""

import random
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import product
import pytest
from conftest import OFFICE_SKILL, ROOT
from in_process import Done, refresh
from run_settings import run_settings
from typer.testing import CliRunner

from trace2skill.cli.app import app
from trace2skill.consolidate import EditGroup, Groups, Support, Thresholds
from trace2skill.consolidate.candidate import Candidate, build_candidate
from trace2skill.consolidate.parts import parts_of, without
from trace2skill.consolidate.settle import RuleBook
from trace2skill.evaluation.ablation import AblationSettings, by_cost
from trace2skill.evaluation.attribution import RuleEffect
from trace2skill.evaluation.culprits import Culprits, Trial, most_batches
from trace2skill.llm import ModelSettings, Roles
from trace2skill.runs import rule_effects
from trace2skill.runs.ablate import begin
from trace2skill.runs.estimate import estimate
from trace2skill.runs.replay import Replay
from trace2skill.runs.replayed import Replayed
from trace2skill.runs.report.page import render_report
from trace2skill.runs.rule_book import listed_book
from trace2skill.runs.rule_trials import RulesByWords
from trace2skill.runs.runtime import Runtime, forget_runtimes, runtime
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.steps.rollout import ROLLOUT
from trace2skill.runs.summary import RunSummary
from trace2skill.sim.conversation import Heard, Spoken
from trace2skill.sim.scripted import Script, scripted
from trace2skill.skills.place import EditPolicy
from trace2skill.skills.skill import read_skill
from trace2skill.types.comparison import Interval
from trace2skill.types.evaluation import Cell
from trace2skill.types.patch import Edit
from trace2skill.types.references import Rolled

sys.path.insert(0, str(ROOT / "bench"))
from replay_world import meant, script, write_world

GOOD, MORE, EACH = 5, 7, 5
"""Fields to learn, where the parts of one candidate are tried, and where it takes more failures to find the poison."""
POISON = "empty anchor"
"""The theme of the poisoned rule."""
POISONED = script(frozenset({"anchor"}), 0.2, 0.0)
heard: list[Heard] = []


def remembered(request: Heard) -> Spoken:
    heard.append(request)
    return POISONED(request)


def slips(folder: Path, good: int = GOOD, **more: Any) -> RunSettings:
    """A run over the planted world of slips, which is written to the folder unless it is there."""
    if not (folder / "data").exists():
        write_world(folder, good, 1, 2, EACH)
    values = {
        "data": folder / "data",
        "domain": f"{ROOT / 'bench' / 'replay_world.py'}:Slips",
        "skill": folder / "slips",
        "roles": Roles.all_played_by(ModelSettings(name="sim/scripted")),
        "analysts": "+error",
        "error_analyst": "one_call",
        "sandbox": "process",
        "max_cost": None,
        "store": folder / "s.duckdb",
        "output": folder / "runs",
    }
    return run_settings(**{**values, **more})


def run(settings: RunSettings, speak: Script = POISONED) -> Done:
    with scripted(speak):
        return refresh(settings)


def told(done: Done) -> RunSummary:
    assert done.summary is not None
    return done.summary


def themes(summary: RunSummary) -> set[str]:
    return {theme for line in summary.candidate.written for theme in meant(line.text)}


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Done, Done]]:
    """A run with two rounds and replay, and the next over the same skill with other seeds."""
    where = tmp_path_factory.mktemp("slips")
    heard.clear()
    how: dict[str, Any] = {"rounds": 2, "replay": 24, "new_evidence": 8}
    first = run(slips(where, **how), remembered)
    yield first, run(slips(where, **how, seeds=(7,)), remembered)
    forget_runtimes()


def test_a_poisoned_rule_is_taken_out_before_the_gate_and_named(nights: tuple[Done, Done]) -> None:
    summary = told(nights[0])
    assert POISON not in themes(summary)
    first = summary.replays[0]
    assert len(themes(summary)) >= first.parts - 1 >= 5, "and no other rule with it"
    (rule,) = first.rules
    assert meant(rule.group.text) == {POISON}
    assert rule.out
    assert len(rule.broken) >= 3
    assert 0 < sum(record.batches for record in summary.replays) <= most_batches(first.parts)
    assert not [rule for record in summary.replays[1:] for rule in record.rules], "later rounds are built without it"
    assert summary.rounds[0].skill == first.left != first.skill, "what is left is what its round was scored by"
    assert summary.evaluations[1].hard > summary.evaluations[0].hard
    (dropped,) = [item for item in summary.candidate.dropped if POISON in meant(item.group.text)]
    assert dropped.reason == f"taken out before the gate: {rule.reason}"
    settings = nights[0].rt.settings
    shown = CliRunner().invoke(app, ["show", summary.run_id, "--store", str(settings.operation.store)]).output
    for page in (summary.as_markdown(), render_report(nights[0].rt.store, summary, settings), shown):
        assert f"{len(rule.broken)} tasks failed with it and passed without it" in " ".join(page.split())
        assert first.in_words in " ".join(page.split())


def test_what_replay_has_taken_out_is_refuted_and_not_proposed_again(nights: tuple[Done, Done]) -> None:
    second = told(nights[1])
    (verdict,) = second.refuted
    assert verdict.refuted[0].by == "replay"
    assert verdict.refuted[0].candidate == told(nights[0]).replays[0].skill
    assert POISON in meant(verdict.says)
    assert verdict.waits
    assert POISON not in themes(second)
    assert not [record for record in second.replays if record.batches], "nothing is left that breaks anything"
    settings = nights[1].rt.settings
    book = CliRunner().invoke(app, ["book", str(settings.data.skill), "--store", str(settings.operation.store)])
    assert "refuted by replay" in " ".join(book.output.split())
    assert "effect on the evolve tasks" in book.output


def test_rollouts_of_trial_skills_tell_what_rules_do_without_one_more(nights: tuple[Done, Done]) -> None:
    settings = nights[1].rt.settings
    listed = listed_book(nights[1].rt.store, read_skill(settings.data.skill or Path()))
    known = {rule.says: rule.effect for rule in listed.rules if rule.effect}

    print([(r.says, r.tasks) for r in listed.rules])
    assert len(known) > GOOD // 2
    (poison,) = [effect for says, effect in known.items() if POISON in meant(says)]
    assert poison.effect.mean < -0.05
    assert poison.effect.mean == min(effect.effect.mean for effect in known.values())
    assert all(effect.effect.mean > 0 for effect in known.values() if effect is not poison)


def test_what_is_settled_already_is_ablated_last(nights: tuple[Done, Done], monkeypatch: pytest.MonkeyPatch) -> None:
    store, summary = nights[0].rt.store, told(nights[0])
    known = RuleEffect(effect=Interval(mean=0.2, low=0.1, high=0.3), tasks=9, runs=9)
    one, other = by_cost(summary.candidate)[:2]
    book = store.get("book", summary.book, RuleBook)
    assert book is not None
    (rule,) = RulesByWords(book.rules).of(one)
    monkeypatch.setattr(rule_effects, "effects_of", lambda *_: {rule: known})
    assert rule_effects.settled_groups(store, summary) == {one.id: known.in_words}
    untried = begin(nights[0].rt, summary.run_id, AblationSettings()).all_effects()
    assert [untried[0].group, untried[-1].group] == [other.id, one.id]
    assert known.in_words in untried[-1].reason


def test_held_out_tasks_are_not_replayed_on_and_agents_know_nothing_of_it(nights: tuple[Done, Done]) -> None:
    first = nights[0].rt
    agents = [request for request in heard if request.system.startswith("You are an agent")]
    held_out = {first.task(id).instruction for id in (*first.splits.validation, *first.splits.test)}
    skills = {request.system for request in agents if any(text in request.opening for text in held_out)}
    assert len(skills) <= 4, "S0 and the candidate of each of the two runs"
    assert len({request.system for request in agents}) > 4, "evolve tasks had trial skills, too"
    around = {request.system.partition("<data")[0] for request in agents}
    assert len(around) == 1


@pytest.mark.slow
def test_the_flow_does_the_same(nights: tuple[Done, Done], tmp_path: Path, prefect_home: Path) -> None:
    write_world(tmp_path, GOOD, 1, 2, EACH)
    how = [
        "--data=data",
        f"--domain={ROOT / 'bench' / 'replay_world.py'}:Slips",
        "--skill=slips",
        "--model=sim/scripted",
    ]
    how += [
        "--sandbox=process",
        "--analysts=+error",
        "--error-analyst=one_call",
        "--no-evaluate",
        "--store=s.duckdb",
        "--output=runs",
    ]
    with scripted(POISONED):
        product.run(tmp_path, prefect_home, "run", *how, "--rounds=2", "--replay=24", "--new-evidence=8")
    (page,) = tmp_path.glob("runs/*/summary.json")
    summary = RunSummary.model_validate_json(page.read_text())
    assert (summary.replays, summary.candidate) == (told(nights[0]).replays, told(nights[0]).candidate)


def test_where_nothing_breaks_nothing_more_is_paid(tmp_path: Path) -> None:
    clean = script(frozenset(), 0.0, 0.0)
    without_it = run(slips(tmp_path, rounds=2, memory=False, evaluate=False), clean)
    with_it = run(slips(tmp_path, rounds=2, memory=False, evaluate=False, replay=24), clean)
    assert not with_it.missed[ROLLOUT.name]
    (record, *_) = told(with_it).replays
    assert (record.batches, record.lost, record.rules) == (0, 0, ())
    assert told(with_it).candidate == told(without_it).candidate
    assert "replay" not in without_it.rt.settings.model_dump(mode="json")["learning"]
    forget_runtimes()


def test_rollouts_that_tell_leave_out_passes_which_replay_looks_at(tmp_path: Path) -> None:
    spread = {"by": "telling"}
    summary = told(run(slips(tmp_path, MORE, rounds=2, memory=False, evaluate=False, replay=24, spread=spread)))
    assert POISON not in themes(summary)
    assert summary.replays[0].out
    assert sum(record.batches for record in summary.replays) <= most_batches(summary.replays[0].parts)
    forget_runtimes()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Runtime, Candidate]]:
    """A candidate as it is built, with no rollout of it yet, and a run that may try its parts."""
    where = tmp_path_factory.mktemp("built")
    done = run(slips(where, evaluate=False, memory=False))
    candidate = told(done).candidate
    forget_runtimes()
    yield runtime(slips(where, evaluate=False, memory=False, replay=24)), candidate
    forget_runtimes()


def replayed(
    rt: Runtime, candidate: Candidate, breaks: Callable[[set[str]], set[str]], *, spoiled: bool = False
) -> Replayed:
    """What replay comes to where rules, by their ids, break tasks so; each own task needs the rule it asked for.

    `spoiled`: without the rule that is blamed, what it broke fails all the same, for some other reason.
    """
    parts = parts_of(candidate)
    asked = {task: part.id for part in parts for task in part.support.tasks}

    def runs(skill: str, tasks: Iterable[str], rules: set[str]) -> list[Rolled]:
        found = []
        for task in tasks:
            passed = task not in breaks(rules) and asked.get(task, "") in (*rules, "")
            ends: dict[str, Any] = {"outcome": "passed" if passed else "failed", "hard": float(passed)}
            cell = Cell(task_id=task, seed=41, **ends)
            found.append(Rolled(trajectory_id=f"T{skill}{task}", content="c", skill=skill, cell=cell))
        return found

    tasks = [*rt.splits.evolve]
    every = {part.id for part in parts}
    replay = Replay(rt, candidate, runs("S0", tasks, set()), runs(candidate.skill, tasks, every))
    while jobs := replay.next_jobs():
        skill = rt.skill(jobs[0].skill)
        assert skill is not None
        rules = {part.id for part in parts if part.text.strip() in skill.body}
        if spoiled and len(rules) == len(every) - 1:
            rules = every
        replay.take(runs(str(jobs[0].skill), [job.task_id for job in jobs], rules))
    return replay.record()


def test_a_rule_stays_that_more_of_its_own_tasks_need_than_it_breaks(built: tuple[Runtime, Candidate]) -> None:
    rt, candidate = built
    rule = max(parts_of(candidate), key=lambda part: len(part.support.tasks))
    needed = {task for part in parts_of(candidate) for task in part.support.tasks}
    broken = sorted(set(rt.splits.evolve) - needed)
    few, many = set(broken[: len(rule.support.tasks)]), set(broken[: len(rule.support.tasks) + 2])
    stays = replayed(rt, candidate, lambda rules: few if rule.id in rules else set())
    assert [(item.group.id, item.out, item.fate) for item in stays.rules] == [(rule.id, False, "stays")]
    assert stays.left == candidate.skill
    goes = replayed(rt, candidate, lambda rules: many if rule.id in rules else set())
    assert [(item.group.id, item.out) for item in goes.rules] == [(rule.id, True)]


def test_a_rule_stays_where_its_tasks_fail_without_it_as_well(built: tuple[Runtime, Candidate]) -> None:
    rt, candidate = built
    rule = parts_of(candidate)[0]
    needed = {task for part in parts_of(candidate) for task in part.support.tasks}
    broken = set(sorted(set(rt.splits.evolve) - needed)[: len(rule.support.tasks) + 3])
    found = replayed(rt, candidate, lambda rules: broken if rule.id in rules else set(), spoiled=True)
    assert not found.out
    assert found.left == candidate.skill


class Killed(BaseException):
    """What nobody catches."""


@pytest.mark.slow  # two runs with trials, one of them begun three times; tests/test_rounds.py kills one in its rounds
def test_a_run_that_is_killed_in_its_trials_goes_on_and_pays_nothing_twice(tmp_path: Path) -> None:
    """With one round the candidate is rolled out for this alone, on a sample."""
    said: list[str] = []
    most = 100_000

    def counted(request: Heard) -> Spoken:
        if len(said) >= most:
            raise Killed
        said.append(request.key)
        return POISONED(request)

    with scripted(counted, "counted") as name:
        how: dict[str, Any] = {"roles": Roles.all_played_by(ModelSettings(name=name)), "evaluate": False}
        how["seeds"] = (42,)  # the sample is drawn by the candidate: of six seeds five find the rule in so few runs
        whole = told(refresh(slips(tmp_path / "a", MORE, replay=40, **how)))
        assert POISON not in themes(whole)
        trials = sum(record.runs for record in whole.replays)
        calls, killed = said.copy(), slips(tmp_path / "b", MORE, replay=40, **how)
        said.clear()
        for share in (0.7, 0.2):
            most = len(calls) - round(share * trials)
            with pytest.raises(Killed):
                refresh(killed)
            forget_runtimes()
        most = 100_000
        again = told(refresh(killed))
    assert sorted(said) == sorted(calls), "each request was answered once"
    assert (again.candidate, again.replays) == (whole.candidate, whole.replays)
    forget_runtimes()


def test_trials_are_on_the_bill_at_their_most(tmp_path: Path) -> None:
    with scripted(POISONED):
        plain, replayed = (
            {item.stage: item.steps for item in estimate(runtime(slips(tmp_path, replay=most))).stages}
            for most in (0, 24)
        )
        tasks = len(runtime(slips(tmp_path)).splits.evolve)
    more = replayed["rollout"] - plain["rollout"]
    assert more % 24 == 0
    assert most_batches(GOOD + 1) * 24 <= more <= most_batches(tasks) * 24
    forget_runtimes()


# --- which parts break what --------------------------------------------------------------------------------------------


def search(parts: int, breaks: dict[str, set[int]], flips: float = 0.0) -> tuple[set[int], Culprits]:
    """Who is blamed after as many trials as are allowed; the last is of what would be left."""
    noise, culprits = random.Random(3), Culprits(parts, list(breaks))

    def tried(trial: Trial) -> None:
        culprits.take(trial, {task: bool(trial & by) != (noise.random() < flips) for task, by in breaks.items()})

    for left in range(most_batches(parts), 0, -1):
        trial = next(culprits.designs(), None) if left > 1 else None
        if trial is None:
            trial = frozenset(range(parts)) - {one.part for one in culprits.blamed()}
            if trial in [before for before, _ in culprits.trials] or len(trial) == parts:
                break
        tried(trial)
    last, broken = culprits.trials[-1]
    found = [one for one in culprits.blamed() if one.part not in last]
    return {one.part for one in found if sum(map(broken.get, one.tasks)) * 2 < len(one.tasks)}, culprits


def test_each_of_several_parts_that_break_tasks_of_their_own_is_found_in_the_same_trials() -> None:
    breaks = {f"t{n}": {(3, 17, 18)[n % 3]} for n in range(15)}
    found, culprits = search(30, breaks)
    assert found == {3, 17, 18}
    assert len(culprits.trials) <= most_batches(30) == 9


def test_runs_that_go_otherwise_now_and_then_hide_nobody_and_accuse_nobody() -> None:
    assert search(20, {f"t{n}": {(4, 11)[n % 2]} for n in range(20)}, flips=0.05)[0] == {4, 11}
    assert search(20, {f"t{n}": set() for n in range(12)}, flips=0.5)[0] == set()


def test_two_parts_that_break_the_same_tasks_are_both_found() -> None:
    assert search(8, {f"t{n}": {2, 5} for n in range(8)})[0] == {2, 5}


def test_where_too_many_break_everything_nobody_is_accused_in_their_place() -> None:
    assert search(40, {f"t{n}": {1, 8, 20, 33} for n in range(8)})[0] <= {1, 8, 20, 33}


def test_one_lost_task_and_one_part_are_no_search() -> None:
    assert next(Culprits(10, ["t1"]).designs(), None) is None
    assert most_batches(1) == 0


def test_a_rule_is_taken_out_of_a_file_of_many_and_the_file_goes_with_its_last() -> None:
    skill = read_skill(OFFICE_SKILL)

    def rule(text: str, *tasks: str) -> EditGroup:
        edit = Edit(op="append_to_section", section=("Dates",), content=text)
        return EditGroup(edits=(edit,), support=Support(trajectories=tasks, tasks=tasks))

    rules = [rule("- Keep the first.", "k1", "k2"), rule("- Keep the second.", "k3", "k4")]
    _, made = build_candidate(skill, Groups.of(rules), Thresholds(main=9, reference=2), 50)
    first, second = sorted(parts_of(made), key=lambda part: part.text)
    left, groups = without(skill, made, [first.id], EditPolicy()) or pytest.fail("a valid skill")
    text = left.skill.text("references/dates.md") or ""
    assert "Keep the second" in text
    assert "Keep the first" not in text
    assert [part.text for group in groups for part in group.inner] == [second.text]
    none, _ = without(skill, made, [first.id, second.id], EditPolicy()) or pytest.fail("a valid skill")
    assert none.skill.digest == skill.digest
