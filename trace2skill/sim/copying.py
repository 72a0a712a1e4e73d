"""How the simulated agent does a foreign benchmark task: it is told the answer and writes it, mistakes included."""

import datetime
import json
import re
from collections.abc import Mapping

Values = Mapping[str, Mapping[str, Mapping[str, object]]]
"""Test case -> sheet -> cell -> value."""

PROGRAM = """\
import datetime
import json
import os
import sys
import openpyxl

ANSWER = json.loads({answer!r})
case = os.path.basename(sys.argv[1]).rsplit(".", 1)[0]
book = openpyxl.load_workbook(sys.argv[1])


def real(value):
    if isinstance(value, dict):
        kind = getattr(datetime, value["kind"])
        return kind.fromisoformat(value["iso"])
    return value


for name, cells in ANSWER[case].items():
    sheet = {sheet}
    for cell, value in {cells}:
        value = real(value)
        sheet[cell].value = {value}
book.save({target})
"""


def copy_program(values: Values, mistakes: frozenset[str]) -> str:
    """A program, called with INPUT and OUTPUT, that writes the values of the input's case into its answer cells."""
    answer = {
        case: {sheet: {cell: _plain(value) for cell, value in cells.items()} for sheet, cells in sheets.items()}
        for case, sheets in values.items()
    }
    number = "isinstance(value, (int, float)) and not isinstance(value, bool)"
    value = "value"
    if "dates_as_text" in mistakes:
        value = "str(value) if isinstance(value, (datetime.datetime, datetime.date)) else value"
    if "numbers_as_text" in mistakes:
        value = f'f"{{value:,.2f}} EUR" if {number} else {value}'
    if "formula_without_value" in mistakes:
        value = f'"=" + repr(value) if {number} else {value}'
    return PROGRAM.format(
        answer=json.dumps(answer, ensure_ascii=True, sort_keys=True),
        sheet="book.active" if "wrong_sheet" in mistakes else "book[name]",
        cells="list(cells.items())[:-1]" if "off_by_one_range" in mistakes else "cells.items()",
        value=value,
        target='sys.argv[2].replace("output/", "")' if "saved_elsewhere" in mistakes else "sys.argv[2]",
    )


def read_values(source: str) -> Values | None:
    """The values a copying program holds, None where the text is none or was cut."""
    found = re.search(r"^ANSWER = json\.loads\((?P<literal>'.*')\)$", source, re.MULTILINE)
    if found is None:
        return None
    import ast

    try:
        answer = json.loads(ast.literal_eval(found["literal"]))
    except (ValueError, SyntaxError):
        return None
    return {
        case: {sheet: {cell: _real(value) for cell, value in cells.items()} for sheet, cells in sheets.items()}
        for case, sheets in answer.items()
    }


def _plain(value: object) -> object:
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return {"kind": type(value).__name__, "iso": value.isoformat()}
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def _real(value: object) -> object:
    if isinstance(value, dict):
        kind: type[datetime.datetime] = getattr(datetime, str(value["kind"]))
        return kind.fromisoformat(str(value["iso"]))
    return value
