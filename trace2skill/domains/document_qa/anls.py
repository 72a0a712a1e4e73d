"""ANLS, DocVQA's score of an answer: how close it comes, letter by letter, to the nearest accepted one.

Biten et al. 2019, "Scene Text Visual Question Answering" (https://arxiv.org/abs/1905.13648), equation 1, with the
threshold as the official evaluation of DocVQA has it: below 0.5 becomes 0, and exactly 0.5 stays.
"""

from collections.abc import Iterable

from rapidfuzz.distance import Levenshtein

THRESHOLD = 0.5


def anls(answer: str, accepted: Iterable[str]) -> float:
    """The score of an answer in [0, 1]: 0, or 0.5 and above."""
    found = _plain(answer)
    return max((_similarity(found, _plain(right)) for right in accepted), default=0.0)


def is_right(score: float) -> bool:
    """Does a score count as right for the accuracy?"""
    return score >= THRESHOLD


def _similarity(found: str, right: str) -> float:
    length = max(len(found), len(right))
    similarity = 1.0 - Levenshtein.distance(found, right) / length if length else 1.0
    return similarity if similarity >= THRESHOLD else 0.0


def _plain(text: str) -> str:
    return " ".join(text.strip().lower().split())
