"""Stop means stop: Ctrl-C, SIGTERM and SIGHUP end a command within seconds, whatever it waits for.

The signal reaches the main thread; sandboxes are ended and whatever waits is told (`core.stopping`), and then the
command ends as any other does. A call of a model that is under way cannot be called back, though, and a server may take
minutes to answer. So the command has a few seconds, and then the process leaves: what is finished is in the store.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from trace2skill.cli.console import Console
from trace2skill.core.errors import Trace2SkillError
from trace2skill.core.stopping import what_goes_on
from trace2skill.sandbox.running import allow_running, end_running

GRACE_SECONDS = 2.5
"""How long a command may take to end by itself."""
LAST_SECONDS = 1.0
"""How long the store may take after that to write what waits."""
ONE_SECONDS = 1.0
"""What comes so soon after the first signal is the same one: Prefect sends SIGTERM to its own process again."""
INTERRUPTED = 130
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""Asked to, interrupted, and the terminal is gone. What is ignored from the start, as `nohup` does, stays ignored."""
AGAIN = "interrupted: run the same command again: {command}"
KEPT = "interrupted; everything finished is kept: run the same command to go on: {command}"
"""What a run says."""
_ours = [False]
_over: list["_Ending"] = []
_active: list["_Ending"] = []


def leave_on_signals() -> None:
    """The process is the command's own: `stoppable` may end it. A program that calls the library ends itself."""
    _ours[0] = True


def leave_if_stopped() -> None:
    """End the process of a command that a signal has ended; it does not return then.

    What Python does at its own end may be aborted, after all was said and kept, by threads that are still in a call.
    """
    if _over:
        _over[-1].leave()


@contextmanager
def stoppable(console: Console, words: str = AGAIN) -> Iterator[None]:
    """Let SIGTERM end the block as Ctrl-C does, and say in `words` what was kept and how it goes on.

    A block within another has words of its own and shares the rest. Signals reach the main thread alone: what a program
    starts in another one is the program's to end.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    if _active:
        with _active[-1].saying(words):
            yield
        return
    ending = _Ending(console, words)
    allow_running()
    _active.append(ending)
    with _watched(ending):
        heeded = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
        before = {number: signal.signal(number, ending.interrupt) for number in heeded}
        try:
            yield
        finally:
            _active.pop()
            if ending.begun:  # typer turns a KeyboardInterrupt into exit code 130 and says nothing
                ending.say()
            if ending.begun and _ours[0]:
                _over.append(ending)
            else:
                for number, handler in before.items():
                    signal.signal(number, handler)


@contextmanager
def _watched(ending: "_Ending") -> Iterator[None]:
    """See signals at once, in a thread of its own: the main thread may wait where none reaches Python for minutes."""
    heard, told = os.pipe()
    os.set_blocking(told, False)
    before = signal.set_wakeup_fd(told, warn_on_full_buffer=False)

    def listen() -> None:
        while numbers := os.read(heard, 64):
            for number in numbers:
                if number in SIGNALS:
                    ending.begin("thread")

    watching = threading.Thread(target=listen, name="signals", daemon=True)
    watching.start()
    try:
        yield
    finally:
        if not (ending.begun and _ours[0]):  # else the process ends, and a second signal ends it at once
            signal.set_wakeup_fd(before)
            os.close(told)
            watching.join()
            os.close(heard)


class _Ending:
    """The end of a command: it has begun once a signal came."""

    def __init__(self, console: Console, words: str) -> None:
        self._console = console
        self._words = words
        self._said = threading.Lock()
        self._guard = threading.Lock()
        self._heard = {"thread": 0, "handler": 0}
        self._signals = 0
        self._first = 0.0

    @property
    def begun(self) -> bool:
        """Has a signal come?"""
        return self._signals > 0

    def begin(self, who: str) -> None:
        """A signal came: whatever waits is told, and the process has little time left. A second one ends it at once.

        The thread and the handler each hear of every signal, unless an event loop has taken the thread's place.
        """
        with self._guard:
            self._heard[who] += 1
            if self._heard[who] <= self._signals or (self.begun and time.monotonic() - self._first < ONE_SECONDS):
                return
            self._signals = self._heard[who]
            self._first = self._first or time.monotonic()
        if not _ours[0]:
            end_running()
            return
        timer = threading.Timer(GRACE_SECONDS if self._signals == 1 else 0.0, self.leave)
        timer.daemon = True
        timer.start()
        end_running()

    def interrupt(self, *_: object) -> None:
        """The signal handler proper, in the main thread, as soon as Python gets to it."""
        threading.Thread(target=self.begin, args=("handler",), daemon=True).start()  # a lock may be held right here
        end_running()
        raise KeyboardInterrupt

    @contextmanager
    def saying(self, words: str) -> Iterator[None]:
        """Other words for the block."""
        before, self._words = self._words, words
        try:
            yield
        except KeyboardInterrupt:
            self.say()
            raise
        finally:
            self._words = before

    def say(self) -> None:
        """Say once what was kept."""
        if self._said.acquire(blocking=False):
            from trace2skill.cli.repeat import in_words  # it knows all settings, and seldom has anything to say

            command = in_words([Path(sys.argv[0]).name, *sys.argv[1:]])
            for line in (self._words.format(command=command), *what_goes_on()):
                self._console.print(line, highlight=False, markup=False, soft_wrap=True)

    def leave(self) -> None:
        """End the process, with what it started; it does not return."""
        try:
            end_running()
            self.say()
            _within(LAST_SECONDS, _close_stores)
            _end_prefect()
        finally:
            for stream in (sys.stdout, sys.stderr):
                with suppress(Exception):
                    stream.flush()
            os._exit(INTERRUPTED)


def _within(seconds: float, work: Callable[[], None]) -> None:
    doing = threading.Thread(target=work, daemon=True)
    doing.start()
    doing.join(seconds)


def _close_stores() -> None:
    if "trace2skill.runs.runtime" in sys.modules:  # what was never imported has nothing open
        _end_runs()
    if "trace2skill.store" in sys.modules:
        from trace2skill.store import close_all

        close_all()


def _end_runs() -> None:
    from trace2skill.runs.refresh import end
    from trace2skill.runs.runtime import open_runtimes

    for opened in open_runtimes():
        with suppress(Trace2SkillError, OSError):
            row = opened.store.run(opened.run_id)
            if row is not None and row.state == "running":
                end(opened, "interrupted", message="stopped by a signal")
        opened.store.close()


def _end_prefect() -> None:
    """The server that this process started for itself; a lasting one is not touched."""
    module = sys.modules.get("prefect.server.api.server")
    servers = getattr(getattr(module, "SubprocessASGIServer", None), "_instances", {})
    for server in list(servers.values()):
        started = getattr(server, "server_process", None)
        if started is not None:
            started.kill()
