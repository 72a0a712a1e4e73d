"""Questions of a JSONL file: what is right by each rule, what is refused, and that gold is told to nobody."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from trace2skill.analysts.error import ErrorAnalyst, _Submission
from trace2skill.analysts.strategy import Case, Means
from trace2skill.core.errors import BadInput
from trace2skill.core.step_label import StepLabel
from trace2skill.domains import load_domain
from trace2skill.domains.base import ANSWER
from trace2skill.domains.find import domain_names
from trace2skill.llm import ModelSettings
from trace2skill.sandbox.process import PlainProcess
from trace2skill.types.trajectory import Outcome, Step, Trajectory

RULES: list[tuple[Any, Any, str, bool]] = [
    ("match", "Paris", "It is paris.", True),
    ("match", "Paris", "Paris it is", False),
    ({"name": "match", "location": "begin"}, "Paris", "Paris it is", True),
    ({"name": "match", "location": "any"}, "Paris", "Is it Paris? Yes", True),
    ({"name": "match", "location": "exact"}, "Paris", "**Paris**!", True),
    ({"name": "match", "location": "exact"}, "Paris", "It is Paris", False),
    ({"name": "match", "ignore_case": False}, "Paris", "It is paris", False),
    ({"name": "match", "numeric": True}, 5, "It is 25", False),
    (None, 5, "It is 15", False),
    (None, 1200, "That makes $1,200.00.", True),
    (None, [1200.0, "a gross"], "So 1200", True),
    (None, [1200.0, "a gross"], "A gross", True),
    ({"name": "match", "numeric": True}, "1,000", "That makes **$1000.00**.", True),
    ({"name": "match", "numeric": True}, 60, "60%", False),
    ({"name": "match", "numeric": True}, ["60", "60%"], "60%", True),
    ("includes", "red", "A RED one, or blue", True),
    ({"name": "includes", "ignore_case": False}, "red", "A RED one", False),
    ("exact", "The cat", "Cat!", True),
    ("exact", "cat", "a black cat", False),
    ("exact", "3.0", "(3)", True),
    ("exact_match", "The cat", "Answer: The cat", True),
    ("exact_match", "The cat", "the cat", False),
    ({"name": "answer", "pattern": "word"}, "yes", "So...\nANSWER: Yes.", True),
    ({"name": "answer", "pattern": "letter"}, "B", "ANSWER: B) it", True),
    ({"name": "answer", "pattern": "line"}, "red and blue", "So the answer: Red and blue", True),
    ({"name": "answer", "pattern": "line"}, "red", "red", False),
]


def row(**given: Any) -> dict[str, Any]:
    return {"id": "q1", "question": "What is it?", "answer": "x", **given}


def write(folder: Path, *rows: Any, name: str = "questions.jsonl") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text("".join((item if isinstance(item, str) else json.dumps(item)) + "\n" for item in rows))
    return path


def passes(folder: Path, output: str, **given: Any) -> bool:
    domain = load_domain("questions")
    (task,) = domain.load(write(folder, row(**given)))
    assert domain.audit(task).verdict == "usable"
    return domain.grade(task, {ANSWER: output.encode()}).hard == 1.0


@pytest.mark.parametrize(("rule", "answer", "output", "right"), RULES)
def test_an_answer_is_right_by_the_rule_of_its_question(
    tmp_path: Path, rule: Any, answer: Any, output: str, right: bool
) -> None:
    assert passes(tmp_path, output, rule=rule, answer=answer) is right


@pytest.mark.parametrize(
    ("answer", "output", "right"),
    [
        ("B", "Answer: B", True),
        ("B", "First A.\n\nANSWER: (B)", True),
        ("B", "Answer: B) blue\n\nBecause.", True),
        ("B", "Answer: A, B", False),
        ("B", "blue", False),
        ("B", "B", False),
        ("A,C", "Answer: C and A", True),
        (["A", "C"], "Answer: AC", True),
        ("A,C", "Answer: A", False),
    ],
)
def test_letters_name_options(tmp_path: Path, answer: Any, output: str, right: bool) -> None:
    assert passes(tmp_path, output, answer=answer, choices=["red", "blue", "green"]) is right


@pytest.mark.parametrize(
    ("odd", "said"),
    [
        ("{", "not JSON"),
        (row(answer=[]), "no answer is accepted"),
        (row(answer=True), "answer"),
        (row(answer={"a": 1}), "answer"),
        (row(answer="..."), "nothing is left of one"),
        (row(answer="the", rule="exact"), "nothing is left of one"),
        (row(answer="x" * 20_000), "longer than"),
        (row(rule="nearly"), "rule.name: Input should be 'match', 'includes'"),
        (row(rule={"name": "exact", "numeric": True}), "does not take numeric: it takes no arguments"),
        (row(rule={"name": "pattern", "pattern": "(a+)+$"}), "rule"),
        (row(rule="choice"), "needs the options"),
        (row(answer="D", choices=["x", "y"]), "D is none of the options A to B"),
        (row(answer="bad", choices=["bad", "good", "fine", "so"]), "it is the text of option A: give that letter"),
        (row(answer="A", choices=["x"]), "two and more"),
        (row(answer="A", choices=["x", "y", " x"]), "no two the same"),
        (row(answer="A", choices=["x", ""]), "none of them empty"),
        ('{"id": "q1", "question": "What?", "answer": ' + "1" * 5000 + "}", "too many digits: write it as a text"),
        ('{"id": "q1", "question": "What?", "answer": "\\ud800"}', "half of a sign"),
        (row(files=["a\0b"]), "no file can have the name"),
        (row(files=["../secret.txt"]), "there is no file ../secret.txt"),
        (row(anwser="x"), "a task has id, question, answer"),
    ],
)
def test_a_bad_row_names_file_line_and_what_to_do(tmp_path: Path, odd: Any, said: str) -> None:
    path = write(tmp_path, row(id="good"), odd)
    with pytest.raises(BadInput) as error:
        load_domain("questions").load(path)
    assert f"{path}:2: " in str(error.value)
    assert said in str(error.value)


def test_two_of_one_id_and_no_file_at_all_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="two tasks have the id 'q1': rename one"):
        load_domain("questions").load(write(tmp_path / "twice", row(), row()))
    with pytest.raises(BadInput, match="a question a line"):
        load_domain("questions").load(tmp_path / "nothing")


def test_a_few_odd_rows_cost_no_others(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write(tmp_path, *(row(id=f"q{number}") for number in range(30)), row(id="odd", answer=[]))
    with caplog.at_level(logging.WARNING):
        assert len(load_domain("questions").load(path)) == 30
    assert f"{path}:31" in caplog.text


def test_what_an_agent_reads_holds_all_but_the_answer(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("a,b\n1,2\n")
    told = row(answer=["teal-grey", 42], context="Be brief.", files=["table.csv"])
    domain = load_domain("questions")
    (task,) = domain.load(write(tmp_path, told))
    read = domain.describe(task)
    assert read.index("Be brief.") < read.index("What is it?") < read.index("input/table.csv") < read.index("`Answer:`")
    assert "teal" not in read
    assert domain.gold_only(task) == {"teal-grey", "42"}
    (comma,) = domain.load(write(tmp_path, row(answer="1,5"), name="comma.jsonl"))
    assert domain.gold_only(comma) == {"1,5"}, "which is not 15"
    (tmp_path / "work").mkdir()
    domain.lay_out(task, tmp_path / "work")
    assert [path.name for path in (tmp_path / "work").rglob("*.*")] == ["table.csv"]
    wrong = domain.grade(task, {ANSWER: b"Answer: red"})
    assert "teal" not in wrong.reason
    assert "42" not in wrong.reason


def test_options_are_listed_once(tmp_path: Path) -> None:
    domain = load_domain("questions")
    listed = row(id="q2", question="Which?\nA) red\nB) blue", answer="A", choices=["red", "blue"])
    (bare, shown) = domain.load(write(tmp_path, row(answer="A", choices=["red", "blue"]), listed))
    for task in (bare, shown):
        assert domain.describe(task).count("B) blue") == 1
        assert "letter of the right option" in domain.describe(task)
        assert domain.gold_only(task) == frozenset()


@pytest.mark.parametrize(
    ("given", "tries"),
    [({"answer": "Lima"}, 3), ({"answer": "Yes"}, 1), ({"answer": "A", "choices": ["x", "y", "z"]}, 1)],
)
def test_where_few_answers_are_possible_an_analyst_has_one_try(
    tmp_path: Path, given: dict[str, Any], tries: int
) -> None:
    domain = load_domain("questions")
    (task,) = domain.load(write(tmp_path, row(**given)))
    failed = Trajectory(
        id="T1",
        task_id=task.id,
        seed=41,
        model="sim/office",
        steps=(Step(number=1, source="agent", message="Answer: B"),),
        outcome=Outcome(kind="failed"),
    )
    analyst = ErrorAnalyst(Means(domain=domain, model=ModelSettings(name="sim/office"), sandbox=PlainProcess))
    submission = _Submission(analyst, Case(failed, StepLabel("extract"), task=task), tmp_path)
    report = {"surface": "s", "cause": "c", "cause_steps": [1], "kind": "logic", "lessons": []}
    said = [submission({**report, "fix": "Answer: C"}).done for _ in range(tries)]
    assert said == [False] * (tries - 1) + [True]


def test_it_is_a_domain_by_name() -> None:
    assert "questions" in domain_names()
