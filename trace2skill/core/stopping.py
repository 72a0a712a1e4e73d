"""Is this process to stop? Whatever waits looks here, so that Ctrl-C and SIGTERM end a run within seconds.

A signal reaches the main thread alone, and the threads that carry out steps are waited for: each has to end by itself.
"""

import threading

from trace2skill.core.errors import Interrupted

LOOK_SECONDS = 0.2
"""How often a wait that something else may end looks here."""

_asked = threading.Event()


def ask_to_stop() -> None:
    """Whoever waits stops waiting, and nothing new begins."""
    _asked.set()


def go_on() -> None:
    """Work may begin (again)."""
    _asked.clear()


def asked_to_stop() -> bool:
    """Is the process to stop?"""
    return _asked.is_set()


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
