"""Edit groups: support is an exact union, what belongs together stays together, and prevalence decides where it goes."""

from conftest import OFFICE_SKILL
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trace2skill.consolidate import EditGroup, Groups, Support, Thresholds, cut_into_groups, route
from trace2skill.consolidate.candidate import build_candidate
from trace2skill.consolidate.groups import unite_equal
from trace2skill.skills.skill import read_skill
from trace2skill.types.patch import Edit, Patch

SKILL = read_skill(OFFICE_SKILL)


def group(
    text: str, section: str = "Dates", trajectories: tuple[str, ...] = ("t1",), tasks: tuple[str, ...] = ("k1",)
) -> EditGroup:
    edit = Edit(op="append_to_section", section=(section,), content=text, lessons=("L1",))
    return EditGroup(edits=(edit,), support=Support(trajectories=trajectories, tasks=tasks, errors=trajectories))


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
