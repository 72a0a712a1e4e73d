"""A log that is no file."""

from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import IO

from trace2skill.traces.base import HEAD_BYTES, Source


class HeldSource(Source):
    """What is no file: a document that came over the network. It is held in memory, and never lies on the disk.

    Args:
        place: what a reading remembers it by.
        name: for people.
        content: its bytes.
        digest: of what they say, whatever the order in which a server writes it.
    """

    def __init__(self, place: str, name: str, content: bytes, digest: str) -> None:
        super().__init__(Path(name), name)
        self._place, self._content, self._digest = place, content, digest

    @property
    def place(self) -> str:
        """See `Source`."""
        return self._place

    def state(self) -> tuple[int, int]:
        """See `Source`."""
        return len(self._content), 0

    def sha256(self) -> str:
        """See `Source`."""
        return self._digest

    @cached_property
    def plain(self) -> Path:
        """There is no file."""
        return self.path

    @cached_property
    def _raw_head(self) -> bytes:
        return self._content[:HEAD_BYTES]

    @cached_property
    def _size(self) -> int:
        return len(self._content)

    def _open(self) -> IO[bytes]:
        return BytesIO(self._content)
