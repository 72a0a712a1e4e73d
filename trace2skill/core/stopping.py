"""Is this process to stop? Whatever waits looks here, so that Ctrl-C and SIGTERM end a run within seconds.

A signal reaches the main thread alone, and the threads that carry out steps are waited for: each has to end by itself.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from trace2skill.core.errors import Interrupted

LOOK_SECONDS = 0.2
"""How often a wait that something else may end looks here."""

_asked = threading.Event()
_goes_on: list[str] = []


def ask_to_stop() -> None:
    """Whoever waits stops waiting, and nothing new begins."""
    _asked.set()


def go_on() -> None:
    """Work may begin (again)."""
    _asked.clear()
    _goes_on.clear()


def asked_to_stop() -> bool:
    """Is the process to stop?"""
    return _asked.is_set()


@contextmanager
def leaving(words: str) -> Iterator[None]:
    """Something goes on elsewhere if the process ends within the block: `words` say what, and what goes on with it."""
    _goes_on.append(words)
    try:
        yield
    except BaseException as error:
        if isinstance(error, Exception) and not isinstance(error, Interrupted):
            _goes_on.remove(words)  # who is stopped says them; what failed says so itself
        raise
    _goes_on.remove(words)


def what_goes_on() -> tuple[str, ...]:
    """What goes on elsewhere, of the blocks that a stop has ended."""
    return tuple(_goes_on)


def check() -> None:
    """Go on, unless the process is to stop.

    Raises:
        Interrupted: it is.
    """
    if _asked.is_set():
        raise Interrupted("the run was interrupted")


def sleep(seconds: float) -> None:
    """Wait so many seconds.

    Raises:
        Interrupted: the process is to stop; at once, however long was still to wait.
    """
    if _asked.wait(max(0.0, seconds)):
        check()
