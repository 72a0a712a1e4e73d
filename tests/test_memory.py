"""Rules live on from night to night: support grows, nothing is written twice, and a run tried again sees what it saw."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import OFFICE, OFFICE_SKILL
from run_settings import run_settings

from trace2skill.consolidate.candidate import Candidate
from trace2skill.consolidate.ledger import SupportLedger
from trace2skill.consolidate.settle import RuleBook
from trace2skill.llm import ModelSettings, Roles
from trace2skill.runs import refresh as run
from trace2skill.runs.closing import keep_support
from trace2skill.runs.consolidation import StepRunner, united
from trace2skill.runs.distill import Distilled
from trace2skill.runs.memory import memory_of
from trace2skill.runs.runtime import Runtime, forget_runtimes, runtime
from trace2skill.runs.steps.apply import APPLY
from trace2skill.skills.skill import Skill, write_skill
from trace2skill.types.patch import Edit, Patch
from trace2skill.types.references import Extracted, Proposed
from trace2skill.versions.registry import Registry, Version

SECTION = ("Writing values",)
RULE = "Strip text before you compare it."
ANOTHER = "Freeze the header row."


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    yield
    forget_runtimes()


def night(tmp_path: Path, seed: int, **more: object) -> Runtime:
    """A run of its own over one skill and one store, without a merger's judgement: equal words are one rule."""
    model = ModelSettings(name="sim/office")
    rt = runtime(
        run_settings(
            data=OFFICE,
            roles=Roles.all_played_by(model),
            seeds=(seed,),
            sandbox="process",
            store=tmp_path / "s.duckdb",
            output=tmp_path / "runs",
            **{"skill": OFFICE_SKILL, **more},
        )
    )
    run.start(rt)
    return rt


def learned(rt: Runtime, said: dict[str, str], base: Skill | None = None) -> Distilled:
    """What the night makes of patches: by task of the evolve split, the rule that its trajectory asks for."""
    skill = base or rt.given_skill
    assert skill is not None
    rt.store.put("skill", skill.digest, skill)
    analysed, proposed = [], []
    for task, text in said.items():
        ids = {"trajectory_id": f"T-{rt.run_id}-{task}", "task_id": task}
        edit = Edit(op="append_to_section", section=SECTION, content=f"- {text}", lessons=(f"L{task}",))
        patch = Patch(base=skill.digest, edits=(edit,), **ids)
        rt.store.put("patch", patch.digest, patch)
        analysed.append(Extracted(content="x", seed=1, kind="error", verdict="lessons", lessons=1, **ids))
        known = {"extraction": "x", "verdict": "patch", "kind": "error"}
        proposed.append(Proposed(content=patch.digest, edits=1, **known, **ids))
    return united(rt, skill.digest, analysed, proposed, StepRunner(rt))


def candidate_of(rt: Runtime, made: Distilled) -> Candidate:
    assert made.root is not None
    return APPLY(rt, made.root, made.base, made.tasks)


def book_of(rt: Runtime, made: Distilled) -> dict[str, int]:
    book = rt.store.get("book", made.book, RuleBook)
    assert book is not None
    return {rule.says: len(rule.support.tasks) for rule in book.rules}


def test_what_one_task_a_night_states_is_a_rule_in_the_end(tmp_path: Path) -> None:
    first = night(tmp_path, 1)
    one, two, three = first.splits.evolve[:3]
    made = learned(first, {one: RULE})
    assert candidate_of(first, made).applied == ()
    second = night(tmp_path, 2)
    made = learned(second, {two: RULE})
    assert book_of(second, made) == {RULE: 2}
    assert (made.rules, made.remembered) == (2, 1)
    (applied,) = candidate_of(second, made).applied
    assert {saying.task_id for saying in applied.said} == {one, two}
    # Nobody promoted it; the third night begins from the same skill and knows all three.
    third = night(tmp_path, 3)
    assert book_of(third, learned(third, {three: RULE})) == {RULE: 3}
    assert len(memory_of(third, "office-workbooks").rules) == 3


