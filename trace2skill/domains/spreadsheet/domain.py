"""The `spreadsheet` domain."""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import Field

from trace2skill.core.digest import digest_of
from trace2skill.core.record import Record
from trace2skill.domains.base import Audit, CaseGrade, Grade
from trace2skill.domains.spreadsheet.answers import emptied, gold_only, hardly_given, place_in, right_as_text
from trace2skill.domains.spreadsheet.changed import changed_workbooks
from trace2skill.domains.spreadsheet.dataset import load_dataset
from trace2skill.domains.spreadsheet.gold import calculated_gold, doubts_of, stale
from trace2skill.domains.spreadsheet.grade import answers_beside, gold_values, grade_case
from trace2skill.domains.spreadsheet.recalculate import Mode, effective, recalculated
from trace2skill.domains.spreadsheet.values import same
from trace2skill.domains.spreadsheet.workbook import Unreadable, open_values
from trace2skill.safety.change import Variation
from trace2skill.safety.leaks import canonical
from trace2skill.sandbox.workspace import safe_read
from trace2skill.types.task import Task, TestCase

LARGEST_OUTPUT = 50 * 2**20

ABOUT = """\
Tasks come from the daily work of people who use spreadsheets. Each gives one or more .xlsx workbooks and a written
request, often a question from a forum: fill cells or columns, look values up on another sheet, total and count by
condition, reshape tables, remove or reorder rows, clean text, work with dates. The agent works on the files with Python
and openpyxl from a shell, changes the cells that the request names, and saves each workbook under the path it is given.
The values in the cells named as the answer position are compared with those of a correct workbook."""


