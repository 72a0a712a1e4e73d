"""Outcomes out of what logs say about themselves: a reward, a verdict, a grade."""

from functools import lru_cache
from typing import Any

from trace2skill.types.trajectory import Outcome

GOOD = {"c", "correct", "pass", "passed", "true", "yes", "success", "resolved"}
BAD = {"i", "incorrect", "fail", "failed", "false", "no", "n", "noanswer", "unresolved"}


def from_score(score: Any, source: str, reason: str = "") -> Outcome:
    """A score as an outcome: 1 or a word for good passes, a smaller number or a word for bad fails.

    A number beyond 0 to 1, or any other word, says nothing that can be compared: then the outcome is `unknown`.
    `P` (inspect_ai's partial credit) counts half.
    """
    if isinstance(score, bool):
        score = float(score)
    if isinstance(score, str):
        word = score.strip().lower()
        score = 1.0 if word in GOOD else 0.0 if word in BAD else 0.5 if word in ("p", "partial") else word
    if not isinstance(score, (int, float)) or not 0 <= score <= 1:
        return Outcome(kind="unknown", reason=f"the log's score {str(score)[:60]!r} has no scale", source="none")
    return _scored(float(score), source, reason)


@lru_cache(1000)
def _scored(value: float, source: str, reason: str) -> Outcome:
    hard = float(value >= 1.0 - 1e-6)  # tau-bench compares rewards with this tolerance
    kind = "passed" if hard else "failed"
    return Outcome(kind=kind, hard=hard, soft=value, reason=reason or f"score {value:g}", source=source)