def test_a_run_that_is_tried_again_sees_what_it_saw(tmp_path: Path) -> None:
    first = night(tmp_path, 1)
    one, two = first.splits.evolve[:2]
    before = learned(first, {one: RULE})
    second = night(tmp_path, 2)
    learned(second, {two: RULE})
    again = learned(night(tmp_path, 1), {one: RULE})
    assert (again.book, again.tasks) == (before.book, before.tasks)


def test_nothing_is_remembered_where_that_is_said_and_rules_of_held_out_tasks_take_no_part(tmp_path: Path) -> None:
    first = night(tmp_path, 1)
    one, two = first.splits.evolve[:2]
    learned(first, {one: RULE, first.splits.validation[0]: ANOTHER})
    alone = night(tmp_path, 2, memory=False)
    assert book_of(alone, learned(alone, {two: RULE})) == {RULE: 1}
    second = night(tmp_path, 3)
    made = learned(second, {two: RULE})
    assert book_of(second, made) == {RULE: 2}
    assert made.tasks == 2


def test_what_the_skill_states_is_not_written_again_and_gains_the_vote(tmp_path: Path) -> None:
    first = night(tmp_path, 1)
    one, two, three = first.splits.evolve[:3]
    made = learned(first, {one: RULE, two: RULE})
    base, candidate = first.given_skill, candidate_of(first, made)
    written = first.store.get("skill", candidate.skill, Skill)
    assert base is not None
    assert written is not None
    keep_support(first, base, written, candidate, made)
    second = night(tmp_path, 2)
    later = learned(second, {three: RULE}, base=written)
    made_again = candidate_of(second, later)
    assert (made_again.skill, made_again.applied) == (written.digest, ())
    keep_support(second, written, written, made_again, later)
    ledger = second.store.get("support", written.digest, SupportLedger)
    assert ledger is not None
    (row,) = ledger.rows
    assert row.support.tasks == tuple(sorted((one, two, three)))
    assert {saying.text for saying in row.said} == {RULE}


def test_a_skill_that_says_it_already_needs_no_line(tmp_path: Path) -> None:
    first = night(tmp_path, 1)
    one, two = first.splits.evolve[:2]
    stated = "Use the types that the neighbouring cells have."
    made = learned(first, {one: stated, two: stated})
    assert candidate_of(first, made).applied == ()
    assert first.given_skill is not None
    keep_support(first, first.given_skill, first.given_skill, candidate_of(first, made), made)
    ledger = first.store.get("support", made.base, SupportLedger)
    assert ledger is not None
    assert [(row.group, row.support.tasks) for row in ledger.rows] == [("", tuple(sorted((one, two))))]


def test_what_people_took_out_stays_out_until_there_is_new_evidence(tmp_path: Path) -> None:
    live = tmp_path / "live" / OFFICE_SKILL.name
    shutil.copytree(OFFICE_SKILL, live)
    first = night(tmp_path, 1, skill=live)
    tasks = first.splits.evolve
    made = learned(first, {tasks[0]: RULE, tasks[1]: RULE, tasks[2]: ANOTHER, tasks[3]: ANOTHER})
    base, candidate = first.given_skill, candidate_of(first, made)
    written = first.store.get("skill", candidate.skill, Skill)
    assert base is not None
    assert written is not None
    keep_support(first, base, written, candidate, made)
    Registry(first.store).record(written, Version(name=written.name, skill=written.digest, state="promoted"))
    Registry(first.store).promote(written, live, expected=base.digest, run_id="first", reason="better")
    text = (written.text("SKILL.md") or "").replace(f"- {RULE}\n", "")
    edited = written.with_files({"SKILL.md": text.encode()})
    write_skill(edited, live)
    second = night(tmp_path, 2, skill=live)
    ledger = second.store.get("support", edited.digest, SupportLedger)
    assert ledger is not None
    assert [{saying.text for saying in row.said} for row in ledger.rows] == [{ANOTHER}]
    later = learned(second, {tasks[4]: RULE}, base=edited)
    again = candidate_of(second, later)
    assert again.skill == edited.digest
    assert [item.reason for item in again.dropped] == [f"it stood in version {written.digest[:12]} and was taken out"]
    third = night(tmp_path, 3, skill=live)
    more = candidate_of(third, learned(third, {tasks[5]: RULE}, base=edited))
    assert [group.edits[0].content for group in more.applied] == [f"- {RULE}"]
