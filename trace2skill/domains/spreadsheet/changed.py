"""Workbooks with other values in their cells: sheets, titles, formats and the places of cells stay."""

from collections.abc import Mapping
from pathlib import Path

from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.worksheet.worksheet import Worksheet

from trace2skill.domains.spreadsheet.workbook import open_values
from trace2skill.safety.change import Variation

MOST_CELLS = 100_000
"""Cells of all workbooks of a task; with more, loading and saving them takes longer than the fix."""


def changed_workbooks(sources: Mapping[str, Path], change: Variation, folder: Path) -> bool:
    """Write workbooks whose values are changed, each as `NAME.xlsx`; formulas become the values that they had.

    False, and nothing is written, where they are too large.

    Raises:
        Unreadable: a source is no workbook.
    """
    books, cells = {}, 0
    for name, source in sources.items():
        books[name] = open_values(source)
        for sheet in books[name].worksheets:
            cells += len(sheet._cells)
            change.learn(cell.value for cell in sheet._cells.values() if cell.value is not None)
        if cells > MOST_CELLS:
            return False
    for name, book in books.items():
        for sheet in book.worksheets:
            _change(sheet, change)
        book.save(folder / f"{name}.xlsx")
    return True


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
