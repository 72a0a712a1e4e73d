"""Texts that were looked through and held nothing, so that the same text is not looked through again."""

import sys
from threading import Lock

ENTRY_BYTES = 100
"""About what a set takes for an entry besides the text."""


class CleanTexts:
    """The latest clean texts, at most so many bytes of them. For all threads."""

    def __init__(self, most_bytes: int) -> None:
        self._half = most_bytes // 2
        self.latest: set[str] = set()
        """Those of the newer half: to be asked where a call for each text would cost more than the look."""
        self._old: set[str] = set()
        self._bytes = 0
        self._lock = Lock()

    def __contains__(self, text: str) -> bool:
        return text in self.latest or text in self._old

    def add(self, text: str) -> None:
        """Remember a text. When half of the room is full, the older half is forgotten."""
        size = sys.getsizeof(text) + ENTRY_BYTES
        if size > self._half:
            return
        with self._lock:
            if text in self.latest:
                return
            if self._bytes + size > self._half:
                self._old, self.latest, self._bytes = self.latest, set(), 0
            self.latest.add(text)
            self._bytes += size

    def forget(self) -> None:
        """Forget every text."""
        with self._lock:
            self.latest, self._old, self._bytes = set(), set(), 0
