"""Leaks: does a text quote values of the expected answer that its writer could only know from having seen it?

A domain says which values those are (`Domain.gold_only`), each in the form that `canonical` gives. What is too common
to prove anything is not counted: round and small numbers, short texts.
"""

import ast
import datetime
import re
from collections.abc import Iterable

from trace2skill.core.program import parse_program

NUMBER = re.compile(r"(?<![\w.])-?\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\w])|(?<![\w.])-?\d+(?:\.\d+)?(?![\w])")
QUOTES = "'\"`‘’“”«»"
SHORTEST_TEXT = 3
DIGITS_THAT_TELL = 3
RUN = 8


def canonical(value: object) -> str:
    """A value as the text by which it is recognised: numbers with at most two decimals, dates as ISO dates."""
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, (int, float)):
        try:
            return _number(float(value))
        except OverflowError:
            return ""
    if isinstance(value, datetime.datetime):
        return value.date().isoformat()
    if isinstance(value, datetime.date):
        return value.isoformat()
    return " ".join(str(value).split())


def in_program(source: str, gold_only: Iterable[str]) -> list[str]:
    """The values that stand as literals in a program, sorted. A program that does not parse is read as plain text."""
    numbers, texts = _literals(source)
    return sorted(value for value in gold_only if tells(value) and _holds(value, numbers, texts))


def in_words(text: str, gold_only: Iterable[str]) -> list[str]:
    """The values that a lesson quotes, sorted. A single plain word counts only in quotes: it may just be a word."""
    numbers = _numbers_in(text)
    return sorted(value for value in gold_only if tells(value) and _quoted(value, numbers, text))


def repeated(text: str, gold: Iterable[str]) -> list[str]:
    """Runs of eight words and more that a text has in common with a longer value, such as a rubric, sorted."""
    said = _words(text)
    pieces = {" ".join(said[at : at + RUN]) for at in range(len(said) - RUN + 1)}
    found = set()
    for value in gold:
        told = _words(value)
        found |= pieces & {" ".join(told[at : at + RUN]) for at in range(len(told) - RUN + 1)}
    return sorted(found)


def numbers_in(text: str) -> set[str]:
    """Every number of a text, in canonical form, with and without its sign."""
    found = _numbers_in(text)
    return found | {f"-{number}" for number in found}


def strings_of(source: str) -> str:
    """What a program asks its input for by name: its texts and numbers; all of one that is no Python."""
    try:
        tree = parse_program(source)
    except SyntaxError:
        return source
    found = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return "\n".join(str(value) for value in found if isinstance(value, (str, int, float)))


def is_number(value: str) -> bool:
    """Is a canonical value a number?"""
    return re.fullmatch(r"-?\d+(\.\d+)?", value) is not None


def tells(value: str) -> bool:
    """Is a canonical value rare enough to prove that its writer knew it?"""
    if is_number(value):
        return "." in value or len(value.lstrip("-").strip("0")) >= DIGITS_THAT_TELL
    return len(value) >= SHORTEST_TEXT


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _literals(source: str) -> tuple[set[str], list[str]]:
    try:
        tree = parse_program(source)
    except SyntaxError:
        return _numbers_in(source), [source]
    constants = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    texts = [value for value in constants if isinstance(value, str)]
    numbers = {canonical(abs(value)) for value in constants if isinstance(value, (int, float))}
    dates = {_date(node) for node in ast.walk(tree) if isinstance(node, ast.Call)} - {""}
    return numbers.union(*(_numbers_in(text) for text in texts)), [*texts, *dates]


def _date(call: ast.Call) -> str:
    """`datetime(2025, 3, 1, ...)` or `date(2025, 3, 1)` as an ISO date, '' for any other call."""
    parts = [argument.value for argument in call.args[:3] if isinstance(argument, ast.Constant)]
    whole = [part for part in parts if isinstance(part, int) and not isinstance(part, bool)]
    if len(whole) != 3:
        return ""
    try:
        return datetime.date(*whole).isoformat()
    except (ValueError, OverflowError):
        return ""


def _holds(value: str, numbers: set[str], texts: Iterable[str]) -> bool:
    if is_number(value):
        return value.lstrip("-") in numbers
    return any(_stands_in(form, text) for form in _forms(value) for text in texts)


def _quoted(value: str, numbers: set[str], text: str) -> bool:
    if is_number(value):
        return value.lstrip("-") in numbers
    if value.isalpha():
        return any(f"{left}{value}{right}" in text for left in QUOTES for right in QUOTES)
    return any(_stands_in(form, text) for form in _forms(value))


def _stands_in(value: str, text: str) -> bool:
    if value not in text:
        return False
    return re.search(rf"(?<!\w){re.escape(value)}(?!\w)", text) is not None


def _forms(value: str) -> list[str]:
    """A date in the ways people write it; anything else as it is."""
    found = re.fullmatch(r"(\d{4})-(\d{2})-(\d{2})", value)
    if found is None:
        return [value]
    year, month, day = found.groups()
    orders = ((year, month, day), (day, month, year), (month, day, year))
    return [mark.join(order) for order in orders for mark in "-./"]


def _numbers_in(text: str) -> set[str]:
    return {_number(abs(float(found.replace(",", "")))) for found in NUMBER.findall(text)}


def _number(value: float) -> str:
    if value != value or value in (float("inf"), float("-inf")):
        return ""
    return f"{round(value, 2):.2f}".rstrip("0").rstrip(".")
