"""`trace2skill estimate`: the bill before the run."""

import typer
from rich.markup import escape
from rich.table import Column, Table

from trace2skill.cli import options as o
from trace2skill.cli import settings_groups as group
from trace2skill.cli.console import Console
from trace2skill.cli.settings_options import Given, with_settings
from trace2skill.core import clock
from trace2skill.runs.batching import check_batches
from trace2skill.runs.estimate import Estimate
from trace2skill.runs.estimate import estimate as count
from trace2skill.runs.night import tonight
from trace2skill.runs.refresh import take_in_logs
from trace2skill.runs.runtime import forget_runtimes, runtime


@with_settings(*group.RUN)
def estimate(given: Given, json: o.AsJson = False) -> None:
    """What `trace2skill run` with these options will cost, without asking a model.

    Counts the steps that the store does not have yet, times what such steps took in the store's own history, or stated
    defaults where there is none.
    """
    settings = given.settings()
    check_batches(settings)
    try:
        settings = tonight(settings, runtime(settings).store, clock.today())
        settings, intake = take_in_logs(settings)
        found = count(runtime(settings), intake)
    finally:
        forget_runtimes()
    if json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        print_estimate(found, Console(), batch=settings.operation.batch)


def print_estimate(found: Estimate, console: Console, *, batch: bool = False) -> None:
    """The bill by stages, and how it stands to the cap; `batch`: do calls go in batches where they can?"""
    table = Table(
        "stage", Column("model", overflow="fold"), *map(_figures, ("to pay", "kept", "tokens", "cost", "high"))
    )
    table.add_column("from", no_wrap=True)
    for row in found.stages:
        counts = (str(row.steps), str(row.in_store), _tokens(row.tokens_in + row.tokens_out))
        stage = f"{row.stage}: {row.part.replace('_', ' ')}" if row.part and row.part != row.stage else row.stage
        table.add_row(stage, escape(row.model), *counts, _dollars(row.cost), _dollars(row.high), row.basis)
    console.print(table)
    console.print(f"about ${found.cost:.4f}, up to ${found.high:.4f} if every step is a dear one", highlight=False)
    if found.waits:
        singly, many = found.both
        so = "in batches (counted above)" if batch else "in batches (--batch)"
        most = f"{found.waits} waits of at most 24 h each"
        console.print(
            f"calls of one-call stages: ${singly:.4f} singly, ${many:.4f} {so}; then up to {most}, one after the other "
            "(--batch-hours)",
            highlight=False,
            soft_wrap=True,
        )
    if found.by_hand:
        console.print(f"about {found.by_hand:,} answers are to be given by hand", highlight=False)
    if found.cap is not None:
        within = "stays within" if found.high <= found.cap else "may reach"
        console.print(
            f"this {within} the cap of ${found.cap:.2f} (--max-cost), which no call may pass", highlight=False
        )
    if found.gate and found.gate.in_words:
        console.print(f"[yellow]before you spend[/yellow]: {found.gate.in_words}", highlight=False)


def _figures(name: str) -> Column:
    return Column(name, justify="right", no_wrap=True)


def _tokens(count: int) -> str:
    return f"{count / 1e6:.1f}M" if count >= 1_000_000 else f"{count:,}"


def _dollars(amount: float) -> str:
    return f"${amount:.2f}" if amount >= 1 else f"${amount:.4f}"
