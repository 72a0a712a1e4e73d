"""Commands for whoever looks after runs: status, watch, failures, retry, approve."""

import importlib
import json as json_module
import time
from collections import Counter
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from trace2skill.cli import options as o
from trace2skill.cli.console import Console, flat, plain
from trace2skill.cli.experiment import carry_out
from trace2skill.cli.flows import run_flow
from trace2skill.cli.print import print_summary
from trace2skill.cli.print_library import print_library
from trace2skill.core.errors import BadInput, FormUnreadable
from trace2skill.core.forms import from_value
from trace2skill.experiment.grid import ExperimentSettings
from trace2skill.runs.approvals import carry_out as carry_out_approval
from trace2skill.runs.approvals import waiting_run
from trace2skill.runs.library_summary import LibrarySummary
from trace2skill.runs.promotion import Approval
from trace2skill.runs.run_progress import RunProgress, all_progress, read_progress
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.summary import RunSummary

FLOWS = {
    "run": "refresh:refresh",
    "rollout": "rollout:rollout_all",
    "evaluate": "evaluate:evaluate_skills",
    "ablate": "ablate:ablate",
    "shrink": "shrink:shrink_skill",
    "drift": "drift:drift_watch",
    "ingest": "ingest:learn_from_logs",
    "library": "library:refresh_library",
}
S = TypeVar("S", RunSettings, ExperimentSettings)
STATES = {"running": "cyan", "waiting": "yellow", "completed": "green", "failed": "red", "interrupted": "yellow"}
RunId = Annotated[str, typer.Argument(help="Id of a run; `trace2skill status` lists them.")]


def status(
    run: Annotated[str | None, typer.Argument(help="Id of a run; without one, all runs are listed.")] = None,
    output: o.Output = Path(".trace2skill/runs"),
    json: o.AsJson = False,
) -> None:
    """How far runs are: stages, failures, cost. Works while a run is under way, from any process."""
    found = [read_progress(output, run)] if run else all_progress(output)
    if json:
        dumped = [{**item.model_dump(mode="json", exclude={"settings"}), "state": item.now} for item in found]
        typer.echo(json_module.dumps(dumped[0] if run else dumped, indent=2))
        return
    if run:
        Console().print(_page(found[0]))
        return
    table = Table("run", "state", "last stages", "failed", "cost", "changed (UTC)")
    table.columns[0].no_wrap = True
    for item in found:
        stages = ", ".join(f"{stage.stage} {stage.ended}/{stage.total}" for stage in item.stages[-2:])
        state = f"[{STATES[item.now]}]{item.now}[/]"
        table.add_row(item.run_id, state, stages, str(len(item.failures)), f"${item.cost:.4f}", item.updated[5:16])
    Console().print(table)


def watch(run: RunId, output: o.Output = Path(".trace2skill/runs")) -> None:
    """Follow a run until it ends. Ctrl-C ends the watching and not the run."""
    console = Console()
    shown = read_progress(output, run)
    with Live(_page(shown), console=console, refresh_per_second=4, transient=console.is_terminal) as live:
        while shown.now in ("running", "waiting"):
            time.sleep(1)
            shown = read_progress(output, run)
            live.update(_page(shown))
    console.print(_page(shown))


def failures(run: RunId, output: o.Output = Path(".trace2skill/runs"), json: o.AsJson = False) -> None:
    """What failed in the last attempt of a run and why, by stage and kind."""
    found = read_progress(output, run)
    if json:
        typer.echo(json_module.dumps([item.model_dump(mode="json") for item in found.failures], indent=2))
        return
    console = Console()
    if not found.failures:
        console.print(f"nothing failed in {plain(run)} ({found.now})", highlight=False)
        return
    kinds = Counter((item.stage, item.kind) for item in found.failures)
    for (stage, kind), count in sorted(kinds.items()):
        console.print(f"{stage}: {count} {kind}", highlight=False)
    table = Table("stage", "item", "kind", "message")
    for item in found.failures:
        table.add_row(item.stage, flat(item.name), item.kind, flat(item.message))
    console.print(table)
    console.print(f"`trace2skill retry {plain(run)}` runs these again, and nothing that is done", highlight=False)


