"""The `math` domain."""

from importlib.metadata import version
from pathlib import Path
from typing import cast

from pydantic import Field

from trace2skill.core.record import Record
from trace2skill.domains.answers import AnswerDomain, Judged
from trace2skill.domains.math import checker, plain
from trace2skill.domains.math.forms import ASKED, Form, answer_in
from trace2skill.domains.math.layouts import load_problems
from trace2skill.types.task import Task

SHOWN = 200

ABOUT = """\
Tasks are mathematical problems in words and formulas, from arithmetic at school to olympiads. The agent works each out,
with Python in a shell where that helps, and ends with one final answer: a number, an expression, a set or an interval,
in the form that the task asks for. The answer is compared with the right one by its mathematical value."""

FIX_CONTRACT = (
    "the right answer, worked out again from the problem: your working in a few lines, and at the end the final answer "
    "in the form that the task asks for. You may hand in few of them, so be sure first."
)


class MathOptions(Record):
    """What can be said of the domain."""

    file: str = Field(default="", description="The one .jsonl file of the directory to read.")
    checker_seconds: float = Field(default=10, gt=0, le=600, description="Seconds of computing for one comparison.")


class Math(AnswerDomain):
    """Mathematical problems. See `trace2skill.domains.base.Domain` for what the methods promise."""

    Options = MathOptions
    name = "math"
    about = ABOUT
    fix_contract = FIX_CONTRACT

    def __init__(self, file: str = "", checker_seconds: float = 10) -> None:
        self._file = file
        self._seconds = checker_seconds
        libraries = " ".join(f"{name} {version(name)}" for name in ("math-verify", "latex2sympy2-extended", "sympy"))
        self.version = f"math 2, {checker_seconds:g} s, {libraries}"

    def load(self, data: Path) -> list[Task]:
        """Every problem of a .jsonl file, or of those of a directory."""
        return load_problems(data, self._file, self.name)

    def answer_form(self, task: Task) -> str:
        """As the task's data set wants it."""
        return ASKED[_form(task)]

    def answer_in(self, task: Task, text: str) -> str:
        """The final answer by the rule of the task's data set."""
        return answer_in(text, _form(task))

    def judge(self, task: Task, answer: str) -> Judged:
        """Is it mathematically the gold answer? What cannot be told in time is not."""
        gold = task.detail["gold"]
        known = plain.same(gold, answer)
        verdict = (
            checker.CHECKER.compare(gold, answer, self._seconds) if known is None else checker.Equality(same=known)
        )
        problem = f"the answer '{answer[:SHOWN]}' is not right" + (f": {verdict.problem}" if verdict.problem else "")
        return Judged(passed=verdict.same, problem="" if verdict.same else problem)

    def gold_answer(self, task: Task) -> str:
        """The gold answer, without its form."""
        return task.detail["gold"]


def _form(task: Task) -> Form:
    return cast(Form, task.detail["form"])
