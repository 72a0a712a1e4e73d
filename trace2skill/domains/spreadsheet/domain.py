"""The `spreadsheet` domain."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from openpyxl.workbook import Workbook
from pydantic import Field

from trace2skill.core.digest import digest_of
from trace2skill.core.record import Record
from trace2skill.domains.base import Audit, Grade
from trace2skill.domains.spreadsheet.answers import answers_in, carried, emptied, gold_only
from trace2skill.domains.spreadsheet.changed import changed_workbooks
from trace2skill.domains.spreadsheet.dataset import load_dataset
from trace2skill.domains.spreadsheet.grade import gold_values, grade_case
from trace2skill.domains.spreadsheet.recalculate import Mode, effective, recalculated
from trace2skill.domains.spreadsheet.workbook import Unreadable, open_values
from trace2skill.safety.change import Variation
from trace2skill.sandbox.workspace import safe_read
from trace2skill.types.task import Task, TestCase

LARGEST_OUTPUT = 50 * 2**20

ABOUT = """\
Tasks come from the daily work of people who use spreadsheets. Each gives one or more .xlsx workbooks and a written
request, often a question from a forum: fill cells or columns, look values up on another sheet, total and count by
condition, reshape tables, remove or reorder rows, clean text, work with dates. The agent works on the files with Python
and openpyxl from a shell, changes the cells that the request names, and saves each workbook under the path it is given.
The values in the cells named as the answer position are compared with those of a correct workbook."""


class SpreadsheetOptions(Record):
    """What can be said of the domain."""

    recalculate: Mode = Field(default="auto", description="Recalculate formulas with LibreOffice before grading.")


class Spreadsheet:
    """Tasks on .xlsx workbooks. See `trace2skill.domains.base.Domain` for what the methods promise."""

    Options = SpreadsheetOptions
    name = "spreadsheet"
    about = ABOUT
    fix_contract = (
        "a Python program that is called as `python fix.py INPUT OUTPUT`, once for each input workbook, reads the "
        "workbook INPUT and writes the right workbook to OUTPUT. Only openpyxl and the standard library are there."
    )

    def __init__(self, recalculate: Mode = "auto") -> None:
        self._recalculate = effective(recalculate)
        self._gold_only: dict[str, frozenset[str]] = {}
        self.version = "spreadsheet 1" + (" recalculated" if self._recalculate else "")

    def load(self, data: Path) -> list[Task]:
        """Every task of a directory in SpreadsheetBench layout."""
        return load_dataset(data, self.name)

    def lay_out(self, task: Task, workspace: Path) -> None:
        """Inputs as `input/CASE.xlsx`, and an empty `output/`."""
        (workspace / "input").mkdir()
        (workspace / "output").mkdir()
        for case in task.cases:
            if case.input is not None:
                shutil.copyfile(case.input, workspace / "input" / f"{case.name}.xlsx")

    def describe(self, task: Task) -> str:
        """The task as the benchmark puts it: instruction, files, type, answer position, where to save."""
        pairs = "\n".join(f"- `input/{case.name}.xlsx`, saved to `output/{case.name}.xlsx`" for case in task.cases)
        several = ""
        if len(task.cases) > 1:
            several = "\nThe workbooks are alike and differ in their data: do the same with each.\n"
        return (
            f"{task.instruction.strip()}\n\n"
            f"Workbook and where to save the result:\n{pairs}\n{several}\n"
            f"Type of the task: {task.kind or 'not given'}\n"
            f"Answer position: {task.detail['answer_position']}\n"
        )

    def collect(self, task: Task, workspace: Path) -> dict[str, bytes]:
        """The regular files among `output/CASE.xlsx`, up to 50 MiB each."""
        paths = [f"output/{case.name}.xlsx" for case in task.cases]
        found = {path: safe_read(workspace, path, LARGEST_OUTPUT) for path in paths}
        return {path: content for path, content in found.items() if content is not None}

    def grade(self, task: Task, outputs: Mapping[str, bytes]) -> Grade:
        """Score every case; formulas are recalculated before, where that is on."""
        grades = []
        for case in task.cases:
            output = outputs.get(f"output/{case.name}.xlsx")
            if output is not None and self._recalculate:
                output = recalculated(output)
            grades.append(grade_case(case.name, _gold(case), output, task.detail["answer_position"]))
        return Grade(cases=tuple(grades))

    def audit(self, task: Task) -> Audit:
        """Grade gold against itself, and the untouched input."""
        untouched = []
        for case in task.cases:
            try:
                gold = open_values(_gold(case))
            except Unreadable as error:
                return Audit(task_id=task.id, verdict="never_passes", reason=f"gold cannot be read: {error}")
            position = task.detail["answer_position"]
            itself = grade_case(case.name, gold, gold, position)
            if not itself.passed:
                return Audit(
                    task_id=task.id, verdict="never_passes", reason=itself.problem or "gold is not equal to itself"
                )
            content = case.input.read_bytes() if case.input else None
            untouched.append(grade_case(case.name, gold, content, position).passed)
        if untouched and all(untouched):
            return Audit(task_id=task.id, verdict="passes_untouched", reason="the untouched input already passes")
        return Audit(task_id=task.id, verdict="usable")

    def gold_only(self, task: Task) -> frozenset[str]:
        """Values of the answer cells that stand neither in the instruction nor in an input workbook."""
        if task.content not in self._gold_only:
            self._gold_only[task.content] = gold_only(task)
        return self._gold_only[task.content]

    def lay_out_emptied(self, task: Task, workspace: Path) -> None:
        """The same files and sheets, without a single value."""
        self.lay_out(task, workspace)
        for path in sorted((workspace / "input").glob("*.xlsx")):
            emptied(open_values(path)).save(path)

    def carried(self, task: Task, outputs: Mapping[str, bytes]) -> list[str]:
        """Answer cells that are right although there was nothing to compute them from."""
        books = {Path(path).stem: self._graded_book(content) for path, content in outputs.items()}
        return carried(task, {case: book for case, book in books.items() if book is not None})

    def changed(self, task: Task, change: Variation, folder: Path) -> Task | None:
        """The task with other values in the cells of its workbooks."""
        sources = {case.name: case.input for case in task.cases if case.input is not None}
        try:
            if not changed_workbooks(sources, change, folder) or not change.did:
                return None
        except Unreadable:
            return None
        cases = tuple(
            case.model_copy(update={"input": folder / f"{case.name}.xlsx"}) if case.input else case
            for case in task.cases
        )
        return task.model_copy(update={"cases": cases, "content": digest_of(task.content, change.name)})

    def values(self, task: Task, outputs: Mapping[str, bytes]) -> dict[str, object]:
        """The values of the answer cells, formulas recalculated where that is on."""
        found: dict[str, object] = {}
        for case in task.cases:
            book = self._graded_book(outputs.get(f"output/{case.name}.xlsx"))
            if book is not None:
                found |= {f"{case.name}: {place}": value for place, value in answers_in(task, case, book)}
        return found

    def _graded_book(self, output: bytes | None) -> Workbook | None:
        """A workbook that was left, as it is graded."""
        if output is None:
            return None
        try:
            return open_values(recalculated(output) if self._recalculate else output)
        except Unreadable:
            return None

    def fix_command(self, task: Task) -> str | None:
        """`fix.py` on every case, one after the other."""
        return " && ".join(f"python fix.py input/{case.name}.xlsx output/{case.name}.xlsx" for case in task.cases)

    def gold_values(self, task: Task, case: TestCase) -> dict[str, dict[str, object]]:
        """Sheet -> cell -> value of one case's answer. For leak checks and for the simulated agent, nothing else."""
        return gold_values(_gold(case), task.detail["answer_position"])


def _gold(case: TestCase) -> Path:
    if case.gold is None:
        raise ValueError(f"test case {case.name} has no gold")
    return case.gold
