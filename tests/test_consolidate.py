"""The merge: the same set gives the same tree, support is an exact union, nothing is invented and nothing lost."""

import json
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import OFFICE_SKILL, Plays
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trace2skill.consolidate import EditGroup, Groups, Support, Thresholds, cut_into_groups, merge, plan_merges, route
from trace2skill.consolidate.candidate import build_candidate
from trace2skill.consolidate.groups import unite_equal
from trace2skill.core.budget import Budget
from trace2skill.core.errors import InfrastructureFault
from trace2skill.core.step_label import StepLabel
from trace2skill.llm import Client, ModelSettings
from trace2skill.sim.conversation import Heard, Spoken, answer_json
from trace2skill.skills.skill import read_skill
from trace2skill.store import open_store
from trace2skill.types.patch import Edit, Patch

SKILL = read_skill(OFFICE_SKILL)
MODEL = ModelSettings(name="sim/scripted")
SECTIONS = ["Writing values", "Rows and ranges", "Dates"]


def group(
    text: str, section: str = "Dates", trajectories: tuple[str, ...] = ("t1",), tasks: tuple[str, ...] = ("k1",)
) -> EditGroup:
    edit = Edit(op="append_to_section", section=(section,), content=text, lessons=("L1",))
    return EditGroup(edits=(edit,), support=Support(trajectories=trajectories, tasks=tasks, errors=trajectories))


GROUPS = st.lists(
    st.builds(
        group,
        st.text("abcdefgh ", min_size=3, max_size=30).map(lambda text: f"- {text.strip() or 'x'}"),
        st.sampled_from(SECTIONS),
        st.sampled_from([("t1",), ("t2",), ("t1", "t3")]),
    ),
    min_size=1,
    max_size=25,
).map(unite_equal)


