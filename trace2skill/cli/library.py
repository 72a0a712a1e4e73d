"""The command library: what could be done about a library of skills."""

import typer
from rich.markup import escape

from trace2skill.cli import options as o
from trace2skill.cli.console import Console, flat
from trace2skill.cli.skill_given import library_given
from trace2skill.core.errors import BadInput
from trace2skill.runs.library_proposals import review_library


def library(
    skills: str = typer.Argument(help="A directory of skills."),
    store: o.StorePath = None,
    json: o.AsJson = False,
) -> None:
    """Propose to split, merge or retire skills of a library, with the evidence behind each. Nothing is changed.

    Split: the rules of a skill fall into groups that no task asks for together. Merge: two skills say the same, or
    sessions nearly always take up both. Retire: no session used a skill, or held-out tasks are passed as well without
    it. It goes by the skills and by what the store holds of runs over them; what is not known is said.
    """
    found = library_given(skills)
    if len(found) < 2:
        raise BadInput(f"{skills} holds one skill: name a directory of several")
    review = review_library(o.store_to_look_into(store), found)
    if json:
        typer.echo(review.model_dump_json(indent=2))
        return
    console = Console()
    console.print(f"{len(review.skills)} skills, {len(review.runs)} runs over them, {review.use.sessions} sessions")
    for item in review.proposals:
        console.print(f"[bold]{item.kind}[/bold] {flat(' and '.join(item.skills))}: {flat(item.why)}", highlight=False)
        for line in item.evidence:
            console.print(f"  {escape(line)}", highlight=False, soft_wrap=True)
    if not review.proposals:
        console.print("nothing is proposed")
    for line in review.unknown:
        console.print(f"[yellow]not known[/yellow]: {escape(line)}", highlight=False, soft_wrap=True)
