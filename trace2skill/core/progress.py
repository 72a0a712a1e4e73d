"""How a run tells whoever watches it what is done: stages with items, each done, cached, failed or skipped."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, Protocol

log = logging.getLogger(__name__)
ItemState = Literal["done", "cached", "failed", "skipped"]


class Progress(Protocol):
    """Someone who watches. Called from the thread that gathers a stage."""

    def begin(self, stage: str, total: int) -> None:
        """A stage with so many items begins."""

    def item(self, stage: str, name: str, state: ItemState) -> None:
        """One item has ended."""


class LoggedProgress:
    """The default: a line in the log when a stage begins and for each item that failed."""

    def begin(self, stage: str, total: int) -> None:
        """See `Progress`."""
        log.info("%s: %d items", stage, total)

    def item(self, stage: str, name: str, state: ItemState) -> None:
        """See `Progress`."""
        if state == "failed":
            log.warning("%s: %s failed", stage, name)


_watching: list[Progress] = [LoggedProgress()]


def watcher() -> Progress:
    """Who watches now."""
    return _watching[-1]


@contextmanager
def watched_by(progress: Progress) -> Iterator[None]:
    """Let `progress` watch for the block. One run per process is watched at a time."""
    _watching.append(progress)
    try:
        yield
    finally:
        _watching.remove(progress)
