"""The command report: the page of a run, written again, and opened."""

import json as json_module
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from trace2skill.cli import options as o
from trace2skill.cli.look import summary_of
from trace2skill.core.errors import BadInput
from trace2skill.runs.report import write_report
from trace2skill.runs.settings import RunSettings


def report(
    run: Annotated[str, typer.Argument(help="Id of a run; `trace2skill show` lists them.")],
    to: Annotated[Path | None, typer.Option(help="Directory for report.html; the run's own, if not given.")] = None,
    open_it: Annotated[bool, typer.Option("--open", help="Open it in a browser.")] = False,
    store: o.StorePath = None,
    json: o.AsJson = False,
) -> None:
    """Write the report of a run: one page that needs no network, with the decision and everything behind it."""
    opened = o.store_to_look_into(store)
    summary = summary_of(opened, run)
    row = opened.run(run)
    settings = RunSettings.kept(row.settings if row else "{}")
    directory = to or settings.operation.output / run
    try:
        directory.mkdir(parents=True, exist_ok=True)
        path = write_report(opened, summary, settings, directory)
    except OSError as error:
        raise BadInput(f"{directory} cannot be written to: {error.strerror}") from error
    if json:
        typer.echo(json_module.dumps({"report": str(path), "bytes": path.stat().st_size}))
    else:
        typer.echo(str(path))
    if open_it:
        webbrowser.open(path.resolve().as_uri())
