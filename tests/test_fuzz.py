"""A short fuzz of what others hand in; `bench/fuzz.py` is the long one."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))
from fuzz import fuzz


@pytest.mark.parametrize(
    ("kind", "cases"), [("answers", 120), ("skills", 120), ("logs", 120), ("workbooks", 60), ("replies", 12)]
)
def test_nothing_raises_that_is_not_ours(kind: str, cases: int) -> None:
    wrong, _ = fuzz(kind, cases, seed=2)
    assert not wrong
