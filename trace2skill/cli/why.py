"""The command why: who asked for a line of a skill, and what shows it."""

import json as json_module
import re
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from rich.markup import escape

from trace2skill.cli import options as o
from trace2skill.cli.console import Console, flat
from trace2skill.cli.skill_given import address_given
from trace2skill.consolidate.cut import MARK, plain_words
from trace2skill.consolidate.ledger import SupportLedger, SupportRow
from trace2skill.consolidate.standing import lines_of
from trace2skill.core.errors import BadInput
from trace2skill.runs.past import past_of
from trace2skill.runs.skill_reviews import ReviewedLine, lines_said, reviews_of
from trace2skill.skills.git_address import GitAddress
from trace2skill.skills.markdown import split_lines
from trace2skill.skills.skill import Skill, read_skill
from trace2skill.store import Store
from trace2skill.types.lesson import Lesson
from trace2skill.versions.places import Branch, read_there

SHOWN = 5


def why(
    place: Annotated[
        str,
        typer.Argument(help="A skill or a file of it, and perhaps a line: SKILL_DIR, SKILL_DIR:42, git+...#PATH:42."),
    ],
    store: o.StorePath = None,
    json: o.AsJson = False,
) -> None:
    """Say for a line of a skill, or for each that a refresh wrote, who asked for it and which steps show it."""
    opened = o.store_to_look_into(store)
    found = support_of(place, opened)
    if json:
        rows = [_as_json(row, _said_of(opened, found.skill, row)) for row in found.rows]
        typer.echo(json_module.dumps(rows, indent=2))
        return
    console = Console()
    if not found.rows:
        console.print("no refresh wrote this: it was there before, or is a heading or an empty line")
    for row in found.rows:
        _print_row(console, found.skill, row, every=found.line is not None)
        for line in _said_of(opened, found.skill, row):
            console.print(f"  a reviewer: {flat(line.in_words)} {flat(line.comment.where)}", highlight=False)
    if found.line is None:
        _print_gone(console, opened, found.skill)


class Found(NamedTuple):
    """What is known of a place in a skill: the rows of its ledger that hold it. `line` is None for all lines."""

    skill: Skill
    line: int | None
    rows: tuple[SupportRow, ...]


def support_of(place: str, store: Store) -> Found:
    """Look up who asked for a place in a skill: SKILL_DIR, SKILL_DIR:42, or a file in it in the place of the directory.

    The skill may be in a repository: git+https://HOST/REPOSITORY@BRANCH#PATH, git+...#PATH:42.

    Raises:
        BadInput: no such place, or the store knows nothing of this version of the skill.
    """
    skill, file, line = _parsed(place, store.beside)
    ledger = store.get("support", skill.digest, SupportLedger)
    if ledger is None:
        raise BadInput(
            f"{store.path} knows nothing of this version of {skill.name} ({skill.digest[:12]}): "
            "it was written by hand, changed since, or made with another store (--store)"
        )
    rows = [row for row in ledger.rows if file is None or row.file == file]
    if line is None:
        return Found(skill, None, tuple(rows))
    ends = len(split_lines(skill.text(file) or "")) if file else 0
    if line > ends:
        raise BadInput(f"{file} of {skill.name} has no line {line}: it ends at {ends}")
    return Found(skill, line, tuple(row for row in rows if row.first <= line <= row.last))


def _said_of(store: Store, skill: Skill, row: SupportRow) -> tuple[ReviewedLine, ...]:
    """What reviewers of pull requests have said of a line."""
    lines = split_lines(skill.text(row.file) or "")[row.first - 1 : row.last]
    return lines_said(reviews_of(store, skill.name), row.said, "".join(lines))


def _as_json(row: SupportRow, said: tuple[ReviewedLine, ...]) -> dict[str, Any]:
    told = row.model_dump(mode="json")
    more = [{**line.model_dump(mode="json"), "effect": line.effect, "why_not": line.why_not} for line in said]
    return {**told, "reviews": more} if more else told


def _parsed(place: str, below: Path) -> tuple[Skill, str | None, int | None]:
    found = re.fullmatch(r"(?P<path>.+?)(?::(?P<line>\d+))?", place)
    path, line = (found["path"], int(found["line"]) if found["line"] else None) if found else (place, None)
    where = address_given(path)
    skill, file = _in_directory(where) if isinstance(where, Path) else _in_repository(where, below)
    return skill, file or ("SKILL.md" if line is not None else None), line


