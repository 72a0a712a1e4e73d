"""ANLS, DocVQA's score of an answer: how close it comes, letter by letter, to the nearest accepted one.

Biten et al. 2019, "Scene Text Visual Question Answering" (https://arxiv.org/abs/1905.13648), equation 1, with the
threshold as the official evaluation of DocVQA has it: below 0.5 becomes 0, and exactly 0.5 stays.
"""

from collections.abc import Iterable

from rapidfuzz.distance import Levenshtein

THRESHOLD, RIGHT = 0.5, 0.9


def anls(answer: str, accepted: Iterable[str]) -> float:
    """The score of an answer in [0, 1]: 0, or 0.5 and above."""
    found = _plain(answer)
    return max((_similarity(found, _plain(right)) for right in accepted), default=0.0)


def is_right(answer: str, accepted: Iterable[str]) -> bool:
    """Is an answer right, as a person would have it: at most a letter in ten is off, and no digit.

    ANLS itself is a soft score. At its threshold '12' is half of '13', which no reader of a page takes for right.
    """
    found = _bare(answer)
    return any(
        found == right or (_similarity(found, right) >= RIGHT and _digits(found) == _digits(right))
        for right in map(_bare, accepted)
    )


def _similarity(found: str, right: str) -> float:
    length = max(len(found), len(right))
    similarity = 1.0 - Levenshtein.distance(found, right) / length if length else 1.0
    return similarity if similarity >= THRESHOLD else 0.0


def _plain(text: str) -> str:
    return " ".join(text.strip().lower().split())


def _bare(text: str) -> str:
    """The text without quotes around it and a full stop behind it."""
    return _plain(text).strip("\"'`“”‘’").removesuffix(".").strip()


def _digits(text: str) -> str:
    return "".join(sign for sign in text if sign.isdigit())
