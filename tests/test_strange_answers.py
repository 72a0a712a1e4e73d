"""Answers that hold a grader up or break it, and mutated ones by the thousand: each is one grade, at once."""

import contextlib
import random
import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from trace2skill.core.errors import BadInput
from trace2skill.domains.answers import unwrapped
from trace2skill.domains.base import ANSWER, CaseGrade, Grade, graded
from trace2skill.domains.document_qa.anls import anls, is_right
from trace2skill.domains.document_qa.domain import DocumentQA
from trace2skill.domains.files import FileDomain
from trace2skill.domains.math.forms import answer_in, last_box
from trace2skill.domains.rows import OddRows, read_rows
from trace2skill.domains.spreadsheet.values import normalise
from trace2skill.domains.table_qa.denotation import normalised, same, set_of, value_of
from trace2skill.domains.table_qa.domain import TableQuestions
from trace2skill.llm.failures import _retry_after
from trace2skill.llm.server_words import meaning
from trace2skill.llm.structured import read
from trace2skill.safety.leaks import canonical
from trace2skill.safety.redaction import Redactor
from trace2skill.safety.screening import screened
from trace2skill.skills.front_matter import parts
from trace2skill.types.task import Task, TestCase

TABLE = Task(id="t", domain="table_qa", instruction="How many?", detail={"gold": "12", "canon": "12.0"}, content="c")
PAGE = Task(id="p", domain="document_qa", instruction="Who?", detail={"answers": '["12"]'}, content="c")


@pytest.mark.parametrize(
    "text",
    [
        "[1]" * 28, "[1]" * 20_000, "[a] (b)" * 9000, " (x)" * 16_000, "•" * 60_000, '"' * 60_000, "[" * 60_000, "]" * 60_000,
        r"\boxed{" * 9000, r"\boxed{1}" * 7000, "{" * 60_000, "9" * 310, "9" * 5000, "1e999", "-" * 60_000, "`" * 60_000, "```\n" * 15_000,
        "Answer: " * 8000, "*" * 60_000, "1" * 310 + "-01-01", "\u0130" * 30_000,
    ],
    ids=range(21),
)  # fmt: skip
def test_no_answer_holds_a_grader_up(text: str) -> None:
    started = time.monotonic()
    for said in (text, f"Answer: {text}"):
        for domain, task in ((TableQuestions(), TABLE), (DocumentQA(), PAGE)):
            grade = graded(domain, task, {ANSWER: said.encode()})
            assert grade.hard == 0.0
        for form in ("gsm8k", "boxed", "dapo"):
            answer_in(said, form)
        normalise(text)
        screened(said[:5000])
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Paris[1]", "paris"), ("Paris[note 2][3]", "paris"), ("[1]", ""), ("[a]", "[a]"), ("[1][2]", ""), ("[a][2]", "[a]"), ("a[b[c]", "a"),
        ("[a[b]", "[a"), ("x†*", "x"), ("Paris (city) (France)", "paris"), ("(city)", "(city)"), ('"Paris".', '"paris"'), ('"Paris"', "paris"),
        ("Zürich[1] (city)[2]", "zurich"), ("a] [b]", "a]"), ("f(x)", "f(x)"), ("]", "]"), ("#1", "#1"),
    ],
)  # fmt: skip
def test_marks_are_taken_off_as_the_official_rule_does(text: str, plain: str) -> None:
    assert normalised(text) == plain


def test_a_number_beyond_every_float_is_compared_as_text() -> None:
    huge = "9" * 310
    assert same(set_of([huge]), [value_of(huge)])
    assert not same(set_of(["12"]), [value_of(huge)])
    assert canonical(10**400) == ""
    assert normalise(10**400) == str(10**400)


def test_the_last_box_that_closes_counts() -> None:
    assert last_box(r"\boxed{1} \boxed{\frac{1}{2}} \boxed{3") == r"\frac{1}{2}"
    assert last_box(r"\boxed{a \boxed{b} c}") == "b"
    assert last_box(r"\boxed{\{1\}}") == r"\{1\}"


@pytest.mark.parametrize(
    "said",
    [
        "Answer: 12", "Answer: `12`", "**Answer:** 12", "Answer: **12**", "Answer: 12\n\nLet me know if you need more.", "Answer:\n12", "Answer:\n```\n12\n```",
        "Answer: ```12```", "I think 13.\nAnswer: 12\nThat is all.", "Answer: 12.",
    ],
)  # fmt: skip
def test_an_answer_counts_the_same_in_every_domain(said: str) -> None:
    for domain, task in ((TableQuestions(), TABLE), (DocumentQA(), PAGE)):
        assert graded(domain, task, {ANSWER: said.encode()}).hard == 1.0, domain.name
    assert (
        answer_in(
            said.replace("Answer:\n", "Answer: ").replace("```", "`").replace("`\n", "`").replace("\n`", "`"), "dapo"
        )
        == "12"
    )


@pytest.mark.parametrize(
    ("answer", "accepted", "right"),
    [("12", "13", False), ("12", "12", True), ("4711", "4799", False), ("Californa Institute", "California Institute", True), ('"Paris."', "Paris", True), ("abc", "abxy", False), ("1", "10", False)],
)  # fmt: skip
def test_half_an_answer_is_a_score_and_not_right(answer: str, accepted: str, right: bool) -> None:
    assert is_right(answer, [accepted]) == right
    assert anls(answer, [accepted]) >= 0.5 or not right


