"""When two cell values are the same, by the official rule of SpreadsheetBench (its evaluation/evaluation.py).

Numbers, bools and strings that `float()` takes are rounded to two decimals; a datetime becomes its Excel serial rounded
to the day; a time loses its seconds and equals "09:30"; None equals ""; anything else is compared as it is.
"""

import datetime

EPOCH = datetime.datetime(1899, 12, 30)


def normalise(value: object) -> object:
    """A value in the form it is compared in."""
    if isinstance(value, (bool, int, float)):
        try:
            return _rounded(float(value))
        except OverflowError:  # a whole number beyond every float
            return str(value) if abs(value) < 10**4000 else "beyond every number"
    if isinstance(value, datetime.datetime):
        return round((value.replace(tzinfo=None) - EPOCH).total_seconds() / 86_400, 0)
    if isinstance(value, datetime.time):
        return value.strftime("%H:%M")
    if isinstance(value, str):
        try:
            return _rounded(float(value))
        except ValueError:
            return value
    return value


def same(expected: object, got: object) -> bool:
    """Are two cell values the same under the rule?"""
    left, right = normalise(expected), normalise(got)
    if _empty(left) and _empty(right):
        return True
    if type(left) is not type(right):
        return False
    return left == right or (left != left and right != right)  # a NaN written is a NaN expected


def _empty(value: object) -> bool:
    return value is None or value == ""


def _rounded(value: float) -> float:
    return round(value, 2)
