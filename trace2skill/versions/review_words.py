"""What a reviewer's comment does: it rejects a line, words it otherwise, or is a note. By its form alone.

Nothing is guessed from what a comment says: words that begin it, or a block that the forge itself makes, decide. All of
it is somebody's text, to be kept within bounds and to be believed in nothing.
"""

import re
from typing import Literal, NamedTuple

from trace2skill.skills.markdown import block_tokens, split_lines

Means = Literal["reject", "wording", "note"]
LONGEST_READ, LONGEST_LINE = 20_000, 500
"""Characters of a comment that are read, and of a wording that a skill may have for a line."""
REJECTS = re.compile(
    r"(?:[ \t]{0,20}\r?\n){0,20} {0,3}"
    r"(?:(?P<asked>/reject[:,.;!]{0,3}(?=\s|\Z))"
    r"|(?:reject(?:ed)?|no)[ \t]{0,3}(?::|[.!][ \t]{0,3}(?:\r?\n|\Z)|\s{0,20}\Z))",
    re.IGNORECASE,
)
"""`/reject`; or `reject`, `rejected` or `no` with a colon, as a sentence of the first line, or as all that is said."""
SUGGESTS = re.compile(r"suggestion(?::-0\+0)?")
"""What the forges' own suggestions of one line are called, for one line."""


class Meaning(NamedTuple):
    """What a comment does, and the words that it puts in the place of a line, '' for none."""

    means: Means
    wording: str = ""
    unfit: str = ""
    """Why a suggestion is a note, '' where there is none."""


NOTE = Meaning("note")


def meaning_of(text: str, *, answers: bool = False) -> Meaning:
    """What a comment does where its author may vote. An empty suggestion takes the line out, and so rejects it.

    A suggestion of several lines, or in the place of several, is a note: which of them is which rule is not said. So is
    one that stands inside of something else, or that is no line of text.

    Args:
        text: of the comment.
        answers: it answers another one: whether its `no` is said to the line or to that is not known.
    """
    read = text[:LONGEST_READ]
    if said := REJECTS.match(read):
        return Meaning("reject") if said["asked"] or not answers else NOTE
    inside = _suggested(read)
    if inside is None:
        return NOTE
    lines = [line.rstrip() for line in inside.splitlines() if line.strip()]
    if not lines:
        return NOTE if answers else Meaning("reject")
    if len(lines) > 1:
        return Meaning("note", unfit="it suggests several lines")
    fits = len(lines[0]) <= LONGEST_LINE and is_line_of_text(lines[0].strip())
    return Meaning("wording", lines[0]) if fits else Meaning("note", unfit="what it suggests is no line of text")


def _suggested(text: str) -> str | None:
    """What stands in the one suggestion of a comment; None where there are none or several, or it does not end."""
    if "suggestion" not in text:
        return None
    found = [token for token in block_tokens(text) if token.type == "fence" and token.info.startswith("suggestion")]
    if len(found) != 1 or not SUGGESTS.fullmatch(found[0].info.strip()) or not found[0].markup.startswith("`"):
        return None
    first, end = found[0].map or (0, 0)
    last = split_lines(text)[end - 1].strip()
    return found[0].content if end - first > 1 and last.startswith(found[0].markup) and not last.strip("`") else None


def is_line_of_text(line: str) -> bool:
    """Is a line of Markdown one paragraph with words in it, or an item of a list with one and nothing else?

    A rule whose line is a fence, a ruler, a definition or HTML would be none, and swallow what stands below it.
    """
    kinds = [token.type for level in range(4) for token in block_tokens(line, level)]
    alone = kinds in (["paragraph_open"], ["paragraph_open", "inline"])
    item = kinds[1:] in (["list_item_open", "paragraph_open"], ["list_item_open", "paragraph_open", "inline"])
    return (alone or (item and kinds[0].endswith("list_open"))) and re.search(r"\w", line) is not None
