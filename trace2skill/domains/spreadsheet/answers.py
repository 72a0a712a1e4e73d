"""What of an answer its task does not give away: for leak checks, and nothing else."""

import datetime
from collections.abc import Callable, Iterable, Mapping

from openpyxl import Workbook as NewWorkbook
from openpyxl.workbook import Workbook

from trace2skill.domains.spreadsheet.values import same
from trace2skill.domains.spreadsheet.workbook import Unreadable, open_values
from trace2skill.safety.leaks import canonical, is_number, numbers_in
from trace2skill.types.task import Task

TOO_COMMON = {"", "0", "1"}


def gold_only(task: Task, values: Iterable[object]) -> frozenset[str]:
    """Canonical texts of those answer values that neither the instruction nor any cell of an input holds."""
    found = {canonical(value) for value in values} - TOO_COMMON
    if not found:
        return frozenset()
    texts, numbers = _given(task)
    return frozenset(
        value for value in found if (value not in numbers if is_number(value) else value.lower() not in texts)
    )


def hardly_given(task: Task) -> Callable[[object], bool]:
    """Is a value one that the instruction itself does not give, and neither empty nor a 0 or a 1?"""
    texts, numbers = _said(task)

    def says_something(value: object) -> bool:
        text = canonical(value)
        return not (text in TOO_COMMON or (text in numbers if is_number(text) else text.lower() in texts))

    return says_something


def place_in(answer: Mapping[str, Mapping[str, Mapping[str, object]]], name: str) -> str | None:
    """'CASE:Sheet!B3' for a cell of the answer, by case, sheet and cell; None where it has no such cell, or several."""
    given, _, cell = name.replace("$", "").replace("'", "").strip().rpartition("!")
    case, mark, sheet = given.rpartition(":")
    found = [
        f"{known}:{title}!{cell.upper()}"
        for known, sheets in answer.items()
        for title, cells in sheets.items()
        if cell.upper() in cells and sheet in ("", title.replace("'", "")) and (not mark or case == known)
    ]
    return found[0] if len(found) == 1 else None


def right_as_text(expected: object, text: str) -> bool:
    """Is a value, written as text, the expected one by the rule of the benchmark? Dates are written as YYYY-MM-DD."""
    if isinstance(expected, datetime.datetime):
        try:
            return same(expected, datetime.datetime.fromisoformat(text))
        except ValueError:
            return same(expected, text)
    if isinstance(expected, bool) and text.lower() in ("true", "false"):
        return expected is (text.lower() == "true")
    return same(expected, text)


def emptied(book: Workbook) -> Workbook:
    """A workbook with the same sheets and nothing on them."""
    empty = NewWorkbook()
    empty.remove(empty.worksheets[0])
    for name in book.sheetnames:
        empty.create_sheet(name)
    return empty


def _said(task: Task) -> tuple[str, set[str]]:
    """The words of the task in lower case, and the numbers in them."""
    text = f"{task.instruction}\n{task.detail['answer_position']}"
    return text.lower(), numbers_in(text)


def _given(task: Task) -> tuple[str, set[str]]:
    """All text the agent was given, words and inputs, in lower case, and all numbers in it."""
    said, numbers = _said(task)
    texts = [said]
    for case in task.cases:
        if case.input is None:
            continue
        try:
            book = open_values(case.input)
        except Unreadable:
            continue
        for sheet in book.worksheets:
            for cell in sheet._cells.values():
                text = canonical(cell.value)
                if is_number(text):
                    numbers.add(text)
                elif text:
                    texts.append(text)
    joined = "\n".join(texts)
    return joined.lower(), numbers | numbers_in(joined)
