"""The garbage collector, told when to wait with what takes long.

Blocks may overlap, in one thread or several, and of both kinds: each has what it asked for while it runs, and the last
one to end puts back what was set before. A search that somebody has turned off stays off.
"""

import gc
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

NEVER = 1_000_000
YOUNG = 20_000
"""So many new objects, in place of Python's 700 or 2,000, before the youngest are looked through."""

_guard = threading.Lock()
_before: list[tuple[int, int, int]] = []  # one for each block under way


def no_full_collections() -> AbstractContextManager[None]:
    """No full collection while a block runs: each looks through all that orchestration and the patches of a run are,
    more than a million objects that stay, and takes a fifth of a second. Young objects are collected as always.
    """
    return _at_least(0, NEVER)


def few_collections() -> AbstractContextManager[None]:
    """Seldom any collection while files are read: parsed JSON and steps hold no cycles, and most are gone before they
    would be looked through. Memory grows by what cycles `YOUNG` new objects hold.
    """
    return _at_least(YOUNG, 0)


@contextmanager
def _at_least(young: int, full: int) -> Iterator[None]:
    with _guard:
        now = gc.get_threshold()
        _before.append(_before[0] if _before else now)
        if now[0]:
            gc.set_threshold(max(now[0], young), now[1], max(now[2], full))
    try:
        yield
    finally:
        with _guard:
            usual = _before.pop()
            if not _before:
                gc.set_threshold(*usual)
