"""JSON from files that nobody vouches for: deep nesting, huge lines, wrong encodings, NaN, NUL, halves of characters.

What can be read is read, and what cannot costs one line. The nesting limit is that of the parser, 200 levels.
"""

import json
import math
import re
from typing import Any

from pydantic_core import from_json

LONGEST_LINE = 64 * 1024 * 1024
WHOLE_DOCUMENT = 24 * 1024 * 1024
DEEPEST = 200
LARGEST = 2**1000

_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
_WITHIN = re.compile(r" at line \d+ column (\d+)\Z")
_NO_JSON: Any = object()
NUL, SHOWN_NUL = "\0", "\N{SYMBOL FOR NULL}"
"""No text column of a database takes the first."""


def parse(raw: bytes) -> Any:
    """One JSON value. NaN and Infinity become None, half surrogates and bytes that are no UTF-8 become U+FFFD.

    Numbers too large for a float are infinite in it, and texts hold NUL, as looking for them in every text takes half
    as long as parsing: what is kept of the value goes through `storable`, or `scrub`.

    Raises:
        ValueError: it is no JSON, or nested too deep. The message says where.
    """
    try:
        return from_json(raw, allow_inf_nan=False)
    except ValueError as error:
        again = _second_try(raw, str(error))
        if again is _NO_JSON:
            raise  # here: an error that is raised where a name still holds it keeps all that led to it in memory
        return scrub(again)


def parse_text(text: str) -> Any:
    """One JSON value out of a text, as `parse` does it.

    Raises:
        ValueError: see `parse`.
    """
    try:
        return from_json(text, allow_inf_nan=False)
    except ValueError:
        return parse(text.encode("utf-8", "replace"))


def without_line(error: ValueError) -> str:
    """What `parse` said of one line of a file: the column, and not the line within that line."""
    return _WITHIN.sub(r" at column \1", str(error))


def parse_start(raw: bytes) -> Any:
    """What the start of a document holds, as far as it goes; None where it is no JSON."""
    try:
        return from_json(raw, allow_partial="trailing-strings")
    except ValueError:
        try:
            return from_json(_readable(raw), allow_partial="trailing-strings")
        except ValueError:
            return None


def storable(value: Any) -> Any:
    """The value itself, or a scrubbed one where a number in it is infinite or has hundreds of digits, or a text NUL."""
    waiting = [value]
    for item in waiting:
        if isinstance(item, str):
            if NUL in item:
                return scrub(value)
            continue
        if isinstance(item, dict):
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item
        elif (isinstance(item, float) and not math.isfinite(item)) or (isinstance(item, int) and abs(item) > LARGEST):
            return scrub(value)
    return value


def scrub(value: Any, depth: int = 0) -> Any:
    """The value without what no store takes: numbers that are none, integers of hundreds of digits, half characters.

    Raises:
        ValueError: nested deeper than `DEEPEST`.
    """
    if depth > DEEPEST:
        raise ValueError(f"nested deeper than {DEEPEST} levels")
    if isinstance(value, dict):
        return {_text(key): scrub(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [scrub(item, depth + 1) for item in value]
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, int) and abs(value) > LARGEST:
        return hex(value)
    return value


def _second_try(raw: bytes, message: str) -> Any:
    """NaN and broken characters cost themselves, not the line. `_NO_JSON` where nothing of this is what is wrong."""
    if "unicode" in message:
        return from_json(_readable(raw))
    if _HALF.search(raw) and "recursion" not in message:
        try:
            return json.loads(_readable(raw))
        except RecursionError as deep:
            raise ValueError("nested too deep") from deep
    if b"NaN" in raw or b"Infinity" in raw:
        return from_json(_readable(raw))
    return _NO_JSON


def _readable(raw: bytes) -> bytes:
    return raw.decode("utf-8", "replace").encode()


def _text(text: str) -> str:
    if NUL in text:
        text = text.replace(NUL, SHOWN_NUL)
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
