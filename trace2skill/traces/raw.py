"""JSON from files that nobody vouches for: deep nesting, huge lines, wrong encodings, NaN, halves of characters.

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

_HUGE = re.compile(rb"[eE]\+?\d{3,}(?=[,\s}\]]|\Z)")
_SHAPE = bytes(48 if n in b"0123456789" else 101 if n in b"eE" else 43 if n == 43 else 32 for n in range(256))
"""Digits become 0, the sign of an exponent e; what no number holds becomes a space."""
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")


def parse(raw: bytes) -> Any:
    """One JSON value. NaN and infinities become None, half surrogates and bytes that are no UTF-8 become U+FFFD.

    Raises:
        ValueError: it is no JSON, or nested too deep. The message says where.
    """
    try:
        value = from_json(raw)
    except ValueError as error:
        value = _second_try(raw, error)
    if b"NaN" in raw or b"Infinity" in raw or _HALF.search(raw) or _has_huge(raw):
        return scrub(value)
    return value


def parse_start(raw: bytes) -> Any:
    """What the start of a document holds, as far as it goes; None where it is no JSON."""
    try:
        return from_json(raw, allow_partial="trailing-strings")
    except ValueError:
        try:
            return from_json(_readable(raw), allow_partial="trailing-strings")
        except ValueError:
            return None


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
    if isinstance(value, int) and value.bit_length() > 1000:
        return hex(value)
    return value


def _has_huge(raw: bytes) -> bool:
    """Could a number have an exponent of three digits and more? Looked up by shape: a pattern alone is far slower."""
    shape = raw.translate(_SHAPE)
    for sign in (b"0e000", b"0e+000"):
        place = shape.find(sign)
        while place >= 0:
            if _HUGE.match(raw, place + 1):
                return True
            place = shape.find(sign, place + 1)
    return False


def _second_try(raw: bytes, error: ValueError) -> Any:
    """Broken characters cost themselves, not the line."""
    message = str(error)
    if "unicode" in message:
        return from_json(_readable(raw))
    if _HALF.search(raw) and "recursion" not in message:
        try:
            return json.loads(_readable(raw))
        except RecursionError as deep:
            raise ValueError("nested too deep") from deep
    raise error


def _readable(raw: bytes) -> bytes:
    return raw.decode("utf-8", "replace").encode()


def _text(text: str) -> str:
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
