"""The command shrink: a smaller skill that is no worse."""

from typing import Any

import typer

from trace2skill.cli import options as o
from trace2skill.cli import settings_groups as group
from trace2skill.cli.console import Console, plain
from trace2skill.cli.flows import run_flow
from trace2skill.cli.settings_options import Given, with_settings
from trace2skill.runs.shrunk import Shrunk

LEARNED = {"learning": {"shrink": {"of": "learned"}}}
"""What the command does unless it is told otherwise; a run does nothing of it."""


@with_settings(
    *group.SHRINK,
    texts={
        "skill": "The directory the skill is used from; it has to be the champion.",
        "shrink": "Which lines may go: those that runs have learned, or those of people, too.",
    },
)
def shrink(given: Given, json: o.AsJson = False) -> None:
    """Take out of a skill what has no measured effect, is never used or is said twice, and see that nothing is lost.

    What runs of this skill have left in the store says what may go, and rollouts of the skill without some of its rules
    on evolve tasks. What is smaller by a tenth then has to pass the gate: on held-out tasks it loses less than
    --shrink-loss. `run --shrink learned` does the same each night, after its own candidate.
    """
    found: Any = run_flow("shrink:shrink_skill", given.settings(base=LEARNED), quiet=json)
    if json:
        typer.echo(found.model_dump_json(indent=2))
        return
    show_shrunk(Console(), found)


def show_shrunk(console: Console, found: Shrunk) -> None:
    """What came of it, and a line for each part."""
    console.print(plain(found.in_words), highlight=False)
    for line in found.as_lines():
        console.print(f"  {plain(line)}", highlight=False)
