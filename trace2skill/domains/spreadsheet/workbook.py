"""Whole workbooks of a data set, with their cached values. What a model left is read by `reading` instead."""

import io
import zipfile
from pathlib import Path

import openpyxl
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from trace2skill.domains.spreadsheet.reading import Unreadable

LARGEST_UNPACKED = 400 * 2**20
__all__ = ["Unreadable", "find_sheet", "open_values"]


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


def find_sheet(book: Workbook, name: str | None) -> Worksheet | None:
    """The sheet of that exact name, the first one for None; None where there is none."""
    if name is None:
        return book.worksheets[0] if book.worksheets else None
    return next((sheet for sheet in book.worksheets if sheet.title == name), None)
