"""The command `deploy`: everything on a Prefect server that the nightly runs need, in one go, as often as wanted."""

import json as json_module
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from trace2skill.cli import options as o
from trace2skill.cli.console import Console, flat
from trace2skill.cli.prefect_settings import lean
from trace2skill.cli.project import project_module
from trace2skill.core.errors import BadInput

MARKS = {"created": "[green]created[/]", "changed": "[yellow]changed[/]", "unchanged": "unchanged"}
PLANNED = {"created": "[green]would be created[/]", "changed": "[yellow]would change[/]", "unchanged": "unchanged"}


def deploy(
    work_pool: Annotated[
        str | None, typer.Option(help="The work pool of all deployments, in place of the file's; made where missing.")
    ] = None,
    file: Annotated[Path | None, typer.Option(help="What is deployed; deployments/prefect.yaml unless given.")] = None,
    key: Annotated[
        list[str] | None,
        typer.Option(help="An environment variable, such as OPENAI_API_KEY: its value goes into a Secret block."),
    ] = None,
    limit: Annotated[
        list[str] | None,
        typer.Option(help="NAME=SLOTS: a global concurrency limit. Those that settings hold are made with one slot."),
    ] = None,
    notify: Annotated[
        str | None, typer.Option(help="A notification block, NAME or KIND/NAME, to be told: makes the automations.")
    ] = None,
    automations: Annotated[
        bool, typer.Option("--automations", help="Make the automations that tell nobody, too, without --notify.")
    ] = False,
    home: Annotated[
        str | None,
        typer.Option(help="Where workers find the flows (Variable trace2skill_home); this installation's."),
    ] = None,
    store: Annotated[
        str | None, typer.Option(help="The store of runs whose settings name none (Variable trace2skill_store).")
    ] = None,
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait for the Prefect server at most.")] = 60,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    json: o.AsJson = False,
) -> None:
    """Put work pool, result storage, keys, paths, limits and every deployment on the Prefect server, and say what next.

    Waits for a server that is starting. What is as it should be stays untouched: run it again after each change.
    """
    lean()
    console = Console(stderr=True)
    server, engine = project_module("tasks.server"), project_module("deployments.deploy")
    with _waiting(console, quiet=json) as say:
        address = server.wait_for_server(wait, say)
    asked: dict[str, Any] = {
        "work_pool": work_pool,
        "home": home,
        "store": store,
        "keys": tuple(key or ()),
        "limits": dict(map(_limit, limit or ())),
        "automations": automations,
        "notify": notify,
        **({"file": file} if file else {}),
    }
    done = {"server": address, **engine.deploy(engine.Wanted(**asked), dry_run=dry_run)}
    done["next"] = list(_next(done))
    if json:
        typer.echo(json_module.dumps(done, indent=2))
    else:
        _print(Console(), done)


@contextmanager
def _waiting(console: Console, *, quiet: bool) -> Iterator[Callable[[float], None]]:
    """Says how long it has waited: moving on a terminal, else once and then every ten seconds."""
    if quiet:
        yield lambda waited: None
        return
    if console.is_terminal:
        with console.status("asking the Prefect server") as status:
            yield lambda waited: status.update(f"waiting for the Prefect server ({waited:.0f} s)")
        return
    said = [-10.0]

    def say(waited: float) -> None:
        if waited - said[-1] >= 10:
            said.append(waited)
            typer.echo(f"waiting for the Prefect server ({waited:.0f} s)", err=True)

    yield say


def _limit(given: str) -> tuple[str, int]:
    name, _, slots = given.rpartition("=")
    if not name or not slots.isdecimal() or int(slots) < 1:
        raise BadInput(f"--limit {given}: say NAME=SLOTS, such as gpu=2")
    return name, int(slots)


def _next(done: dict[str, Any]) -> Iterator[str]:
    """What a person does now."""
    if done["dry_run"]:
        yield "the same command without --dry-run does it"
        return
    for pool, online in done["pools"].items():
        if not online:
            yield f"start a worker: prefect worker start --pool {pool}"
    if done["models"] and not done["keys"]:
        yield (
            f"workers need the key of {', '.join(done['models'])} in their environment, "
            "or `trace2skill deploy --key NAME` hands it to runs"
        )
    first = next((item["name"] for item in done["changes"] if item["name"].startswith("refresh/")), None)
    if first:
        yield f"run one now: prefect deployment run {first}"


def _print(console: Console, done: dict[str, Any]) -> None:
    marks = PLANNED if done["dry_run"] else MARKS
    for item in done["changes"]:
        detail = f": {flat(item['detail'])}" if item["detail"] else ""
        line = f"{item['kind']} {flat(item['name'])} {marks[item['state']]}{detail}"
        console.print(line, highlight=False, soft_wrap=True)
    if all(item["state"] == "unchanged" for item in done["changes"]):
        console.print(f"{flat(done['server'])} has it all: unchanged", highlight=False, soft_wrap=True)
    for line in done["next"]:
        console.print(f"next: {flat(line)}", highlight=False, soft_wrap=True)
