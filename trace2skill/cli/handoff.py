"""`trace2skill handoff`: playing the model. Requests are printed and claimed, and answers are taken, from a folder."""

import json as json_module
import sys
import time
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from trace2skill.cli.console import Console
from trace2skill.cli.handoff_next import As, Directory, folder_at, next_, of_runs
from trace2skill.cli.options import AsJson
from trace2skill.core.errors import BadInput
from trace2skill.llm.handoff import claims
from trace2skill.llm.handoff.answers import give
from trace2skill.llm.handoff.askers import sharing
from trace2skill.llm.handoff.page import PART_CHARACTERS, WHOLE, bare_argument, part_of, rendered
from trace2skill.llm.handoff.records import Body, GivenCall, Handed
from trace2skill.safety.shown import shown
from trace2skill.skills.markdown import fenced

LONGEST_ANSWER = 4_000_000
HELP = """Play the model: answer by hand what a run with `--model handoff/DIR` asks.

The run writes each request into DIR and waits. You, or the session of a coding agent, or several side by side:

1. `trace2skill handoff next DIR --as ann --wait 600` prints the next request and makes its conversation ann's.

2. `trace2skill handoff answer DIR ID --as ann` takes the answer from stdin: text, or JSON where the request has a schema. `--tool bash` takes the JSON arguments of one call of a tool, `--tool bash --raw` the command itself.

3. Again, until `next` says that no run uses the folder.

To see one conversation at a time, from its first request to its end: `next DIR --as ann --stay --wait 600`.

What was printed can be read again: `show DIR ID`, in parts with `--part 2`. Who answers what, and what nobody answers: `status DIR`. A conversation that somebody left: `release DIR ID`.

Each claimant needs a name of its own, with `--as` or $TRACE2SKILL_HANDOFF_AS; else it is the user and the machine."""  # noqa: E501

handoff_app = typer.Typer(help=HELP, no_args_is_help=True, rich_markup_mode="markdown")
RequestId = Annotated[str, typer.Argument(help="A request, or the first digits of its id.", metavar="ID")]
Size = Annotated[int, typer.Option(help="Characters of a part.", min=500)]


handoff_app.command("next")(next_)


@handoff_app.command()
def answer(
    directory: Directory,
    request: RequestId,
    tool: Annotated[
        str | None, typer.Option(help="Call this tool; stdin holds its arguments as a JSON object.")
    ] = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="With --tool: stdin is the tool's one text argument, as it is.")
    ] = False,
    calls: Annotated[
        bool, typer.Option("--calls", help='Several calls: stdin holds [{"tool": NAME, "arguments": {...}}, ...].')
    ] = False,
    say: Annotated[str, typer.Option(help="Words that go with the calls.")] = "",
    cut_off: Annotated[
        bool, typer.Option("--cut-off", help="The answer ends before its end, as at a model's limit of tokens.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Give it as it is, also if it does not fit what was asked.")
    ] = False,
    name: As = None,
) -> None:
    """Answer a request from stdin. What does not fit what was asked is refused, with the reason.

    Where the request has a JSON schema, an object that matches it must be in the answer. With --force the run gets the
    answer as it is, and asks again in its own way.
    """
    folder = folder_at(directory)
    head = claims.head_of(folder, request)
    body = claims.body_of(folder, head)
    if (raw and not tool) or (calls and tool) or (say and not (tool or calls)):
        raise BadInput("--raw goes with --tool, --say with --tool or --calls, and --calls stands without --tool")
    said = _stdin()
    made = _calls(body, said, tool, raw) if tool else _several(said) if calls else ()
    by = name or claims.default_name()
    given = give(folder, head, body, by, text=say if tool or calls else said, calls=made, cut_off=cut_off, force=force)
    left = claims.held(folder, by)
    more = f"; you hold {', '.join(left[:5])}" if left else ""
    forced = ", though it does not fit what was asked" if given.forced else ""
    typer.echo(f"{head.id} is answered{_counted(given.text)}{forced}{more}")


@handoff_app.command()
def show(
    directory: Directory,
    request: RequestId,
    new: Annotated[bool, typer.Option("--new", help="As `next` printed it, without what was left out there.")] = False,
    part: Annotated[int | None, typer.Option(help="Only this part, from 1 on.", min=1)] = None,
    size: Size = PART_CHARACTERS,
    name: As = None,
    json: AsJson = False,
) -> None:
    """Print a request again, whole, answered or not; or in parts, where a window cuts what is long."""
    folder = folder_at(directory)
    head = claims.head_of(folder, request)
    body = claims.body_of(folder, head)
    if json:
        typer.echo(json_module.dumps({**head.model_dump(), **body.model_dump()}, indent=2))
        return
    handed = folder.get("handed", f"{head.id}.json", Handed) if new else None
    view = handed.view if handed else WHOLE
    text = rendered(head, body, view, directory=str(directory), reader=name or "", sharing=sharing(folder, head))
    if part is None:
        typer.echo(text)
        return
    piece, count = part_of(text, part, size)
    if not piece:
        raise BadInput(f"request {head.id} has {count} parts of {size} characters")
    _parted(piece, part, count, head.id)


