"""When two answers are the same, by the official rule of WikiTableQuestions (its evaluator.py, version 1.0.2).

An answer is a set of values: sizes must agree, order is free, and each gold value must match one that was given. Two
values match when their normalised texts are equal, or both are numbers within 1e-6, or both are the same date. What
number or date a gold text stands for is said by the data set, in its canonical value.
"""

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence

from trace2skill.core.record import Record

QUOTES, DOUBLE_QUOTES, DASHES = re.compile("[‘’´`]"), re.compile("[“”]"), re.compile("[‐‑‒–—−]")
MARKS = frozenset("•♦†‡*#+")
QUOTED = re.compile(r'^"([^"]*)"$')
NEAR = 1e-6

Date = tuple[int | None, int | None, int | None]


class Value(Record):
    """One value of an answer: its normalised text, and the number or date it stands for."""

    text: str
    number: float | int | None = None
    date: Date | None = None

    def matches(self, other: "Value") -> bool:
        """Are the two the same?"""
        if self.text == other.text:
            return True
        if self.number is not None and other.number is not None:
            return abs(self.number - other.number) < NEAR
        return self.date is not None and self.date == other.date

    @property
    def identity(self) -> tuple[str, object]:
        """What makes a value another one in a set."""
        if self.number is not None:
            return ("number", round(self.number) if abs(self.number - round(self.number)) < NEAR else self.number)
        return ("date", self.date) if self.date is not None else ("text", self.text)


def normalised(text: str) -> str:
    """A text without accents, citation marks, details in parentheses, outer quotes, final period and surplus spaces."""
    text = "".join(c for c in unicodedata.normalize("NFKD", text) if unicodedata.category(c) != "Mn")
    text = DASHES.sub("-", DOUBLE_QUOTES.sub('"', QUOTES.sub("'", text)))
    before = None
    while text != before:
        before = text
        text = _without_marks(text.strip())
        text = _without_parentheses(text.strip())
        text = QUOTED.sub(r"\1", text.strip())
    return re.sub(r"\s+", " ", text.removesuffix(".")).lower().strip()


def _without_marks(text: str) -> str:
    """A text without the citation marks at its end: `[note 1]` behind something, `[1]` anywhere, and single signs.

    The rule's own pattern takes exponential time over `[1][1]...`; this one looks at every letter once.
    """
    end = len(text)
    while end:
        if text[end - 1] in MARKS:
            end -= 1
            continue
        start = _opens(text, "[", "]", end)
        if start == 0:
            numbered = re.fullmatch(r"\[\d+\]", text[:end]) is not None
            start = 0 if numbered else text.find("[", 1, end - 1)
        if text[end - 1] != "]" or start < 0:
            break
        end = start
    return text[:end]


def _without_parentheses(text: str) -> str:
    """A text without the details ` (...)` at its end."""
    end = len(text)
    while end and text[end - 1] == ")" and (start := _opens(text, " (", ")", end)) > 0:
        end = start
    return text[:end]


def _opens(text: str, left: str, right: str, end: int) -> int:
    """Where the last group before `end` opens: at the first `left` behind which no `right` stands; -1 if nowhere."""
    if not text.startswith(right, end - 1):
        return -1
    before = text.rfind(right, 0, end - 1)
    return text.find(left, before + 1, end - 1)


def value_of(text: str, canonical: str = "") -> Value:
    """The value of a text; what it stands for is read from `canonical`, or from the text itself without one."""
    told = canonical or text
    number = _number(told)
    if number is not None:
        return Value(text=normalised(text), number=number)
    date = _date(told)
    if date is None:
        return Value(text=normalised(text))
    year, month, day = date
    if year is not None and month is None and day is None:
        return Value(text=normalised(text), number=year)
    return Value(text=normalised(text), date=date)


def set_of(texts: Sequence[str], canonical: Sequence[str] = ()) -> list[Value]:
    """The values of several texts, equal ones once."""
    return distinct(value_of(text, canonical[place] if canonical else "") for place, text in enumerate(texts))


def distinct(values: Iterable[Value]) -> list[Value]:
    """Equal values once; of two, the first is kept."""
    found: dict[tuple[str, object], Value] = {}
    for value in values:
        found.setdefault(value.identity, value)
    return list(found.values())


def same(gold: Sequence[Value], given: Iterable[Value]) -> bool:
    """Is the answer given the gold one?"""
    found = list(given)
    return len(gold) == len(found) and all(any(value.matches(other) for other in found) for value in gold)


def _number(text: str) -> float | int | None:
    if "_" in text:  # a digit separator of today's Python, unknown to the rule
        return None
    for kind in (int, float):
        try:
            number = kind(text)
            return number if math.isfinite(number) else None
        except ValueError:
            continue
        except OverflowError:  # a whole number beyond every float is compared as text
            return None
    return None


def _date(text: str) -> Date | None:
    """`YYYY-MM-DD`, any part of which may be `xx` for unknown, but not all."""
    parts = text.lower().split("-")
    if len(parts) != 3 or "_" in text:
        return None
    try:
        year = None if parts[0] in ("xx", "xxxx") else int(parts[0])
        month, day = (None if part == "xx" else int(part) for part in parts[1:])
    except ValueError:
        return None
    known = (year, month, day) != (None, None, None)
    return (year, month, day) if known and _in(month, 12) and _in(day, 31) else None


def _in(part: int | None, most: int) -> bool:
    return part is None or 1 <= part <= most
