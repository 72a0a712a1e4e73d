"""Commands around logs: ingest, quarantine, reveal."""

import json as json_module
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.markup import escape

from trace2skill.cli import options as o
from trace2skill.cli import settings_groups as group
from trace2skill.cli.console import Console, plain
from trace2skill.cli.flows import run_flow
from trace2skill.cli.live import LiveProgress
from trace2skill.cli.print import print_dry_run, print_summary
from trace2skill.cli.print_library import print_library
from trace2skill.cli.settings_options import Given, put, settings_of, with_settings
from trace2skill.consolidate.quarantine import UNSEEN, Quarantined, waiting
from trace2skill.consolidate.quarantine import allow as let_in
from trace2skill.core.errors import BadInput
from trace2skill.core.progress import watched_by
from trace2skill.mined.repository import RepositoryAddress
from trace2skill.runs.dry_run import dry_run as look
from trace2skill.runs.gate_on_mined import MINED, NO_AGENT, tasks_to_gate_on
from trace2skill.runs.held_back import united
from trace2skill.runs.ingest import agent_of, of_logs, shown_as_data
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.summary import RunSummary
from trace2skill.safety.redaction_map import RedactionMap
from trace2skill.safety.shown import shown
from trace2skill.skills.library import is_library
from trace2skill.store.address import directory_beside


@with_settings(*group.INGEST, texts={"model": "LiteLLM name of the model that examines the logs."})
def ingest(
    given: Given,
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Log files, folders of logs, and trace stores (langfuse+https://...).", show_default=False),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of a new skill.", show_default="learned-from-traces")] = None,
    analyst: Annotated[
        Literal["rules", "model"] | None,
        typer.Option(help="'rules' needs no model; 'model', the default with --model, asks for evidence."),
    ] = None,
    gate_on: Annotated[
        str | None,
        typer.Option(
            metavar="mined|FOLDER",
            help="Hold tasks out, and let the agent try them with what was learned and without: 'mined' mines them "
            "from these logs, as `trace2skill mine` does; else a folder of shell tasks or of questions.",
            show_default=False,
        ),
    ] = None,
    repository: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[NAME=]DIR",
            help="With --gate-on mined: a git clone or bare repository that sessions began in; may be given again.",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be read, and how each session ended; keep nothing.")
    ] = False,
    json: o.AsJson = False,
) -> None:
    """Learn from what agents did already: read their logs, examine each segment, write a candidate skill.

    Without --model no model is asked. Nothing is promoted without held-out tasks: with --gate-on mined they are made of
    sessions of these logs, from which nothing is learned then. Who tries them is --model or --agent-model (handoff/DIR
    is answered by hand), or --harness. Then `trace2skill propose-pr RUN`, or --promote pull_request. Formats: see
    docs/traces.md. Secrets are taken out before anything is stored. Run it again: files that did not change are not
    read again.
    """
    fixed: dict[str, Any] = {"data.sources.paths": tuple(paths), "data.path": shown_as_data(paths[0])} if paths else {}
    fixed |= {f"data.sources.{key}": value for key, value in (("name", name), ("analyst", analyst)) if value}
    made = given.tree()
    for place, value in fixed.items():
        put(made, place, value)
    settings = settings_of(of_logs(made))
    if repository and gate_on != MINED:
        raise BadInput("--repository says where sessions began whose tasks are mined: give --gate-on mined with it")
    if gate_on and not dry_run:
        there = [RepositoryAddress.parsed(text) for text in repository or ()]
        settings = settings_of(of_logs(made, *_tasks_for(gate_on, made, settings, there, quiet=json)))
    if dry_run and settings.data.sources is not None:
        with LiveProgress(Console(stderr=True), lambda: 0.0, quiet=json) as progress, watched_by(progress):
            found = look(settings.data.sources)
        print_dry_run(found, as_json=json)
        return
    if is_library(settings.data.skill):
        print_library(run_flow("library:refresh_library", settings, quiet=json), as_json=json)
        return
    summary: RunSummary = run_flow("ingest:learn_from_logs", settings, quiet=json)
    print_summary(summary, as_json=json)


def _tasks_for(
    gate_on: str, made: dict[str, Any], settings: RunSettings, there: list[RepositoryAddress], *, quiet: bool
) -> tuple[Path | None, str]:
    """The tasks to gate on, or None and why there are none."""
    if not agent_of(made):
        return None, NO_AGENT
    if gate_on != MINED:
        return Path(gate_on), ""
    with LiveProgress(Console(stderr=True), lambda: 0.0, quiet=quiet) as progress, watched_by(progress):
        return tasks_to_gate_on(settings, there)


def quarantine(
    allow: Annotated[
        list[str] | None, typer.Option(help="Id of a finding to let into skills from now on; may be given again.")
    ] = None,
    why: Annotated[str, typer.Option(help="Why it is allowed; it is recorded.")] = "",
    store: o.StorePath = None,
    json: o.AsJson = False,
) -> None:
    """Review what the screening keeps out of skills, and allow what is harmless.

    A finding that is allowed gets in with the next run: run the same command again, nothing else is computed anew.
    """
    opened = o.existing_store(store) if allow else o.store_to_look_into(store)
    allowed = let_in(opened, allow, why) if allow else []
    left = united(waiting(opened))
    if json:
        rows = {"allowed": [item.model_dump() for item in allowed], "waiting": [_as_row(item) for item in left]}
        typer.echo(json_module.dumps(rows, indent=2))
        return
    console = Console()
    for finding in allowed:
        console.print(f"[green]allowed[/green] {finding.id}: {escape(str(finding))}", highlight=False)
    for item in left:
        console.print(f"[bold]{escape(shown(' '.join(item.text.split())))}[/bold]", highlight=False)
        console.print(f"  asked by {plain(', '.join(item.trajectories[:5]))}{_more(item)}", highlight=False)
        for finding in item.findings:
            console.print(f"  {finding.id} {escape(str(finding))}", highlight=False)
        if item.is_suspected:
            console.print(f"  {UNSEEN}", highlight=False)
    if not left:
        console.print("nothing is in quarantine")


def reveal(
    trajectory: Annotated[str, typer.Argument(help="Id of an imported trajectory.")],
    store: o.StorePath = None,
    json: o.AsJson = False,
) -> None:
    """Show what was redacted in a trajectory, from the map that never leaves this machine."""
    secrets = RedactionMap(directory_beside(o.store_path(store)))
    found = secrets.revealed(trajectory)
    if not found:
        raise BadInput(f"{secrets.path} knows nothing of a trajectory {trajectory}")
    if json:
        typer.echo(json_module.dumps(found, indent=2))
        return
    for name, value in found.items():
        typer.echo(f"{name} {shown(value)}")


def _more(item: Quarantined) -> str:
    return f" and {len(item.trajectories) - 5} more" if len(item.trajectories) > 5 else ""


def _as_row(item: Quarantined) -> dict[str, Any]:
    findings = [{"id": finding.id, **finding.model_dump()} for finding in item.findings]
    return {**item.model_dump(mode="json"), "findings": findings}