@handoff_app.command()
def status(directory: Directory, json: AsJson = False) -> None:
    """What waits, what is claimed by whom since when, what is answered; a request that nobody answers stands first."""
    folder = folder_at(directory)
    found = claims.status(folder)
    if json:
        typer.echo(found.model_dump_json(indent=2))
        return
    now = time.time()
    if found.open:
        table = Table("request", "role", "asked by", "state", "asked", "waited for")
        for row in found.open:
            by = f"{row.state} by {row.by}" if row.state == "claimed" else f"kept for {row.by}" if row.by else row.state
            since = f", {_ago(now - row.since)}" if row.since else ""
            asked = _ago(now - row.asked_at)
            table.add_row(
                row.id, row.role, escape(shown(row.step)), escape(shown(by)) + since, asked, _yes(row.attended)
            )
        Console().print(table)
    waiting = sum(row.state == "waiting" for row in found.open)
    answered = ", ".join(f"{count} {role or 'other'}" for role, count in found.answered.items()) or "none"
    typer.echo(f"{waiting} waiting, {len(found.open) - waiting} claimed; answered: {answered}")
    for by, count in found.answered_by.items():
        typer.echo(f"  {count} by {shown(by)}")
    typer.echo(of_runs(found.runs))


@handoff_app.command()
def release(
    directory: Directory,
    requests: Annotated[list[str] | None, typer.Argument(help="Requests to free.", metavar="[ID]...")] = None,
    by: Annotated[str | None, typer.Option(help="All that this claimant holds.")] = None,
    older_than: Annotated[float, typer.Option(help="Only claims of at least so many minutes.", min=0)] = 0,
) -> None:
    """Free what somebody claimed and does not answer. Whoever takes it next is shown its whole conversation."""
    if not requests and not by and not older_than:
        raise BadInput("name what to free: ids of requests, --by NAME or --older-than MINUTES")
    folder = folder_at(directory)
    chosen = {claims.head_of(folder, item).id for item in requests or ()}
    freed = claims.release(folder, chosen, by=by or "", older_than=older_than * 60)
    typer.echo(f"free again: {', '.join(freed)}" if freed else "no open request was claimed there")


def _counted(text: str) -> str:
    """How much an answer holds: the lengths of the lists in it, so that whoever gave it sees that none was cut."""
    try:
        made = json_module.loads((*reversed(fenced(text)), text)[0])
    except (ValueError, RecursionError):
        return ""
    items = made.items() if isinstance(made, dict) else ()
    lists = {name: len(value) for name, value in items if isinstance(value, list)}
    return f" ({', '.join(f'{count} {name}' for name, count in lists.items())})" if lists else ""


def _parted(piece: str, part: int, count: int, request: str) -> None:
    typer.echo(piece, nl=not piece.endswith("\n"))
    sys.stdout.flush()
    typer.echo(f"##### part {part} of {count} of {request}{'' if part < count else ', the last'}", err=True)


def _stdin() -> str:
    raw = sys.stdin.buffer.read(LONGEST_ANSWER + 1)
    if len(raw) > LONGEST_ANSWER:
        raise BadInput(f"the answer has more than {LONGEST_ANSWER} bytes")
    try:
        return raw.decode("utf-8").strip("\n").replace("\0", "\N{SYMBOL FOR NULL}")
    except UnicodeDecodeError as error:
        raise BadInput(f"the answer is not UTF-8: {error}") from error


def _calls(body: Body, said: str, tool: str, raw: bool) -> tuple[GivenCall, ...]:
    if not raw:
        return (GivenCall(name=tool, arguments=said),)
    bare = next((bare_argument(item) for item in body.tools if item["name"] == tool), "")
    if not bare:
        raise BadInput(f"--raw is for a tool whose one required argument is text, and '{tool}' is not one: give JSON")
    return (GivenCall(name=tool, arguments=json_module.dumps({bare: said}, ensure_ascii=False)),)


def _several(said: str) -> tuple[GivenCall, ...]:
    try:
        items = json_module.loads(said)
        made = [
            GivenCall(name=str(item["tool"]), arguments=json_module.dumps(item["arguments"], ensure_ascii=False))
            for item in items
        ]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadInput(f'--calls: give [{{"tool": NAME, "arguments": {{...}}}}, ...] as JSON: {error}') from error
    if not made:
        raise BadInput("--calls: the list is empty")
    return tuple(made)


def _ago(seconds: float) -> str:
    minutes = int(seconds // 60)
    if minutes < 1:
        return f"{int(seconds)} s ago"
    return f"{minutes} min ago" if minutes < 120 else f"{minutes // 60} h ago"


def _yes(value: bool) -> str:
    return "yes" if value else "not now"
