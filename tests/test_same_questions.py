"""Questions that logs ask in other words around them: one group, under one name, whatever log comes later."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from asked_logs import Sample, write_eval

from trace2skill.domains import load_domain
from trace2skill.domains.splits import places_of, remembered, split_tasks
from trace2skill.mined.asked_texts import AskedTexts
from trace2skill.runs.held_out import asks_one_of
from trace2skill.runs.intake import take_in
from trace2skill.runs.mined_tasks import MinedTasks, mine
from trace2skill.runs.sources import Sources
from trace2skill.sandbox import choose_sandbox
from trace2skill.sandbox.bubblewrap import works
from trace2skill.store import open_store

pytestmark = pytest.mark.skipif(bool(works()), reason=f"commands of logs run in bubblewrap alone: {works()}")
RIVERS = ["Arno", "Brenta", "Chiese", "Dora"]


def asks(number: int) -> str:
    return f"Which river flows through the old town number {number} of the northern province of Examplia?"


def listed(options: Iterable[str]) -> str:
    return "\n".join(f"{letter}) {option}" for letter, option in zip("ABCD", options, strict=False))


def plain(number: int, before: str = "", after: str = "") -> Sample:
    return Sample(f"{number}", f"{before}{asks(number)}{after}", "Brenta", "It is the Brenta.")


def chosen(number: int, options: list[str] = RIVERS, before: str = "") -> Sample:
    put = f"{before}{asks(number)}\n\n{listed(options)}"
    return Sample(f"{number}", f"{before}{asks(number)}", "B", "ANSWER: B", choices=options, put=put)


def as_message(number: int) -> Sample:
    said = [{"role": "system", "content": "You know the province."}, {"role": "user", "content": asks(number)}]
    answer = {"role": "assistant", "content": "Brenta"}
    return Sample(f"{number}", "", "Brenta", "Brenta", more={"input": said, "messages": [*said, answer]})


def with_tools(number: int) -> Sample:
    said = {"role": "user", "content": f"Look it up, and be quick!\n{asks(number)}"}
    call = {"role": "tool", "content": "Brenta", "tool_call_id": "1", "function": "search"}
    answer = {"role": "assistant", "content": "Brenta"}
    return Sample(f"{number}", said["content"], "Brenta", "Brenta", more={"messages": [said, answer, call, answer]})


FORMS: dict[str, tuple[Callable[[int], Sample], str, Callable[[int], Sample], str]] = {
    "options here, none there": (chosen, "choice", plain, "match"),
    "options as a field and in the text": (
        chosen,
        "choice",
        lambda n: plain(n, after=f"\n{listed(RIVERS[::-1])}"),
        "match",
    ),
    "an option fewer": (chosen, "choice", lambda n: chosen(n, RIVERS[:3]), "choice"),
    "two templates within the input": (
        lambda n: plain(n, before="Answer in one word.\n\n"),
        "match",
        lambda n: plain(n, before="Think step by step and give the river: ", after=" Do not guess."),
        "match",
    ),
    "a system message in the input": (plain, "match", as_message, "match"),
    "another sign of case and end": (
        plain,
        "match",
        lambda n: Sample(f"{n}", asks(n).upper().rstrip("?"), "Brenta", "Brenta"),
        "match",
    ),
    "with tools, which makes no task": (plain, "match", with_tools, "match"),
}


def mined_from(folder: Path) -> MinedTasks:
    sandbox = choose_sandbox("bwrap", simulated_model=False)
    return mine(Sources(paths=(folder / "logs",)), sandbox, folder / "tasks")


@pytest.mark.parametrize("form", FORMS)
def test_of_a_held_out_question_nothing_is_learned_from_in_whatever_form_it_is_asked(tmp_path: Path, form: str) -> None:
    one, by_one, other, by_other = FORMS[form]
    write_eval(tmp_path / "logs" / "a.eval", [one(n) for n in range(6)], by_one, task="rivers")
    write_eval(tmp_path / "logs" / "b.eval", [other(n) for n in range(6)], by_other, task="again")
    found = mined_from(tmp_path)
    assert found.groups == 6, "and questions of which a number alone differs are told apart"
    tasks = load_domain("questions").load(tmp_path / "tasks")
    number = {item.session: item.task_id.rpartition(":")[2] for item in found.segments}
    of_task = {item.task: item.task_id.rpartition(":")[2] for item in found.tasks}
    splits = split_tasks(tasks, seed=1)
    held_out = [task for task in tasks if task.id not in splits.evolve]
    store = open_store(tmp_path / "s.duckdb")
    ids = sorted({id for task in held_out for id in task.sessions})
    taken = take_in(store, Sources(paths=(tmp_path / "logs",), analyst="rules"), ids).taken
    store.close()
    learned = {number[item.id] for item in taken}
    assert learned
    assert not learned & {of_task[task.id] for task in held_out}


@pytest.mark.parametrize("later", ["a.eval", "c.eval"])
def test_a_question_keeps_its_split_whatever_log_comes_later(tmp_path: Path, later: str) -> None:
    def mined_with(*names: str) -> list[Any]:
        for name in names:
            write_eval(tmp_path / "logs" / name, [plain(n) for n in range(6)], task=f"rivers {name}")
        mined_from(tmp_path)
        return load_domain("questions").load(tmp_path / "tasks")

    data = tmp_path / "tasks" / "questions.jsonl"
    before = mined_with("b.eval")
    splits = split_tasks(before)
    after = mined_with(later)
    assert {(task.id, task.group) for task in after} == {(task.id, task.group) for task in before}
    again = split_tasks(after, places=remembered(after, data, places_of(splits, before, data)))
    for name in ("evolve", "validation", "test"):
        assert set(getattr(again, name)) == set(getattr(splits, name))


@pytest.mark.parametrize("more", [{"uuid": "u1"}, {"id": "x"}, {"id": ""}])
def test_samples_that_have_one_name_are_told_apart(tmp_path: Path, more: dict[str, Any]) -> None:
    samples = [Sample(f"{n}", asks(n), "Brenta", "Brenta", more=more) for n in range(5)]
    write_eval(tmp_path / "logs" / "a.eval", [*samples, samples[3]])
    found = mined_from(tmp_path)
    ids = [json.loads(line)["id"] for line in (tmp_path / "tasks" / "questions.jsonl").read_text().splitlines()]
    assert len(set(ids)) == len(ids) == len(found.tasks) == 5
    assert len({item.id for item in found.segments}) == len(found.segments) == 5, "what is there twice is read once"
    assert len(load_domain("questions").load(tmp_path / "tasks")) == 5


def test_logs_that_come_later_are_known_by_what_they_ask(tmp_path: Path) -> None:
    """With tasks of a folder, and logs that these were not made of."""
    rows = [{"id": f"q{n}", "question": asks(n), "answer": "Brenta"} for n in range(8)]
    (tmp_path / "questions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    tasks = load_domain("questions").load(tmp_path / "questions.jsonl")
    write_eval(tmp_path / "logs" / "a.eval", [plain(n, before="Answer in one word: ") for n in range(8)])
    write_eval(
        tmp_path / "logs" / "b.eval", [chosen(n, before="Think, and then choose.\n") for n in range(8)], "choice"
    )
    store = open_store(tmp_path / "s.duckdb")
    says = asks_one_of({"q1", "q2", "q6"}, tasks)
    taken = take_in(store, Sources(paths=(tmp_path / "logs",), analyst="rules"), ["q1"], (), says).taken
    store.close()
    numbers = sorted(item.task_id.rpartition(":")[2] for item in taken)
    assert numbers == sorted("003344557" + "7")


def groups_of(*logs: list[str]) -> int:
    """So many groups questions make up, each log a list of them."""
    texts, above = AskedTexts(), {text: {text} for log in logs for text in log}
    for number, log in enumerate(logs):
        for text in log:
            texts.asks(text, str(number), text, ())
    for one, other in texts.compared().pairs():
        for member in (both := above[one] | above[other]):
            above[member] = both
    return len({id(members) for members in above.values()})


def test_what_questions_of_a_log_have_in_common_does_not_make_them_one() -> None:
    lands = ["Peru", "Chad", "Fiji", "Laos", "Mali", "Oman"]
    capitals = [f"What is the capital of {land}?" for land in lands]
    assert groups_of(capitals) == 6
    assert groups_of(capitals, [f"Name it in a word. {text}" for text in capitals]) == 6
    assert groups_of([*capitals, *(f"Name it in a word. {text}" for text in capitals)]) == 6, "within one log, too"
    assert groups_of([f"What is {n} times {m}?" for n in range(2, 9) for m in range(n, 9)]) == 28
    passage = "In the spring of that year the whole garrison moved on to the coast, where no ship was left."
    assert groups_of([f"{passage} Who led it?", f"{passage} When was it?"]) == 1, "one text, two questions"
    assert groups_of([capitals[0]], [capitals[1]]) == 1, "of logs of one question nothing says which words tell"
    japanese = "次の文を読んでください。ペルーの首都はどこですか。"
    assert groups_of([japanese], [japanese.partition("。")[2]]) == 1
