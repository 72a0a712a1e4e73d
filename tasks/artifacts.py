"""What the Prefect UI shows of a run besides its graph: progress of stages, tables of scores, failures and cost, links.

Artifacts are for people. Where the server does not take one, the run goes on without it.
"""

import contextvars
import logging
import re
import threading
import time
from collections.abc import Callable
from typing import Any, Self
from uuid import UUID

from prefect.artifacts import (
    create_link_artifact,
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.runtime import flow_run as running

from tasks.figures import readable
from trace2skill.core.digest import digest_of
from trace2skill.experiment.result import ExperimentResult
from trace2skill.runs.library_summary import LibrarySummary
from trace2skill.runs.nights_page import nights_of
from trace2skill.runs.promotion import report_address, report_in_words
from trace2skill.runs.report.facts import costs_of
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.summary import RunSummary

log = logging.getLogger(__name__)
PAUSE_SECONDS = 2.0


class StageArtifact:
    """A progress bar for one stage, there once the stage has run two seconds and moved at most every two after that.

    Each move is a request to the server, which whoever waits for the stage would wait for, too: a stage that is done
    sooner shows in the graph alone.
    """

    def __init__(self, stage: str, total: int, skill: str = "") -> None:
        self._stage, self._total, self._ended, self._moved = stage, total, 0, time.monotonic()
        self._of = f"-{in_key(skill)}" if skill else ""
        self._id: UUID | None = None
        self._start: threading.Timer | None = None
        if running.id:
            here = contextvars.copy_context()  # says which flow run it is that the bar belongs to
            self._start = threading.Timer(PAUSE_SECONDS, here.run, [self._made])
            self._start.daemon = True
            self._start.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._start is not None:
            self._start.cancel()

    def item(self) -> None:
        """One more item has ended."""
        self._ended += 1
        if self._ended == self._total and self._start is not None:
            self._start.cancel()
            self._start.join()  # it may just be at it; then the bar is moved to its end
        if self._id is None or not (self._ended == self._total or time.monotonic() - self._moved > PAUSE_SECONDS):
            return
        self._moved = time.monotonic()
        artifact, share = self._id, self._share
        _kept(lambda: update_progress_artifact(artifact, share))

    @property
    def _share(self) -> float:
        return 100.0 * self._ended / self._total

    def _made(self) -> None:
        key, words = f"stage-{self._stage.replace(' ', '-')}{self._of}", f"{self._stage}: {self._total} items"
        self._id = _kept(lambda: create_progress_artifact(self._share, key=key, description=words))
        self._moved = time.monotonic()


def publish(rt: Runtime, summary: RunSummary) -> None:
    """The result of a refresh: its summary with the skill's diff, tables, and a link to the report.

    The skill is in the keys, so that the UI shows the history of each skill by itself.
    """
    if not running.id:
        return
    name, skill, of = summary.run_id, summary.skill_name, in_key(summary.skill_name)
    _kept(lambda: create_markdown_artifact(summary.as_markdown(), key=f"refresh-summary-{of}", description=name))
    page = _kept(lambda: nights_of(rt.store, skill, summary).as_markdown())
    _kept(lambda: create_markdown_artifact(page or "", key=f"skill-nights-{of}", description=skill))
    _kept(_report(rt, f"refresh-report-{of}"))
    for key, rows in (
        ("refresh-scores", summary.score_rows()),
        ("refresh-failures", [failure.model_dump() for failure in summary.failures]),
        ("refresh-cost", [row.model_dump() for row in costs_of(rt.store, rt.run_id)]),
    ):
        if rows:
            _kept(_table(f"{key}-{of}", rows, name))


def in_key(skill: str) -> str:
    """A skill's name in the key of an artifact, which has small letters, digits and dashes alone."""
    plain = re.sub(r"[^a-z0-9]+", "-", skill.lower()).strip("-")
    return plain if plain == skill else f"{plain}-{digest_of('skill', skill)[:8]}".strip("-")


def publish_library(rt: Runtime, summary: LibrarySummary) -> None:
    """What came of a run over a library, and a link to its page. The library's name is in the keys."""
    if not running.id:
        return
    of, name = in_key(summary.library), summary.run_id
    _kept(lambda: create_markdown_artifact(summary.as_markdown(), key=f"library-summary-{of}", description=name))
    _kept(_report(rt, f"library-report-{of}"))


def publish_experiment(rt: Runtime, result: ExperimentResult) -> None:
    """The tables of an experiment, and a link to its page. Its name is in the keys, as a skill's is."""
    if not running.id:
        return
    page = (result.directory / "tables.md").read_text(encoding="utf-8")
    of, name = in_key(result.experiment.name), result.run_id
    _kept(lambda: create_markdown_artifact(page, key=f"experiment-tables-{of}", description=name))
    _kept(_report(rt, f"experiment-report-{of}"))


def _report(rt: Runtime, key: str) -> Callable[[], Any]:
    """A link where reports are served; else the file's place, for no browser opens a file from a served page."""
    if address := report_address(rt):
        return lambda: create_link_artifact(address, link_text="report", key=key, description=rt.run_id)
    return lambda: create_markdown_artifact(report_in_words(rt), key=key, description=rt.run_id)


def _table(key: str, rows: list[dict[str, Any]], description: str) -> Callable[[], Any]:
    return lambda: create_table_artifact([readable(row) for row in rows], key=key, description=description)


def _kept(make: Callable[[], Any]) -> Any:
    try:
        return make()
    except Exception as error:  # noqa: BLE001 - any failure of the server: what it shows is not what the run is for
        log.warning("an artifact was not kept: %s", error)
        return None
