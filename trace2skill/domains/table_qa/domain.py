"""The `table_qa` domain, with the table in the prompt. Its other form is in `workbooks`."""

import csv
from pathlib import Path
from typing import Literal

from pydantic import Field

from trace2skill.core.record import Record
from trace2skill.domains.answers import AnswerDomain, Judged
from trace2skill.domains.base import Domain
from trace2skill.domains.spreadsheet.recalculate import Mode
from trace2skill.domains.table_qa.dataset import Rows, load_questions, read_table, values_in
from trace2skill.domains.table_qa.denotation import same, set_of
from trace2skill.domains.table_qa.workbooks import TableWorkbooks
from trace2skill.types.task import Task

TABLE = "input/table.csv"
SHOWN_ROWS = 100
SHOWN_CHARACTERS = 20_000

ABOUT = """\
Each task is a question about one table, which was taken from an encyclopedia: how many rows meet a condition, which
entry comes next, has most or least, what is the sum or the difference, is something so. The table stands in the task
and in a csv file. The agent finds the answer, with Python in a shell where that helps, and ends with it: a number, a
date, a name from the table, or several of them. The answer is compared as a set of values."""

HOW_TO_ANSWER = (
    "End your last message with a line that begins with `Answer:` and holds the answer alone. Several values stand on "
    "that line with `|` between them, in any order."
)


class TableOptions(Record):
    """What can be said of the domain."""

    form: Literal["prompt", "workbook"] = Field(
        default="prompt", description="The table in the prompt, or as a workbook into which the answer is written."
    )
    questions: str = Field(default="", description="The file of questions, from the directory of the data.")
    recalculate: Mode = Field(default="auto", description="Recalculate formulas with LibreOffice before grading.")


class TableQuestions(AnswerDomain):
    """Questions on tables. See `trace2skill.domains.base.Domain` for what the methods promise."""

    Options = TableOptions
    name = "table_qa"
    version = "table_qa prompt 2"
    about = ABOUT
    how_to_answer = HOW_TO_ANSWER

    def __init__(self, questions: str = "") -> None:
        self._questions = questions

    @classmethod
    def choose(cls, form: str, questions: str, recalculate: Mode) -> Domain:
        """The form that the options ask for."""
        return TableWorkbooks(questions, recalculate) if form == "workbook" else cls(questions)

    def load(self, data: Path) -> list[Task]:
        """Every question of a directory in the layout of WikiTableQuestions."""
        return load_questions(data, self._questions, self.name)

    def lay_out(self, task: Task, workspace: Path) -> None:
        """The table as `input/table.csv`, in the csv dialect that every program reads."""
        (workspace / "input").mkdir()
        with (workspace / TABLE).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(_table(task))

    def describe(self, task: Task) -> str:
        """The table, the question, and how to answer."""
        rows = _table(task)
        shown = _shown(rows)
        left_out = f"\n\n{len(rows) - 1 - shown} more rows are in the file." if shown < len(rows) - 1 else ""
        return (
            f"Table (also in `{TABLE}`; {len(rows) - 1} rows):\n\n{as_markdown(rows[: shown + 1])}{left_out}\n\n"
            f"Question: {task.instruction}\n\n{self.answer_form(task)}\n"
        )

    def judge(self, task: Task, answer: str) -> Judged:
        """Is it the same set of values as gold?"""
        gold = set_of(values_in(task.detail["gold"]), values_in(task.detail["canon"]))
        return Judged(passed=same(gold, set_of(values_in(answer))))

    def gold_answer(self, task: Task) -> str:
        """The gold values, joined as an answer has them."""
        return task.detail["gold"]

    def gold_parts(self, task: Task) -> list[object]:
        """The gold values, numbers as numbers."""
        found = zip(values_in(task.detail["gold"]), values_in(task.detail["canon"]), strict=True)
        numbers = [(text, set_of([text], [canon])[0].number) for text, canon in found]
        return [text if number is None else number for text, number in numbers]


def as_markdown(rows: Rows) -> str:
    """A table as Markdown, one line a row."""
    lines = ["| " + " | ".join(cell.replace("|", "\\|").replace("\n", " / ") for cell in row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])


def _shown(rows: Rows) -> int:
    """How many rows below the header are shown."""
    room, shown = SHOWN_CHARACTERS, 0
    for row in rows[1 : SHOWN_ROWS + 1]:
        room -= sum(map(len, row))
        if room < 0:
            break
        shown += 1
    return shown


def _table(task: Task) -> Rows:
    path = task.cases[0].input
    assert path is not None
    return read_table(path)
