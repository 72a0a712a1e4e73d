"""An end for a request as a whole: each byte that a server sends would give it as much time again, its headers too."""

import socket
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Any

from trace2skill.core import stopping


class Deadline:
    """Ends the connection of the request within the block after so many seconds, or when the process is to stop.

    `seen` is httpx's extension `trace` of the request: it tells which connection there is. One that was made for an
    earlier request goes on being used, so that one `Deadline` serves all requests of a client, one after the other.
    """

    def __init__(self) -> None:
        self.passed = False
        self._stream: Any = None
        self._done = threading.Event()
        self._until = 0.0

    def within(self, seconds: float) -> "Deadline":
        """The block that comes next may take so many seconds."""
        self._until = time.monotonic() + seconds
        return self

    def seen(self, event: str, info: dict[str, Any]) -> None:
        """Take note of a connection that was made."""
        made = info.get("return_value")
        if event.endswith(".complete") and hasattr(made, "get_extra_info"):
            self._stream = made

    def __enter__(self) -> "Deadline":
        self.passed, self._done = False, threading.Event()
        threading.Thread(target=self._watch, args=(self._done,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._done.set()

    def _watch(self, done: threading.Event) -> None:
        while not done.wait(min(stopping.LOOK_SECONDS, max(0.0, self._until - time.monotonic()))):
            self.passed = self.passed or time.monotonic() >= self._until
            if self.passed or stopping.asked_to_stop():
                with suppress(OSError, AttributeError):  # not connected yet, or not any more
                    self._stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
                if done.wait(stopping.LOOK_SECONDS):
                    return