def retry(
    run: RunId,
    max_cost: Annotated[float | None, typer.Option(help="Another cap of the run in US dollars.", min=0)] = None,
    output: o.Output = Path(".trace2skill/runs"),
    json: o.AsJson = False,
) -> None:
    """Run again what failed, was interrupted or was not reached. What is done costs nothing again."""
    found = read_progress(output, run)
    if found.now == "waiting":
        raise BadInput(f"run '{run}' waits for an approval: answer it in the Prefect UI, or `trace2skill promote`")
    if found.kind == "experiment":
        carry_out(_settings(found, ExperimentSettings, max_cost), json=json)
        return
    settings = _settings(found, RunSettings, max_cost)
    if whole := settings.operation.of_library:
        raise BadInput(f"run '{run}' is the part of a run over a library that is about one skill: retry '{whole}'")
    if settings.operation.promote == "approve" and found.flow_run:
        raise BadInput(
            f"run '{run}' asks a person, as only a flow run of a deployment can: press its Retry in the Prefect UI, or "
            f"`prefect flow-run retry {found.flow_run}`"
        )
    result = run_flow(FLOWS[found.kind], settings, quiet=json, **found.arguments)
    if isinstance(result, RunSummary):
        print_summary(result, as_json=json)
        return
    if isinstance(result, LibrarySummary):
        print_library(result, as_json=json)
        return
    ended = read_progress(output, run)
    if json:
        typer.echo(ended.model_dump_json(indent=2, exclude={"settings"}))
    else:
        Console().print(_page(ended))


def approve(
    run: RunId,
    no: Annotated[bool, typer.Option("--no", help="Do not promote.")] = False,
    why: Annotated[str, typer.Option(help="Why; it is kept with the version.")] = "",
    store: o.StorePath = None,
    json: o.AsJson = False,
) -> None:
    """Answer a run that waits for an approval, here and not in the Prefect UI: also where its flow run was lost."""
    opened = o.existing_store(store)
    waiting = waiting_run(opened, run)
    summary = carry_out_approval(opened, waiting, Approval(given=not no, reason=why))
    left = _withdrawn(waiting.flow_run)
    if left:
        Console(stderr=True).print(left, highlight=False, markup=False, soft_wrap=True)
    if json:
        typer.echo(summary.model_dump_json(indent=2))
    else:
        typer.echo(f"{summary.skill_name}: {'promoted' if summary.promoted else 'not promoted'}: {summary.approval}")


def _withdrawn(flow_run: str) -> str:
    """End the flow run that asked; returns what a person must know where that is not possible, else ''."""
    return str(importlib.import_module("tasks.answers").withdraw(flow_run)) if flow_run else ""


def _settings(run: RunProgress, kind: type[S], max_cost: float | None) -> S:
    """The settings that the run was started with, with another cap if one is given.

    Raises:
        BadInput: another version wrote them.
    """
    try:
        settings = from_value(run.settings, kind)
    except FormUnreadable as error:
        raise BadInput(
            f"run '{run.run_id}' was made by another version, whose settings are not understood: {error}"
        ) from error
    if max_cost is None:
        return settings
    if isinstance(settings, RunSettings):
        return settings.changed(max_cost=max_cost)
    return settings.model_copy(update={"max_cost": max_cost})


def _page(run: RunProgress) -> RenderableType:
    table = Table("stage", "items", "done", "from the store", "failed", "skipped")
    for item in run.stages:
        counts = (item.done, item.cached, item.failed, item.skipped)
        table.add_row(item.stage, f"{item.ended} of {item.total}", *(str(count) if count else "" for count in counts))
    head = f"{run.run_id} ({run.kind}): [{STATES[run.now]}]{run.now}[/], ${run.cost:.4f}, changed {run.updated}"
    parts: list[RenderableType] = [head, table]
    if run.message:
        parts.append(escape(run.message))
    return Group(*parts)