READ_STORED = (
    "How the result is read: the values stored in the saved workbook at the answer position, which may be larger than "
    "the result. Nothing calculates formulas: openpyxl saves one without its result, and such a cell is read as empty. "
    "Where a macro is asked for, leave in the cells what it would leave."
)
READ_CALCULATED = (
    "How the result is read: the values stored in the saved workbook at the answer position, which may be larger than "
    "the result. A formula without a stored result is calculated by LibreOffice before. Where a macro is asked for, "
    "leave in the cells what it would leave."
)


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

    script_contract = (
        "a Python program that is called as `python NAME.py INPUT OUTPUT [options]`, once for each input workbook, "
        "with the same options for all workbooks of a task; it reads the workbook INPUT and writes the right workbook "
        "to OUTPUT. Only openpyxl and the standard library are there."
    )
    script_arguments = "INPUT OUTPUT"
    script_writes = ("output/",)

    def __init__(self, recalculate: Mode = "auto") -> None:
        self._recalculate = effective(recalculate)
        self._calculate = recalculated if self._recalculate else None
        self._stale = recalculate == "always"
        self._gold_only: dict[str, frozenset[str]] = {}
        self.version = "spreadsheet 2" + (" recalculated" if self._recalculate else "")

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
            f"{self.how_read}\n"
        )

    @property
    def how_read(self) -> str:
        """How a result is read, in words for the agent: it is part of what is asked of it."""
        return READ_CALCULATED if self._recalculate else READ_STORED

    def collect(self, task: Task, workspace: Path) -> dict[str, bytes]:
        """The regular files among `output/CASE.xlsx`, up to 50 MiB each."""
        paths = [f"output/{case.name}.xlsx" for case in task.cases]
        found = {path: safe_read(workspace, path, LARGEST_OUTPUT) for path in paths}
        return {path: content for path, content in found.items() if content is not None}

    def grade(self, task: Task, outputs: Mapping[str, bytes]) -> Grade:
        """Score every case; formulas are recalculated before, where that is on."""
        cases = (self._graded(task, case, outputs.get(f"output/{case.name}.xlsx")) for case in task.cases)
        return Grade(cases=tuple(cases))

    def audit(self, task: Task) -> Audit:
        """Look for what makes gold doubtful, and grade gold against itself, and the untouched input."""
        untouched = []
        for case in task.cases:
            wrong = doubts_of(self._gold(task, case), task.detail["answer_position"])
            if not wrong and self._stale:
                wrong = stale(_gold(case), task.detail["answer_position"])
            itself = self._graded(task, case, _gold(case).read_bytes()) if not wrong else None
            if itself is None or not itself.passed:
                reason = wrong or (itself and itself.problem) or "gold is not equal to itself"
                return Audit(task_id=task.id, verdict="never_passes", reason=reason)
            untouched.append(self._graded(task, case, case.input.read_bytes() if case.input else None).passed)
        if untouched and all(untouched):
            return Audit(task_id=task.id, verdict="passes_untouched", reason="the untouched input already passes")
        return Audit(task_id=task.id, verdict="usable")

    def _graded(self, task: Task, case: TestCase, output: bytes | None) -> CaseGrade:
        return grade_case(case.name, self._gold(task, case), output, task.detail["answer_position"], self._calculate)

    def _gold(self, task: Task, case: TestCase) -> Path | bytes:
        """Gold, with its formulas calculated like those of an output."""
        return calculated_gold(_gold(case), task.detail["answer_position"]) if self._recalculate else _gold(case)

    def place(self, task: Task, name: str) -> str | None:
        """'CASE:Sheet!B3' of a cell of the answer. The case may be left out where there is one, the sheet, too."""
        return place_in(self._answer(task), name)

    def is_right(self, task: Task, place: str, value: str) -> bool:
        """By the rule of the benchmark; a date as YYYY-MM-DD."""
        case, _, cell = place.partition(":")
        sheet, _, name = cell.rpartition("!")
        return right_as_text(self._answer(task)[case][sheet][name], value)

    def _answer(self, task: Task) -> dict[str, dict[str, dict[str, object]]]:
        return {case.name: self.gold_values(task, case) for case in task.cases if case.gold is not None}

    def gold_only(self, task: Task) -> frozenset[str]:
        """Values of the answer cells that stand neither in the instruction nor in an input workbook."""
        if task.content not in self._gold_only:
            self._gold_only[task.content] = gold_only(task, self._values_of_gold(task))
        return self._gold_only[task.content]

    def _values_of_gold(self, task: Task) -> Iterator[object]:
        for sheets in self._answer(task).values():
            for cells in sheets.values():
                yield from cells.values()

    def lay_out_emptied(self, task: Task, workspace: Path) -> None:
        """The same files and sheets, without a single value."""
        self.lay_out(task, workspace)
        for path in sorted((workspace / "input").glob("*.xlsx")):
            emptied(open_values(path)).save(path)

    def carried(self, task: Task, outputs: Mapping[str, bytes]) -> list[str]:
        """Answer cells that are right although there was nothing to compute them from."""
        says_something = hardly_given(task)
        return [
            place
            for _, place, expected, got in self._beside(task, outputs)
            if says_something(expected) and same(expected, got)
        ]

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
        """The values of the answer cells, formulas recalculated where that is on; true and false as 1 and 0."""
        return {
            f"{case}: {place}": int(got) if isinstance(got, bool) else got
            for case, place, expected, got in self._beside(task, outputs)
            if canonical(expected) or isinstance(expected, bool)
        }

    def _beside(self, task: Task, outputs: Mapping[str, bytes]) -> list[tuple[str, str, object, object]]:
        """(case, place, value in gold, value in what was left) of the answer cells."""
        position = task.detail["answer_position"]
        return [
            (case.name, *found)
            for case in task.cases
            if case.gold is not None
            for found in answers_beside(
                self._gold(task, case), outputs.get(f"output/{case.name}.xlsx"), position, self._calculate
            )
        ]

    def fix_command(self, task: Task) -> str | None:
        """`fix.py` on every case, one after the other."""
        return self.script_command(task, "fix.py", "")

    def script_command(self, task: Task, script: str, options: str) -> str:
        """The script on every case, one after the other."""
        behind = f" {options}" if options else ""
        calls = (f"input/{case.name}.xlsx output/{case.name}.xlsx{behind}" for case in task.cases)
        return " && ".join(f"python {script} {call}" for call in calls)

    def gold_values(self, task: Task, case: TestCase) -> dict[str, dict[str, object]]:
        """Sheet -> cell -> value of one case's answer. For leak checks and for the simulated agent, nothing else."""
        return gold_values(self._gold(task, case), task.detail["answer_position"])


def _gold(case: TestCase) -> Path:
    if case.gold is None:
        raise ValueError(f"test case {case.name} has no gold")
    return case.gold
