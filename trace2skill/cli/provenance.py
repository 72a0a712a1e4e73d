"""The commands provenance and verify: where each line of a skill comes from, beside the skill, and whether it holds."""

import json as json_module
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from trace2skill import __version__
from trace2skill.cli import options as o
from trace2skill.cli.console import Console, plain
from trace2skill.cli.skill_given import SkillGiven, is_place, skill_given
from trace2skill.core.errors import BadInput
from trace2skill.runs.provenance import SUFFIX, Provenance, as_text, differences, lost_traces, provenance_of, unknown_to
from trace2skill.skills.skill import Skill
from trace2skill.store import Store
from trace2skill.versions.registry import Registry

LARGEST = 64 * 1024 * 1024


def provenance(
    which: Annotated[str, typer.Argument(help="A version: its digest or the start of it, or a skill's place.")],
    to: Annotated[Path | None, typer.Option("--to", help=f"Write it here: a file, or a folder (NAME{SUFFIX}).")] = None,
    store: o.StorePath = None,
) -> None:
    """Write where each line of a skill comes from, as JSON: who asked for it, who wrote it, what the gate decided.

    Ids and digests alone, no text of any trace. It stands beside the skill, not in it, and `verify` checks it.
    """
    opened = o.store_to_look_into(store)
    skill = _skill(opened, which)
    text = as_text(provenance_of(opened, skill, f"trace2skill {__version__}"))
    if to is None:
        typer.echo(text, nl=False)
        return
    path = to / f"{skill.name}{SUFFIX}" if to.is_dir() else to
    try:
        path.write_text(text)
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror}") from error
    typer.echo(f"wrote {path}")


def verify(
    skill_dir: SkillGiven,
    told: Annotated[
        Path | None,
        typer.Argument(help=f"Its provenance; NAME{SUFFIX} beside the directory, unless given.", show_default=False),
    ] = None,
    known: Annotated[bool, typer.Option("--known", help="Ask the store, too, whether it says the same.")] = False,
    store: o.StorePath = None,
    json: o.AsJson = False,
) -> None:
    """See whether a skill is what its provenance says: the same files, the same lines, by the same supporters.

    The exit code is 1 where it is not. Without --known no store is needed; a file that anybody could write proves no
    more than that skill and file belong together.
    """
    skill = skill_given(skill_dir, Path(".trace2skill").absolute())
    path = told or Path(skill_dir).resolve().with_name(f"{skill.name}{SUFFIX}")
    found = _read(path)
    wrong = differences(skill, found)
    lost = 0
    if known:
        opened = o.store_to_look_into(store)
        wrong += unknown_to(opened, found)
        lost = lost_traces(opened, found)
    supporters = len({id for line in found.lines for id in line.trajectories})
    if json:
        row = {"skill": found.skill, "lines": len(found.lines), "supporters": supporters, "lost": lost, "wrong": wrong}
        typer.echo(json_module.dumps(row, indent=2))
    else:
        console = Console()
        for line in wrong:
            console.print(f"[red]{plain(line)}[/red]", highlight=False)
        if not wrong:
            by = f"written by {plain(found.author)}" if found.author else "written by people"
            said = f"{found.decision.verdict.replace('_', ' ')}" if found.decision else "judged by nobody"
            told_of = f"{len(found.lines)} lines with {supporters} supporters"
            console.print(f"{plain(found.name)} {found.skill[:12]}: as told; {told_of}, {by}, {said}", highlight=False)
        if lost:
            console.print(f"{lost} of the supporting trajectories are no longer in the store", highlight=False)
    if wrong:
        raise typer.Exit(1)


def _read(path: Path) -> Provenance:
    try:
        if path.stat().st_size > LARGEST:
            raise BadInput(f"{path} is larger than {LARGEST} bytes: it is no provenance")
        return Provenance.model_validate_json(path.read_bytes())
    except OSError as error:
        raise BadInput(f"{path} cannot be read ({error.strerror}): `trace2skill provenance` writes it") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise BadInput(f"{path} is no provenance of a skill: {where}: {first['msg']}") from error


def _skill(store: Store, which: str) -> Skill:
    if is_place(which):
        return skill_given(which, store.beside)
    registry = Registry(store)
    return registry.skill(registry.version(which).skill)
