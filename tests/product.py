"""The product as a user runs it: its entry point in this process, or a process of its own.

In this process a command is the same code from the arguments to the exit code, without the seconds that a new
interpreter takes to import Prefect and LiteLLM and to start a server. A test that is about processes (signals, kills,
locks, a server of the command's own) starts them with `process`.
"""

import contextlib
import io
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import warm
from conftest import environment

COMMAND = str(Path(sys.executable).parent / "trace2skill")
PATIENCE = 1200.0
"""Seconds after which a command counts as hung: far more than it takes on a busy machine."""


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit code."""

    returncode: int
    stdout: str
    stderr: str

    @property
    def complaint(self) -> str:
        """Stderr as one line, however it was wrapped."""
        return " ".join(self.stderr.split())


def run(cwd: Path, home: Path, *arguments: object, calls: Path | None = None, code: int = 0) -> Said:
    """A command in this process, with the Prefect server of `home`; the test fails on another exit code."""
    from prefect.settings import PREFECT_API_URL, temporary_settings

    from trace2skill.cli.app import main
    from trace2skill.runs.runtime import forget_runtimes
    from trace2skill.store.database import close_all

    out, err = io.StringIO(), io.StringIO()
    known = environment(home, calls)
    with contextlib.ExitStack() as stack:
        stack.enter_context(patch.dict(os.environ, known, clear=True))
        stack.enter_context(patch.object(sys, "argv", [COMMAND, *map(str, arguments)]))
        stack.enter_context(contextlib.chdir(cwd))
        stack.enter_context(temporary_settings({PREFECT_API_URL: known["PREFECT_API_URL"]}))
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(err))
        try:
            main()
            ended: Any = 0
        except SystemExit as end:
            ended = end.code or 0
        finally:  # as the end of a process does
            forget_runtimes()
            close_all()
    done = Said(ended, out.getvalue(), err.getvalue())
    assert done.returncode == code, done.stdout + done.stderr
    return done


def process(cwd: Path, home: Path, *arguments: object, calls: Path | None = None, code: int = 0) -> Said:
    """A command as a process of its own."""
    done = subprocess.run(
        [COMMAND, *map(str, arguments)],
        cwd=cwd,
        env=environment(home, calls),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return Said(done.returncode, done.stdout, done.stderr)


def forked(
    cwd: Path, home: Path, *arguments: object, calls: Path | None = None, said: Path | None = None
) -> warm.Forked:
    """A command as a process forked from the warm one of a home, which runs while the test goes on.

    What it says goes to a file, where one is given.
    """
    with open(os.devnull, "r+b") as nothing, said.open("wb") if said else contextlib.nullcontext(nothing) as words:
        files = [nothing.fileno(), words.fileno(), words.fileno()]
        return warm.Forked(home / "warm", "command", [*map(str, arguments)], cwd, environment(home, calls), files)


def started(cwd: Path, home: Path, *arguments: object, calls: Path | None = None) -> "subprocess.Popen[str]":
    """A command that runs while the test goes on, in a session of its own; what it says on stderr can be read."""
    return subprocess.Popen(
        [COMMAND, *map(str, arguments)],
        cwd=cwd,
        env=environment(home, calls),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
