"""Comparing two plain numbers, which takes no process: most answers are such, and SymPy takes a second to start.

What is said here is what `math-verify` says; where that is a matter of its rounding, it is asked.
"""

import re
from fractions import Fraction

WHOLE = r"(?:0|[1-9][0-9]{0,11})"
NUMBER = re.compile(
    rf"(?P<sign>-?)(?:(?P<number>{WHOLE}(?:\.[0-9]{{1,4}})?)|\\frac\{{(?P<above>{WHOLE})\}}\{{(?P<below>[1-9][0-9]{{0,11}})\}})"
)
FAR = Fraction(1, 1000)
"""Numbers that differ by so much differ, however they are rounded."""


def same(gold: str, answer: str) -> bool | None:
    r"""Are two answers the same number?

    None where one is not written as `-12`, `1.25` or `\frac{3}{4}`, and where they are close.
    """
    left, right = _read(gold), _read(answer)
    if left is None or right is None:
        return None
    if left == right:
        return True
    return False if abs(left - right) > FAR else None


def _read(text: str) -> Fraction | None:
    found = NUMBER.fullmatch(text)
    if found is None:
        return None
    size = Fraction(found["number"]) if found["number"] else Fraction(int(found["above"]), int(found["below"]))
    return -size if found["sign"] else size
