"""How a command runs a flow: Prefect is imported late, and the store is watched."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from trace2skill.cli.console import Console
from trace2skill.cli.live import LiveProgress
from trace2skill.cli.prefect_settings import lean
from trace2skill.cli.project import project_module
from trace2skill.cli.stop import KEPT, stoppable
from trace2skill.core.progress import watched_by
from trace2skill.experiment.grid import ExperimentSettings
from trace2skill.experiment.study import Study
from trace2skill.runs.preflight import check
from trace2skill.runs.runtime import forget_runtimes, runtime
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.sources_check import check_sources
from trace2skill.store import open_store

READ_LOGS = ("ingest:learn_from_logs", "library:refresh_library", "refresh:refresh")
"""Flows that read the logs of their settings; others keep the settings of a run whose logs may be gone."""


def run_flow(name: str, settings: RunSettings, *arguments: Any, quiet: bool = False, **more: Any) -> Any:
    """Run a flow, named 'module:function' below `flows/`, in this process with live progress; returns what it returns.

    Raises:
        BadInput: what is wrong with the settings; see `project_module`.
        Trace2SkillError: whatever ended the flow.
        KeyboardInterrupt: Ctrl-C or SIGTERM; what is finished is kept.
    """
    console = Console(stderr=True)
    if name in READ_LOGS:
        check_sources(settings.data.sources)
    with stoppable(console, KEPT):
        open_store(
            settings.operation.store,
            wait_seconds=settings.operation.store_wait_seconds,
            on_wait=lambda message: console.print(message, highlight=False, markup=False),
        )
        check(runtime(settings))  # what is wrong with the input is said before anything is started
        _say_by_hand(settings, console, quiet)
        lean()
        with starting(console, quiet):
            flow = _load(name)
        with LiveProgress(console, _cost_of(settings), quiet=quiet) as progress, watched_by(progress):
            try:
                return flow(settings, *arguments, **more)
            finally:
                forget_runtimes()


def run_experiment_flow(study: Study, settings: ExperimentSettings, *, quiet: bool = False) -> Any:
    """Run the flow of an experiment whose file was read and whose store is open, as `run_flow` does."""
    console, lead = Console(stderr=True), study.lead
    with stoppable(console, KEPT):
        _say_by_hand(lead.settings, console, quiet)
        lean()
        with starting(console, quiet):
            flow = _load("experiment:experiment")
        cost = lambda: lead.store.ledger_total(study.run_id).cost  # noqa: E731
        with LiveProgress(console, cost, quiet=quiet, united=True) as progress, watched_by(progress):
            try:
                return flow(settings)
            finally:
                forget_runtimes()


def _load(name: str) -> Any:
    module_name, _, function = name.partition(":")
    module, results = project_module(f"flows.{module_name}"), project_module("tasks.results")
    return results.with_store_results(getattr(module, function))


def _say_by_hand(settings: RunSettings, console: Console, quiet: bool) -> None:
    """Where requests wait, and how they are answered: without that the run stands still and nobody knows why."""
    for folder in settings.models.handoffs if not quiet else ():
        console.print(
            f"answered by hand: `trace2skill handoff next {folder}`, and see `trace2skill handoff --help`",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )


@contextmanager
def starting(console: Console, quiet: bool) -> Iterator[None]:
    """Say that Prefect starts: it takes seconds, the first time up to half a minute."""
    if quiet or not console.is_terminal:
        yield
        return
    with console.status("starting Prefect (the first time takes up to half a minute)"):
        yield


def _cost_of(settings: RunSettings) -> Any:
    rt = runtime(settings)
    how = settings.learning  # what is read and the night name the run: neither is known yet
    unknown = settings.data.sources is not None or how.moving_seeds or how.night is not None
    before = rt.store.ledger_total().cost if unknown else 0.0

    def cost() -> float:
        if unknown:
            return rt.store.ledger_total().cost - before
        return rt.store.ledger_total(rt.run_id).cost

    return cost
