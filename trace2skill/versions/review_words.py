"""What a reviewer's comment does: it rejects a line, words it otherwise, or is a note. By its form alone.

Nothing is guessed from what a comment says: words that begin it, or a block that the forge itself makes, decide. All of
it is somebody's text, to be kept within bounds and to be believed in nothing.
"""

import re
from typing import Literal, NamedTuple

Means = Literal["reject", "wording", "note"]
LONGEST_READ, LONGEST_LINE = 20_000, 500
"""Characters of a comment that are read, and of a wording that a skill may have for a line."""
REJECTS = re.compile(
    r"\s{0,20}(?:/reject\b|(?:reject(?:ed)?|no)[ \t]{0,3}(?::|[.!]?[ \t]{0,3}(?:\r?\n|\Z)))", re.IGNORECASE
)
"""`/reject`, or `reject`, `rejected` or `no` with a colon, or alone on the first line."""
SUGGESTS = re.compile(
    r"^[ \t]{0,3}(?P<fence>`{3,20})suggestion(?P<more>:-\d{1,4}\+\d{1,4})?[ \t]{0,3}\r?$", re.MULTILINE
)


class Meaning(NamedTuple):
    """What a comment does, and the words that it puts in the place of a line, '' for none."""

    means: Means
    wording: str = ""


def meaning_of(text: str) -> Meaning:
    """What a comment does where its author may vote. An empty suggestion takes the line out, and so rejects it.

    A suggestion of several lines, or in the place of several, is a note: which of them is which rule is not said.
    """
    read = text[:LONGEST_READ]
    if REJECTS.match(read):
        return Meaning("reject")
    blocks = list(SUGGESTS.finditer(read))
    if len(blocks) != 1 or blocks[0]["more"] not in (None, ":-0+0"):
        return Meaning("note")
    inside: list[str] = []
    for line in read[blocks[0].end() :].splitlines()[1:]:
        if line.strip() == blocks[0]["fence"]:
            break
        inside.append(line)
    else:
        return Meaning("note")  # the block has no end
    said = [line.rstrip() for line in inside if line.strip()]
    if not said:
        return Meaning("reject")
    return Meaning("wording", said[0]) if len(said) == 1 and len(said[0]) <= LONGEST_LINE else Meaning("note")
