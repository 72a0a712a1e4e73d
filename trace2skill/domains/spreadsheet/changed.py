"""Workbooks with other values in their cells: sheets, titles, formats and the places of cells stay."""

from collections.abc import Mapping
from pathlib import Path

from openpyxl.cell.cell import MergedCell
from openpyxl.worksheet.worksheet import Worksheet

from trace2skill.domains.spreadsheet.workbook import open_values
from trace2skill.safety.change import Variation

MOST_CELLS, SPARSE = 100_000, 10
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
            rows, columns = _places(sheet)
            cells += max(len(sheet._cells), len(rows) * len(columns) // SPARSE)
            change.learn(cell.value for cell in sheet._cells.values() if cell.value is not None)
        if cells > MOST_CELLS:
            return False
    for name, book in books.items():
        for sheet in book.worksheets:
            _change(sheet, change)
        book.save(folder / f"{name}.xlsx")
    return True


def _change(sheet: Worksheet, change: Variation) -> None:
    rows, columns = _places(sheet)
    old = [[_value(sheet, row, column) for column in columns] for row in rows]
    new = change.rows(old)
    new += [[None] * len(columns)] * (len(old) - len(new))
    for row, before, after in zip(rows, old, new, strict=True):
        for column, one, other in zip(columns, before, after, strict=True):
            if one != other:
                _write(sheet, row, column, other)


def _places(sheet: Worksheet) -> tuple[list[int], list[int]]:
    """The rows and the columns in which something stands: what is empty between them is no part of the table."""
    filled = [place for place, cell in sheet._cells.items() if cell.value is not None]
    return sorted({row for row, _ in filled}), sorted({column for _, column in filled})


def _value(sheet: Worksheet, row: int, column: int) -> object:
    cell = sheet._cells.get((row, column))
    return cell.value if cell is not None else None


def _write(sheet: Worksheet, row: int, column: int, value: object) -> None:
    cell = sheet.cell(row, column)
    if not isinstance(cell, MergedCell):
        cell.value = value  # type: ignore[assignment]
        if isinstance(value, str) and value.startswith("="):
            cell.data_type = "s"
