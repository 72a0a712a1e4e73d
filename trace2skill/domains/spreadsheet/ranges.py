"""`answer_position`: which cells of which sheets hold the answer.

The data sets write it by hand: 'Sheet1'!A1:B3, several ranges with commas, whole columns, quotes that do not match,
white space of several kinds. What a person would read is what is read here.
"""

import re
from collections.abc import Iterator

from openpyxl.utils import column_index_from_string, get_column_letter

from trace2skill.core.record import Record

CELL = re.compile(r"\$?(?P<column>[A-Za-z]{1,3})?\$?(?P<row>\d+)?")
LAST_COLUMN, LAST_ROW = 16_384, 1_048_576


class Range(Record):
    """A rectangle of cells, ends included. No sheet where the text names none; no rows for whole columns."""

    sheet: str | None
    first_column: int
    last_column: int
    first_row: int | None
    last_row: int | None

    def holds(self, row: int, column: int) -> bool:
        """Does the range hold this cell?"""
        in_rows = (self.first_row or 1) <= row <= (self.last_row or LAST_ROW)
        return in_rows and self.first_column <= column <= self.last_column

    def cells(self, rows: int) -> Iterator[tuple[int, int]]:
        """(row, column) in reading order; a whole column ends at `rows`."""
        first, last = self.first_row or 1, self.last_row or rows
        for row in range(first, last + 1):
            for column in range(self.first_column, self.last_column + 1):
                yield row, column


def parse_answer_position(text: str) -> tuple[Range, ...]:
    """The ranges of an `answer_position`.

    Raises:
        ValueError: a part is no range; says which.
    """
    return tuple(_range(part) for part in split_outside_quotes(text) if part.strip(" \u00a0'\""))


def split_outside_quotes(text: str) -> list[str]:
    """The parts between commas that stand outside single quotes.

    A quote that is never closed quotes nothing: then every comma counts.
    """
    if text.count("'") % 2:
        return text.split(",")
    parts, start, quoted = [], 0, False
    for position, character in enumerate(text):
        if character == "'":
            quoted = not quoted
        elif character == "," and not quoted:
            parts.append(text[start:position])
            start = position + 1
    return [*parts, text[start:]]


def cell_name(row: int, column: int) -> str:
    """A1 for (1, 1)."""
    return f"{get_column_letter(column)}{row}"


def _range(text: str) -> Range:
    clean = text.replace("\u00a0", " ").strip()
    sheet, mark, area = clean.rpartition("!")
    name = sheet.strip().strip("'\"").strip() if mark else None
    first, _, last = area.strip().strip("'\"").replace(" ", "").partition(":")
    start, end = _corner(first, text), _corner(last or first, text)
    if last and start[0] is None and end[0] is None:  # whole rows, as 2:5
        start, end = (1, start[1]), (LAST_COLUMN, end[1])
    if start[0] is None:
        raise ValueError(f"'{text}' is no range of cells")
    column_from, column_to = start[0], end[0] or start[0]
    row_from, row_to = start[1], end[1]
    if row_from is not None and row_to is None:
        row_to = row_from
    elif row_from is None and row_to is not None:
        row_from = 1
    if row_from is not None and row_to is not None:
        row_from, row_to = min(row_from, row_to), max(row_from, row_to)
    return Range(
        sheet=name or None,
        first_column=min(column_from, column_to),
        last_column=max(column_from, column_to),
        first_row=row_from,
        last_row=row_to,
    )


def _corner(text: str, whole: str) -> tuple[int | None, int | None]:
    found = CELL.fullmatch(text)
    if not text or found is None:
        raise ValueError(f"'{whole}' is no range of cells")
    column = column_index_from_string(found["column"].upper()) if found["column"] else None
    row = int(found["row"]) if found["row"] else None
    if (column or 1) > LAST_COLUMN or (row or 1) > LAST_ROW or row == 0:
        raise ValueError(f"'{whole}' lies outside any sheet")
    return column, row
