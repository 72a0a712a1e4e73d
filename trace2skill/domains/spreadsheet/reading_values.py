"""Cell values as JSON and back."""

import datetime
from typing import Any

KINDS: dict[str, type[Any]] = {
    "datetime": datetime.datetime,
    "date": datetime.date,
    "time": datetime.time,
}


def packed(value: object) -> object:
    """A value as JSON can hold it: what JSON does not know is a pair of kind and text."""
    if value is None or isinstance(value, (bool, str, float)) or (isinstance(value, int) and abs(value) < 2**53):
        return value
    if isinstance(value, datetime.timedelta):
        return ["timedelta", value.total_seconds()]
    if type(value).__name__ in KINDS:
        return [type(value).__name__, value.isoformat()]  # type: ignore[attr-defined]
    return ["int", hex(value)] if isinstance(value, int) else ["str", str(value)]


def unpacked(value: Any) -> object:
    """The value of `packed`."""
    if not isinstance(value, list):
        return value
    kind, text = value
    if kind == "timedelta":
        return datetime.timedelta(seconds=text)
    if kind == "int":
        return int(text, 16)
    return KINDS[kind].fromisoformat(text) if kind in KINDS else text
