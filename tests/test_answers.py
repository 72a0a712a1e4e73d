"""Questions with an answer in words: graded, analysed without gold, and learned from."""

import json
from pathlib import Path
from typing import Any

import pytest
from domains_of_tests import SUMS, sums_rows

from trace2skill.analysts.error import ErrorAnalyst, _Submission
from trace2skill.analysts.strategy import Case, Means
from trace2skill.core.step_label import StepLabel
from trace2skill.domains import load_domain
from trace2skill.domains.answers import with_answer
from trace2skill.domains.base import ANSWER
from trace2skill.llm import ModelSettings
from trace2skill.sandbox.process import PlainProcess
from trace2skill.sim import answers
from trace2skill.sim.causes import CAUSES, HABITS, cause_of, guided, habit_of
from trace2skill.sim.mistakes.answers import ANSWER_CAUSES, ANSWER_HABITS, OF_KIND, names_of
from trace2skill.types.trajectory import Outcome, Step, Trajectory


@pytest.fixture
def sums(tmp_path: Path) -> Any:
    (tmp_path / "sums.py").write_text(SUMS)
    (tmp_path / "sums.jsonl").write_text("\n".join(map(json.dumps, sums_rows(24))))
    return load_domain(f"{tmp_path / 'sums.py'}:Sums")


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("Answer: 1071", True),
        ("I add them.\n\n**Answer:** 1071", True),
        ("Answer: 5\nNo, wait.\nAnswer: 1071 ", True),
        ("1071", True),
        ("It is 1071", False),
        ("Answer: 1,071", False),
        ("", False),
    ],
)
def test_the_last_answer_counts(sums: Any, tmp_path: Path, text: str, right: bool) -> None:
    task = sums.load(tmp_path)[0].model_copy(update={"detail": {"gold": "1071"}})
    grade = sums.grade(task, {ANSWER: text.encode()})
    assert (grade.hard, grade.soft) == (float(right), float(right))
    assert "1071" not in grade.reason.replace(text.removeprefix("Answer:").strip(), "")


def test_a_file_goes_before_the_last_message(sums: Any, tmp_path: Path) -> None:
    task = sums.load(tmp_path)[0]
    assert with_answer(sums, task, {}, "Answer: 7") == {ANSWER: b"Answer: 7"}
    assert with_answer(sums, task, {ANSWER: b"8"}, "Answer: 7") == {ANSWER: b"8"}
    assert with_answer(sums, task, {}, "") == {}


def test_gold_is_known_to_the_leak_check_unless_the_question_gives_it(sums: Any, tmp_path: Path) -> None:
    task = sums.load(tmp_path)[0]
    assert sums.gold_only(task) == {task.detail["gold"]}
    given = task.model_copy(update={"instruction": f"Is it {task.detail['gold']}?"})
    assert sums.gold_only(given) == frozenset()


def test_an_analyst_reads_every_planted_mistake_out_of_the_log() -> None:
    for kind in ("sums", *OF_KIND):
        for name in names_of(kind):
            said = answers.said(kind, "4711", frozenset({name}))
            found = answers.read(f"## Step 3 (agent)\n\n{said}\n")
            assert found is not None
            assert found.working == "4711"
            if "Answer: 4711" not in said:
                assert found.mistakes == {name}
    broken = answers.read(answers.said("sums", "4711", frozenset(), broken=True))
    assert broken is not None
    assert not broken.answer


def test_lessons_on_answers_and_on_workbooks_are_told_apart() -> None:
    for cause in (*CAUSES, *ANSWER_CAUSES):
        for wording in cause.wordings:
            assert cause_of(wording.content) == cause.name, wording.content
            assert cause.name in guided(wording.content)
    for habit in (*HABITS, *ANSWER_HABITS):
        for wording in habit.wordings:
            assert habit_of(wording.content) == habit.name, wording.content


def test_an_analyst_may_not_find_the_answer_by_trying(sums: Any, tmp_path: Path) -> None:
    task = sums.load(tmp_path)[0]
    trajectory = Trajectory(
        id="T1",
        task_id=task.id,
        seed=41,
        model="sim/office",
        steps=(Step(number=1, source="agent", message="Answer: 1"),),
        outcome=Outcome(kind="failed"),
    )
    analyst = ErrorAnalyst(Means(domain=sums, model=ModelSettings(name="sim/office"), sandbox=PlainProcess))
    submission = _Submission(analyst, Case(trajectory, StepLabel("extract"), task=task), tmp_path)
    report = {"surface": "s", "cause": "c", "cause_steps": [1], "kind": "logic", "lessons": []}
    said = [submission({**report, "fix": f"Answer: {number}"}) for number in range(3)]
    assert [item.done for item in said] == [False, False, True]
    assert submission.extraction().verdict == "unverified"
    assert all(task.detail["gold"] not in item.text for item in said)


def test_an_answer_cannot_be_found_by_having_it_compared(sums: Any, tmp_path: Path) -> None:
    task = sums.load(tmp_path)[0]
    wrong = Trajectory(
        id="T1",
        task_id=task.id,
        seed=41,
        model="sim/office",
        outcome=Outcome(kind="failed"),
        outputs={ANSWER: b"Answer: 1"},
    )
    analyst = ErrorAnalyst(Means(domain=sums, model=ModelSettings(name="sim/office"), sandbox=PlainProcess))
    (tmp_path / ANSWER).write_text(f"Answer: {task.detail['gold']}")
    evaluate = analyst.evaluating(task, wrong, tmp_path)
    for arguments in ({}, {}, {"place": "answer", "value": task.detail["gold"]}):
        assert "yes" not in evaluate(arguments).text
        assert task.detail["gold"] not in evaluate(arguments).text
    assert evaluate({}).text == "case answer: the answer '1' is not right"
