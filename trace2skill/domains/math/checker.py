"""Comparing two answers within a time, from any thread.

`math-verify` works with SymPy, which can think about a short answer for ever, and its own time limits are signals,
which reach only the main thread. So the comparing is done by small processes (`comparing`) that are kept while they
answer in time, and replaced when they do not.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from trace2skill.core.errors import InfrastructureFault
from trace2skill.core.record import Record

PROGRAM = Path(__file__).with_name("comparing.py")
AT_ONCE = 2


class Equality(Record):
    """Whether two answers are the same. `problem` says why that could not be told, which counts as not the same."""

    same: bool
    problem: str = ""


class Checker:
    """Keeps comparing processes. One for the program (`CHECKER`); each process ends when its input is closed."""

    def __init__(self) -> None:
        self._idle: list[subprocess.Popen[str]] = []
        self._guard = threading.Lock()
        self._slots = threading.BoundedSemaphore(AT_ONCE)

    def compare(self, gold: str, answer: str, seconds: float) -> Equality:
        """Are two answers in LaTeX the same? Not where it takes longer than `seconds` of computing.

        Raises:
            InfrastructureFault: `math-verify` does not start.
        """
        request = json.dumps({"gold": gold, "answer": answer, "seconds": seconds})
        with self._slots:
            process = self._take()
            said = _ask(process, request)
            if said:
                with self._guard:
                    self._idle.append(process)
                return Equality(same=json.loads(said))
            _end(process)
        if process.returncode == -signal.SIGPROF:
            return Equality(same=False, problem=f"it could not be compared within {seconds:g} seconds")
        return Equality(same=False, problem="it is nothing that can be compared: the checker broke on it")

    def _take(self) -> "subprocess.Popen[str]":
        with self._guard:
            if self._idle:
                return self._idle.pop()
        # No secret of ours is in its environment, though it runs nothing but the comparison.
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH") if name in os.environ}
        process = subprocess.Popen(
            [sys.executable, "-P", str(PROGRAM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=kept,
            text=True,
            encoding="utf-8",
        )
        if not _line(process):
            _end(process)
            raise InfrastructureFault(
                f"math-verify does not start: `{sys.executable} -P {PROGRAM}` ended with code {process.returncode}"
            )
        return process


def _ask(process: "subprocess.Popen[str]", request: str) -> str:
    """The reply, '' where the process died over it."""
    assert process.stdin is not None
    try:
        process.stdin.write(request + "\n")
        process.stdin.flush()
    except OSError:
        return ""
    return _line(process)


def _line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def _end(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.communicate()


CHECKER = Checker()


def _forget() -> None:
    """A forked child must not talk to its parent's processes."""
    global CHECKER
    CHECKER = Checker()


os.register_at_fork(after_in_child=_forget)
