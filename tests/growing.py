"""Texts on which a regular expression may take long, made out of the expression itself, and the CPU that it takes.

Python's engine takes more than linear time where a part that repeats can be left and entered again in several ways, or
where a search from each place of a text reads to its end before it fails. So for each part that repeats there is a text:
what leads to it, what it repeats so often that the text has a given length, and something on which the match fails.
"""

import re
import time
from collections.abc import Iterator
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

CANDIDATES = "a0 A\n.-_/:=\"'<[(`|,;xX1z#*{\\\u00e4\u0430\u4e0d"
"""What a set of characters is tried with."""
ENDS = ("", "\0", "!", "\n\0", " \0")
MOST_VARIANTS = 3


def texts_for(pattern: re.Pattern[str], length: int) -> Iterator[str]:
    """Texts of about a length that lead into each part of a pattern that repeats, and end so that it may fail."""
    parsed = _parser.parse(pattern.pattern, pattern.flags)
    seen = set()
    for lead, bodies in _repeats(list(parsed), ""):
        for body in bodies:
            for start in dict.fromkeys(("", lead)):
                if not body or (start, body) in seen:
                    continue
                seen.add((start, body))
                filled = start + body * max(1, (length - len(start)) // len(body))
                for end in ENDS:
                    yield filled + end
                for unit in dict.fromkeys((start, start + body, start + "\n", start + body + "\n")) if start else ():
                    yield unit * max(1, length // len(unit))
    whole = _sample(list(parsed))
    if whole:
        yield whole * max(1, length // len(whole))
        yield whole[:-1] * max(1, length // max(1, len(whole) - 1)) if len(whole) > 1 else ""


def _repeats(items: list[Any], lead: str) -> Iterator[tuple[str, list[str]]]:
    """For each part that repeats: what may stand before it, and several texts that it may repeat."""
    for kind, given in items:
        if kind in REPEATS:
            _, most, inner = given
            if most > MOST_VARIANTS:
                yield lead, [*dict.fromkeys(_sample(list(inner), place) for place in range(MOST_VARIANTS))]
            yield from _repeats(list(inner), lead)
        elif kind is op.SUBPATTERN:
            yield from _repeats(list(given[3]), lead)
        elif kind is op.BRANCH:
            for branch in given[1]:
                yield from _repeats(list(branch), lead)
        elif kind in (op.ASSERT, op.ASSERT_NOT):
            yield from _repeats(list(given[1]), lead)
        elif kind is op.ATOMIC_GROUP:
            yield from _repeats(list(given), lead)
        lead += _sample([(kind, given)])


REPEATS = tuple(getattr(op, name) for name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"))


def _sample(items: list[Any], variant: int = 0) -> str:
    """A text that the items match, as short as may be; other variants choose other characters and branches."""
    return "".join(_sample_of(kind, given, variant) for kind, given in items)


def _sample_of(kind: Any, given: Any, variant: int) -> str:
    if kind is op.LITERAL:
        return chr(given)
    if kind is op.NOT_LITERAL:
        return _nth([sign for sign in CANDIDATES if ord(sign) != given], variant)
    if kind is op.ANY:
        return _nth(["a", " ", "0"], variant)
    if kind is op.IN:
        return _nth([sign for sign in CANDIDATES if _holds(given, sign)] or [_first(given)], variant)
    if kind is op.SUBPATTERN:
        return _sample(list(given[3]), variant)
    if kind is op.ATOMIC_GROUP:
        return _sample(list(given), variant)
    if kind is op.BRANCH:
        return _sample(list(_nth(list(given[1]), variant)), variant)
    if kind in REPEATS:
        least, most, inner = given
        return _sample(list(inner), variant) * max(least, 1 if variant == 2 and most else least)
    return ""


def _nth(some: list[Any], number: int) -> Any:
    return some[number % len(some)]


def _holds(given: Any, sign: str) -> bool:
    code, found, negated = ord(sign), False, False
    for kind, value in given:
        if kind is op.NEGATE:
            negated = True
        elif kind is op.LITERAL:
            found |= value == code
        elif kind is op.RANGE:
            found |= value[0] <= code <= value[1]
        elif kind is op.CATEGORY:
            found |= re.match({
                op.CATEGORY_DIGIT: r"\d", op.CATEGORY_NOT_DIGIT: r"\D", op.CATEGORY_SPACE: r"\s",
                op.CATEGORY_NOT_SPACE: r"\S", op.CATEGORY_WORD: r"\w", op.CATEGORY_NOT_WORD: r"\W",
            }[value], sign) is not None  # fmt: skip
    return found != negated


def _first(given: Any) -> str:
    for kind, value in given:
        if kind is op.LITERAL:
            return chr(value)
        if kind is op.RANGE:
            return chr(value[0])
    return "a"


def cpu_of(pattern: re.Pattern[str], text: str, *, at_start: bool = False) -> float:
    """Seconds of CPU to find every match in a text, or the one at its start."""
    before = time.process_time()
    if at_start:
        pattern.match(text)
        pattern.fullmatch(text)
    else:
        for _ in pattern.finditer(text):
            pass
    return time.process_time() - before
