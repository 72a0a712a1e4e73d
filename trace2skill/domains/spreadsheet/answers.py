"""What of an answer its task does not give away: for leak checks, and nothing else."""

from collections.abc import Iterator

from openpyxl import Workbook as NewWorkbook
from openpyxl.workbook import Workbook

from trace2skill.domains.spreadsheet.grade import gold_values
from trace2skill.domains.spreadsheet.values import same
from trace2skill.domains.spreadsheet.workbook import Unreadable, find_sheet, open_values
from trace2skill.safety.leaks import canonical, is_number, numbers_in
from trace2skill.types.task import Task, TestCase

TOO_COMMON = {"", "0", "1"}


def gold_only(task: Task) -> frozenset[str]:
    """Canonical texts of answer values that neither the instruction nor any cell of an input holds."""
    found = {canonical(value) for _, _, value in _answers(task)} - TOO_COMMON
    if not found:
        return frozenset()
    texts, numbers = _given(task)
    return frozenset(
        value for value in found if (value not in numbers if is_number(value) else value.lower() not in texts)
    )


def carried(task: Task, outputs: dict[str, Workbook]) -> list[str]:
    """The answer cells in which workbooks made from emptied inputs are right all the same.

    A value that the instruction itself gives counts for nothing, and neither does an empty cell, a 0 or a 1.
    """
    texts, numbers = _said(task)
    places = []
    for case, (sheet_name, cell), value in _answers(task):
        book = outputs.get(case)
        sheet = find_sheet(book, sheet_name) if book is not None else None
        text = canonical(value)
        if text in TOO_COMMON or (text in numbers if is_number(text) else text.lower() in texts):
            continue
        if sheet is not None and same(value, sheet[cell].value):
            places.append(f"{sheet_name}!{cell}")
    return places


def answers_in(task: Task, case: TestCase, book: Workbook) -> Iterator[tuple[str, object]]:
    """(place, value) of the cells of a book where gold has an answer."""
    wanted = gold_values(case.gold, task.detail["answer_position"]) if case.gold is not None else {}
    for name, cells in wanted.items():
        sheet = find_sheet(book, name)
        for cell, expected in cells.items():
            if sheet is not None and canonical(expected):
                yield f"{name}!{cell}", sheet[cell].value


def emptied(book: Workbook) -> Workbook:
    """A workbook with the same sheets and nothing on them."""
    empty = NewWorkbook()
    empty.remove(empty.worksheets[0])
    for name in book.sheetnames:
        empty.create_sheet(name)
    return empty


def _answers(task: Task) -> Iterator[tuple[str, tuple[str, str], object]]:
    """(case, (sheet, cell), value) of every answer cell of gold."""
    for case in task.cases:
        if case.gold is None:
            continue
        for sheet, cells in gold_values(case.gold, task.detail["answer_position"]).items():
            for cell, value in cells.items():
                yield case.name, (sheet, cell), value


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
