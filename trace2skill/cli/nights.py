"""The command nights: what the nights of a skill tried, learned and gave up on."""

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from trace2skill.cli import options as o
from trace2skill.cli.console import Console
from trace2skill.cli.skill_given import SkillGiven, skill_given
from trace2skill.runs.nights_page import HEAD, cells, details, nights_of
from trace2skill.safety.shown import shown

MOST = 30


def nights(
    skill: SkillGiven,
    store: o.StorePath = None,
    every: Annotated[bool, typer.Option("--all", help=f"List every night, not the last {MOST}.")] = False,
    json: o.AsJson = False,
) -> None:
    """Say of each night of a skill what was tried and what came of it: scores, what was spent, rules in and out.

    Below the table stands what the last night gave up on and what waits for evidence.
    """
    opened = o.store_to_look_into(store)
    found = nights_of(opened, skill_given(skill, opened.beside).name)
    if json:
        typer.echo(found.model_dump_json(indent=2))
        return
    console = Console()
    if not found.nights:
        console.print(f"no run over a skill called {escape(found.skill)} has ended in this store", highlight=False)
        return
    listed = found.nights if every else found.nights[-MOST:]
    table = Table(*HEAD, title=f"nights of {escape(found.skill)}")
    for item in listed:
        table.add_row(*map(escape, cells(item)))
    console.print(table)
    if len(found.nights) > len(listed):
        console.print(f"and {len(found.nights) - len(listed)} earlier ones: --all lists them")
    console.print(escape(f"the last: {found.nights[-1].reason}"), highlight=False)
    for name, lines in details(found.nights[-1]):
        console.print(f"[bold]{name}[/bold]")
        for line in lines:
            console.print(f"  {escape(' '.join(shown(line).split()))}", highlight=False)
