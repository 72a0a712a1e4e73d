"""Other forms in which a text says the same: letters apart, digits for letters, quotes inside a word of a command.

What is looked for is looked for in these forms, too, where a text has any. Nothing is decoded that a reader would have
to be told how to decode: that it is told so is reason enough.
"""

import re

APART, SHORT_APART = re.compile(r"(?<!\S)(?:\S ){5,400}"), re.compile(r"(?<!\S)(?:\S ){2,400}")
"""Where one long word stands in letters, the short ones do, too."""
LEET = re.compile(r"(?<![\w.-])(?=[a-z0-9@$!]{0,24}[013457@$!][a-z])[a-z0-9@$!]{4,24}(?![\w-])", re.I)
DIGITS = str.maketrans("013457@$!", "oieastasi")
INSIDE = re.compile(
    r"(?<=[A-Za-z])(?:\"([A-Za-z]{1,3})\"|'([A-Za-z]{1,3})'|\\(?=[a-z])|\"\"|''|\$\{?@\}?|\^)(?=[A-Za-z])"
)
FEWEST_LEET = 2


def joined(text: str) -> str:
    """A text in which letters that stand apart are words again; the text itself where there are none."""
    if APART.search(text) is None:
        return text
    return SHORT_APART.sub(lambda found: found[0].replace(" ", ""), text)


def spelt(text: str) -> str:
    """A text in which digits that stand for letters are these; the text itself where fewer than two words have any."""
    if len(LEET.findall(text)) < FEWEST_LEET:
        return text
    return LEET.sub(lambda found: found[0].translate(DIGITS), text)


def unquoted(text: str) -> str:
    """A text without the marks inside words that a shell takes away."""
    return INSIDE.sub(lambda found: found[1] or found[2] or "", text)
