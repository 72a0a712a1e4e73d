"""Grading a workbook against gold, exactly as SpreadsheetBench does: every cell of every answer range must match.

Cells that neither workbook has are empty in both and equal: only those that exist are compared, however far a range or
a sheet reaches.
"""

import datetime
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

from trace2skill.domains.base import CaseGrade, Difference
from trace2skill.domains.spreadsheet.ranges import LAST_COLUMN, LAST_ROW, Range, cell_name, parse_answer_position
from trace2skill.domains.spreadsheet.reading import Area, Stored, Unreadable, read_areas, sheets_of
from trace2skill.domains.spreadsheet.values import normalise, same

SHOWN = 50
KEPT = 16
LONGEST = 200
MOST_NAMED = 100_000
SHEETS_LOOKED_AT = 8
NOTHING = Stored(None)
ERRORS = frozenset({"#REF!", "#NAME?", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!", "#N/A", "#GETTING_DATA"})
ELSEWHERE = re.compile(r"\[\d+\]|\[[^\[\]]+\.xl\w*\]", re.IGNORECASE)
"""A reference to another workbook, as a file writes it ('[1]Sheet1'!A1) or as a formula spells it."""

Calculate = Callable[[bytes], bytes]


def grade_case(
    case: str, gold: Path | bytes, output: bytes | None, answer_position: str, calculate: Calculate | None = None
) -> CaseGrade:
    """Grade one test case: what cannot be compared has failed, with the problem in words.

    Args:
        case: its name.
        gold: the right workbook.
        output: what the agent left, None for nothing.
        answer_position: which cells of which sheets are compared.
        calculate: calculates the formulas of an output whose answer holds some without a stored result.

    Raises:
        InfrastructureFault: this machine could not read or calculate it now.
    """
    if output is None:
        return CaseGrade(case=case, passed=False, problem="there is no output file")
    try:
        ranges = parse_answer_position(answer_position)
        golden = gold_areas(gold, answer_position)
    except (Unreadable, ValueError) as error:
        return CaseGrade(case=case, passed=False, problem=f"the task cannot be graded: {error}")
    for item, area in zip(ranges, golden, strict=True):
        if area.sheet is None:
            problem = f"the task cannot be graded: gold has no sheet {item.sheet}"
            return CaseGrade(case=case, passed=False, problem=problem)
    if unknown := uncalculated(golden):  # read as empty it would pass an agent that writes nothing
        problem = f"the task cannot be graded: nobody has calculated the formulas of gold: {_listed(unknown)}"
        return CaseGrade(case=case, passed=False, problem=problem)
    named = [item.model_copy(update={"sheet": area.sheet}) for item, area in zip(ranges, golden, strict=True)]
    try:
        found = read_graded(output, named, calculate)
    except Unreadable as error:
        return CaseGrade(case=case, passed=False, problem=f"the output cannot be read as a workbook: {error}")
    for wanted, area in zip(golden, found, strict=True):
        if area.sheet is None:
            return CaseGrade(case=case, passed=False, problem=f"the output has no sheet '{wanted.sheet}'")
    grade = _compared(case, golden, found)
    return _on_another_sheet(grade, output, golden) if grade.differences else grade


def gold_areas(gold: Path | bytes, answer_position: str) -> list[Area]:
    """The answer as gold holds it. It is compared with every output of its task, and the last ones read are kept.

    Raises:
        Unreadable, InfrastructureFault: as `read_areas`.
        ValueError: the position is no range.
    """
    if isinstance(gold, bytes):
        return read_areas(gold, parse_answer_position(answer_position))
    state = gold.stat()
    return _gold_areas(gold, answer_position, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=KEPT)
def _gold_areas(gold: Path, answer_position: str, *_: int) -> list[Area]:
    return read_areas(gold, parse_answer_position(answer_position))


def read_graded(output: bytes, ranges: Sequence[Range], calculate: Calculate | None) -> list[Area]:
    """The ranges of an output as they are graded.

    Raises:
        Unreadable: as `read_areas`, and where it cannot be calculated.
        InfrastructureFault: this machine could not read or calculate it now.
    """
    found = read_areas(output, ranges)
    return read_areas(calculate(output), ranges) if calculate is not None and uncalculated(found) else found


def answers_beside(
    gold: Path | bytes, output: bytes | None, answer_position: str, calculate: Calculate | None
) -> list[tuple[str, object, object]]:
    """(place, value in gold, value in an output as it is graded) of each answer cell; none of an unreadable output."""
    ranges = parse_answer_position(answer_position)
    golden = gold_areas(gold, answer_position)
    named = [item.model_copy(update={"sheet": area.sheet}) for item, area in zip(ranges, golden, strict=True)]
    try:
        found = read_graded(output, named, calculate) if output is not None else []
    except Unreadable:
        return []
    return [
        (f"{wanted.sheet}!{cell_name(*place)}", item.value, given.cells.get(place, NOTHING).value)
        for wanted, given in zip(golden, found, strict=False)
        if given.sheet is not None
        for place, item in sorted(wanted.cells.items())
    ]


def gold_values(gold: Path | bytes, answer_position: str) -> dict[str, dict[str, object]]:
    """Sheet -> cell -> value of the answer ranges, as gold holds them.

    Empty cells are named up to the last one filled; of a range with more than 100,000 cells only those that are filled.
    """
    ranges = parse_answer_position(answer_position)
    values: dict[str, dict[str, object]] = {}
    for item, area in zip(ranges, gold_areas(gold, answer_position), strict=True):
        if area.sheet is None:
            continue
        rows = max((row for row, _ in area.cells), default=0)
        size = ((item.last_row or rows) - (item.first_row or 1) + 1) * (item.last_column - item.first_column + 1)
        places = item.cells(rows) if size <= MOST_NAMED else sorted(area.cells)
        cells = {cell_name(*place): area.cells.get(place, NOTHING).value for place in places}
        values.setdefault(area.sheet, {}).update(cells)
    return values


def uncalculated(areas: Sequence[Area]) -> list[str]:
    """The cells whose formula has no stored result."""
    return [place for place, item in _places(areas) if not item.calculated]


def stored_results(areas: Sequence[Area]) -> dict[str, object]:
    """'Sheet!A1' -> the stored result of every cell that is a formula."""
    return {place: item.value for place, item in _places(areas) if item.formula and item.calculated}


def doubtful(areas: Sequence[Area]) -> str:
    """Why answers of gold cannot be trusted, '' where nothing speaks against them. '#N/A' may be what was asked for."""
    errors = [place for place, item in _places(areas) if item.value in ERRORS and item.value != "#N/A"]
    if errors:
        return f"gold holds an error value: {_listed(errors)}"
    elsewhere = [place for place, item in _places(areas) if ELSEWHERE.search(item.formula)]
    if elsewhere:
        return f"gold refers to another file, which is not there: {_listed(elsewhere)}"
    open_ = uncalculated(areas)
    return f"gold has formulas whose result nobody has calculated: {_listed(open_)}" if open_ else ""


def _places(areas: Sequence[Area]) -> list[tuple[str, Stored]]:
    return [(f"{area.sheet}!{cell_name(*place)}", item) for area in areas for place, item in sorted(area.cells.items())]


def _listed(places: list[str]) -> str:
    more = f" and {len(places) - 3} more" if len(places) > 3 else ""
    return f"{', '.join(places[:3])}{more}"


def _compared(case: str, golden: Sequence[Area], found: Sequence[Area]) -> CaseGrade:
    differences: list[Difference] = []
    count = 0
    for wanted, given in zip(golden, found, strict=True):
        for place in sorted(wanted.cells.keys() | given.cells.keys()):
            expected, got = wanted.cells.get(place, NOTHING), given.cells.get(place, NOTHING)
            if not same(expected.value, got.value):
                count += 1
                if len(differences) < SHOWN:
                    differences.append(_difference(f"{wanted.sheet}!{cell_name(*place)}", expected.value, got))
    return CaseGrade(case=case, passed=count == 0, differences=tuple(differences), difference_count=count)


def _on_another_sheet(grade: CaseGrade, output: bytes, golden: Sequence[Area]) -> CaseGrade:
    """Says so where all that is missing stands on another sheet."""
    if len(golden) > 1 or any(item.kind != "missing" for item in grade.differences):
        return grade
    (area,) = golden
    whole = Range(sheet=None, first_column=1, last_column=LAST_COLUMN, first_row=1, last_row=LAST_ROW)
    others = [name for name in sheets_of(output) if name != area.sheet][:SHEETS_LOOKED_AT]
    try:
        elsewhere = read_areas(output, [whole.model_copy(update={"sheet": name}) for name in others]) if others else []
    except Unreadable:
        return grade  # sheets that nobody asked for are no part of the answer
    for other in elsewhere:
        if all(same(item.value, other.cells.get(place, NOTHING).value) for place, item in area.cells.items()):
            marked = tuple(
                item.model_copy(update={"kind": f"wrong sheet: it stands on '{other.sheet}'"})
                for item in grade.differences
            )
            return grade.model_copy(update={"differences": marked})
    return grade


def _difference(where: str, expected: object, got: Stored) -> Difference:
    return Difference(
        where=where,
        kind=kind_of(expected, got),
        expected=_shown(expected),
        got=_shown(got.value),
        formula=got.formula[:LONGEST],
    )


def kind_of(expected: object, got: Stored) -> str:
    """What kind of difference it is. Says of what is expected no more than whether it is text, a number or a date."""
    if not got.calculated:
        return "formula without a stored result"
    if got.value in (None, ""):
        return "missing"
    if expected in (None, ""):
        return "extra"
    if got.value in ERRORS:
        return "error value"
    wanted, given = _type(expected), _type(got.value)
    if wanted == given:
        return "value"
    return f"type: {given} where {wanted} belongs"


def _type(value: object) -> str:
    if isinstance(value, (datetime.datetime, datetime.date)):
        return "a date"
    if isinstance(value, datetime.time):
        return "a time"
    if isinstance(value, bool):
        return "true or false"
    return "a number" if isinstance(normalise(value), float) else "text"


def _shown(value: object) -> str:
    text = "(empty)" if value is None else repr(value)
    plain = normalise(value)
    text = text if plain == value or value is None else f"{text} (= {plain!r})"
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
