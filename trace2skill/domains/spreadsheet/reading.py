"""The cells of a workbook that nobody vouches for, in ranges, with the formulas behind them, within bounds.

The parser is openpyxl's, so that a value is what the official rule of SpreadsheetBench sees. What it opens besides the
cells is left out: no drawing, no image, no link to another file, no sheet that is not asked for. A merged range is a
rectangle here and not a million cells. What stays within `SMALL` is read in this process; anything larger in one of
its own, which the system ends at a gigabyte or at `LARGE_SECONDS` of computing.
"""

import io
import json
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from openpyxl.reader.excel import ExcelReader
from openpyxl.worksheet._reader import FORMULA_TAG, ROW_TAG, VALUE_TAG, WorkSheetParser
from openpyxl.xml.constants import SHEET_MAIN_NS
from openpyxl.xml.functions import iterparse

from trace2skill.core import stopping
from trace2skill.core.errors import InfrastructureFault
from trace2skill.domains.spreadsheet.merged import MergedRanges
from trace2skill.domains.spreadsheet.ranges import Range, cell_name
from trace2skill.domains.spreadsheet.reading_dates import date_styles
from trace2skill.domains.spreadsheet.reading_values import packed, unpacked
from trace2skill.sandbox.running import ENVIRONMENT, search_path

T = TypeVar("T")
LARGE_MEMORY = 2**30
LARGE_SECONDS = 15
PATIENCE_SECONDS = 120
MOST_CELLS = 2_000_000
FROM_OUTSIDE = frozenset({signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGKILL})
"""Signals that end no process for what it reads; one that passes its own limits ends by others."""
MERGED_TAG = f"{{{SHEET_MAIN_NS}}}mergeCell"
IN_ROWS = frozenset(f"{{{SHEET_MAIN_NS}}}{name}" for name in ("c", "v", "f", "is", "t", "r", "rPr"))


class Unreadable(Exception):
    """A workbook cannot be read, or takes more than anything a task needs."""


class Allowance(NamedTuple):
    """How much of a workbook may be read: bytes of the file, unpacked bytes, and tags in them."""

    packed: int
    unpacked: int
    tags: int


SMALL = Allowance(packed=4 * 2**20, unpacked=8 * 2**20, tags=300_000)
LARGE = Allowance(packed=64 * 2**20, unpacked=400 * 2**20, tags=100_000_000)


class Stored(NamedTuple):
    """What stands in a cell. `formula` is '' for a value; `calculated` is False where it has no stored result."""

    value: object
    formula: str = ""
    calculated: bool = True


class Area(NamedTuple):
    """The filled cells of a range: (row, column) -> what stands there. `sheet` is None where there is no such sheet."""

    sheet: str | None
    cells: dict[tuple[int, int], Stored]


def read_areas(content: bytes | Path, ranges: Sequence[Range]) -> list[Area]:
    """What stands in ranges of a workbook; a range without a sheet means the first one.

    Raises:
        Unreadable: broken, or it takes more than a gigabyte, 400 MiB unpacked, or 15 s of computing.
        InfrastructureFault: this machine was too busy to say.
    """
    raw = content.read_bytes() if isinstance(content, Path) else content
    try:
        return read_within(raw, ranges, SMALL)
    except _TooLarge:
        return _read_apart(raw, ranges)


def sheets_of(raw: bytes) -> list[str]:
    """Names of the sheets with cells, in order; none where the workbook is broken or large."""
    try:
        return _within(raw, SMALL, lambda book: [str(sheet.title) for sheet in book.worksheets])
    except Unreadable:
        return []


def read_within(raw: bytes, ranges: Sequence[Range], bounds: Allowance) -> list[Area]:
    """`read_areas` in this process.

    Raises:
        Unreadable: it is broken.
        _TooLarge: it passes the bounds.
    """
    return _within(raw, bounds, lambda book: _areas(book, ranges))


