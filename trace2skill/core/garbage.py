"""The garbage collector, told when to wait with what takes long."""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_guard = threading.Lock()
_before: list[tuple[int, int, int]] = []  # one for each block under way
NEVER = 1_000_000


@contextmanager
def no_full_collections() -> Iterator[None]:
    """No full collection while a block runs: each looks through all that orchestration and the patches of a run are,
    more than a million objects that stay, and takes a fifth of a second. Young objects are collected as always.

    Blocks may overlap, in one thread or several: the last one to end lets full collections begin again.
    """
    with _guard:
        now = gc.get_threshold()
        _before.append(_before[0] if _before else now)
        gc.set_threshold(now[0], now[1], NEVER)
    try:
        yield
    finally:
        with _guard:
            usual = _before.pop()
            if not _before:
                gc.set_threshold(*usual)
