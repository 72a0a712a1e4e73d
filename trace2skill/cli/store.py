"""`trace2skill store`: what the store holds, dropping what is old, and taking it out as files."""

import json as json_module
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from trace2skill.cli.console import Console
from trace2skill.cli.options import AsJson, StorePath, existing_store, store_to_look_into
from trace2skill.store.housekeeping import export_store, prune_store, store_stats

store_app = typer.Typer(help="Look into the store, drop what is old, take it out as files.", no_args_is_help=True)


@store_app.command()
def stats(store: StorePath = None, json: AsJson = False) -> None:
    """Rows and size per table, and what the calls in the ledger have cost."""
    found = store_stats(store_to_look_into(store))
    if json:
        typer.echo(found.model_dump_json(indent=2))
        return
    table = Table("table", "rows", "oldest", "newest", title=f"{found.path}, {found.file_bytes / 1e6:.1f} MB")
    for row in found.tables:
        table.add_row(row.name, str(row.rows), row.oldest, row.newest)
    Console().print(table)
    total = found.ledger
    Console().print(f"{total.calls} calls paid for, {total.from_memory} answered from memory, ${total.cost:.4f}")


@store_app.command()
def prune(
    older_than_days: Annotated[int, typer.Option(help="Drop what was written more than so many days ago.", min=0)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and drop nothing.")] = False,
    store: StorePath = None,
    json: AsJson = False,
) -> None:
    """Drop old results, model calls, observations and what they made. Ledger, runs and skills stay.

    Whatever is needed again later is computed, and paid for, again.
    """
    counts = prune_store(existing_store(store), older_than_days, dry_run=dry_run)
    if json:
        typer.echo(json_module.dumps(counts))
        return
    verb = "would drop" if dry_run else "dropped"
    typer.echo(f"{verb}: " + ", ".join(f"{count} {name}" for name, count in counts.items()))


@store_app.command()
def export(
    directory: Annotated[Path, typer.Argument(help="A new or empty directory.")],
    store: StorePath = None,
) -> None:
    """Write every table as a Parquet file, and the ledger as CSV, too."""
    written = export_store(store_to_look_into(store), directory)
    typer.echo(f"wrote {len(written)} files to {directory}")
