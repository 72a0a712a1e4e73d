"""The base of domains whose outcome is an answer in words: the question, the answer, and who may see it.

A subclass says how to load tasks and how an answer is judged. What it says of a wrong answer never holds the right one:
the error analyst reads it, and proves a cause by giving the right answer without having seen it.
"""

import re
import shutil
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

from trace2skill.core.record import Record
from trace2skill.domains.base import ANSWER, Audit, CaseGrade, Domain, Grade
from trace2skill.safety.leaks import canonical, is_number, numbers_in
from trace2skill.sandbox.workspace import safe_read
from trace2skill.types.task import Task

LARGEST_ANSWER = 64 * 1024
LONGEST_JUDGED = 16 * 1024
"""Characters of an answer that is compared; no gold is longer, and what compares may take time by the length."""
MARK = re.compile(r"^[ \t>*_#-]*answer[ \t*_]*:[ \t*_]*", re.IGNORECASE | re.MULTILINE)
FENCE = re.compile(r"```[\w+-]*[ \t]*\n(?P<inside>(?:(?!```).)*)```", re.DOTALL)
THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d*)?")
HOW_TO_ANSWER = "End your last message with a line that begins with `Answer:` and holds the answer alone."
FIX_CONTRACT = (
    "the right answer, worked out again from what the agent was given: your working in a few lines, and at the end a "
    "line that begins with `Answer:` and holds the answer alone. You may hand in few of them, so be sure first."
)


class Judged(Record):
    """What the rule says of an answer. `problem` says what is wrong without giving the right answer away."""

    passed: bool
    score: float | None = None
    problem: str = ""