def _in_directory(path: Path) -> tuple[Skill, str]:
    """The skill, and the file in it, '' for none."""
    if path.is_dir():
        return read_skill(path), ""
    root = next((parent for parent in path.parents if (parent / "SKILL.md").is_file()), None)
    if not path.is_file() or root is None:
        raise BadInput(f"{path} is neither a skill directory nor a file of one")
    return read_skill(root), path.relative_to(root).as_posix()


def _in_repository(address: GitAddress, below: Path) -> tuple[Skill, str]:
    place, file = Branch(address, below).around()
    skill = read_there(place)
    if file and all(item.path != file for item in skill.files):
        raise BadInput(f"{address} is neither a skill's directory nor a file of one")
    return skill, file


def _proof(lesson: Lesson) -> str:
    weak = f", weak label: {lesson.weak_label}" if lesson.weak_label else ""
    return lesson.proof + weak + (", inferred" if lesson.certainty == "inferred" else "")


def _print_row(console: Console, skill: Skill, row: SupportRow, *, every: bool) -> None:
    lines = split_lines(skill.text(row.file) or "")[row.first - 1 : row.last]
    where = f"{row.file}:{row.first}" + (f"-{row.last}" if row.last > row.first else "")
    console.print(f"[bold]{where}[/bold] {escape(''.join(lines).strip())}", highlight=False)
    support = row.support
    console.print(
        f"  asked by {len(support.tasks)} tasks, {len(support.errors)} failures, {len(support.successes)} successes; "
        + (f"{len(support.weak)} of the tasks by weak labels alone; " if support.weak else "")
        + (f"{len(row.stands_for)} proposals united" if row.group else _of_people(row)),
        highlight=False,
    )
    if row.let_through:
        console.print(f"  [yellow]{flat(row.let_through)}[/yellow]", highlight=False)
    for text in row.shortened_from:
        console.print(f"  shortened from: {flat(text)}", highlight=False)
    _print_words(console, row, every=every)
    shown = row.lessons if every else row.lessons[:SHOWN]
    for lesson in shown:
        steps = ", ".join(f"{e.first}-{e.last}" if e.last > e.first else str(e.first) for e in lesson.evidence)
        named = f"{lesson.trajectory_id} {flat(lesson.task_id)}"
        console.print(f"  {named} steps {steps} ({_proof(lesson)}): {flat(lesson.title)}", highlight=False)
    if len(row.lessons) > len(shown):
        console.print(f"  and {len(row.lessons) - len(shown)} more: `trace2skill why` with this line shows all")


def _of_people(row: SupportRow) -> str:
    return "stated before, and confirmed since" if row.support.trajectories else "people wrote it"


def _print_gone(console: Console, store: Store, skill: Skill) -> None:
    """What shrinking took out of versions of this skill, and has not come back."""
    there = lines_of(skill)
    gone = {
        part.group.text.strip(): (one, part)
        for _, one in past_of(store, skill.name).shrunk
        if one.promoted
        for part in one.parts
        if not part.says  # who reads the shorter line is told what it was
    }
    for text, (one, part) in sorted(gone.items()):
        if plain_words(MARK.sub("", text)) not in there:
            console.print(f"[bold]taken out[/bold] of {part.place} in {one.run_id}: {flat(text)}", highlight=False)
            console.print(f"  {flat(part.reason)}", highlight=False)


def _print_words(console: Console, row: SupportRow, *, every: bool) -> None:
    """What its supporters said, word for word, and who says the opposite."""
    said = row.said if every else row.said[:SHOWN]
    for saying in said:
        says = "says, for a narrower case" if saying.how == "narrower" else "says"
        named = f"{saying.trajectory_id} {flat(saying.task_id)}"
        console.print(f"  {named} {says}: {flat(saying.text)}", highlight=False)
    if len(row.said) > len(said):
        console.print(f"  and {len(row.said) - len(said)} more of its supporters")
    for saying in row.against:
        console.print(
            f"  [yellow]opposed by[/yellow] {saying.trajectory_id} {flat(saying.task_id)}: {flat(saying.text)}",
            highlight=False,
        )
    if row.opposing and not row.against:  # a ledger of an earlier version
        console.print(f"  [yellow]opposed by[/yellow] {', '.join(row.opposing)}", highlight=False)
