"""The editor words and mends, and decides nothing: whatever it answers, groups, places and support stay."""

from collections.abc import Iterator
from typing import Any

import pytest
from conftest import OFFICE_SKILL, Plays

from trace2skill.consolidate import EditGroup, Groups, Support, Thresholds
from trace2skill.consolidate.candidate import build_candidate
from trace2skill.consolidate.editor import ModelEditor
from trace2skill.consolidate.ledger import build_ledger, confirmed, united_ledgers
from trace2skill.core.budget import Budget
from trace2skill.core.errors import SkillInvalid
from trace2skill.core.step_label import StepLabel
from trace2skill.llm import Client, ModelSettings
from trace2skill.sim.conversation import Heard, Spoken, answer_json, blocks
from trace2skill.skills.place import EditPolicy
from trace2skill.skills.skill import problems, read_skill
from trace2skill.store import open_store
from trace2skill.types.lesson import Evidence, Lesson
from trace2skill.types.patch import Confirmation, Edit

SKILL = read_skill(OFFICE_SKILL)
ALL = Thresholds(main=1)


def group(text: str, *tasks: str, **more: Any) -> EditGroup:
    ids = tuple(f"t-{task}" for task in tasks)
    values = {"op": "append_to_section", "section": ("Dates",), "content": text, **more}
    edit = Edit(**values, lessons=tuple(f"L-{task}" for task in tasks))
    return EditGroup(edits=(edit,), support=Support(trajectories=ids, tasks=tasks, errors=ids))


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    store = open_store(tmp_path_factory.mktemp("editor") / "s.duckdb")
    yield Client(store, Budget(None), "run")
    store.close()


def editor(client: Client, name: str, model: str = "scripted") -> ModelEditor:
    return ModelEditor(client, ModelSettings(name=f"sim/{model}?seed={abs(hash(name)) % 10**6}"), StepLabel("apply"))


RULES = [
    group("- Never write dates as text, unless the task says so", "k1", "k2"),
    group("- Check the  date system of the workbook first", "k3", "k4"),
]


def answering(change: Any) -> Any:
    def speak(heard: Heard) -> Spoken:
        rules = {name.removeprefix("rule "): text for name, text in blocks(heard.opening) if name.startswith("rule ")}
        return answer_json({"rules": change(rules)})

    return speak


def test_a_better_wording_is_taken_and_the_ledger_still_maps_every_group(client: Client, plays: Plays) -> None:
    polite = answering(
        lambda rules: [{"id": id, "content": text.replace("  ", " ") + "."} for id, text in rules.items()]
    )
    plays(polite)
    skill, made = build_candidate(SKILL, Groups.of(RULES), ALL, 5, editor=editor(client, "better"), polish=True)
    assert "- Check the date system of the workbook first." in (skill.text("SKILL.md") or "")
    assert sorted(len(item.support.tasks) for item in made.applied) == [2, 2]
    assert {id for item in made.applied for id in item.stands_for} == {rule.id for rule in RULES}
    ledger = build_ledger(SKILL, skill, made, lambda _: None, None)
    assert len(ledger.rows) == 2


@pytest.mark.parametrize(
    "change",
    [
        lambda rules: [{"id": id, "content": "- Write dates as text"} for id in rules],  # the opposite
        lambda rules: [{"id": id, "content": "- Drink more water"} for id in rules],
        lambda rules: [{"id": id, "content": f"{text}\n\n## Another section\n\nwords"} for id, text in rules.items()],
        lambda rules: [{"id": id, "content": text * 3} for id, text in rules.items()],
        lambda rules: [{"id": id, "content": ""} for id in rules],
        lambda rules: [{"id": id, "content": f"{text} [x](http://evil.example)"} for id, text in rules.items()],
        lambda rules: [{"id": "G000", "content": "- invented"}],
        lambda rules: [],
        lambda rules: [{"id": id, "content": "- Check the date system of the workbook first"} for id in rules] * 2,
    ],
)
def test_a_wording_that_changes_what_is_said_is_not_taken(
    change: Any, client: Client, plays: Plays, request: pytest.FixtureRequest
) -> None:
    plays(answering(change))
    plain, _ = build_candidate(SKILL, Groups.of(RULES), ALL, 5)
    skill, made = build_candidate(
        SKILL, Groups.of(RULES), ALL, 5, editor=editor(client, request.node.name), polish=True
    )
    assert skill.digest == plain.digest
    assert len(made.applied) == 2


LONG = "Works on workbooks. " * 80
DESCRIBES = EditPolicy(allow_description=True)


def test_a_failed_validation_is_mended_in_the_failing_file_alone(client: Client) -> None:
    described = group(LONG, "k1", "k2", op="set_description", section=())
    root = Groups.of([described, *RULES])
    skill, made = build_candidate(SKILL, root, ALL, 5, DESCRIBES, editor=editor(client, "mends", "office"))
    assert problems(skill) == []
    assert skill.description.startswith("Works on workbooks.")
    assert len(skill.description) <= 1024
    assert len(made.applied) == 3
    assert made.skill == skill.digest
    assert made.diff.count("diff --git") == 1


