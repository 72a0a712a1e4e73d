"""What a log says besides of a sample, without what tells the expected answer."""

from collections.abc import Iterable
from typing import Any

LEFT_OUT = "[left out: it may tell the target]"
NAMES = {"answer", "answers", "correct_answer", "expected", "expected_answer", "expected_output", "gold", "golden"}
NAMES |= {"ground_truth", "ideal", "reference", "rubric", "solution", "target", "targets"}
"""Fields that hold the expected answer by their names, in whatever words."""
SHORT = 3
"""A target of fewer characters is a value as a whole alone: many a text holds `A` or `5`."""


def without(value: Any, gold: Iterable[Any]) -> Any:
    """A JSON value, its texts and numbers in which a target stands replaced, and fields that are named as one.

    Args:
        value: any; it is not changed.
        gold: targets; what is neither a text nor a number is passed over.
    """
    told = {
        str(one).strip().casefold() for one in gold if isinstance(one, (str, int, float)) and not isinstance(one, bool)
    }
    return _without(value, told - {""})


def _without(value: Any, gold: set[str]) -> Any:
    if isinstance(value, dict):
        return {
            LEFT_OUT if _tells(key, gold) else key: LEFT_OUT
            if str(key).casefold() in NAMES and item not in (None, "", [], {})
            else _without(item, gold)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_without(item, gold) for item in value]
    return LEFT_OUT if _tells(value, gold) else value


def _tells(value: Any, gold: set[str]) -> bool:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return False
    text = str(value).strip().casefold()
    return text in gold or any(len(one) >= SHORT and one in text for one in gold)
