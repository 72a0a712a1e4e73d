"""The books of the merge: whatever a merger answers, support is exact, nothing is lost, nothing conflicts."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import OFFICE_SKILL, Plays
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trace2skill.consolidate import EditGroup, Groups, Support, Thresholds, merge, plan_merges
from trace2skill.consolidate.candidate import Candidate, build_candidate
from trace2skill.consolidate.contradiction import OpenConflict, absorb, opposed
from trace2skill.consolidate.groups import unite_equal
from trace2skill.consolidate.ledger import build_ledger
from trace2skill.consolidate.limits import SizeLimits
from trace2skill.consolidate.merge import MergeSettings
from trace2skill.core.budget import Budget
from trace2skill.core.step_label import StepLabel
from trace2skill.llm import Client, ModelSettings
from trace2skill.sim.conversation import Heard, Spoken, answer_json, blocks
from trace2skill.sim.scripted import scripted
from trace2skill.skills.apply import conflicts
from trace2skill.skills.markdown import split_lines
from trace2skill.skills.skill import read_skill
from trace2skill.store import open_store
from trace2skill.types.lesson import Evidence, Lesson
from trace2skill.types.patch import Edit

SKILL = read_skill(OFFICE_SKILL)
MODEL = ModelSettings(name="sim/office")


def group(text: str, *tasks: str, section: str = "Dates", op: Any = "append_to_section", **more: Any) -> EditGroup:
    tasks = tasks or ("k1",)
    ids = tuple(f"t-{task}" for task in tasks)
    edit = Edit(op=op, section=(section,), content=text, lessons=tuple(f"L-{task}" for task in tasks), **more)
    return EditGroup(edits=(edit,), support=Support(trajectories=ids, tasks=tasks, errors=ids))


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    store = open_store(tmp_path_factory.mktemp("books") / "s.duckdb")
    yield Client(store, Budget(None), "run")
    store.close()


def given_groups(heard: Heard) -> dict[str, str]:
    texts = {name.removeprefix("group "): text for name, text in blocks(heard.opening) if name.startswith("group ")}
    return {id: text.split("\n", 1)[1] for id, text in texts.items()}


def random_merger(rng: random.Random) -> Callable[[Heard], Spoken]:
    """Answers anything: good merges, invented ids, silent drops, doubles, contradictions, noise, prose."""

    def speak(heard: Heard) -> Spoken:
        texts = given_groups(heard)
        left, answer = list(texts), {"groups": [], "dropped": [], "contradictions": []}
        rng.shuffle(left)
        while left:
            some = [left.pop() for _ in range(min(len(left), rng.randint(1, 3)))]
            way = rng.choice(
                ["keep", "keep", "unite", "drop", "contradict", "lose", "invent", "double", "long", "clash"]
            )
            edit = {"op": "append_to_section", "section": ["Dates"], "content": texts[some[0]]}
            if way == "keep":
                answer["groups"] += [{"cites": [id], "edits": []} for id in some]
            elif way == "unite":
                answer["groups"].append({"cites": some, "edits": [edit]})
            elif way == "drop":
                answer["dropped"] += [{"id": id, "reason": "vague"} for id in some]
            elif way == "contradict" and len(some) > 1:
                answer["contradictions"].append({"ids": some, "reason": "they differ"})
            elif way == "invent":
                answer["groups"].append({"cites": [*some, "Gffffffffffff"], "edits": [edit]})
            elif way == "double":
                answer["groups"] += [{"cites": some, "edits": [edit]}, {"cites": some[:1], "edits": [edit]}]
            elif way == "long":
                answer["groups"].append({"cites": some, "edits": [{**edit, "content": "- " + "x" * 9_000}]})
            elif way == "clash":
                gone = {"op": "delete_section", "section": ["Dates"], "content": ""}
                answer["groups"].append({"cites": some, "edits": [gone, edit]})
        return rng.choice([answer_json(answer)] * 9 + [Spoken(text="They are all fine.")])

    return speak


def reduce(client: Client, model: ModelSettings, groups: list[EditGroup], how: MergeSettings) -> Groups:
    plan = plan_merges(unite_equal(groups), how.fan_in)
    made = [Groups.of([leaf]) for leaf in plan.leaves]
    for number, inputs in enumerate(plan.merges):
        made.append(
            merge(client, model, SKILL, [made[i] for i in inputs], step=StepLabel("merge", str(number)), settings=how)
        )
    return made[-1]


def leaves_of(item: EditGroup) -> set[str]:
    return set(item.stands_for or (item.id,))


RULES = st.lists(
    st.builds(
        group,
        st.sampled_from(["- write real dates", "- never write real dates", "- read back", "- dates are numbers", "- a", "- bb"]),
        st.sampled_from(["k1", "k2", "k3", "k4"]),
        section=st.sampled_from(["Dates", "Writing values"]),
        op=st.sampled_from(["append_to_section", "replace_in_section"]),
    ),
    min_size=2,
    max_size=9,
)  # fmt: skip


@given(
    RULES,
    st.integers(0, 10_000),
    st.sampled_from([2, 3, 8]),
    st.sampled_from(["touching", "always"]),
    st.sampled_from([1, 2]),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])  # fmt: skip
def test_no_merger_whatever_breaks_the_books(
    client: Client, groups: list[EditGroup], seed: int, fan_in: int, ask: Any, main: int
) -> None:
    with scripted(random_merger(random.Random(seed))):
        model = ModelSettings(name=f"sim/scripted?seed={seed}")  # another name, so that no answer comes from memory
        root = reduce(client, model, groups, MergeSettings(fan_in=fan_in, ask=ask))
    by_id = {item.id: item for item in groups}
    ended = [*root.groups, *(item.group for item in root.dropped), *(s for item in root.open for s in item.sides)]
    assert set().union(*(leaves_of(item) for item in ended)) == set(by_id)
    for item in ended:
        assert item.support == Support.union(by_id[leaf].support for leaf in leaves_of(item))
        assert set(item.lessons) == {lesson for leaf in leaves_of(item) for lesson in by_id[leaf].lessons}
    skill, made = build_candidate(SKILL, root, Thresholds(main=main), 4)
    edits = [edit for item in made.applied for edit in item.edits]
    assert conflicts(SKILL, edits) == []
    pairs = [(a, b) for a in made.applied for b in made.applied if opposed(a.text, b.text)]
    assert not pairs
    kept = [*made.applied, *(d.group for d in made.dropped), *(s for item in made.open for s in item.sides)]
    twice = {item.id for item in made.applied} & {side.id for item in made.open for side in item.sides}
    assert not twice
    lost = set(by_id) - set().union(*(leaves_of(item) for item in kept))
    assert not lost, "a group is gone without a record"
    assert skill.digest == made.skill


@given(RULES, st.integers(2, 16))
@settings(max_examples=40, deadline=None)
def test_a_higher_fan_in_makes_fewer_merges_over_the_same_leaves(groups: list[EditGroup], fan_in: int) -> None:
    groups = unite_equal(groups)
    narrow, wide = plan_merges(groups), plan_merges(groups, fan_in)
    assert wide.leaves == narrow.leaves
    assert len(wide.merges) <= len(narrow.merges)
    assert all(2 <= len(inputs) <= fan_in for inputs in wide.merges)
    used = sorted(number for inputs in wide.merges for number in inputs)
    assert used == list(range(len(groups) + len(wide.merges) - 1))


# Contradictions.


@pytest.mark.parametrize(
    ("a", "b", "opposite"),
    [
        ("- Always clear the range before you fill it.", "- Never clear the range before you fill it.", True),
        ("- Clear the range first.", "- Do not clear the range first.", True),
        ("- Clear the range first.", "- Clear the range first!", False),
        ("- Write numbers as numbers, never as text.", "- Write numbers as numbers.", False),
        ("- Never do this.", "- Never do this.", False),
        ("- Read back.", "- Never round.", False),
    ],
)
def test_rules_oppose_each_other_when_only_one_forbids(a: str, b: str, opposite: bool) -> None:
    assert opposed(a, b) is opposite


ALWAYS = group("- Always clear the range before you fill it.", "k1", "k2", "k3")
NEVER = group("- Never clear the range before you fill it.", "k4")


@pytest.mark.parametrize(
    ("written", "settled"),
    [
        ("- Always clear the range before you fill it.", False),
        ("- Never clear the range before you fill it.", False),
        ("- If it holds old values, clear the range before you fill it.", True),
    ],
)
def test_a_contradiction_is_settled_by_a_condition_or_stays_open(
    written: str, settled: bool, client: Client, plays: Plays
) -> None:
    model = ModelSettings(name=f"sim/scripted?seed={len(written)}")

    def speak(heard: Heard) -> Spoken:
        edit = {"op": "append_to_section", "section": ["Dates"], "content": written}
        return answer_json({"groups": [{"cites": list(given_groups(heard)), "edits": [edit]}]})

    plays(speak)
    root = merge(client, model, SKILL, [Groups.of([ALWAYS]), Groups.of([NEVER])], step=StepLabel("merge"))
    if settled:
        assert [item.text for item in root.groups] == [written]
        assert len(root.groups[0].support.tasks) == 4
        assert root.open == ()
    else:
        assert root.groups == ()
        assert {side.text for side in root.open[0].sides} == {ALWAYS.text, NEVER.text}


def test_one_side_of_a_contradiction_cannot_be_dropped(client: Client, plays: Plays) -> None:
    def speak(heard: Heard) -> Spoken:
        one, other = given_groups(heard)
        return answer_json({"groups": [{"cites": [one]}], "dropped": [{"id": other, "reason": "weaker"}]})

    plays(speak)
    model = ModelSettings(name="sim/scripted?seed=1")
    root = merge(client, model, SKILL, [Groups.of([ALWAYS]), Groups.of([NEVER])], step=StepLabel("merge"))
    assert len(root.open) == 1
    assert root.dropped == ()


def test_repeating_one_side_does_not_settle_an_open_conflict() -> None:
    again = group("- Always clear the range before you fill it!", "k9")
    left, (conflict,) = absorb([again], [OpenConflict(sides=(ALWAYS, NEVER), reason="opposite")])
    assert left == []
    assert sorted(len(side.support.tasks) for side in conflict.sides) == [1, 4]


def test_opposites_that_met_nowhere_in_the_tree_are_open_in_the_end() -> None:
    other = group("- Never clear the range before you fill it.", "k4", "k5", section="Writing values")
    skill, made = build_candidate(SKILL, Groups.of([ALWAYS, other]), Thresholds(main=1), 5)
    assert skill.digest == SKILL.digest
    assert len(made.open[0].sides) == 2
    assert made.applied == ()


def test_one_odd_run_cannot_hold_up_what_many_ask_for() -> None:
    for root in (
        Groups.of([ALWAYS, NEVER]),
        Groups.of([], open=[OpenConflict(sides=(ALWAYS, NEVER), reason="opposite")]),
    ):
        skill, made = build_candidate(SKILL, root, Thresholds(main=2, reference=2), 5)
        assert ALWAYS.text in (skill.text("SKILL.md") or "")
        assert made.open == ()
        (dropped,) = made.dropped
        assert dropped.group == NEVER
        assert ALWAYS.id in dropped.reason


# Whole groups and limits.


def test_a_group_lands_whole_or_not_at_all() -> None:
    create = Edit(op="create", file="references/a.md", content="# A")
    link = Edit(op="append_to_section", section=("No such",), content="- see [a](references/a.md)")
    pair = EditGroup(edits=(create, link), support=Support(trajectories=("t1",), tasks=("k1",)))
    skill, made = build_candidate(SKILL, Groups.of([pair, group("- fine", "k2")]), Thresholds(main=1), 2)
    assert skill.text("references/a.md") is None
    assert "- fine" in (skill.text("SKILL.md") or "")
    assert [item.edit.op for item in made.unplaced] == ["append_to_section"]


def test_what_does_not_fit_goes_to_references_and_then_is_dropped_least_supported_first() -> None:
    rules = [group(f"- rule number {n:03d} of many", *(f"k{k}" for k in range(60 - n))) for n in range(50)]
    limits = SizeLimits(lines=len(split_lines(SKILL.body)) + 20, reference_lines=25)
    skill, made = build_candidate(SKILL, Groups.of(rules), Thresholds(main=1), 60, limits=limits)
    body, reference = skill.body, skill.text("references/dates.md") or ""
    assert len(split_lines(body)) <= limits.lines
    assert len(split_lines(reference)) <= limits.reference_lines
    in_body, in_reference = ([n for n in range(50) if f"number {n:03d} " in text] for text in (body, reference))
    assert max(in_body) < min(in_reference)
    assert sorted(in_body + in_reference) == list(range(len(in_body) + len(in_reference)))
    assert len(made.dropped) == 50 - len(in_body) - len(in_reference)
    assert all("no room" in item.reason for item in made.dropped)


# The ledger.


def lesson(id: str) -> Lesson:
    task = id.removeprefix("L-")
    evidence = (Evidence(first=3, last=4),)
    return Lesson(
        trajectory_id=f"t-{task}", task_id=task, kind="error", proof="verified", title=id, description="d", content="c",
        evidence=evidence,
    )  # fmt: skip


def check(made: Candidate, ledger: Any, skill: Any, base: Any) -> None:
    """Every line that the base did not have, headings and empty lines apart, is in the ledger with its evidence."""
    for file in skill.files:
        old = set(split_lines(base.text(file.path) or ""))
        for number, line in enumerate(split_lines(skill.text(file.path) or ""), start=1):
            if line in old or not line.strip() or line.startswith("#"):
                continue
            rows = [row for row in ledger.rows if row.file == file.path and row.first <= number <= row.last]
            assert rows, f"{file.path}:{number}: {line!r} has no support"
            assert all(row.support.trajectories and row.lessons for row in rows)
            assert {item.trajectory_id for row in rows for item in row.lessons} <= {
                id for row in rows for id in row.support.trajectories
            }


def test_every_added_line_can_name_who_asked_for_it_over_versions() -> None:
    rules = [group(f"- rule {n}", *(f"k{k}" for k in range(n + 1)), section="Dates") for n in range(4)]
    rare = group("- a rare case", "k1", "k2", section="Writing values")
    first, made = build_candidate(SKILL, Groups.of([*rules[1:], rare]), Thresholds(main=3, reference=2), 9)
    ledger = build_ledger(SKILL, first, made, lesson, None)
    check(made, ledger, first, SKILL)
    top = group("- above all", "k7", "k8", section="Before you start")
    doomed = group("- soon gone", "k7", section="Rows and ranges")
    second, made_again = build_candidate(first, Groups.of([top, doomed]), Thresholds(main=1), 9)
    later = build_ledger(first, second, made_again, lesson, ledger)
    check(made_again, later, second, SKILL)
    moved = {row.group: row for row in later.rows if row.file == "SKILL.md"}
    for row in ledger.rows:
        if row.file == "SKILL.md":
            assert moved[row.group].first > row.first
            assert moved[row.group].support == row.support
    gone = Edit(op="delete_section", section=("Rows and ranges",))
    erase = EditGroup(edits=(gone,), support=Support(trajectories=("t9",), tasks=("k9",)))
    third, made_last = build_candidate(second, Groups.of([erase]), Thresholds(main=1), 9)
    last = build_ledger(second, third, made_last, lesson, later)
    assert {row.group for row in later.rows} - {row.group for row in last.rows} == {doomed.id}


def test_an_edit_that_would_orphan_a_reference_is_withheld_and_the_rest_applied() -> None:
    gone = Edit(op="delete_section", section=("Before you start",))  # where the skill links its reference
    erase = EditGroup(edits=(gone,), support=Support(trajectories=("t9",), tasks=("k9",)))
    skill, made = build_candidate(SKILL, Groups.of([erase, group("- fine", "k1", "k2")]), Thresholds(main=1), 9)
    assert "- fine" in (skill.text("SKILL.md") or "")
    assert [item.edit.op for item in made.unplaced] == ["delete_section"]
    assert "cannot be reached" in made.unplaced[0].reason


def test_lines_of_a_store_that_knows_nothing_have_no_rows(tmp_path: Path) -> None:
    store = open_store(tmp_path / "s.duckdb")
    skill, made = build_candidate(SKILL, Groups.of([group("- x", "k1")]), Thresholds(main=1), 1)
    ledger = build_ledger(SKILL, skill, made, lambda _: None, None)
    store.put("support", skill.digest, ledger)
    assert store.get("support", skill.digest, type(ledger)) == ledger
    assert store.get("support", SKILL.digest, type(ledger)) is None
    store.close()
