"""The `table_qa` domain in the form of the paper: each table is a workbook, and the answer is written into it.

A skill for spreadsheets applies as it is; what differs is what is asked. The answer stands on the sheet `Answer`, one
value a cell, from A1 downwards. All that is not about the answer is the spreadsheet domain's.
"""

import datetime
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from trace2skill.core.digest import digest_of
from trace2skill.domains.base import Audit, CaseGrade, Difference, Grade
from trace2skill.domains.spreadsheet import Spreadsheet
from trace2skill.domains.spreadsheet.grade import Calculate, read_graded
from trace2skill.domains.spreadsheet.ranges import Range
from trace2skill.domains.spreadsheet.reading import Stored, Unreadable
from trace2skill.domains.spreadsheet.recalculate import Mode
from trace2skill.domains.table_qa.dataset import Rows, load_questions, read_table, values_in, write_table
from trace2skill.domains.table_qa.denotation import Value, distinct, normalised, same, set_of, value_of
from trace2skill.safety.change import Variation
from trace2skill.safety.leaks import canonical, is_number, numbers_in
from trace2skill.types.task import Task, TestCase

TABLE, ANSWER = "Table", "Answer"
COLUMN = Range(sheet=ANSWER, first_column=1, last_column=1, first_row=None, last_row=None)
SHOWN = 200
LONG_AGO = datetime.datetime(2000, 1, 1)
WHOLE = re.compile(r"-?(?:0|[1-9]\d{0,14})")
DECIMAL = re.compile(r"-?(?:0|[1-9]\d{0,14})\.\d+")
TOO_COMMON = {"", "0", "1", "yes", "no"}

ABOUT = """\
Tasks are questions about the table of an .xlsx workbook, on the sheet Table with its header in row 1: how many rows
meet a condition, which entry comes next, has most or least, what is the sum or the difference, is something so. The
agent works on the workbook with Python and openpyxl from a shell, writes the answer into the sheet Answer, one value a
cell from A1 downwards, and saves the workbook under the path it is given. The values are compared with the right
ones."""


class TableWorkbooks(Spreadsheet):
    """Questions on tables in workbooks. See `trace2skill.domains.base.Domain` for what the methods promise."""

    name = "table_qa"
    about = ABOUT

    def __init__(self, questions: str = "", recalculate: Mode = "auto") -> None:
        super().__init__(recalculate)
        self._questions = questions
        self.version = "table_qa workbook 2" + (" recalculated" if self._recalculate else "")

    def load(self, data: Path) -> list[Task]:
        """Every question of a directory in the layout of WikiTableQuestions."""
        return load_questions(data, self._questions, self.name)

    def lay_out(self, task: Task, workspace: Path) -> None:
        """The table as `input/1.xlsx`, and an empty `output/`."""
        (workspace / "input").mkdir()
        (workspace / "output").mkdir()
        for case in task.cases:
            workbook_of(_table(case)).save(workspace / "input" / f"{case.name}.xlsx")

    def describe(self, task: Task) -> str:
        """The question, where its table is, and where the answer goes."""
        (case,) = task.cases
        return (
            f"Answer a question about the table on the sheet '{TABLE}' of the workbook: {task.instruction}\n\n"
            f"Write the answer into the sheet '{ANSWER}', one value a cell, from A1 downwards, and leave the rest of "
            "its column A empty.\n\nWorkbook and where to save the result:\n"
            f"- `input/{case.name}.xlsx`, saved to `output/{case.name}.xlsx`\n\n"
            f"Answer position: '{ANSWER}'!A1 and, for more than one value, the cells below\n"
            f"{self.how_read}\n"
        )

    def grade(self, task: Task, outputs: Mapping[str, bytes]) -> Grade:
        """Compare the values in the answer's column with gold, as sets; formulas are recalculated where that is on."""
        grades = []
        for case in task.cases:
            output = outputs.get(f"output/{case.name}.xlsx")
            grades.append(_grade(case.name, _gold(task), output, self._calculate))
        return Grade(cases=tuple(grades))

    def audit(self, task: Task) -> Audit:
        """The sheet for the answer is empty at first, so the untouched workbook never passes; gold does."""
        found = [value_of(text_of(cell)) for cell in _cells_of_gold(task)]
        if same(_gold(task), distinct(found)):
            return Audit(task_id=task.id, verdict="usable")
        return Audit(task_id=task.id, verdict="never_passes", reason="the gold answer does not pass its own rule")

    def gold_only(self, task: Task) -> frozenset[str]:
        """Gold values that neither the question nor a cell of the table holds."""
        cells = [cell for case in task.cases for row in _table(case) for cell in row]
        given = "\n".join([task.instruction, *cells])
        return frozenset(_not_in(given, (canonical(cell) for cell in _cells_of_gold(task))))

    def carried(self, task: Task, outputs: Mapping[str, bytes]) -> list[str]:
        """The answer's cells that hold a gold value although the table was empty.

        What the question itself gives counts for nothing, and neither does yes, no, 0 or 1.
        """
        told = _not_in(task.instruction, (canonical(cell) for cell in _cells_of_gold(task)))
        wanted = [value_of(text) for text in told]
        places = []
        for path, content in outputs.items():
            found = _answers(content, self._calculate)
            places += [
                f"{Path(path).stem}: {ANSWER}!A{row}"
                for row, item in (found.items() if isinstance(found, dict) else ())
                if _filled(item) and any(value.matches(value_of(text_of(item.value))) for value in wanted)
            ]
        return places

    def changed(self, task: Task, change: Variation, folder: Path) -> Task | None:
        """The task with other values in its table."""
        tables = {case.name: _table(case) for case in task.cases}
        for rows in tables.values():
            change.learn(cell for row in rows for cell in row)
        cases = []
        for case in task.cases:
            path = folder / f"{case.name}.csv"
            write_table(path, change.rows(tables[case.name]))
            cases.append(case.model_copy(update={"input": path}))
        content = digest_of(task.content, change.name)
        return task.model_copy(update={"cases": tuple(cases), "content": content}) if change.did else None

    def values(self, task: Task, outputs: Mapping[str, bytes]) -> dict[str, object]:
        """The cells of the answer's column, formulas recalculated where that is on."""
        found: dict[str, object] = {}
        for path, content in sorted(outputs.items()):
            cells = _answers(content, self._calculate)
            if isinstance(cells, dict):
                filled = {row: text_of(item.value) for row, item in cells.items() if _filled(item)}
                found |= {f"{Path(path).stem}: {ANSWER}!A{row}": text for row, text in filled.items()}
        return found

    def gold_values(self, task: Task, case: TestCase) -> dict[str, dict[str, object]]:
        """Sheet -> cell -> value of the answer. For the simulated agent, nothing else."""
        return {ANSWER: {f"A{row}": cell for row, cell in enumerate(_cells_of_gold(task), start=1)}}


