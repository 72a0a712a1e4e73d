"""How far a run is, in a file beside its results: for whoever watches from another process, and for a retry.

The store belongs to the process that runs; this file is read without it. Times are UTC; the file is no artefact of the
run, so that the wall clock may stand in it.
"""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import psutil
from pydantic import Field, ValidationError

from trace2skill.core import clock
from trace2skill.core.errors import BadInput
from trace2skill.core.failures import Failure
from trace2skill.core.progress import ItemState
from trace2skill.core.record import Record

FILE = "progress.json"
PAUSE_SECONDS = 0.5
State = Literal["running", "waiting", "completed", "failed", "interrupted"]


class StageProgress(Record):
    """One stage: how many of its items have ended, and how."""

    stage: str
    total: int
    done: int = 0
    cached: int = 0
    failed: int = 0
    skipped: int = 0

    @property
    def ended(self) -> int:
        """How many items have ended."""
        return self.done + self.cached + self.failed + self.skipped


class RunProgress(Record):
    """A run as it stands. `waiting` is for a person's approval. Money in US dollars."""

    run_id: str
    kind: str
    state: State = "running"
    message: str = ""
    process: int = 0
    host: str = ""
    started: str = ""
    updated: str = ""
    stages: tuple[StageProgress, ...] = ()
    failures: tuple[Failure, ...] = ()
    cost: float = 0.0
    settings: dict[str, Any] = Field(default_factory=dict)
    arguments: dict[str, Any] = Field(default_factory=dict, description="What the flow was given besides settings.")
    store: str = Field(default="", description="Where the store is, seen from the run's directory.")
    flow_run: str = Field(default="", description="Id of the Prefect flow run, '' where there is none.")

    @property
    def now(self) -> State:
        """The state, or 'interrupted' where the process of a run under way is gone from this machine."""
        if self.state == "running" and self.host == socket.gethostname() and not psutil.pid_exists(self.process):
            return "interrupted"
        return self.state


log = logging.getLogger(__name__)
_WRITER = ThreadPoolExecutor(1, thread_name_prefix="progress")
"""Writes progress files: to put one in the place of another takes a disk longer than a stage should wait."""


class ProgressFile:
    """Writes `progress.json` as a run goes on; at most twice a second, and whenever a stage begins or ends."""

    def __init__(self, directory: Path, first: RunProgress, cost: Callable[[], float]) -> None:
        now = _now()
        self._path = directory / FILE
        self._cost = cost
        self._stages: list[dict[str, Any]] = []
        self._run = first.model_copy(
            update={"process": os.getpid(), "host": socket.gethostname(), "started": now, "updated": now}
        )
        self._written = 0.0
        self._guard, self._writing = threading.Lock(), threading.Lock()
        self._asked = False
        self._write()

    def begin(self, stage: str, total: int) -> None:
        """A stage with so many items begins."""
        with self._guard:
            self._stages.append(StageProgress(stage=stage, total=total).model_dump())
            self._soon()

    def item(self, stage: str, name: str, state: ItemState) -> None:
        """One item has ended."""
        del name
        with self._guard:
            entry = next(entry for entry in reversed(self._stages) if entry["stage"] == stage)
            entry[state] += 1
            if StageProgress(**entry).ended == entry["total"] or time.monotonic() - self._written > PAUSE_SECONDS:
                self._soon()

    def failed(self, failures: Iterable[Failure]) -> None:
        """Items have no result."""
        with self._guard:
            self._run = self._run.model_copy(update={"failures": (*self._run.failures, *failures)})
        self._write()

    def end(self, state: State, message: str = "") -> None:
        """The run has ended, or waits."""
        with self._guard:
            self._run = self._run.model_copy(update={"state": state, "message": message})
        self._write()

    def _soon(self) -> None:
        """Have it written, once however often that is asked before it is. The guard is held."""
        if not self._asked:
            self._asked, self._written = True, time.monotonic()
            _WRITER.submit(self._beside)

    def _beside(self) -> None:
        """Write it, unless its directory is gone. What cannot be written now is at the end of the run, or said then."""
        try:
            if self._path.parent.exists():
                self._write()
        except Exception as error:  # noqa: BLE001 - a closed store, a full disk
            log.warning("%s was not written: %s", self._path, error)

    def _write(self) -> None:
        with self._writing:  # so that none is replaced by an earlier one
            cost = self._cost()
            with self._guard:
                self._asked, self._written = False, time.monotonic()
                stages = tuple(StageProgress(**entry) for entry in self._stages)
                self._run = self._run.model_copy(update={"updated": _now(), "cost": cost, "stages": stages})
                now = self._run
            _write_whole(self._path, now)


def read_progress(output: Path, run_id: str) -> RunProgress:
    """How far a run is.

    Raises:
        BadInput: there is no such run below `output`, or its file is damaged.
    """
    path = output / run_id / FILE
    try:
        return RunProgress.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"no run '{run_id}' below {output}: `trace2skill status` lists them") from error
    except ValidationError as error:
        raise BadInput(f"{path} is damaged: run the command of that run again, which writes it anew") from error


def end_later(output: Path, run_id: str, state: State, message: str) -> None:
    """Say how a run ended that no process carries out any more. Nothing where it has no progress file."""
    try:
        found = read_progress(output, run_id)
    except BadInput:
        return
    ended = found.model_copy(update={"state": state, "message": message, "updated": _now()})
    _write_whole(output / run_id / FILE, ended)


def all_progress(output: Path) -> list[RunProgress]:
    """Every run below a directory, the one that changed last first; damaged files are left out."""
    found = []
    for path in output.glob(f"*/{FILE}"):
        try:
            found.append(RunProgress.model_validate_json(path.read_text(encoding="utf-8")))
        except (OSError, ValidationError):
            continue
    return sorted(found, key=lambda run: (run.updated, run.run_id), reverse=True)


def _write_whole(path: Path, run: RunProgress) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(f".{os.getpid()}")
    beside.write_text(run.model_dump_json(indent=1) + "\n", encoding="utf-8")
    beside.replace(path)


def _now() -> str:
    return clock.now().isoformat(timespec="seconds")