class AnswerDomain(ABC):
    """A domain whose outcome is an answer. See `trace2skill.domains.base.Domain` for what the methods promise.

    A subclass has `name`, `version` and `about`, and says how to `load` tasks, to `judge` an answer, and what gold is.
    """

    name: str
    version: str
    about: str
    fix_contract = FIX_CONTRACT
    how_to_answer = HOW_TO_ANSWER

    @abstractmethod
    def load(self, data: Path) -> list[Task]:
        """Every task of a data set, in its order.

        Raises:
            BadInput: a row or file is missing or malformed; names file and row.
        """

    @abstractmethod
    def judge(self, task: Task, answer: str) -> Judged:
        """Score the final answer by the benchmark's official rule. Never put gold into what it says."""

    @abstractmethod
    def gold_answer(self, task: Task) -> str:
        """An answer that `judge` takes for right. For leak checks and for the simulated agent, nothing else."""

    def lay_out(self, task: Task, workspace: Path) -> None:
        """The task's input files under `input/`, by their own names."""
        for case in task.cases:
            if case.input is not None:
                (workspace / "input").mkdir(exist_ok=True)
                shutil.copyfile(case.input, workspace / "input" / case.input.name)

    def describe(self, task: Task) -> str:
        """The question, its files, and how to answer."""
        files = [f"- `input/{case.input.name}`" for case in task.cases if case.input is not None]
        given = "\n\nFiles:\n" + "\n".join(files) if files else ""
        return f"{task.instruction.strip()}{given}\n\n{self.answer_form(task)}\n"

    def answer_form(self, task: Task) -> str:
        """In which form the answer is wanted, as the agent reads it."""
        return self.how_to_answer

    def collect(self, task: Task, workspace: Path) -> dict[str, bytes]:
        """`answer.txt`, where the agent left one. Where it did not, its last message is the answer."""
        content = safe_read(workspace, ANSWER, LARGEST_ANSWER)
        return {} if content is None else {ANSWER: content}

    def grade(self, task: Task, outputs: Mapping[str, bytes]) -> Grade:
        """Judge the final answer in the output."""
        text = outputs.get(ANSWER, b"").decode("utf-8", "replace")
        readings = self.readings(task, text)
        if not readings:
            problem = "there is no answer in the form asked for" if text.strip() else "there is no answer"
            return Grade(cases=(CaseGrade(case="answer", passed=False, problem=problem),))
        for answer in readings:
            judged = self._judged(task, answer)
            if judged.passed:
                break
        problem = "" if judged.passed else judged.problem or f"the answer '{answer[:200]}' is not right"
        return Grade(cases=(CaseGrade(case="answer", passed=judged.passed, problem=problem, score=judged.score),))

    def readings(self, task: Task, text: str) -> list[str]:
        """The ways to read the final answer, each once; it is right where one is.

        Behind the last `Answer:` stands the answer, alone on its line as it was asked for. A closing sentence below it,
        emphasis, backticks or a code fence around it are no part of it, in whatever domain.
        """
        answer = self.answer_in(task, text)
        found = [answer, unwrapped(answer)]
        if MARK.search(text):
            found.append(unwrapped(_first_line(answer)))
        return list(dict.fromkeys(reading for reading in found if reading))

    def _judged(self, task: Task, answer: str) -> Judged:
        if len(answer) > LONGEST_JUDGED:
            return Judged(passed=False, problem=f"the answer has {len(answer)} characters: that is none")
        return self.judge(task, answer)

    def answer_in(self, task: Task, text: str) -> str:
        """The final answer of a text, '' where it has none in the form that the task asks for."""
        return self.final_answer(text)

    def final_answer(self, text: str) -> str:
        """What stands behind the last `Answer:` of a text; the whole of a text that has none."""
        marks = list(MARK.finditer(text))
        found = text[marks[-1].end() :] if marks else text
        return found.strip().rstrip("*_").strip() if marks else found.strip()

    def audit(self, task: Task) -> Audit:
        """Does gold itself pass? An empty answer never does."""
        if self.judge(task, self.gold_answer(task)).passed:
            return Audit(task_id=task.id, verdict="usable")
        return Audit(task_id=task.id, verdict="never_passes", reason="the gold answer does not pass its own rule")

    def gold_only(self, task: Task) -> frozenset[str]:
        """The gold answer and its parts, unless the task's words or its text inputs hold them."""
        given = self._given(task)
        numbers = numbers_in(given)
        found = {canonical(part) for part in self.gold_parts(task)} - {"", "0", "1"}
        return frozenset(v for v in found if (v not in numbers if is_number(v) else v.lower() not in given.lower()))

    def gold_parts(self, task: Task) -> list[object]:
        """The values that gold consists of, numbers as numbers."""
        return [number_or_text(self.gold_answer(task))]

    def lay_out_emptied(self, task: Task, workspace: Path) -> None:
        """The same as `lay_out`: an answer is no program, and is not run on emptied inputs."""
        self.lay_out(task, workspace)

    def carried(self, task: Task, outputs: Mapping[str, bytes]) -> list[str]:
        """Nothing: an answer is no program that could carry one."""
        return []

    def fix_command(self, task: Task) -> str | None:
        """None: the fix is the answer itself."""
        return None

    def _given(self, task: Task) -> str:
        texts = [task.instruction]
        for case in task.cases:
            if case.input is not None:
                texts.append(case.input.read_bytes()[: 2**20].decode("utf-8", "replace"))
        return "\n".join(texts)


def number_or_text(text: str) -> object:
    """A gold value as a number, where it is one. Commas stand between thousands: `1,5` is two numbers, or a text."""
    try:
        return float(text.replace(",", "") if THOUSANDS.fullmatch(text.strip()) else text)
    except ValueError:
        return text


def unwrapped(text: str) -> str:
    """A text without the emphasis, the backticks or the code fence around it."""
    clean = text.strip().strip("*_").strip()
    fence = FENCE.fullmatch(clean)
    if fence is not None:
        return fence["inside"].strip()
    ticks = len(clean) - len(clean.lstrip("`"))
    if ticks and clean.endswith("`" * ticks) and len(clean) > 2 * ticks and "`" not in clean[ticks:-ticks]:
        clean = clean[ticks:-ticks].strip().strip("*_").strip()
    return clean


def _first_line(text: str) -> str:
    """The first line that says something; the inside of a code fence where it begins with one."""
    clean = text.strip()
    if clean.startswith("```"):
        inside = clean.split("\n", 1)[1] if "\n" in clean else ""
        return inside.split("```", 1)[0].strip()
    return clean.split("\n", 1)[0].strip()


def with_answer(domain: Domain, task: Task, outputs: dict[str, bytes], last_words: str) -> dict[str, bytes]:
    """The outputs, with the agent's last message as the answer where the outcome is one and it left no file."""
    if domain.fix_command(task) is not None or ANSWER in outputs or not last_words.strip():
        return outputs
    return {**outputs, ANSWER: last_words.encode("utf-8", "replace")[-LARGEST_ANSWER:]}
