"""The `questions` domain."""

import json
import re
from pathlib import Path

from pydantic import Field

from trace2skill.core.record import Record
from trace2skill.domains.answers import HOW_TO_ANSWER, MARK, AnswerDomain, Judged, number_or_text
from trace2skill.domains.questions.dataset import load_questions, shows
from trace2skill.domains.questions.rules import AnswerRule, letter, letters_of
from trace2skill.types.task import Task

SHOWN = 200
ABOUT = """\
Each task is a question that stands by itself, some with options to choose from. The agent finds the answer, with Python
in a shell where that helps, and ends with it: a word, a number, a line, or the letter of the right option, in the form
that the task asks for. The answer is compared with the right one by the rule of the question's data set."""
HOW_TO_CHOOSE = (
    "End your last message with a line that begins with `Answer:` and holds the letter of the right option alone; "
    "where more than one is right, all their letters with commas between them."
)
CLOSED, ANY_ANSWERS = frozenset({"yes", "no", "true", "false"}), 3
ANYWHERE = re.compile(r"answer\s{0,20}:", re.IGNORECASE)


class QuestionOptions(Record):
    """What can be said of the domain."""

    file: str = Field(default="", description="The one .jsonl file of the directory to read.")


class Questions(AnswerDomain):
    """Questions with accepted answers. See `trace2skill.domains.base.Domain` for what the methods promise."""

    Options = QuestionOptions
    name = "questions"
    version = "questions 1"
    about = ABOUT

    def __init__(self, file: str = "") -> None:
        self._file = file

    def load(self, data: Path) -> list[Task]:
        """Every question of a JSONL file."""
        return load_questions(data, self._file, self.name)

    def describe(self, task: Task) -> str:
        """What is told before the question, the question, its options and files, and how to answer."""
        context, choices = task.detail.get("context", ""), _choices(task)
        before = f"{context.strip()}\n\n" if context.strip() else ""
        lines = [f"{letter(place)}) {choice}" for place, choice in enumerate(choices)]
        listed = "\n\n" + "\n".join(lines) if lines and not shows(task.instruction, choices) else ""
        whole = task.model_copy(update={"instruction": f"{before}{task.instruction.strip()}{listed}"})
        return super().describe(whole)

    def answer_form(self, task: Task) -> str:
        """A letter where there is a choice, else the answer."""
        return HOW_TO_CHOOSE if rule_of(task).name == "choice" else HOW_TO_ANSWER

    def answer_in(self, task: Task, text: str) -> str:
        """What stands behind the last `Answer:`; without one the whole, but for rules that want it."""
        if rule_of(task).name not in ("choice", "answer") or MARK.search(text):
            return self.final_answer(text)
        marks = list(ANYWHERE.finditer(text))
        return text[marks[-1].end() :].strip() if marks else ""

    def judge(self, task: Task, answer: str) -> Judged:
        """Is it right by the rule of the question?"""
        return Judged(passed=rule_of(task).is_right(answer, accepted_of(task), len(_choices(task))))

    def gold_answer(self, task: Task) -> str:
        """The first of the accepted answers, or all right letters."""
        accepted = accepted_of(task)
        return ", ".join(letters_of(accepted)) if rule_of(task).name == "choice" else accepted[0]

    def gold_parts(self, task: Task) -> list[object]:
        """Every accepted answer, numbers as numbers. The letter of an option says nothing by itself."""
        if rule_of(task).name == "choice":
            return []
        return [number_or_text(one) for one in accepted_of(task)]

    def answers_taken(self, task: Task) -> int:
        """One where there are options, or a yes or no is wanted; else as many as of any answer."""
        closed = rule_of(task).name == "choice" or {one.strip().lower() for one in accepted_of(task)} & CLOSED
        return 1 if closed else ANY_ANSWERS

    def _given(self, task: Task) -> str:
        return "\n".join([super()._given(task), task.detail.get("context", ""), *_choices(task)])


def rule_of(task: Task) -> AnswerRule:
    """The rule of a question."""
    return AnswerRule.model_validate_json(task.detail["rule"])


def accepted_of(task: Task) -> list[str]:
    """Its accepted answers: gold."""
    found: list[str] = json.loads(task.detail["accepted"])
    return found


def _choices(task: Task) -> list[str]:
    found: list[str] = json.loads(task.detail.get("choices", "[]"))
    return found
