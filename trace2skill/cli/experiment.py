"""`trace2skill experiment`: the grid of one file."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from trace2skill.cli import options as o
from trace2skill.cli.console import Console, flat
from trace2skill.cli.estimate import print_estimate
from trace2skill.cli.flows import run_experiment_flow
from trace2skill.experiment.estimate import GridEstimate
from trace2skill.experiment.estimate import estimate as count
from trace2skill.experiment.grid import ExperimentSettings
from trace2skill.experiment.pages import in_words
from trace2skill.experiment.result import ExperimentResult
from trace2skill.experiment.study import Study
from trace2skill.experiment.tables import Table as Found
from trace2skill.experiment.tables import tables_of
from trace2skill.runs.runtime import forget_runtimes
from trace2skill.runs.summary import SIMULATED_NOTE
from trace2skill.store import open_store

SHOWN = ("scores", "transfer", "ablations")


def experiment(
    file: Annotated[Path, typer.Argument(help="A YAML file, such as experiments/paper-spreadsheet.yaml.")],
    small: Annotated[bool, typer.Option("--small", help="At the size the file states under `small`.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the grid and the bill, and run nothing.")] = False,
    max_cost: Annotated[float | None, typer.Option(help="Another cap of the whole grid, in US dollars.", min=0)] = None,
    sandbox: Annotated[str | None, typer.Option(help="Another sandbox: auto, bwrap, docker or process.")] = None,
    workers: Annotated[int | None, typer.Option(help="Another number of steps under way.", min=1, max=256)] = None,
    store: o.StorePath = None,
    output: o.Output = Path(".trace2skill/runs"),
    json: o.AsJson = False,
) -> None:
    """Run an experiment: every condition by every author, used by every user, and write the tables.

    The bill is shown first; no call passes the cap. Steps that conditions share are paid for once. What is finished is
    kept: the same command goes on after a failure or Ctrl-C, and a second run makes no model call. Exit code 1 where
    something in the tables is missing.
    """
    settings = o.checked(
        ExperimentSettings,
        file=file,
        small=small,
        store=o.store_path(store),
        output=output,
        workers=workers,
        max_cost=max_cost,
        sandbox=sandbox,
    )
    carry_out(settings, dry_run=dry_run, json=json)


def carry_out(settings: ExperimentSettings, *, dry_run: bool = False, json: bool = False) -> None:
    """Show the bill, run the grid and print the tables; also for `trace2skill retry`.

    Raises:
        Exit: with 1, where something in the tables is missing.
    """
    console = Console(stderr=True)
    open_store(settings.store, on_wait=lambda message: console.print(message, highlight=False, markup=False))
    try:
        study = Study(settings)
        bill = count(study)
        if dry_run:
            _print_bill(Console(), study, bill, as_json=json)
            return
        if not json:
            _print_bill(console, study, bill, as_json=False)
        result = run_experiment_flow(study, settings, quiet=json)
    finally:
        forget_runtimes()
    _print_result(result, as_json=json)
    if result.failures:
        raise typer.Exit(1)


def _print_bill(console: Console, study: Study, bill: GridEstimate, *, as_json: bool) -> None:
    if as_json:
        typer.echo(bill.model_dump_json(indent=2))
        return
    columns = [f"{user} on {tested.name}" for user, tested in study.columns()]
    table = Table("condition", "author", *columns, "made", title=f"{study.experiment.name}: scored runs")
    for row in bill.rows:
        runs = [str(row.runs.get(column, "")) for column in columns]
        table.add_row(row.condition, row.author or "-", *runs, "yes" if row.made else "")
    console.print(table)
    console.print(f"{len(bill.rows)} arms, {bill.runs} scored runs; run {bill.run_id}", highlight=False)
    for tested in study.experiment.sets:
        if tested.why:
            console.print(f"{escape(tested.name)} opens sealed tasks, which is recorded: {escape(tested.why)}")
    print_estimate(bill.estimate, console)


def _print_result(result: ExperimentResult, *, as_json: bool) -> None:
    if as_json:
        typer.echo(result.model_dump_json(indent=2))
        return
    console = Console()
    shown = [found for found in tables_of(result) if found.name in SHOWN]
    if not console.is_terminal:  # a file or a pipe has no width
        console.width = max([console.width, *(_natural_width(console, _table(found)) for found in shown)])
    cut = False
    for found in shown:
        table = _table(found)
        if _natural_width(console, table) > console.width:
            table, cut = _table(found, short=True), True
        console.print(table)
    if cut:
        console.print("[dim]The window is too narrow for intervals: they are in tables.md.[/dim]")
    for failure in result.failures:
        console.print(f"[red]failed[/red] {failure.stage}: {flat(failure.name)}: {flat(failure.message)}")
    spent = result.spent
    console.print(f"{spent.calls} model calls, ${spent.cost:.4f}, all attempts together", highlight=False)
    console.print(f"tables: {result.directory / 'tables.md'} and report.html beside it", soft_wrap=True)
    if result.simulated:
        console.print(f"[dim]{SIMULATED_NOTE}[/dim]")


def _table(found: Found, *, short: bool = False) -> Table:
    table = Table(*found.columns, title=found.title)
    for row in found.rows:
        cells = zip(found.columns, row, strict=True)
        table.add_row(*(escape(in_words(value, signed=column in found.signed, short=short)) for column, value in cells))
    return table


def _natural_width(console: Console, table: Table) -> int:
    """Columns of the terminal that it takes without a line being broken."""
    return console.measure(table, options=console.options.update(width=10_000)).maximum
