"""Gold as it is compared, and what makes it doubtful.

Gold workbooks are made by people and programs. Some hold formulas that nobody calculated, which read as empty: then
right answers fail, and an agent that writes nothing passes.
"""

from functools import lru_cache
from pathlib import Path

from trace2skill.domains.spreadsheet.grade import doubtful, gold_areas, stored_results, uncalculated
from trace2skill.domains.spreadsheet.ranges import parse_answer_position
from trace2skill.domains.spreadsheet.reading import Unreadable, read_areas
from trace2skill.domains.spreadsheet.recalculate import recalculated
from trace2skill.domains.spreadsheet.values import same

KEPT = 64
"""Calculated workbooks of gold that are held in memory; each takes seconds to make."""


def doubts_of(gold: Path | bytes, answer_position: str) -> str:
    """Why the answers of a gold workbook cannot be trusted, '' where nothing speaks against them."""
    try:
        found = doubtful(gold_areas(gold, answer_position))
    except Unreadable as error:
        return f"gold cannot be read: {error}"
    except ValueError as error:
        return f"the task cannot be graded: {error}"
    return found


def calculated_gold(gold: Path, answer_position: str) -> Path | bytes:
    """Gold, calculated where an answer is a formula without a stored result; itself where that cannot be done."""
    state = gold.stat()
    return _calculated(gold, answer_position, state.st_mtime_ns, state.st_size) or gold


@lru_cache(maxsize=KEPT)
def _calculated(gold: Path, answer_position: str, *_: int) -> bytes | None:
    try:
        areas = gold_areas(gold, answer_position)
        return recalculated(gold.read_bytes()) if uncalculated(areas) else None
    except (Unreadable, ValueError):
        return None  # the audit says so


def stale(gold: Path, answer_position: str) -> str:
    """Which stored results of gold are not those of its formulas, '' for none. Calculates all, which takes seconds."""
    ranges = parse_answer_position(answer_position)
    before = stored_results(gold_areas(gold, answer_position))
    if not before:
        return ""
    try:
        after = stored_results(read_areas(recalculated(gold.read_bytes(), everything=True), ranges))
    except Unreadable as error:
        return f"gold cannot be calculated: {error}"
    # An error that only LibreOffice has is a function that it does not know, which says nothing of gold.
    differ = [
        place
        for place, value in before.items()
        if place in after and not str(after[place]).startswith("#") and not same(value, after[place])
    ]
    return f"stored results of gold are not those of its formulas: {', '.join(differ[:3])}" if differ else ""
