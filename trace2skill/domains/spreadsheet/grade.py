"""Grading a workbook against gold, exactly as SpreadsheetBench does: every cell of every answer range must match."""

from collections.abc import Sequence
from pathlib import Path

from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from trace2skill.domains.base import CaseGrade, Difference
from trace2skill.domains.spreadsheet.ranges import Range, cell_name, parse_answer_position
from trace2skill.domains.spreadsheet.values import normalise, same
from trace2skill.domains.spreadsheet.workbook import Unreadable, bounded, find_sheet, open_values

SHOWN = 50


def grade_case(case: str, gold: Path | Workbook, output: bytes | Workbook | None, answer_position: str) -> CaseGrade:
    """Grade one test case. Never raises: what cannot be compared has failed, with the problem in words."""
    if output is None:
        return CaseGrade(case=case, passed=False, problem="there is no output file")
    try:
        ranges = parse_answer_position(answer_position)
        golden = gold if isinstance(gold, Workbook) else open_values(gold)
    except (Unreadable, ValueError) as error:
        return CaseGrade(case=case, passed=False, problem=f"the task cannot be graded: {error}")
    try:
        book = output if isinstance(output, Workbook) else open_values(output)
    except Unreadable as error:
        return CaseGrade(case=case, passed=False, problem=f"the output cannot be read as a workbook: {error}")
    return _compare(case, golden, book, ranges)


def gold_values(gold: Path, answer_position: str) -> dict[str, dict[str, object]]:
    """Sheet -> cell -> value of the answer ranges, as gold holds them."""
    book = open_values(gold)
    values: dict[str, dict[str, object]] = {}
    for item in parse_answer_position(answer_position):
        sheet = find_sheet(book, item.sheet)
        if sheet is not None:
            cells = {cell_name(row, column): sheet.cell(row, column).value for row, column in item.cells(sheet.max_row)}
            values.setdefault(sheet.title, {}).update(cells)
    return values


def _compare(case: str, golden: Workbook, book: Workbook, ranges: Sequence[Range]) -> CaseGrade:
    differences: list[Difference] = []
    count = 0
    for item in ranges:
        wanted = find_sheet(golden, item.sheet)
        if wanted is None:
            return CaseGrade(
                case=case, passed=False, problem=f"the task cannot be graded: gold has no sheet {item.sheet}"
            )
        found = find_sheet(book, wanted.title)
        if found is None:
            return CaseGrade(case=case, passed=False, problem=f"the output has no sheet '{wanted.title}'")
        rows = max(wanted.max_row, found.max_row)
        if not bounded([item], rows):
            return CaseGrade(case=case, passed=False, problem="the answer range is larger than anything a task needs")
        for row, column in item.cells(rows):
            expected, got = _value(wanted, row, column), _value(found, row, column)
            if not same(expected, got):
                count += 1
                if len(differences) < SHOWN:
                    where = f"{wanted.title}!{cell_name(row, column)}"
                    differences.append(Difference(where=where, expected=_shown(expected), got=_shown(got)))
    return CaseGrade(case=case, passed=count == 0, differences=tuple(differences), difference_count=count)


def _value(sheet: Worksheet, row: int, column: int) -> object:
    """A cell's value without making the cell: a sheet is a mapping of the cells it has."""
    cell = sheet._cells.get((row, column))
    return cell.value if cell is not None else None


def _shown(value: object) -> str:
    text = "(empty)" if value is None else repr(value)
    plain = normalise(value)
    text = text if plain == value or value is None else f"{text} (= {plain!r})"
    return text if len(text) <= 200 else text[:199] + "…"
