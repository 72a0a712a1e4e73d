"""Workbooks with other values in their cells: sheets, titles, formats and the places of cells stay."""

from collections.abc import Sequence
from pathlib import Path

from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.worksheet.worksheet import Worksheet

from trace2skill.domains.spreadsheet.workbook import open_values
from trace2skill.safety.change import Variation

MOST_CELLS = 400_000


def changed_workbook(source: Path, change: Variation, target: Path) -> None:
    """Write a workbook whose values are changed; formulas become the values that they had.

    Raises:
        Unreadable: the source is no workbook.
    """
    values = open_values(source)
    for sheet in values.worksheets:
        _change(sheet, change)
    values.save(target)


def learn(sources: Sequence[Path], change: Variation) -> bool:
    """Meet all values of the workbooks of a task; False where there are too many of them to change."""
    cells = 0
    for source in sources:
        for sheet in open_values(source).worksheets:
            cells += len(sheet._cells)
            change.learn(cell.value for cell in sheet._cells.values())
    return cells <= MOST_CELLS


def _change(sheet: Worksheet, change: Variation) -> None:
    filled = [cell for cell in sheet._cells.values() if isinstance(cell, Cell) and cell.value is not None]
    if not filled:
        return
    top, left = min(cell.row for cell in filled), min(cell.column for cell in filled)
    bottom, right = max(cell.row for cell in filled), max(cell.column for cell in filled)
    rows = [[_value(sheet, row, column) for column in range(left, right + 1)] for row in range(top, bottom + 1)]
    made = change.rows(rows)
    made += [[None] * (right - left + 1)] * (len(rows) - len(made))
    for row, (old, new) in enumerate(zip(rows, made, strict=True), start=top):
        for column, (before, after) in enumerate(zip(old, new, strict=True), start=left):
            if before != after:
                _write(sheet, row, column, after)


def _value(sheet: Worksheet, row: int, column: int) -> object:
    cell = sheet._cells.get((row, column))
    return cell.value if cell is not None else None


def _write(sheet: Worksheet, row: int, column: int, value: object) -> None:
    cell = sheet.cell(row, column)
    if not isinstance(cell, MergedCell):
        cell.value = value  # type: ignore[assignment]
        if isinstance(value, str) and value.startswith("="):
            cell.data_type = "s"