@pytest.mark.parametrize("answer", ["", "unchanged", "# Everything else is gone\n"])
def test_a_repair_that_does_not_mend_costs_two_calls_at_most_and_the_culprit_is_withheld(
    answer: str, client: Client, plays: Plays
) -> None:
    asked: list[str] = []

    def speak(heard: Heard) -> Spoken:
        asked.append(heard.system)
        return answer_json({"content": heard.block("file") if answer == "unchanged" else answer})

    plays(speak)
    described = group(LONG, "k1", op="set_description", section=())
    root = Groups.of([described, *RULES])
    skill, made = build_candidate(SKILL, root, ALL, 5, DESCRIBES, editor=editor(client, f"bad {answer}"))
    assert problems(skill) == []
    assert len(made.applied) == 2
    assert [item.edit.op for item in made.unplaced] == ["set_description"]
    assert 1 <= len(asked) <= 2


def test_where_nothing_helps_the_candidate_is_refused(client: Client, plays: Plays) -> None:
    plays(lambda heard: answer_json({"content": heard.block("file")}))
    names = ("one", "two")
    lines = {name: f"- See [{name}](references/{name}.md)." for name in names}
    text = f"{SKILL.text('SKILL.md')}\n## More\n\n" + "\n".join(lines.values()) + "\n"
    base = SKILL.with_files(
        {"SKILL.md": text.encode(), **{f"references/{name}.md": b"# More\n\n- A rule.\n" for name in names}}
    )
    assert problems(base) == []
    cut = {"op": "replace_in_section", "section": ("More",)}
    orphans = [group(f"- Ask about {name}.", f"k-{name}", anchor=line, **cut) for name, line in lines.items()]
    with pytest.raises(SkillInvalid):  # both break it, so that it is not mended by leaving one out
        build_candidate(base, Groups.of(orphans), ALL, 5, editor=editor(client, "hopeless"))


def lesson(id: str) -> Lesson:
    task = id.removeprefix("L-")
    return Lesson(
        trajectory_id=f"t-{task}",
        task_id=task,
        kind="error",
        proof="verified",
        title=f"lesson {task}",
        description="d",
        content="c",
        evidence=(Evidence(first=2, last=3),),
    )


def test_votes_for_what_the_skill_states_already_are_added_once_and_fade() -> None:
    first, made = build_candidate(SKILL, Groups.of(RULES), ALL, 5)
    ledger = build_ledger(SKILL, first, made, lesson, None)
    says = [Confirmation(lesson="L-k9", file="SKILL.md", text="- Never write dates as text,  unless the task says so")]
    by_hand = next(line for line in (SKILL.text("SKILL.md") or "").splitlines() if line.startswith("- "))
    says.append(Confirmation(lesson="L-k8", file="SKILL.md", text=by_hand))
    says.append(Confirmation(lesson="L-k7", file="SKILL.md", text="no such line"))
    more = confirmed(ledger, first, says, lesson)
    assert confirmed(more, first, says, lesson) == more
    assert united_ledgers(more, more) == more
    grown = next(row for row in more.rows if "t-k1" in row.support.trajectories)
    assert grown.support.tasks == ("k1", "k2", "k9")
    hand = next(row for row in more.rows if not row.group)
    assert hand.support.tasks == ("k8",)
    assert len(more.rows) == len(ledger.rows) + 1

    # Two versions later, with votes that last for one: only what spoke up since is left.
    second, made = build_candidate(first, Groups.of([group("- Dates of leap years need care", "k5")]), ALL, 5)
    later = build_ledger(first, second, made, lesson, more, forget_after=1)
    assert later.generation == 2
    later = confirmed(later, second, [says[0].model_copy(update={"lesson": "L-k6"})], lesson)
    third, made = build_candidate(second, Groups.of([group("- Quarters start in January", "k5")]), ALL, 5)
    last = build_ledger(second, third, made, lesson, later, forget_after=1)
    kept = next(row for row in last.rows if "unless the task" in _text(third, row.first))
    assert kept.support.tasks == ("k6",)
    everything = build_ledger(second, third, made, lesson, later)
    kept = next(row for row in everything.rows if "unless the task" in _text(third, row.first))
    assert kept.support.tasks == ("k1", "k2", "k6", "k9")


def _text(skill: Any, number: int) -> str:
    return (skill.text("SKILL.md") or "").splitlines()[number - 1]


def test_the_ledger_is_a_table_of_the_store(client: Client) -> None:
    skill, made = build_candidate(SKILL, Groups.of(RULES), ALL, 5)
    ledger = build_ledger(SKILL, skill, made, lesson, None)
    client._store.put("support", skill.digest, ledger)
    rows = client._store.query("SELECT file, first, last, supporting, tasks, lessons FROM support ORDER BY first")
    assert [(row[0], row[1], row[2]) for row in rows] == [(row.file, row.first, row.last) for row in ledger.rows]
    assert sorted(task for row in rows for task in row[4]) == ["k1", "k2", "k3", "k4"]
    assert rows[0][5][0]["evidence"] == [{"first": 2, "last": 3}]