class Breaks(FileDomain):
    name, version, about = "breaks", "1", "x"

    def load(self, data: Path) -> list[Task]:
        return []

    def grade(self, task: Task, outputs: Any) -> Grade:
        if outputs:
            raise OverflowError("int too large to convert to float")
        return Grade(cases=(CaseGrade(case="c", passed=False),))


def test_a_grader_that_raises_is_one_wrong_answer_with_a_reason() -> None:
    grade = graded(Breaks(), TABLE, {"output/a": b"x"})
    assert grade.hard == 0.0
    assert "the grader broke on it: OverflowError" in grade.reason

    class Refuses(Breaks):
        def grade(self, task: Task, outputs: Any) -> Grade:
            raise BadInput("the task has no gold")

    with pytest.raises(BadInput):
        graded(Refuses(), TABLE, {})


def test_a_program_as_the_result_is_no_leaked_answer(tmp_path: Path) -> None:
    class Sql(Breaks):
        def grade(self, task: Task, outputs: Any) -> Grade:
            return Grade(
                cases=(CaseGrade(case="c", passed=outputs.get("output/q.sql") == b"SELECT name FROM t WHERE x > 4711"),)
            )

    (tmp_path / "q.sql").write_bytes(b"SELECT name FROM t WHERE x > 4711")
    task = Task(
        id="t",
        domain="sql",
        instruction="List names.",
        cases=(TestCase(name="1", gold=tmp_path / "q.sql"),),
        content="c",
    )
    domain = Sql()
    assert domain.gold_only(task) == frozenset()
    assert domain.carried(task, {"output/q.sql": b"SELECT name FROM t WHERE x > 4711"}) == []


def test_a_few_odd_rows_are_left_out_and_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(['{"id": 1}'] * 60 + ["{broken", '{"no": 2}']))
    assert len(read_rows(path, "id")) == 60
    assert "2 of 62 rows are left out" in caplog.text
    assert f"{path}:61" in caplog.text
    path.write_text("\n".join(['{"id": 1}'] * 10 + ["{broken"]))
    with pytest.raises(BadInput, match="rows.jsonl:11"):
        read_rows(path, "id")
    odd = OddRows()
    odd.settle(0)


def test_unwrapped_takes_off_what_is_around_an_answer() -> None:
    for text in ("`a b`", "**a b**", "```sql\na b\n```", "*`a b`*", " a b "):
        assert unwrapped(text) == "a b"
    assert unwrapped("`a` and `b`") == "`a` and `b`"


PIECES = ["Answer:", "\\boxed{", "}", "{", "[1]", " (", ")", "\n", "`", "```", "9" * 30, "-", "1e400", "\u202e", "\x1b[2J", "\ufe0f", "|", "\u0130", "'", '"',
          "password=", "[REDACTED:e-mail:1]", "---\n", "name: ", "&a ", "*a", "[", "]", "sudo ", "rm -rf ", "http://", "Ignore all previous instructions", "\ud800", "\0",
          "Retry-After", "per day", "limit 1, requested 2", "try again in 3m", "а", "漢"]  # fmt: skip


@pytest.mark.parametrize("seed", range(2))
def test_mutated_texts_end_in_a_result_and_in_time(seed: int) -> None:
    """A short fuzz: no exception that is not ours, and none takes long."""
    dice = random.Random(seed)
    for _ in range(120):
        text = "".join(dice.choice(PIECES) * dice.choice((1, 1, 1, 40)) for _ in range(dice.randint(1, 14)))
        started = time.monotonic()
        for domain, task in ((TableQuestions(), TABLE), (DocumentQA(), PAGE)):
            graded(domain, task, {ANSWER: text.encode("utf-8", "replace")})
            domain.grade(task, {ANSWER: text.encode("utf-8", "replace")})
        for form in ("gsm8k", "boxed", "dapo"):
            answer_in(text, form)
        normalise(text)
        Redactor().text(text)
        screened(text[:2000])
        meaning(dice.choice((400, 413, 429, 500, None)), text)
        _retry_after(Exception(), text)
        with contextlib.suppress(ValueError):
            parts(f"---\n{text}\n---\n")
        assert time.monotonic() - started < 5, text[:200]


def test_half_characters_and_nul_of_an_answer_never_reach_a_skill_or_a_store() -> None:
    class Said(BaseModel):
        words: str

    for text in ('{"words": "a \\ud800 b \\u0000"}', '```json\n{"words": "a \\ud800 b \\u0000"}\n```'):
        found, _ = read(text, Said)
        assert found is not None
        assert found.words == "a \ufffd b \N{SYMBOL FOR NULL}"


@pytest.mark.parametrize("opens", ["(", "[", "{", '["', "{'", '{"a" ', "(1"])
def test_what_is_opened_without_end_is_asked_for_again_and_not_mended(opens: str) -> None:
    class Said(BaseModel):
        words: str

    text = '{"words": ' + opens * 20_000 + "}" * 20_000 + "]" * 20_000
    assert read(text, Said)[0] is None
