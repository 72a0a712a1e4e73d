"""What `triggers --harness` says of an agent's program, and the table of skills."""

from collections.abc import Sequence

from rich.table import Table

from trace2skill.cli.console import Console, flat, plain
from trace2skill.evaluation.trigger_agreement import How, ProgramTriggers
from trace2skill.evaluation.triggers import SkillTriggers
from trace2skill.types.comparison import Interval

SHOWN = 20


def skills_table(skills: Sequence[SkillTriggers]) -> Table:
    """A row a skill."""
    table = Table("skill", "should", "taken up", "right", "precision", "recall")
    for item in skills:
        counts = (str(item.asked), str(item.taken), str(item.right))
        table.add_row(plain(item.name), *counts, share(item.precision), share(item.recall))
    return table


def share(found: Interval | None) -> str:
    """A share with its interval; a dash for none."""
    return f"{found.mean:.0%} ({found.low:.0%} to {found.high:.0%})" if found else "-"


def show_program(found: ProgramTriggers) -> None:
    """What it took up, how that agrees with the choices in one call, and where it does not."""
    console = Console()
    name = " ".join(filter(None, [found.program, found.version]))
    if found.why_unknown:
        console.print(
            f"[yellow]{plain(name)}: unknown[/yellow]: asked for a skill by its name, {flat(found.why_unknown)}: what "
            "it takes up cannot be known, and no query was given to it",
            highlight=False,
        )
    else:
        of = f"{found.queries} queries, {found.should} of which should call for a skill"
        console.print(f"by the records of {plain(name)}, on {of}", highlight=False)
        console.print(skills_table(found.skills))
        console.print(_agreement(found))
        console.print(
            f"both took up the same for {share(found.same)} of the queries where both are known", highlight=False
        )
    for skill, why in found.not_judged.items():
        console.print(f"[yellow]{plain(skill)} is not judged[/yellow]: {flat(why)}", highlight=False)
    for item in found.differences[:SHOWN]:
        took, chosen = ", ".join(item.program or ()) or "none", item.one_call or "none"
        console.print(
            f"[yellow]{plain(took)}[/yellow] and in one call {plain(chosen)}, should be "
            f"{plain(item.wanted or 'none')}: {flat(item.query)[:160]}",
            highlight=False,
        )
    if more := len(found.differences[SHOWN:]):
        console.print(f"and {more} more: --json has all")
    for why, count in found.unknown.items():
        console.print(f"[yellow]{count} unknown[/yellow], which counts for nothing: {flat(why)}", highlight=False)
    known = ", ".join(f"{count} by {source}" for source, count in found.cost_from.items())
    console.print(f"its sessions cost ${found.cost:.4f} ({known or 'none was begun'})", highlight=False)


def _agreement(found: ProgramTriggers) -> Table:
    counts = {(row.one_call, row.program): str(row.queries) for row in found.agreement}
    order: tuple[How, ...] = ("right", "wrong", "unknown")
    table = Table("in one call", *(f"program {how}" for how in order))
    for one in order:
        table.add_row(one, *(counts[one, other] for other in order))
    return table
