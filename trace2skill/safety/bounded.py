"""Time that grows with the length of a text and no faster, whoever wrote it.

Python's engine may take the square of a text's length, or the cube, where one part that repeats follows another. A
linear engine (RE2) has neither the look-arounds nor the word ends of all scripts that these expressions need. So what
is looked for has bounds, and long texts are looked at piece by piece; `tests/test_growing_texts.py` tries it.
"""

import re
from collections.abc import Iterator

PIECE, OVERLAP = 4000, 800
"""Characters of a piece, and how much of it the next one sees again."""
MOST = {r"\w": 40, r"[^.]": 400, r"[^.;]": 400, r"[^.;,]": 400}
"""How often a part repeats at most: no word has more letters, and no sentence that a person reads is longer."""
REPEATS = re.compile(r"(?P<part>\\w|\[\^\.[;,]{0,2}\])(?P<sign>[*+])")


def bounded(expression: str) -> str:
    r"""An expression in which words, and the rest of a sentence, have a bound: `\w*` is `\w{0,40}`."""

    def bound(found: re.Match[str]) -> str:
        return f"{found['part']}{{{int(found['sign'] == '+')},{MOST[found['part']]}}}"

    return REPEATS.sub(bound, expression)


def pieces(text: str) -> Iterator[tuple[str, int]]:
    """A text in pieces of at most `PIECE` characters, which end at a blank where there is one.

    Of each the piece, and up to where in it a match is to begin: the next piece has the others whole.
    """
    start = 0
    while len(text) - start > PIECE:
        end = _blank_before(text, start + PIECE, start + PIECE // 2)
        again = _blank_before(text, end - OVERLAP // 2, end - OVERLAP)
        yield text[start:end], again - start
        start = again
    yield text[start:], len(text) - start + 1


def _blank_before(text: str, place: int, least: int) -> int:
    """The place behind the last blank before a place, or the place itself."""
    found = max(text.rfind(sign, least, place) for sign in "\n ")
    return found + 1 if found >= 0 else place
