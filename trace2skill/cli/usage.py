"""The command usage: which parts of a skill agents use, in the rollouts of a run or in logs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from trace2skill.cli import options as o
from trace2skill.cli.console import Console, plain
from trace2skill.cli.evidence import pair_of
from trace2skill.cli.live import LiveProgress
from trace2skill.cli.look import summary_of
from trace2skill.cli.skill_given import library_given
from trace2skill.core.errors import BadInput
from trace2skill.core.progress import watched_by
from trace2skill.evaluation.usage import SkillUsage, usage_of
from trace2skill.runs.skill_usage import Ended, LoggedUsage, logged_usage
from trace2skill.runs.sources import Sources
from trace2skill.store import Store
from trace2skill.types.trajectory import Trajectory
from trace2skill.versions.registry import Registry


def usage(
    run: Annotated[
        str | None, typer.Argument(help="Id of a run; `trace2skill show` lists them.", show_default=False)
    ] = None,
    logs: Annotated[
        list[Path] | None,
        typer.Option(help="Count in these logs instead: a file or a folder; may be given again.", show_default=False),
    ] = None,
    skills: Annotated[
        str | None,
        typer.Option(
            help="A skill (a directory or git+...), or a folder of skills: say what of them no session used.",
            show_default=False,
        ),
    ] = None,
    format: Annotated[
        str | None, typer.Option(help="Read the logs as this format; detected, unless given.", show_default=False)
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(help="JSON or CSV: id of a session to its score.", show_default=False)
    ] = None,
    store: o.StorePath = None,
    json: o.AsJson = False,
) -> None:
    """Count which skills and which of their files agents use, and estimate which sections show in what they do.

    Of a run's candidate it tells files that were opened or run, and, by words, sections that show in what agents did.
    In --logs it counts what agents have on record: skills they activated, files they opened, scripts they ran, and how
    these sessions ended. Logs are read and not kept.
    """
    if (run is None) == (not logs):
        raise BadInput("name a run (`trace2skill show` lists them), or logs (--logs DIR), and not both")
    if run is None:
        sources = Sources(paths=tuple(logs or ()), format=format, labels=labels)
        with LiveProgress(Console(stderr=True), lambda: 0.0, quiet=json) as progress, watched_by(progress):
            counted = logged_usage(sources, library_given(skills) if skills else ())
        print_logged(counted, as_json=json)
        return
    if given := [name for name, value in (("--skills", skills), ("--format", format), ("--labels", labels)) if value]:
        raise BadInput(f"{', '.join(given)} go with --logs: a run has its skill and its scores")
    print_usage(usage_in(o.store_to_look_into(store), run), as_json=json)


def print_logged(found: LoggedUsage, *, as_json: bool) -> None:
    """A row a skill, and what was not used."""
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
        return
    console = Console()
    of = f"{found.sessions} sessions, {found.with_calls} of them with calls of tools"
    console.print(f"{of}: {_ended(found.ended)}", highlight=False)
    table = Table("skill", "sessions", "activated", "how these ended", "files, by sessions")
    for item in found.skills:
        files = ", ".join(f"{file.path} {file.sessions}" for file in item.files)
        table.add_row(*map(plain, (item.name, str(item.sessions), str(item.activated), _ended(item.ended), files)))
    if found.skills:
        console.print(table)
    else:
        console.print("no session has a skill on record")
    for item in found.skills:
        if item.unused:
            console.print(f"{plain(item.name)}: never used: {plain(', '.join(item.unused))}", highlight=False)
    if found.unused:
        console.print(f"never used: {plain(', '.join(found.unused))}", highlight=False)
    if found.unmatched:
        first = plain(", ".join(found.unmatched[:10]))
        console.print(f"labels that name no session: {len(found.unmatched)}: {first}", highlight=False)
    if found.problems:
        console.print(f"[yellow]{found.problems} parts of the logs were not read[/yellow]: `ingest --dry-run` says why")


def print_usage(found: SkillUsage, *, as_json: bool) -> None:
    """A line a file, a row a section."""
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
        return
    console = Console()
    for file in found.files:
        console.print(f"{plain(file.path)}: opened or run in {file.runs} of {file.of} runs", highlight=False)
    table = Table(
        "file", "section", "shows", "without it", "score where", "score else", "", title="an estimate by words"
    )
    for item in found.sections:
        flag = "unused" if item.unused else "no more than without" if not item.told_apart else ""
        flag = "never helpful" if item.told_apart and item.never_helpful else flag
        scores = ["" if score is None else f"{score:.0%}" for score in (item.score_where, item.score_else)]
        row = (item.file, " > ".join(item.section), f"{item.shows:.0%}", f"{item.elsewhere:.0%}", *scores, flag)
        table.add_row(*map(escape, row))
    console.print(table)


def usage_in(store: Store, run: str) -> SkillUsage:
    """Use of a run's candidate, from its evaluation.

    Raises:
        BadInput: the run has no evaluated candidate.
    """
    before, after = pair_of(summary_of(store, run).evaluations)
    skill = Registry(store).skill(str(after.skill))
    with_it, without = (
        [found for cell in item.scored if (found := store.get("trajectory", cell.trajectory_id, Trajectory))]
        for item in (after, before)
    )
    return usage_of(skill, with_it, without)


def _ended(counts: Mapping[Ended, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())
