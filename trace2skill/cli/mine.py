"""The command mine: tasks out of logs, each with a check that was seen to fail and to pass."""

import json as json_module
import re
from collections import Counter
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.table import Table

from trace2skill.cli import options as o
from trace2skill.cli.console import Console, flat, plain
from trace2skill.cli.live import LiveProgress
from trace2skill.core.errors import BadInput
from trace2skill.core.progress import watched_by
from trace2skill.mined.repository import RepositoryAddress
from trace2skill.mined.trial import MISSING
from trace2skill.runs.mined_tasks import MinedTasks
from trace2skill.runs.mined_tasks import mine as mined
from trace2skill.runs.sources import Sources
from trace2skill.sandbox import choose_sandbox
from trace2skill.sandbox.environment import with_environment

SHOWN = 20
NAMED = re.compile(
    r"\S+(?= cannot be changed as in the log)|(?<=it changes )\S+|(?<=asks for )\S+(?=,)|(?<=does not name )\S+(?=,)"
    r"|(?<=came into )\S+(?=,)|(?<=its check needs )\S+(?=,)|\S+ at [0-9a-f]{12} of \S+(?= is not)"
)

REMEDIES = {
    "needs-repository": "name a clone of the repository that its session began in (--repository [NAME=]DIR)",
    "needs-environment": "name an environment that has what is missing (--environment DIR)",
}
"""What to do about segments that are replayable so."""


def mine(
    sources: Annotated[list[Path], typer.Argument(help="Log files, and folders of logs.", show_default=False)],
    to: Annotated[
        Path | None,
        typer.Option(help="Folder for the tasks: new, or one that was mined before.", show_default=False),
    ] = None,
    format: Annotated[
        str | None, typer.Option(help="Read every file as this format; detected, unless given.", show_default=False)
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(help="JSON or CSV: id of a session to its score.", show_default=False)
    ] = None,
    repository: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[NAME=]DIR",
            help="A git clone or bare repository that sessions began in, read only; may be given again.",
            show_default=False,
        ),
    ] = None,
    environment: Annotated[
        Path | None,
        typer.Option(
            help="A Python environment with what such repositories need; seen in the sandbox, read-only.",
            show_default=False,
        ),
    ] = None,
    sandbox: Annotated[
        Literal["auto", "bwrap", "docker"], typer.Option(help="Where the work of the logs is done again.")
    ] = "auto",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be mined, and why the rest is not; write nothing.")
    ] = False,
    json: o.AsJson = False,
) -> None:
    """Mine tasks from what agents did: a request, the files it began with, and a check; or a question and its answer.

    The work of each session is done again in the sandbox, from the files that its log holds, or from the tree of the
    commit that it began at, where it began in a --repository. A check is believed where
    it fails before the work and passes after it; a question of an evaluation's log where our own rule says of the
    recorded answer what the log says. What cannot be believed says why. The folder is a data set of the domains `shell`
    and `questions`: `trace2skill run --domain shell --data FOLDER`, or `trace2skill ingest LOGS --gate-on FOLDER`.
    """
    if to is None and not dry_run:
        raise BadInput("say where the tasks go (--to FOLDER), or look first (--dry-run)")
    chosen = with_environment(choose_sandbox(sandbox, simulated_model=False), environment)
    there = [RepositoryAddress.parsed(text) for text in repository or ()]
    with LiveProgress(Console(stderr=True), lambda: 0.0, quiet=json) as progress, watched_by(progress):
        read = Sources(paths=tuple(sources), format=format, labels=labels)
        found = mined(read, chosen, None if dry_run else to, there)
    if json:
        told: dict[str, object] = {"counts": found.counts, "checks": found.checks, "agreement": found.agreement}
        told |= found.counted
        typer.echo(json_module.dumps({**told, **found.model_dump(mode="json")}, indent=2))
        return
    print_mined(found, None if dry_run else to)


def print_mined(found: MinedTasks, to: Path | None) -> None:
    """A row for each way in which sessions ended up, and one for each reason."""
    console = Console()
    table = Table("replayable", "check", "segments", "why not")
    rows = Counter((item.replayable, item.check if item.task else "", _kind_of(item.why)) for item in found.segments)
    order = sorted(
        rows.items(), key=lambda row: (row[0][0] not in ("self-contained", "in-repository"), -row[1], row[0])
    )
    for (replayable, check, why), count in order[:SHOWN]:
        table.add_row(plain(replayable), plain(check), str(count), plain(why))
    console.print(table)
    if len(order) > SHOWN:
        console.print(f"and {len(order) - SHOWN} more reasons: --json has all")
    for line in _hints(found, to):
        console.print(line, highlight=False)
    agreed, both = found.agreement
    kinds = ", ".join(f"{count} of {domain}" for domain in found.groups_of if (count := found.tasks_of(domain)))
    console.print(
        f"{len(found.tasks)} tasks{f' ({kinds})' if kinds else ''} in {found.groups} groups of "
        f"{len(found.segments)} segments; checks tried {found.tried}, agree with the log's own verdict in {agreed} of "
        f"{both}{_apart(found) if both else ''}",
        highlight=False,
    )
    if found.problems:
        console.print(f"[yellow]{found.problems} parts of the logs were not read[/yellow]: `ingest --dry-run` says why")
    if to is not None:
        console.print(f"written to {flat(str(to))}", highlight=False)


def _apart(found: MinedTasks) -> str:
    """Passes and failures apart: that both call a wrong answer wrong says little of a rule."""
    parts = {outcome: found.agreement_on(outcome) for outcome in ("passed", "failed")}
    return f" ({', '.join(f'{outcome} {agreed} of {both}' for outcome, (agreed, both) in parts.items())})"


def _hints(found: MinedTasks, to: Path | None) -> list[str]:
    """What may make tasks of the segments that became none, and where more is said of each."""
    counts = found.counts
    lines = [f"{counts[kind]} {kind}: {remedy}" for kind, remedy in REMEDIES.items() if counts.get(kind)]
    if len(found.tasks) < len(found.segments):
        where = flat(str(to / "mined.json")) if to else "--json"
        lines.append(f"why of each segment, with the command: `why` in {where}")
    return lines


def _kind_of(why: str) -> str:
    """The reason without what differs from segment to segment."""
    first = re.sub(r"`[^`]*`", "`...`", why).partition(";")[0]
    if not MISSING.search(first.rpartition("(")[2]):  # what is missing is the reason, and mostly the same for many
        first = re.sub(r"\([^()]*\)\s*\Z", "", first)
    first = re.sub(r"the log does not hold \S+:", "the log does not hold FILE:", first)
    first = NAMED.sub("FILE", first)
    return re.sub(r"\bT[0-9a-f]{12}\b", "TASK", first).strip()
