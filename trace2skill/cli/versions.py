"""Commands about versions of skills: versions, diff, promote, rollback, export."""

import json as json_module
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from trace2skill import __version__
from trace2skill.cli import options as o
from trace2skill.cli.console import Console, code, flat, plain
from trace2skill.cli.skill_given import SkillGiven, is_place, place_given, skill_given
from trace2skill.core.errors import BadInput
from trace2skill.runs.provenance import SUFFIX, as_text, exported_keys, provenance_of
from trace2skill.skills.apply import unified_diff
from trace2skill.skills.library import is_library, skills_in
from trace2skill.skills.made_by import with_made_by
from trace2skill.skills.skill import Skill
from trace2skill.store import Store
from trace2skill.versions.export import to_directory, to_git, to_zip
from trace2skill.versions.judgements import VersionJudgement, standing
from trace2skill.versions.marketplace import to_marketplace
from trace2skill.versions.places import SkillPlace, read_there
from trace2skill.versions.registry import Registry, Version

Which = Annotated[
    str,
    typer.Argument(help="A version: its digest or the start of it, or a skill's place: a directory, or git+..."),
]


def versions(
    name: Annotated[
        str | None, typer.Argument(help="A skill, by its name or its place; all skills without one.")
    ] = None,
    store: o.StorePath = None,
    json: o.AsJson = False,
) -> None:
    """List the versions of skills: who wrote them, what was decided, which is champion, and how that came about."""
    opened = o.store_to_look_into(store)
    registry = Registry(opened)
    found = registry.versions(_name(opened, name) if name else None)
    names = sorted({item.name for item in found})
    champions = {item: registry.champion(item) for item in names}
    if json:
        changes = {item: [change.model_dump(mode="json") for change in registry.history(item)] for item in names}
        rows = [
            {
                **v.model_dump(mode="json"),
                "champion": champions[v.name] == v.skill,
                "judgements": [said.model_dump(mode="json") for said in registry.judgements(v)],
            }
            for v in found
        ]
        typer.echo(json_module.dumps({"versions": rows, "history": changes}, indent=2))
        return
    console = Console()
    if not found:
        console.print("no versions yet: `trace2skill run` makes them")
    for item in names:
        mine = [v for v in found if v.name == item]
        _print_versions(console, item, mine, champions[item])
        for version in mine:
            _print_judgements(console, version, registry.judgements(version))
        for change in registry.history(item):
            back = f" from {change.previous[:12]}" if change.previous else ""
            said = f"{change.written} {change.kind} {change.skill[:12]}{back}: {flat(change.reason)}"
            console.print(said, highlight=False, soft_wrap=True)


def diff(old: Which, new: Which, store: o.StorePath = None, json: o.AsJson = False) -> None:
    """Show what changed from one version to another, as a diff that `git apply` takes."""
    opened = o.store_to_look_into(store)
    before, after = _skill(opened, old), _skill(opened, new)
    text = unified_diff(before, after)
    if json:
        typer.echo(json_module.dumps({"old": before.digest, "new": after.digest, "diff": text}, indent=2))
    elif not text:
        typer.echo("no difference")
    elif Console().is_terminal:
        Console().print(code(text, "diff"))
    else:
        typer.echo(text, nl=False)


def promote(
    version: Which,
    skill_dir: SkillGiven,
    why: Annotated[str, typer.Option(help="Why, where the gate did not say 'promote'. It is recorded.")] = "",
    store: o.StorePath = None,
    json: o.AsJson = False,
) -> None:
    """Make a version the champion and put it into the directory the skill is used from, or on its branch, in one step.

    A version that the gate did not promote needs --why: a person overrules the gate, and the record says so.
    Where it is the champion already, a directory that holds an older one is put right.
    """
    registry, place = _used_from(store, skill_dir)
    kept = registry.version(version)
    skill = registry.skill(kept.skill)
    expected = registry.take_over(skill.name, place)
    if kept.skill == expected:
        stands = registry.put_right(skill.name, place)
        _said(stands.model_dump(mode="json"), f"{place} holds the champion {kept.skill[:12]} again", json)
        return
    won = registry.win(kept, expected)  # one over another skill than the one it would replace says nothing here
    if won is None and not why:
        said = kept.decision.reason if kept.decision else "nobody has compared it"
        raise BadInput(
            f"the gate does not promote {kept.skill[:12]} over {expected[:12] or 'nothing'} ({said}): "
            "say --why to do it all the same"
        )
    reason = why or (won.decision.reason if won and won.decision else "")
    run_id = won.run_id if won else kept.run_id
    change = registry.promote(skill, place, expected=expected, run_id=run_id, reason=reason)
    registry.record(skill, kept.model_copy(update={"state": "promoted"}))
    _said(change.model_dump(mode="json"), f"{place} holds {skill.name} {kept.number} ({kept.skill[:12]}) now", json)


def rollback(
    skill_dir: SkillGiven,
    to: Annotated[
        str | None, typer.Option(help="Digest of the version to go back to; the one before, if not given.")
    ] = None,
    why: Annotated[str, typer.Option(help="Why; it is recorded.")] = "rolled back by hand",
    store: o.StorePath = None,
    json: o.AsJson = False,
) -> None:
    """Put the version before back, or a named one. Rolling back twice undoes the first."""
    registry, place = _used_from(store, skill_dir)
    live = read_there(place)
    registry.take_over(live.name, place)
    target = registry.version(to).skill if to else None
    change = registry.rollback(live.name, place, to=target, reason=why)
    _said(change.model_dump(mode="json"), f"{place} holds {live.name} {change.skill[:12]} again", json)