def workbook_of(rows: Rows) -> Workbook:
    """A table as a workbook with an empty sheet for the answer. Texts that are plain numbers become numbers."""
    book = Workbook()
    book.properties.created = book.properties.modified = LONG_AGO
    sheet = book.worksheets[0]
    sheet.title = TABLE
    for number, row in enumerate(rows, start=1):
        for column, text in enumerate(row, start=1):
            value = cell_of(text) if number > 1 else text
            cell = sheet.cell(number, column, value)
            if isinstance(value, str) and value.startswith("="):
                cell.data_type = "s"  # a text, not a formula
    book.create_sheet(ANSWER)
    return book


def cell_of(text: str) -> int | float | str | None:
    """What a cell holds for a text of the table: numbers written plainly become numbers, codes like 007 do not."""
    if WHOLE.fullmatch(text):
        return int(text)
    if DECIMAL.fullmatch(text):
        return float(text)
    return ILLEGAL_CHARACTERS_RE.sub("", text) or None


def text_of(value: object) -> str:
    """A cell's value as the text by which it is compared: dates as YYYY-MM-DD."""
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    return str(value).strip()


def _grade(case: str, gold: list[Value], output: bytes | None, calculate: Calculate | None) -> CaseGrade:
    found = "there is no output file" if output is None else _answers(output, calculate)
    if isinstance(found, str):
        return CaseGrade(case=case, passed=False, problem=found)
    given = set_of([text_of(item.value) for item in found.values() if _filled(item)])
    if same(gold, given):
        return CaseGrade(case=case, passed=True)
    got = " | ".join(text_of(item.value) for item in found.values() if _filled(item))[:SHOWN] or "(empty)"
    unstored = [item.formula for item in found.values() if not item.calculated]
    kind = "formula without a stored result" if unstored else "value" if given else "missing"
    difference = Difference(
        where=f"{ANSWER}!A1 downwards",
        expected=" | ".join(value.text for value in gold)[:SHOWN],
        got=got,
        kind=kind,
        formula=" | ".join(unstored)[:SHOWN],
    )
    return CaseGrade(case=case, passed=False, differences=(difference,), difference_count=1)


def _answers(output: bytes, calculate: Calculate | None = None) -> dict[int, Stored] | str:
    """Row -> what stands in the filled cells of the answer's column, or what is wrong with the workbook."""
    try:
        (area,) = read_graded(output, [COLUMN], calculate)
    except Unreadable as error:
        return f"the output cannot be read as a workbook: {error}"
    if area.sheet is None:
        return f"the output has no sheet '{ANSWER}'"
    return {row: area.cells[row, column] for row, column in sorted(area.cells)}


def _filled(item: Stored) -> bool:
    return item.value is not None and bool(text_of(item.value))


def _gold(task: Task) -> list[Value]:
    return set_of(values_in(task.detail["gold"]), values_in(task.detail["canon"]))


def _cells_of_gold(task: Task) -> list[object]:
    """Gold as cells: a number where the data set reads the text as one and says no more."""
    found: list[object] = []
    for text, canon in zip(values_in(task.detail["gold"]), values_in(task.detail["canon"]), strict=True):
        number = value_of(text, canon).number
        found.append(cell_of(text) if number is None or normalised(text) != text.lower() else _plain(number))
    return found


def _plain(number: float | int) -> float | int:
    return int(number) if number == int(number) else number


def _not_in(given: str, values: Iterable[str]) -> list[str]:
    """Values that a text does not give away, without those that are too common to say anything."""
    numbers = numbers_in(given)
    found = {value for value in values if value.lower() not in TOO_COMMON}
    return sorted(v for v in found if (v not in numbers if is_number(v) else v.lower() not in given.lower()))


def _table(case: TestCase) -> Rows:
    assert case.input is not None
    return read_table(case.input)
