"""The command book: the rules that runs over a skill have brought up."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from trace2skill.cli import options as o
from trace2skill.cli.console import Console, flat
from trace2skill.cli.print_library import print_waiting
from trace2skill.cli.skill_given import SkillGiven, address_given, skill_given
from trace2skill.runs.library import waiting_in
from trace2skill.runs.rule_book import ListedRule, listed_book
from trace2skill.safety.shown import shown
from trace2skill.skills.library import is_library

MOST = 30


def book(
    skill: SkillGiven,
    store: o.StorePath = None,
    every: Annotated[bool, typer.Option("--all", help=f"List every rule, not the {MOST} best supported.")] = False,
    json: o.AsJson = False,
) -> None:
    """List the rule book of a skill: each rule, how many tasks ask for it, since when, and where the skill says it.

    A rule that is not in the skill says why not; one that was in a candidate says what became of it, and
    one that was refuted on what evidence, and how much has come since. Where skills that differ in it were rolled out
    on the same evolve tasks, its effect on their pass rate is estimated, with an interval of 95%.
    `trace2skill why` shows the words behind a line of the skill. Of a directory of skills the lessons are listed that
    belong to none of them, so far.
    """
    opened = o.store_to_look_into(store)
    where = address_given(skill)
    if isinstance(where, Path) and is_library(where):
        print_waiting(waiting_in(opened, where), as_json=json)
        return
    found = listed_book(opened, skill_given(skill, opened.beside))
    if json:
        typer.echo(found.model_dump_json(indent=2))
        return
    console = Console()
    console.print(f"{len(found.rules)} rules of {escape(found.skill)}, as {found.run_id} left them", highlight=False)
    listed = found.rules if every else found.rules[:MOST]
    for rule in listed:
        _print(console, rule)
    if len(found.rules) > len(listed):
        console.print(f"and {len(found.rules) - len(listed)} more: --all lists them")
    if found.left_out:
        console.print(f"{found.left_out} statements count for no rule: `trace2skill show {found.run_id}` says why")


def _print(console: Console, rule: ListedRule) -> None:
    seen = f", seen {rule.first_seen}" if rule.first_seen else ""
    seen += f" to {rule.last_seen}" if rule.last_seen != rule.first_seen else ""
    console.print(f"[bold]{rule.tasks:>4} tasks[/bold] {escape(' '.join(shown(rule.says).split()))}", highlight=False)
    where = f"[green]{flat(rule.place)}[/green]" if rule.place else f"not in the skill: {flat(rule.why_not)}"
    opposed = f"; [yellow]opposed by {', '.join(rule.opposed_by)}[/yellow]" if rule.opposed_by else ""
    console.print(f"           {rule.id}{seen}; {where}{opposed}", highlight=False)
    for text in rule.shortened_from:
        console.print(f"           shortened from: {flat(text)}", highlight=False)
    if rule.verdict:
        console.print(f"           [yellow]{escape(rule.verdict.in_words)}[/yellow]", highlight=False)
    for said in rule.reviews:
        console.print(f"           a reviewer: {flat(said)}", highlight=False)
    if rule.effect:
        console.print(f"           {escape(rule.effect.in_words)}", highlight=False)
    if rule.tried:
        many = f"in {len(rule.tried)} candidates; the last was " if len(rule.tried) > 1 else "in one candidate: "
        console.print(f"           {many}{escape(rule.tried[-1].in_words)}", highlight=False)
