"""Which cell styles of a workbook make a number a date. Nothing else of its styles is read.

Workbooks that have been copied from for years carry megabytes of styles, which take openpyxl seconds. What counts as a
date is openpyxl's own rule (`openpyxl.styles.stylesheet.Stylesheet._normalise_numbers`).
"""

from typing import Any

from openpyxl.styles.numbers import builtin_format_code, is_date_format, is_timedelta_format
from openpyxl.xml.constants import ARC_STYLE, SHEET_MAIN_NS
from openpyxl.xml.functions import iterparse

FORMAT, STYLES, STYLE = (f"{{{SHEET_MAIN_NS}}}{name}" for name in ("numFmt", "cellXfs", "xf"))


def date_styles(archive: Any) -> tuple[set[int], set[int]]:
    """Indices of the cell styles that show a date, and of those that show a length of time."""
    codes: dict[int, str] = {}
    styles: list[int] = []
    if ARC_STYLE not in archive.namelist():
        return set(), set()
    with archive.open(ARC_STYLE) as source:
        for _, element in iterparse(source):
            if element.tag == FORMAT:
                codes[int(element.get("numFmtId", 0))] = element.get("formatCode", "")
            elif element.tag == STYLES:
                styles = [int(style.get("numFmtId", 0)) for style in element.iter(STYLE)]
            elif element.tag == STYLE:
                continue  # it belongs to a list that has not ended
            element.clear()
    shown = {number: codes.get(number) or builtin_format_code(number) for number in set(styles)}
    dates = {number for number, code in shown.items() if is_date_format(code)}
    lengths = {number for number, code in shown.items() if is_timedelta_format(code)}
    return (
        {index for index, number in enumerate(styles) if number in dates},
        {index for index, number in enumerate(styles) if number in lengths},
    )