def _within(raw: bytes, bounds: Allowance, read: Callable[[Any], T]) -> T:
    if len(raw) > bounds.packed:
        raise _TooLarge
    try:
        with _Bounded(io.BytesIO(raw), bounds) as archive:
            reader: Any = ExcelReader(io.BytesIO(raw), read_only=True, data_only=True, keep_links=False)
            reader.archive = archive
            # What `reader.read` does, without properties, themes and names, which no value depends on.
            reader.read_manifest()
            reader.read_strings()
            reader.read_workbook()
            reader.wb._date_formats, reader.wb._timedelta_formats = date_styles(archive)
            reader.read_worksheets()
            return read(reader.wb)
    except (Unreadable, MemoryError):
        raise
    except Exception as error:
        raise Unreadable(f"{type(error).__name__}: {str(error)[:300]}") from error


class _TooLarge(Unreadable):
    def __str__(self) -> str:
        return "it is larger than anything a task needs"


class _Bounded(zipfile.ZipFile):
    """An archive of which only so much is read. A part's declared size is a bound that `zipfile` keeps to itself."""

    def __init__(self, file: io.BytesIO, bounds: Allowance) -> None:
        super().__init__(file)
        self._bounds = bounds
        self._bytes = self._tags = 0

    def open(self, name: Any, *args: Any, **options: Any) -> Any:
        if self.getinfo(getattr(name, "filename", name)).file_size > self._bounds.unpacked:
            raise _TooLarge
        return _Metered(super().open(name, *args, **options), self._count)

    def _count(self, data: bytes) -> None:
        self._bytes += len(data)
        self._tags += data.count(b"<")
        if self._bytes > self._bounds.unpacked or self._tags > self._bounds.tags:
            raise _TooLarge


class _Metered:
    """A part of an archive; what is read of it is counted."""

    def __init__(self, part: Any, count: Any) -> None:
        self._part, self._count = part, count

    def read(self, size: int = -1) -> bytes:
        data: bytes = self._part.read(size)
        self._count(data)
        return data

    def close(self) -> None:
        self._part.close()

    def __enter__(self) -> "_Metered":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _areas(book: Any, ranges: Sequence[Range]) -> list[Area]:
    sheets = {sheet.title: sheet for sheet in reversed(book.worksheets)}
    first = book.worksheets[0].title if book.worksheets else None
    areas = [Area(name if (name := item.sheet or first) in sheets else None, {}) for item in ranges]
    for title in {area.sheet for area in areas if area.sheet is not None}:
        asked = [(item, area.cells) for item, area in zip(ranges, areas, strict=True) if area.sheet == title]
        merged = MergedRanges()
        for place, stored in _cells(book, sheets[title], [item for item, _ in asked], merged):
            for item, cells in asked:
                if item.holds(*place):
                    cells[place] = stored
                    if len(cells) > MOST_CELLS:
                        raise Unreadable("it has more filled cells than anything a task needs")
        for _, cells in asked:
            for place in [place for place in cells if merged.hides(*place)]:
                del cells[place]
    return areas


def _cells(book: Any, sheet: Any, ranges: Sequence[Range], merged: MergedRanges) -> Iterator[tuple[Any, Stored]]:
    """Every filled cell of the rows that a range meets; fills `merged` on the way."""
    first, last = min(item.first_row or 1 for item in ranges), max(item.last_row or 10**9 for item in ranges)
    with sheet._get_source() as source:
        parser = _CellParser(
            source,
            sheet._shared_strings,
            data_only=True,
            epoch=book.epoch,
            date_formats=book._date_formats,
            timedelta_formats=book._timedelta_formats,
        )
        for _, element in iterparse(source):
            if element.tag == ROW_TAG:
                number = element.get("r", "")
                if number.isdecimal() and not first <= int(number) <= last:
                    parser.row_counter = int(number)
                else:
                    for cell in parser.parse_row(element)[1]:
                        if cell["value"] is not None or cell["formula"]:
                            stored = Stored(cell["value"], cell["formula"], cell["calculated"])
                            yield (cell["row"], cell["column"]), stored
            elif element.tag == MERGED_TAG:
                merged.add(element.get("ref", ""))
            elif element.tag in IN_ROWS:
                continue
            element.clear()


