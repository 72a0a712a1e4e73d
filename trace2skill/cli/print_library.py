"""What commands print of a run over a library: a row for each skill, what waits, and what is proposed."""

import json
from collections import Counter
from collections.abc import Sequence

import typer
from rich.markup import escape
from rich.table import Table

from trace2skill.cli.console import Console, flat, plain
from trace2skill.runs.library_summary import LibrarySummary
from trace2skill.runs.routing import RoutedLesson
from trace2skill.runs.summary import SIMULATED_NOTE

SHOWN = 20


def print_library(summary: LibrarySummary, *, as_json: bool) -> None:
    """The summary of a run over a library."""
    if as_json:
        typer.echo(summary.model_dump_json(indent=2))
        return
    console = Console()
    console.rule(f"library: {plain(summary.library)} ({summary.run_id})")
    table = Table("skill", "lessons", "used in", "held-out tasks", "lift", "outcome")
    table.columns[0].overflow = "fold"
    for row in summary.skills:
        lift = "" if row.lift is None else f"{row.lift:+.1%}"
        table.add_row(flat(row.name), str(row.lessons), str(row.used), row.tried_on, lift, row.outcome)
    console.print(table)
    for row in summary.skills:
        if row.reason:
            part = f" ({plain(row.run_id)})" if row.run_id else ""
            console.print(f"{flat(row.name)}{part}: {flat(row.reason)}", highlight=False)
    _waiting(console, summary.waiting)
    for new in summary.proposed:
        where = f"written to {plain(new.directory)}" if new.directory else f"not written: {flat(new.why_not)}"
        console.print(
            f"[green]new skill[/green] {flat(new.name)}: {flat(new.description)} Asked for by {len(new.tasks)} tasks; "
            f"{where}",
            highlight=False,
            soft_wrap=True,
        )
    for failure in summary.failures:
        console.print(f"[red]failed[/red] {failure.stage}: {flat(failure.name)}: {flat(failure.message)}")
    for line in summary.sources.as_lines() if summary.sources else ():
        console.print(f"logs: {flat(line)}", highlight=False)
    console.print(f"{escape(summary.headline)}\n{summary.cost_in_words()}", highlight=False)
    if summary.simulated:
        console.print(f"[dim]{SIMULATED_NOTE}[/dim]")


def print_waiting(lessons: Sequence[RoutedLesson], *, as_json: bool) -> None:
    """The lessons that belong to no skill of a library."""
    if as_json:
        typer.echo(json.dumps([item.model_dump(mode="json") for item in lessons], indent=2))
        return
    console = Console()
    console.print(f"{len(lessons)} lessons wait for a skill", highlight=False)
    _waiting(console, lessons)


def _waiting(console: Console, lessons: Sequence[RoutedLesson]) -> None:
    counts = Counter((item.title, item.why) for item in lessons)
    for (title, why), count in counts.most_common(SHOWN):
        said = f"[yellow]{count} wait{'' if count > 1 else 's'}[/yellow] {flat(title)}: {flat(why)}"
        console.print(said, highlight=False)
    if len(counts) > SHOWN:
        console.print(f"and {len(counts) - SHOWN} more: --json has all")
