"""The command ingest: learn from what agents did already."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markdown import Markdown

from trace2skill.cli import options as o
from trace2skill.cli.flows import run_bare_flow
from trace2skill.ingest import IngestSettings
from trace2skill.ingest_summary import IngestSummary, as_markdown


def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Log files, and folders of logs.", show_default=False)],
    format: Annotated[str | None, typer.Option(help="Read every file as this format instead of detecting it.")] = None,
    labels: Annotated[
        Path | None, typer.Option(help="JSON or CSV of scores from 0 to 1 by id of trajectory, session or task.")
    ] = None,
    skill: Annotated[
        Path | None, typer.Option("--skill", help="Skill directory to deepen. Without it, an empty one is the start.")
    ] = None,
    name: Annotated[str, typer.Option(help="Name of a new skill.")] = "learned-from-traces",
    analyst: Annotated[str, typer.Option(help="'rules' mines without a model.")] = "rules",
    workers: o.Workers = 8,
    store: o.StorePath = None,
    output: o.Output = Path(".trace2skill/runs"),
    json: o.AsJson = False,
) -> None:
    """Read logs of agents, mine them for lessons, and write a candidate skill. No model is asked, nothing is promoted.

    Formats: see docs/traces.md. Secrets are taken out before anything is stored. Run it again: files that did not
    change are not read again.
    """
    settings = o.checked(
        IngestSettings,
        paths=tuple(paths),
        format=format,
        labels=labels,
        skill=skill,
        name=name,
        analyst=analyst,
        workers=workers,
        store=o.store_path(store),
        output=output,
    )
    summary: IngestSummary = run_bare_flow("ingest:ingest", settings, settings.store, quiet=json)
    if json:
        typer.echo(summary.model_dump_json(indent=2))
    else:
        Console().print(Markdown(as_markdown(summary)))