class _CellParser(WorkSheetParser):
    """openpyxl's parser of cells, which says of formulas, too, what they are and whether their result is stored."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._shared: dict[str, tuple[str, str]] = {}

    def parse_cell(self, element: Any) -> dict[str, Any]:
        cell: dict[str, Any] = super().parse_cell(element)
        cell["formula"], cell["calculated"] = "", True
        formula = element.find(FORMULA_TAG)
        if formula is not None:
            result = element.find(VALUE_TAG)
            cell["formula"] = self._text(formula, cell)
            # A result that is an empty text stands there as an empty element of the type `str`.
            cell["calculated"] = result is not None and bool(result.text or element.get("t") == "str")
        return cell

    def _text(self, formula: Any, cell: dict[str, Any]) -> str:
        text, shared = formula.text or "", formula.get("si") if formula.get("t") == "shared" else None
        if shared is None:
            return f"={text}"
        if text:
            self._shared[shared] = (text, cell_name(cell["row"], cell["column"]))
            return f"={text}"
        if shared not in self._shared:
            return "= (a formula filled in from another cell)"
        master, where = self._shared[shared]
        return f"={master} (filled in from {where})"


def _read_apart(raw: bytes, ranges: Sequence[Range]) -> list[Area]:
    """`read_areas` in a process of its own, under limits of time and memory. It inherits no secret."""
    if len(raw) > LARGE.packed:
        raise _TooLarge
    environment = {**ENVIRONMENT, "PATH": search_path(), "PYTHONPATH": ":".join(filter(None, sys.path))}
    limits = [str(LARGE_SECONDS), str(LARGE_MEMORY)]
    command = [sys.executable, "-m", "trace2skill.domains.spreadsheet.reading_apart", *limits]
    asked = json.dumps([item.model_dump(mode="json") for item in ranges]).encode()
    try:
        done = subprocess.run(
            command,
            input=asked + b"\n" + raw,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            timeout=PATIENCE_SECONDS,
            check=False,
            start_new_session=True,  # Ctrl-C is for whoever waits for it
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InfrastructureFault(f"a workbook could not be read on this machine now: {error}") from error
    if -done.returncode in FROM_OUTSIDE:
        stopping.check()
        raise InfrastructureFault("a workbook could not be read: the process that reads it was ended from outside")
    if done.returncode != 0:
        raise Unreadable(f"it takes more than {LARGE_SECONDS} s or a gigabyte to be read")
    answer = json.loads(done.stdout)
    if isinstance(answer, str):
        raise Unreadable(answer)
    return [
        Area(sheet, {(row, column): Stored(unpacked(value), text, known) for row, column, value, text, known in cells})
        for sheet, cells in answer
    ]


def answer_apart(request: bytes) -> bytes:
    """What the process of its own answers: areas, or in words why there are none."""
    asked, _, raw = request.partition(b"\n")
    ranges = [Range.model_validate(item) for item in json.loads(asked)]
    try:
        areas = read_within(raw, ranges, LARGE)
        answer: object = [
            (
                area.sheet,
                [(*place, packed(item.value), item.formula, item.calculated) for place, item in area.cells.items()],
            )
            for area in areas
        ]
        if sum(len(str(item.value)) for area in areas for item in area.cells.values()) > LARGE.packed:
            raise _TooLarge
        return json.dumps(answer).encode()
    except MemoryError:
        return json.dumps("it takes more than a gigabyte to be read").encode()
    except Unreadable as error:
        return json.dumps(str(error)).encode()
