"""From groups to a candidate: whole or not at all, within limits, and every line can name who asked for it."""

from pathlib import Path
from typing import Any

from conftest import OFFICE_SKILL

from trace2skill.consolidate import EditGroup, Groups, Support, Thresholds
from trace2skill.consolidate.candidate import Candidate, build_candidate
from trace2skill.consolidate.contradiction import OpenConflict
from trace2skill.consolidate.ledger import build_ledger
from trace2skill.consolidate.limits import SizeLimits
from trace2skill.skills.markdown import section_text, sections, split_lines
from trace2skill.skills.skill import read_skill
from trace2skill.store import open_store
from trace2skill.types.lesson import Evidence, Lesson
from trace2skill.types.patch import Edit

SKILL = read_skill(OFFICE_SKILL)


def group(text: str, *tasks: str, section: str = "Dates", op: Any = "append_to_section", **more: Any) -> EditGroup:
    tasks = tasks or ("k1",)
    ids = tuple(f"t-{task}" for task in tasks)
    edit = Edit(op=op, section=(section,), content=text, lessons=tuple(f"L-{task}" for task in tasks), **more)
    return EditGroup(edits=(edit,), support=Support(trajectories=ids, tasks=tasks, errors=ids))


# Contradictions.


ALWAYS = group("- Always clear the range before you fill it.", "k1", "k2", "k3")
NEVER = group("- Never clear the range before you fill it.", "k4")


def test_one_odd_run_cannot_hold_up_what_many_ask_for() -> None:
    root = Groups.of([], open=[OpenConflict(sides=(ALWAYS, NEVER), reason="opposite")])
    skill, made = build_candidate(SKILL, root, Thresholds(main=2, reference=2), 5)
    assert ALWAYS.text in (skill.text("SKILL.md") or "")
    assert made.open == ()
    (dropped,) = made.dropped
    assert dropped.group == NEVER
    assert ALWAYS.id in dropped.reason


def test_edits_that_overlap_are_open_in_the_end_and_neither_is_written() -> None:
    anchor = next(line for line in split_lines(SKILL.body) if line.startswith("- ")).strip()
    section = next(item.path for item in sections(SKILL.body) if anchor in section_text(SKILL.body, item.path))
    edits = [
        Edit(op="replace_in_section", section=section, anchor=anchor, content=text) for text in ("- One.", "- Another.")
    ]
    rivals = [
        EditGroup(edits=(edit,), support=Support(trajectories=(f"t{n}", f"u{n}"), tasks=(f"k{n}", f"l{n}")))
        for n, edit in enumerate(edits)
    ]
    skill, made = build_candidate(SKILL, Groups.of(rivals), Thresholds(main=1), 5)
    assert skill.digest == SKILL.digest
    assert len(made.open[0].sides) == 2
    assert made.applied == ()


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
