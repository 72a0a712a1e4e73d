"""How much two texts speak of the same thing, by their words."""

import re


def words(text: str) -> list[str]:
    """Lower-case words and numbers of a text, in order."""
    return re.findall(r"\w+", text.lower())


def similarity(a: str, b: str) -> float:
    """Share of common words, 0 to 1 (Jaccard index of the word sets)."""
    left, right = set(words(a)), set(words(b))
    return len(left & right) / len(left | right) if left | right else 1.0
