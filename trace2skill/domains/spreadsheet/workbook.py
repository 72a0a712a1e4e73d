"""Reading workbooks that nobody vouches for: bounded in size, cached values only."""

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import openpyxl
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from trace2skill.domains.spreadsheet.ranges import Range

LARGEST_UNPACKED = 400 * 2**20
MOST_ANSWER_CELLS = 2_000_000


class Unreadable(Exception):
    """A workbook cannot be read, or is larger than anything a task needs."""


def open_values(content: bytes | Path) -> Workbook:
    """A workbook with its cached values.

    Raises:
        Unreadable: broken, or unpacked larger than 400 MiB.
    """
    try:
        raw = content.read_bytes() if isinstance(content, Path) else content
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            unpacked = sum(item.file_size for item in archive.infolist())
        if unpacked > LARGEST_UNPACKED:
            raise Unreadable(f"it unpacks to {unpacked // 2**20} MiB")
        return openpyxl.load_workbook(io.BytesIO(raw), data_only=True)
    except Unreadable:
        raise
    except Exception as error:
        raise Unreadable(f"{type(error).__name__}: {error}") from error


def has_uncached_formulas(content: bytes) -> bool:
    """Does a workbook hold formulas whose value nobody has calculated?"""
    try:
        formulas = openpyxl.load_workbook(io.BytesIO(content))
        values = open_values(content)
    except Exception:  # noqa: BLE001 - see above; an unreadable workbook has nothing to recalculate
        return False
    for sheet in formulas.worksheets:
        cached = values[sheet.title]
        for place, cell in sheet._cells.items():
            if cell.data_type == "f" and (place not in cached._cells or cached._cells[place].value is None):
                return True
    return False


def find_sheet(book: Workbook, name: str | None) -> Worksheet | None:
    """The sheet of that exact name, the first one for None; None where there is none."""
    if name is None:
        return book.worksheets[0] if book.worksheets else None
    return next((sheet for sheet in book.worksheets if sheet.title == name), None)


def bounded(ranges: Sequence[Range], rows: int) -> bool:
    """Do the ranges together stay within what a task may ask for?"""
    cells = 0
    for item in ranges:
        height = (item.last_row or rows) - (item.first_row or 1) + 1
        cells += max(height, 0) * (item.last_column - item.first_column + 1)
    return cells <= MOST_ANSWER_CELLS
