"""`trace2skill handoff next`: the next requests for a reader, or what goes on in the one conversation it stays with."""

import json as json_module
import time
from pathlib import Path
from typing import Annotated, Literal

import typer

from trace2skill.cli.options import AsJson
from trace2skill.core.errors import BadInput
from trace2skill.llm.handoff import claims
from trace2skill.llm.handoff.askers import sharing
from trace2skill.llm.handoff.folder import Folder, free_for_one
from trace2skill.llm.handoff.page import PART_CHARACTERS, part_of, rendered
from trace2skill.llm.handoff.presence import runs
from trace2skill.llm.handoff.staying import Staying, stay
from trace2skill.safety.shown import shown

LOOK_SECONDS = 0.5
STAYS = {"printed": 0, "ended": 3, "stopped": 3, "unanswered": 4, "awaits": 4, "nothing": 4}
"""Exit codes of `next`; 5 where there is nothing and no run that could ask."""
NO_RUN = 5
MOST_NAMED = 5
Directory = Annotated[Path, typer.Argument(help="The folder that --model handoff/DIR names.", metavar="DIR")]
As = Annotated[
    str | None, typer.Option("--as", help="Who you are; $TRACE2SKILL_HANDOFF_AS, else the user on this machine.")
]


def next_(
    directory: Directory,
    role: Annotated[
        Literal["agent", "analyst", "merger"] | None, typer.Option(help="Only requests to this role.")
    ] = None,
    most: Annotated[int, typer.Option(help="Claim and print so many at most.", min=1)] = 1,
    wait: Annotated[float, typer.Option(help="Wait so many seconds for a request where there is none.", min=0)] = 0,
    stays: Annotated[
        bool,
        typer.Option("--stay", help="One conversation at a time: nothing of another one until yours has ended."),
    ] = False,
    whole: Annotated[bool, typer.Option("--whole", help="Print all, also what you were shown before.")] = False,
    size: Annotated[
        int, typer.Option(help="Print only the first part of a request with more characters; 0 prints it whole.", min=0)
    ] = PART_CHARACTERS,
    unattended: Annotated[
        bool, typer.Option("--unattended", help="Also requests of a run that is not going on now.")
    ] = False,
    name: As = None,
    json: AsJson = False,
) -> None:
    """Print the next requests and claim them, with all that follows in their conversations.

    First comes what goes on in a conversation of yours, then the oldest. Of a conversation that you answer only what is
    new is printed; a system prompt, tools or a schema that you were shown once are named and not printed again.

    With --stay you are given one new conversation, and then only what goes on in it; --wait waits for that. A run that
    ends meanwhile ends the wait.

    The exit code says how it stands: 0 a request is printed, 4 nothing new yet, 5 nothing and no run uses the folder;
    with --stay also 3: your conversation has ended (the next call gives you another one), and 4 where what you were
    shown has no answer yet.
    """
    if stays and most > 1:
        raise BadInput("--stay gives one request at a time: leave out --most")
    by = name or claims.default_name()
    folder, deadline, went = folder_at(directory, wait), time.monotonic() + wait, False
    while True:
        going = bool(runs(folder))  # before one looks: what its last moment brought is found, too
        found = _look(folder, by, stays=stays, role=role or "", most=most, unattended=unattended, whole=whole)
        over = found.state not in ("awaits", "nothing") or (went and not going)
        if over or time.monotonic() >= deadline:
            break
        went = went or going
        time.sleep(min(LOOK_SECONDS, max(0.0, deadline - time.monotonic())))
    for number, item in enumerate(found.taken):
        if not json:
            served = sharing(folder, item.head)
            where = {"directory": str(directory), "reader": name or ""}
            text = rendered(item.head, item.body, item.view, **where, sharing=served)
            typer.echo(("\n" if number else "") + _first_part(text, size, directory, item.head.id, by))
    if json:
        typer.echo(json_module.dumps(_as_json(folder, found, stays=stays), indent=2))
    elif not found.taken:
        typer.echo(_standing(folder, found) if found.heads else _nothing(folder, by, role or ""))
    if found.state != "printed":
        raise typer.Exit(NO_RUN if found.state == "nothing" and not runs(folder) else STAYS[found.state])


