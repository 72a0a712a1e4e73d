"""Stops a command at a moment, and tells how it ended: one process for each, on the session's Prefect server."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import warm
from conftest import PATIENCE, environment
from product import COMMAND

HELD = Path(__file__).with_name("held.py")

UNDER_WAY: list["Command"] = []


@dataclass(frozen=True)
class Stopped:
    """How a command ended: its exit code, what it said on stderr, the seconds it took, and what it left running."""

    code: int
    words: str
    seconds: float
    left: tuple[str, ...]


class Command:
    """A command under way, with all that it starts: a fork where the home has a warm process, unless `start` is asked."""

    def __init__(
        self,
        cwd: Path,
        home: Path,
        *arguments: object,
        hold: tuple[str, str, Path] | None = None,
        calls: Path | None = None,
        start: bool = False,
    ) -> None:
        self._words = (cwd / "stderr").open("w+")
        words, env = [str(word) for word in (*(hold or ()), *arguments)], environment(home, calls)
        self.child: subprocess.Popen[bytes] | warm.Forked
        if (home / "warm").exists() and not start:
            with open(os.devnull, "r+b") as nothing:
                files = [nothing.fileno(), nothing.fileno(), self._words.fileno()]
                self.child = warm.Forked(home / "warm", "held" if hold else "command", words, cwd, env, files)
        else:
            self.child = subprocess.Popen(
                [*([sys.executable, str(HELD)] if hold else [COMMAND]), *words],
                cwd=cwd,
                env=env,
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._words,
            )
        UNDER_WAY.append(self)

    @property
    def said(self) -> str:
        """Its stderr so far."""
        self._words.seek(0)
        return self._words.read()

    def runs(self, words: str) -> bool:
        """Has it started a process whose command line holds these words?"""
        return any(words in _name(process) for process in self.started)

    @property
    def started(self) -> list[psutil.Process]:
        """The processes that it has started and that run."""
        try:
            return psutil.Process(self.child.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def reaches(self, moment: Callable[[], bool]) -> "Command":
        """Wait for the moment; the test fails where the command ends before it."""
        deadline = time.monotonic() + PATIENCE
        while not moment():
            assert self.child.poll() is None, f"it ended before the moment came: {self.said}"
            assert time.monotonic() < deadline, "the moment never came"
            time.sleep(0.05)
        return self

    def stop(self, number: int, *, all_of_it: bool = False) -> Stopped:
        """Send the signal and wait for the end. `all_of_it` sends it as a terminal does, to the whole process group."""
        assert self.child.poll() is None, self.said
        beside = self.started
        before = time.monotonic()
        try:
            if all_of_it:
                assert os.getpgid(self.child.pid) == self.child.pid, "a group of its own"
                os.killpg(self.child.pid, number)
            else:
                self.child.send_signal(number)
            code = self.child.wait(60)
            seconds = time.monotonic() - before
            _, alive = psutil.wait_procs(beside, timeout=2)
            left = tuple(_name(process) for process in alive if _runs(process))
        finally:
            self.end()
        return Stopped(code, " ".join(self.said.split()), seconds, left)

    def end(self) -> None:
        """Nothing of it runs any more."""
        for process in self.started:
            if _runs(process):
                process.kill()
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()


def stage_of(cwd: Path) -> str:
    """The stage that the newest run below a directory is in; '' before its first."""
    found = sorted(cwd.glob(".trace2skill/runs/*/progress.json"), key=lambda path: path.stat().st_mtime)
    try:
        stages = json.loads(found[-1].read_text())["stages"] if found else []
    except (OSError, ValueError):
        return ""
    return stages[-1]["stage"] if stages else ""


def _runs(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _name(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""
