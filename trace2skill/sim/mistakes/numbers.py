"""Mistakes of whoever solves mathematical problems."""

import re
from fractions import Fraction

from trace2skill.sim.mistakes.mistake import planted

WHOLE = re.compile(r"-?\d+")
FRACTION = re.compile(r"(?:\\d?frac\{(?P<top>-?\d+)\}\{(?P<bottom>\d+)\}|(?P<over>-?\d+)/(?P<under>\d+))")


def doubled(answer: str) -> str:
    """A whole number, with every pair counted from both of its ends."""
    return str(2 * int(answer)) if WHOLE.fullmatch(answer) and int(answer) else answer


def one_less(answer: str) -> str:
    """A whole number of posts as the number of the gaps between them."""
    return str(int(answer) - 1) if WHOLE.fullmatch(answer) else answer


def as_decimal(answer: str) -> str:
    """A fraction as a decimal number that is not quite it."""
    found = FRACTION.fullmatch(answer)
    if found is None:
        return answer
    top, bottom = int(found["top"] or found["over"]), int(found["bottom"] or found["under"])
    decimal = f"{top / bottom:.2f}" if bottom else answer
    return answer if bottom and Fraction(decimal) == Fraction(top, bottom) else decimal


def per_one(answer: str) -> str:
    """A whole number of per cent as a share of one."""
    return f"{int(answer) / 100:.2f}" if WHOLE.fullmatch(answer) and 0 < int(answer) <= 100 else answer


NUMBERS = (
    planted(
        "gaps_for_posts",
        one_less,
        prevalence=0.35,
        section="Working it out",
        guidance=(r"\bposts?\b|\bfences?\b|\bdivid(?:er|ing line)s?\b", r"one more|\bplus one\b|add one"),
        title="Posts and gaps",
        when="Applies to counts along a line.",
        contents=(
            "Along a line there is one more post than there are gaps.",
            "Count the posts, not the gaps between them: the gaps plus one.",
            "For a fence add one to the number of its gaps.",
        ),
    ),
    planted(
        "pairs_from_both_sides",
        doubled,
        prevalence=0.3,
        section="Working it out",
        guidance=(r"\bpairs?\b", r"\bhalve\b|\bhalf\b|by two|either side"),
        title="Each pair once",
        when="Applies to handshakes, games and other pairs.",
        contents=(
            "Halve the count where every pair was met from either side.",
            "A pair seen from either side is one pair: divide by two.",
            "Where the order within a pair means nothing, take half of the ordered ones.",
        ),
    ),
    planted(
        "decimal_for_fraction",
        as_decimal,
        prevalence=0.7,
        section="Giving the answer",
        guidance=(r"\bfractions?\b", r"\bdecimals?\b"),
        title="Fractions stay fractions",
        when="Applies where a division leaves a remainder.",
        contents=(
            "Leave a fraction a fraction: its decimal form is another number.",
            "Give fractions in lowest terms, never as decimals that were cut off.",
            "A decimal is no substitute for a fraction that does not end.",
        ),
    ),
    planted(
        "share_for_percent",
        per_one,
        prevalence=0.3,
        section="Giving the answer",
        guidance=(r"per ?cent", r"\bhundred\b"),
        title="Per cent are hundredths",
        when="Applies to percentages and small counts.",
        contents=(
            "Asked for per cent, multiply the share by a hundred before you answer.",
            "A share of one becomes per cent when it is taken a hundred times.",
            "See whether per cent are wanted: then the figure runs to a hundred, not to one.",
        ),
    ),
)
