"""What `triggers --write-queries` says of the queries that it wrote."""

import typer

from trace2skill.cli.console import Console, flat, plain
from trace2skill.runs.written_queries import QueriesWritten

SHOWN = 12


def show_written(found: QueriesWritten, file: str) -> None:
    """A line a skill, what was not taken, and the first of the queries."""
    console = Console()
    for item in found.skills:
        short = "" if min(item.should, item.near) >= item.wanted else ": fewer than wanted, nothing new came any more"
        of = f"written after {item.requests} requests of users" if item.requests else "written after its text alone"
        console.print(
            f"{plain(item.name)}: {item.should} queries that should call for it, {item.near} near misses, {of}{short}",
            highlight=False,
        )
    for row in found.new[:SHOWN]:
        console.print(f"  {plain(row.skill or 'none')}: {flat(row.query)[:140]}", highlight=False)
    if more := len(found.new) - SHOWN:
        console.print(f"  and {more} more" if more > 0 else "", highlight=False, end="\n" if more > 0 else "")
    if found.not_taken:
        said = ", ".join(f"{count} {why}" for why, count in found.not_taken.items())
        console.print(f"not taken: {said}", highlight=False)
    if found.held_out:
        console.print(f"{found.held_out} requests of held-out tasks were not shown to the writer", highlight=False)
    if found.problems:
        console.print(f"could not be read: {found.problems} ({flat(found.first_problem)})", highlight=False)
    added = f"{len(found.new)} queries were added to {file}" if found.new else f"nothing was added to {file}"
    kept = f"; the {found.kept} that stood there are as they were" if found.kept else ""
    typer.echo(f"{added}{kept}. Read them, and change what your users would not write.")