def _look(folder: Folder, by: str, *, stays: bool, role: str, most: int, unattended: bool, whole: bool) -> Staying:
    if stays:
        return stay(folder, by, role=role, unattended=unattended, whole=whole)
    taken = claims.take(folder, by, role=role, most=most, unattended=unattended, whole=whole)
    return Staying("printed" if taken else "nothing", taken=tuple(taken))


def _as_json(folder: Folder, found: Staying, *, stays: bool) -> dict[str, object]:
    asked = [
        {
            **item.head.model_dump(),
            **item.body.model_dump(),
            "view": item.view.model_dump(),
            "asked_alike_by": sharing(folder, item.head).askers,
        }
        for item in found.taken
    ]
    standing = {"state": found.state, "last": [head.id for head in found.heads]} if stays else {}
    return {"requests": asked, "runs": runs(folder), **standing}


def _standing(folder: Folder, found: Staying) -> str:
    """How it stands with the conversation of a reader who stays with one."""
    named = ", ".join(f"{head.id} ({shown(head.step)})" for head in found.heads[:MOST_NAMED])
    more = len(found.heads) - MOST_NAMED
    last = f"{named} and {more} more" if more > 0 else named
    another = "Run the same command again for another one."
    show = f"`trace2skill handoff show {folder.path} {found.heads[0].id}` prints it again"
    return {
        "ended": f"your conversation has ended: the run asks nothing further after {last}. {another}",
        "stopped": f"your conversation has ended: no run uses the folder now; its last request was {last}. {another}",
        "unanswered": f"you were shown {last}, and it has no answer yet: {show}",
        "awaits": f"nothing new yet in your conversation: the run has your answer to {last}, or does not ask now",
    }[found.state]


def folder_at(directory: Path, wait: float = 0.0) -> Folder:
    """The folder; a run that has just been started may not have made it yet."""
    deadline = time.monotonic() + wait
    while time.monotonic() < deadline and free_for_one(directory):
        time.sleep(LOOK_SECONDS)
    return Folder(directory)


def _first_part(text: str, size: int, directory: Path, request: str, by: str) -> str:
    if not size or len(text) <= size:
        return text
    piece, count = part_of(text, 1, size)
    command = f"trace2skill handoff show {directory} {request} --as {by} --new --size {size} --part 2"
    return f"{piece.rstrip()}\n##### part 1 of {count} of {request}; the next: {command}"


def _nothing(folder: Folder, by: str, role: str) -> str:
    found = claims.status(folder)
    rows = [row for row in found.open if not role or row.role == role]
    mine = [row.id for row in rows if row.by == by and row.state == "claimed"]
    others = [row for row in rows if row.by and row.by != by]
    idle = sum(not row.attended and not row.by for row in rows)
    lines = [f"nothing waits for {shown(by)}"]
    if mine:
        lines.append(f"you hold {', '.join(mine)}: `trace2skill handoff show {folder.path} {mine[0]}` prints it again")
    if others:
        who = ", ".join(sorted({shown(row.by) for row in others})[:5])
        left = f"`trace2skill handoff status {folder.path}` says since when, `release` frees what somebody left"
        lines.append(f"{len(others)} are claimed by others ({who}): {left}")
    if idle:
        lines.append(f"{idle} are of a run that is not going on now: --unattended prints them all the same")
    return "\n".join([*lines, of_runs(found.runs)])


def of_runs(count: int) -> str:
    """How many runs use a folder, in words."""
    return (
        f"{count} {'run uses' if count == 1 else 'runs use'} the folder now" if count else "no run uses the folder now"
    )