@given(GROUPS, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_the_tree_depends_on_the_set_alone(groups: list[EditGroup], rng: random.Random) -> None:
    shuffled = rng.sample(groups, len(groups))
    plan = plan_merges(groups)
    assert plan == plan_merges(shuffled)
    assert len(plan.merges) == len(groups) - 1
    used = [number for pair in plan.merges for number in pair]
    assert sorted(used) == list(range(len(groups) + len(plan.merges) - 1))


@given(GROUPS, st.integers(0, 24))
@settings(max_examples=60, deadline=None)
def test_one_more_group_changes_only_its_own_path(groups: list[EditGroup], which: int) -> None:
    new = groups[which % len(groups)]
    before, after = nodes([item for item in groups if item != new]), nodes(groups)
    assert all(new.id in node for node in after - before)
    assert all(node | {new.id} in after for node in before - after)


def nodes(groups: list[EditGroup]) -> set[frozenset[str]]:
    """Every node of the tree as the set of leaves below it."""
    plan = plan_merges(groups)
    below = [frozenset([leaf.id]) for leaf in plan.leaves]
    for left, right in plan.merges:
        below.append(below[left] | below[right])
    return set(below[len(plan.leaves) :])


def test_no_groups_and_one_group_have_trees_too() -> None:
    assert plan_merges([]).leaves == ()
    assert plan_merges([group("- x")]).merges == ()


def test_a_patch_is_cut_into_groups_that_stand_or_fall_together() -> None:
    patch = Patch(
        trajectory_id="t1",
        task_id="k1",
        base="b",
        edits=(
            Edit(op="create", file="references/a.md", content="# A"),
            Edit(op="append_to_section", section=("Dates",), content="- see [a](references/a.md)"),
            Edit(op="append_to_section", section=("Dates",), content="- alone"),
        ),
    )
    groups = cut_into_groups(patch, "error")
    assert sorted(len(item.edits) for item in groups) == [1, 2]
    assert all(item.support == Support.of("t1", "k1", "error") for item in groups)


def test_one_trajectory_is_one_vote() -> None:
    same = [
        group("- x", trajectories=("t1",)),
        group("- x", trajectories=("t1",)),
        group("- x", trajectories=("t2",), tasks=("k2",)),
    ]
    (one,) = unite_equal(same)
    assert one.support.trajectories == ("t1", "t2")
    assert one.support.tasks == ("k1", "k2")


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    store = open_store(tmp_path / "s.duckdb")
    yield Client(store, Budget(None), "run")
    store.close()


def given_ids(heard: Heard) -> list[str]:
    return re.findall(r"^## (G[0-9a-f]+): supported", heard.opening, re.MULTILINE)


def answering(answer: Callable[[list[str]], Any]) -> Callable[[Heard], Spoken]:
    def speak(heard: Heard) -> Spoken:
        value = answer(given_ids(heard))
        return value if isinstance(value, Spoken) else answer_json(value)

    return speak


EDIT = {"op": "append_to_section", "section": ["Dates"], "content": "- merged"}
ADVERSARIES: dict[str, Callable[[list[str]], Any]] = {
    "invents ids": lambda ids: {"groups": [{"cites": [*ids, "Gffffffffffff"], "edits": [EDIT]}]},
    "drops silently": lambda ids: {"groups": [{"cites": ids[:1]}]},
    "cites twice": lambda ids: {"groups": [{"cites": [id]} for id in ids] + [{"cites": ids[:1]}]},
    "cites nothing": lambda ids: {"groups": [{"cites": [], "edits": [EDIT]}, *({"cites": [id]} for id in ids)]},
    "drops and keeps": lambda ids: {
        "groups": [{"cites": [id]} for id in ids],
        "dropped": [{"id": ids[0], "reason": "x"}],
    },
    "is too long": lambda ids: {"groups": [{"cites": ids, "edits": [{**EDIT, "content": "- " + "x" * 5000}]}]},
    "is empty": lambda ids: {"groups": []},
    "echoes": lambda ids: Spoken(text=json.dumps(ids)),
    "talks": lambda ids: Spoken(text="I think they are all fine."),
    "unites without saying how": lambda ids: {"groups": [{"cites": ids}]},
}


@pytest.mark.parametrize("name", ADVERSARIES)
def test_no_merger_can_lose_or_invent_anything(name: str, client: Client, plays: Plays) -> None:
    plays(answering(ADVERSARIES[name]))
    left = Groups.of(
        [group("- write real dates", trajectories=("t1",)), group("- dates are numbers", trajectories=("t2",))]
    )
    right = Groups.of(
        [
            group("- write real dates!", trajectories=("t3",)),
            group("- not here", section="Writing values", trajectories=("t4",)),
        ]
    )
    merged = merge(client, MODEL, SKILL, [left, right], step=StepLabel("merge"))
    kept = {id for item in merged.groups for id in item.support.trajectories}
    assert kept == {"t1", "t2", "t3", "t4"}
    assert not merged.dropped
    texts = " ".join(item.text for item in merged.groups)
    assert "dates are numbers" in texts
    assert "xxxx" not in texts


def test_a_good_merge_unites_support_and_keeps_the_record(client: Client, plays: Plays) -> None:
    def speak(ids: list[str]) -> dict[str, object]:
        return {
            "groups": [{"cites": ids[:2], "edits": [EDIT]}],
            "dropped": [{"id": id, "reason": "says nothing"} for id in ids[2:]],
        }

    plays(answering(speak))
    left = Groups.of([group("- aaa bbb", trajectories=("t1",), tasks=("k1",))])
    right = Groups.of(
        [group("- ccc ddd", trajectories=("t2",), tasks=("k2",)), group("- eee", trajectories=("t3",), tasks=("k3",))]
    )
    merged = merge(client, MODEL, SKILL, [left, right], step=StepLabel("merge"))
    (one,) = merged.groups
    assert len(one.support.tasks) == 2
    assert one.lessons == ("L1",)
    assert len(merged.dropped) == 1
    assert merged.dropped[0].reason == "merger: says nothing"
    kept = {*one.support.trajectories, *merged.dropped[0].group.support.trajectories}
    assert kept == {"t1", "t2", "t3"}


def test_a_transport_fault_is_raised_and_never_papered_over(client: Client) -> None:
    left, right = Groups.of([group("- a")]), Groups.of([group("- b")])
    with pytest.raises(InfrastructureFault):
        merge(
            client,
            ModelSettings(name="sim/office?server_error=1", attempts=1),
            SKILL,
            [left, right],
            step=StepLabel("merge"),
        )


def test_sides_that_do_not_touch_cost_no_call(client: Client, plays: Plays) -> None:
    def never(heard: Heard) -> Spoken:
        raise AssertionError("asked")

    plays(never)
    left, right = Groups.of([group("- alpha beta", "Dates")]), Groups.of([group("- gamma delta", "Writing values")])
    assert len(merge(client, MODEL, SKILL, [left, right], step=StepLabel("merge")).groups) == 2


def tasks(count: int) -> tuple[str, ...]:
    return tuple(f"k{number}" for number in range(count))


@given(st.lists(st.integers(1, 9), min_size=1, max_size=8), st.integers(1, 400))
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_routing_follows_support_and_loses_nothing(counts: list[int], analysed: int) -> None:
    groups = [group(f"- rule number {n}", tasks=tasks(count)) for n, count in enumerate(counts)]
    routed = route(Groups.of(groups), Thresholds(), analysed)
    main, reference = Thresholds().for_tasks(analysed)
    assert all(len(item.support.tasks) >= main for item in routed.main)
    assert all(reference <= len(item.support.tasks) < main for item in routed.reference)
    assert len(routed.main) + len(routed.reference) + len(routed.dropped) == len(groups)
    shares = [len(item.support.tasks) for item in routed.main]
    assert shares == sorted(shares, reverse=True)


def test_the_candidate_is_ordered_by_support_and_sends_the_rare_to_a_reference() -> None:
    root = Groups.of(
        [
            group("- seldom", tasks=tasks(3)),
            group("- often", tasks=tasks(9)),
            group("- rare case", section="Writing values", tasks=tasks(2)),
            group("- once", tasks=tasks(1)),
        ]
    )
    skill, made = build_candidate(SKILL, root, Thresholds(main=3, reference=2), 30)
    text = skill.text("SKILL.md") or ""
    assert text.index("- often") < text.index("- seldom")
    assert "- rare case" in (skill.text("references/writing-values.md") or "")
    assert text.count("(references/writing-values.md)") == 1
    assert "once" not in text
    assert [item.group.edits[0].content for item in made.dropped] == ["- once"]
    assert len(made.applied) == 3
