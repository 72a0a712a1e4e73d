"""Merged ranges of a sheet that nobody vouches for: however many there are, and however they lie, looking is quick."""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict

from openpyxl.utils.cell import coordinate_to_tuple

MOST_MERGED_ROWS, MOST_TALL = 2_000_000, 200
TALL = 1_000


class MergedRanges:
    """Merged ranges. Of their cells only the first has a value, whatever the file says."""

    def __init__(self) -> None:
        self._by_row: dict[int, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
        self._firsts: Counter[tuple[int, int]] = Counter()
        self._tall: list[tuple[int, int, int, int]] = []
        self._rows = 0
        self._sorted: set[int] = set()

    def add(self, text: str) -> None:
        """Take in a range, as a file names it.

        Raises:
            ValueError: it is none, or there are more than anything a task needs.
        """
        first, _, last = text.partition(":")
        (top, left), (bottom, right) = _corner(first), _corner(last or first)
        height = bottom - top + 1
        if height < 1 or right < left:
            raise ValueError(f"it has a merged range that is none: {text[:40]}")
        self._rows += min(height, TALL)
        if self._rows > MOST_MERGED_ROWS or len(self._tall) > MOST_TALL:
            raise ValueError("it has more merged ranges than anything a task needs")
        if height > TALL:
            self._tall.append((top, bottom, left, right))
            return
        self._firsts[top, left] += 1
        for row in range(top, bottom + 1):
            starts, ends = self._by_row[row]
            starts.append(left)
            ends.append(right)

    def hides(self, row: int, column: int) -> bool:
        """Does a range hold the cell of which it is not the first? Takes no longer where ranges lie over each other."""
        return self._over(row, column) > self._firsts[row, column] or any(
            top <= row <= bottom and first <= column <= last and (row, column) != (top, first)
            for top, bottom, first, last in self._tall
        )

    def _over(self, row: int, column: int) -> int:
        """How many of the ranges that are not tall hold a cell."""
        if row not in self._by_row:
            return 0
        starts, ends = self._by_row[row]
        if row not in self._sorted:
            starts.sort()
            ends.sort()
            self._sorted.add(row)
        return bisect_right(starts, column) - bisect_left(ends, column)


def _corner(text: str) -> tuple[int, int]:
    row, column = coordinate_to_tuple(text.replace("$", ""))
    return int(row), int(column)
