"""Mathematics: every data set's layout and final-answer rule, and a checker that nothing can hold up."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from conftest import shared
from questions_of_tests import write_math

from trace2skill.core.errors import BadInput
from trace2skill.domains import load_domain
from trace2skill.domains.base import ANSWER
from trace2skill.domains.math import checker, plain
from trace2skill.domains.math.forms import answer_in
from trace2skill.domains.math.layouts import read_row
from trace2skill.types.task import Task

ROWS: dict[str, tuple[dict[str, Any], tuple[str, str, str, str]]] = {
    "GSM8K": (
        {"question": "How many eggs?", "answer": "9 * 2 = <<9*2=18>>18\n#### 1,018"},
        ("How many eggs?", "1018", "gsm8k", ""),
    ),
    "MATH-500": (
        {
            "problem": "Simplify.",
            "solution": r"$\boxed{x}$",
            "answer": r"\frac{1}{2}",
            "subject": "Algebra",
            "unique_id": "test/algebra/1.json",
        },
        ("Simplify.", r"\frac{1}{2}", "boxed", "test/algebra/1.json"),
    ),
    "MATH": (
        {
            "problem": "Simplify.",
            "level": "Level 1",
            "type": "Algebra",
            "solution": r"First $\boxed{3}$, then $\boxed{\frac{1}{2}}$.",
        },
        ("Simplify.", r"\frac{1}{2}", "boxed", ""),
    ),
    "AIME 2024": ({"ID": "2024-I-1", "Problem": "Find it.", "Answer": 25}, ("Find it.", "25", "boxed", "2024-I-1")),
    "AIME 2025": ({"question": "Find it.", "answer": "025"}, ("Find it.", "025", "boxed", "")),
    "DAPO": (
        {
            "data_source": "math_dapo",
            "prompt": [
                {
                    "content": "Solve the following math problem step by step. The last line of your response should be "
                    "of the form Answer: $Answer (without quotes) where $Answer is the answer to the problem.\n\n"
                    'Find it.\n\nRemember to put your answer on its own line after "Answer:".',
                    "role": "user",
                }
            ],
            "ability": "MATH",
            "reward_model": {"ground_truth": "34", "style": "rule-lighteval/MATH_v2"},
            "extra_info": {"index": "9a9b6eb4"},
        },
        ("Find it.", "34", "dapo", "9a9b6eb4"),
    ),
    "DAPO, processed": (
        {"prompt": "Find it.", "solution": "34", "reward_model": {"ground_truth": "34"}, "extra_info": {"index": "9a"}},
        ("Find it.", "34", "dapo", "9a"),
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_every_layout_is_found_by_its_fields(name: str) -> None:
    row, wanted = ROWS[name]
    found = read_row(row)
    assert found is not None
    assert (found.problem, found.gold, found.form, found.id) == wanted


@pytest.mark.parametrize(
    ("form", "text", "answer"),
    [
        ("gsm8k", "#### 3\nNo, wait.\n#### $1,018.50 dollars", "1018.50"),
        ("gsm8k", "A: -4", "-4"),
        ("gsm8k", "**#### 7**", "7"),
        ("gsm8k", "The answer is 7", ""),
        ("boxed", r"\boxed{3} and then $\boxed{\frac{1}{\{2\}}}$.", r"\frac{1}{\{2\}}"),
        ("boxed", r"\fbox{7}, \boxed{8", "7"),
        ("boxed", r"\boxed{$7.$}", "7"),
        ("boxed", "Answer: 7", ""),
        ("dapo", "Answer: 3\n**Answer:** $\\frac12$\nI am sure.", r"\frac12"),
        ("dapo", r"Answer: \boxed{7}", "7"),
        ("dapo", r"\boxed{7}", ""),
    ],
)
def test_the_final_answer_rule_of_each_data_set(form: Any, text: str, answer: str) -> None:
    assert answer_in(text, form) == answer


@pytest.mark.parametrize(
    ("gold", "answer", "right"),
    [
        (r"\frac{7}{3}", "7/3", True),
        (r"\frac{7}{3}", "2.33", False),
        ("70000", "70,000", True),
        (r"(3, \pi/2)", r"\left(3, \frac{\pi}{2}\right)", True),
        (r"\text{Evelyn}", "Evelyn", True),
        ("1,2,3", "3,2,1", True),
        ("x^2+2x+1", "(x+1)^2", True),
        ("025", "25", True),
        ("18", "18 or 19", False),
        ("18", "So it comes out as 18, if I see it right.", False),
        ("1", "__import__('os').getpid() ** 0", False),
    ],
)
def test_answers_are_compared_by_value(gold: str, answer: str, right: bool) -> None:
    judged = load_domain("math").grade(_task(gold), {ANSWER: rf"\boxed{{{answer}}}".encode()})
    assert judged.hard == float(right)


PLAIN = [
    "0", "-0", "0.0", "1", "-1", "1.0", "1.5", "-1.5", "0.5", "2", "20", "0.20", "0.2", "2.14", "100", "999999999999", "1.4444", "1.3333",
    r"\frac{0}{3}", r"\frac{1}{2}", r"-\frac{1}{2}", r"\frac{2}{4}", r"\frac{6}{3}", r"\frac{13}{9}", r"\frac{15}{7}", r"\frac{3}{2}",
    r"-\frac{3}{2}", r"\frac{4}{3}", r"\frac{1}{999999999999}",
]  # fmt: skip


def test_plain_numbers_are_what_math_verify_says_and_start_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {(gold, answer): plain.same(gold, answer) for gold in PLAIN for answer in PLAIN}
    assert {True, False, None} == {*known.values()}, "what is close is asked"
    asked = [
        pair for number, (pair, same) in enumerate(known.items()) if same is not None and (same or number % 3 == 0)
    ]
    assert [checker.CHECKER.compare(*pair, 10).same for pair in asked] == [known[pair] for pair in asked]
    for text in (
        "025",
        "1,018",
        "18 or 19",
        "1e3",
        "50\\%",
        r"\frac{1}{0}",
        r"\frac12",
        "3.14159265",
        "+3",
        "",
        "x",
        "1.",
        "\u0663",
    ):
        assert plain.same("3", text) is None, text
    assert plain.same("1.3333", r"\frac{4}{3}") is None, "how it is rounded is for math-verify to say"
    monkeypatch.setattr(checker.Checker, "compare", lambda *_: pytest.fail("a process was asked"))
    grade = load_domain("math").grade
    assert grade(_task(r"\frac{7}{3}"), {ANSWER: rb"\boxed{2.33}"}).hard == 0.0
    assert grade(_task(r"\frac{6}{3}"), {ANSWER: rb"\boxed{2}"}).hard == 1.0


def test_an_answer_in_another_form_is_none() -> None:
    grade = load_domain("math").grade(_task("18"), {ANSWER: b"It is 18."})
    assert (grade.hard, grade.reason) == (0.0, "there is no answer in the form asked for")


def test_what_cannot_be_compared_in_time_is_not_right_in_any_thread_and_holds_nothing_up() -> None:
    domain = load_domain("math", {"checker_seconds": "0.5"})
    texts = [
        rf"\boxed{{{text}}}".encode() for text in ("9^{9^{9^{9^9}}}", "18", r"\frac{36}{2}", "1^{9^{9^{9^9}}}", "18")
    ]
    with ThreadPoolExecutor(4) as pool:
        grades = list(pool.map(lambda text: domain.grade(_task("18"), {ANSWER: text}), texts))
    assert [grade.hard for grade in grades] == [0.0, 1.0, 1.0, 0.0, 1.0]
    assert grades[0].reason.endswith("is not right: it could not be compared within 0.5 seconds")


def test_labels_of_published_solutions_are_reproduced() -> None:
    path = shared("gsm8k", "example_model_solutions_100.jsonl")
    domain, seen, wrong = load_domain("math"), 0, []
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        row = json.loads(line)
        task = _task(answer_in(row["ground_truth"], "gsm8k"), "gsm8k")
        for model, said in row.items():
            if isinstance(said, dict):
                seen += 1
                grade = domain.grade(task, {ANSWER: said["solution"].encode()})
                if bool(grade.hard) != said["is_correct"]:
                    wrong.append(f"{path.name}:{number}: {model} is labelled {said['is_correct']}: {grade.reason}")
    print(f"{seen - len(wrong)} of {seen} labels agree", *wrong, sep="\n")
    assert seen == 400
    assert len(wrong) <= 4, wrong


def test_real_problems_load_as_they_lie_there_and_their_gold_passes(caplog: pytest.LogCaptureFixture) -> None:
    domain = load_domain("math")
    tasks = domain.load(shared("gsm8k"))
    assert (len(tasks), tasks[16].id, tasks[16].detail["form"]) == (300, "test_300-17", "gsm8k")
    assert "example_model_solutions_100.jsonl holds no problems and is left out" in caplog.text
    assert {domain.audit(task).verdict for task in tasks[:60]} == {"usable"}
    text = domain.describe(tasks[0])
    assert "`#### 42`" in text
    assert tasks[0].detail["gold"] not in text.replace("42", "")


def test_a_problem_that_stands_there_again_is_one_and_another_of_its_id_is_refused(tmp_path: Path) -> None:
    row, _ = ROWS["DAPO"]
    path = tmp_path / "dapo.jsonl"
    path.write_text("\n".join([json.dumps(row)] * 3))
    assert [task.id for task in load_domain("math").load(path)] == ["9a9b6eb4"]
    path.write_text(json.dumps(row) + "\n" + json.dumps({**row, "reward_model": {"ground_truth": "35"}}))
    with pytest.raises(BadInput, match=r"dapo.jsonl:2: another problem has the id '9a9b6eb4', at .*dapo.jsonl:1"):
        load_domain("math").load(path)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"problem": "p", "answer": "1"', r"p\.jsonl:2: not JSON"),
        ("[1]", r"p\.jsonl:2: not a JSON object"),
        ('{"text": "p"}', r"p\.jsonl:2: the row has text; it needs problem"),
        ('{"problem": " ", "answer": "1"}', r"p\.jsonl:2: the problem is empty"),
        ('{"problem": "p", "answer": ""}', r"p\.jsonl:2: its answer is none that can be compared"),
        ('{"question": "p", "answer": "First this.\\nThen that."}', r"p\.jsonl:2: its answer is none"),
    ],
)
def test_bad_rows_are_refused_with_file_and_line(tmp_path: Path, line: str, said: str) -> None:
    (tmp_path / "p.jsonl").write_text('{"problem": "p", "answer": "1"}\n' + line)
    with pytest.raises(BadInput, match=said):
        load_domain("math").load(tmp_path)


def test_directories_without_problems_say_what_they_hold(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"has no \.jsonl file"):
        load_domain("math").load(tmp_path)
    (tmp_path / "logs.jsonl").write_text('{"event": 1}')
    with pytest.raises(BadInput, match=r"no file of .* holds problems: logs\.jsonl has event"):
        load_domain("math").load(tmp_path)
    write_math(tmp_path / "own", 8)
    assert len(load_domain("math", {"file": "problems.jsonl"}).load(tmp_path / "own")) == 8
    with pytest.raises(BadInput, match="no file other.jsonl"):
        load_domain("math", {"file": "other.jsonl"}).load(tmp_path / "own")


def _task(gold: str, form: str = "boxed") -> Task:
    return Task(id="t", domain="math", instruction="How many?", detail={"gold": gold, "form": form}, content="c")