def export(
    which: Annotated[str, typer.Argument(help="A version or a skill's place; with --git a skill's name or place.")],
    directory: Annotated[Path | None, typer.Option("--to", help="Write the skill's directory below this one.")] = None,
    zip_file: Annotated[Path | None, typer.Option("--zip", help="Write a .skill file: the directory as a zip.")] = None,
    git: Annotated[Path | None, typer.Option(help="A Git repository: a commit for every version, on --branch.")] = None,
    branch: Annotated[str, typer.Option(help="The branch for --git.")] = "skills",
    marketplace: Annotated[
        Path | None,
        typer.Option(help="A folder that coding agents install plug-ins from: an entry a skill; also of a library."),
    ] = None,
    owner: Annotated[str, typer.Option(help="Who keeps a new marketplace.")] = "",
    metadata: Annotated[
        bool,
        typer.Option(
            "--metadata",
            help="Write number, digest, run, verdict and date of the version into `metadata` of the front matter.",
        ),
    ] = False,
    store: o.StorePath = None,
) -> None:
    """Take versions out: as a directory, a .skill zip, a Git branch whose messages hold the evidence, or a plug-in.

    What is written is the version byte for byte; with --metadata its front matter says besides which version it is, and
    `verify` takes it for that one.
    """
    opened = o.store_to_look_into(store)
    if sum(place is not None for place in (directory, zip_file, git, marketplace)) != 1:
        raise BadInput("say where to: one of --to DIR, --zip FILE, --git REPOSITORY, --marketplace DIR")
    if marketplace is not None:
        skills = skills_in(Path(which)) if is_library(Path(which)) else [_skill(opened, which)]
        told = [provenance_of(opened, skill, f"trace2skill {__version__}") for skill in skills]
        made = [_signed(opened, skill) if metadata else skill for skill in skills]
        given = [(skill, one.number, as_text(one)) for skill, one in zip(made, told, strict=True)]
        for target in to_marketplace(given, marketplace, owner=owner, provenance_name=SUFFIX):
            typer.echo(f"wrote {target}")
        return
    if git is not None:
        if metadata:
            raise BadInput("--git takes no --metadata: the message of each commit says which version it is")
        if str(git).startswith("git+"):
            raise BadInput("--git takes a repository on this machine: clone it, export into the clone, and push that")
        _check_repository(git)
        count = to_git(Registry(opened), _name(opened, which), git, branch)
        typer.echo(f"wrote {count} commits to branch {branch} of {git}")
        return
    skill = _signed(opened, _skill(opened, which)) if metadata else _skill(opened, which)
    target = to_directory(skill, directory) if directory is not None else to_zip(skill, zip_file or Path())
    typer.echo(f"wrote {target}")


def _check_repository(folder: Path) -> None:
    """Is it in a repository, or a bare one?"""
    bare = (folder / "HEAD").is_file() and (folder / "objects").is_dir()
    if not folder.is_dir() or not (bare or any((at / ".git").exists() for at in (folder, *folder.absolute().parents))):
        raise BadInput(f"--git: there is no Git repository at {folder}: make one with `git init {folder}`")


def _print_versions(console: Console, name: str, found: list[Version], champion: str | None) -> None:
    table = Table("", "version", "digest", "state", "from", "run", "author", "decision", title=plain(name))
    for item in found:
        table.add_row(
            "[bold green]champion[/]" if item.skill == champion else "",
            str(item.number),
            item.skill[:12],
            item.state.replace("_", " "),
            item.parent[:12],
            item.run_id,
            plain(item.author or "people"),
            item.decision.verdict.replace("_", " ") if item.decision else "",
        )
    console.print(table)


def _print_judgements(console: Console, version: Version, judged: list[VersionJudgement]) -> None:
    """Where a version was judged more than once: by whom, over whom, and which judgement stands."""
    stands = standing(judged)
    for at, said in enumerate(judged if len(judged) > 1 else ()):
        verdict = said.verdict.replace("_", " ") or "unreadable"
        mark = " (stands)" if at == stands else ""
        over = f" over {said.champion[:12]}" if said.champion else ""
        console.print(
            f"{said.written} judged {version.skill[:12]}{over} by {flat(said.run_id)}: {verdict}{mark}",
            highlight=False,
            soft_wrap=True,
        )


def _used_from(store: str | None, where: str) -> tuple[Registry, SkillPlace]:
    opened = o.existing_store(store)
    return Registry(opened), place_given(where, opened.beside)


def _skill(store: Store, which: str) -> Skill:
    if is_place(which):
        return skill_given(which, store.beside)
    registry = Registry(store)
    return registry.skill(registry.version(which).skill)


def _signed(store: Store, skill: Skill) -> Skill:
    return with_made_by(skill, exported_keys(store, skill))


def _name(store: Store, which: str) -> str:
    """The name of a skill, of which perhaps the place is given. A directory called as a skill is, is no other."""
    known = not which.startswith("git+") and Registry(store).versions(which)
    return skill_given(which, store.beside).name if is_place(which) and not known else which


def _said(record: dict[str, object], words: str, as_json: bool) -> None:
    typer.echo(json_module.dumps(record, indent=2) if as_json else words)
