"""`trace2skill canary`: two versions of a skill in real sessions, until it is sure which is better."""

import json as json_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trace2skill.cli.console import Console, plain
from trace2skill.cli.live import LiveProgress
from trace2skill.cli.options import AsJson, StorePath, existing_store
from trace2skill.cli.skill_given import SkillGiven, place_given
from trace2skill.core import clock
from trace2skill.core.errors import BadInput
from trace2skill.core.progress import watched_by
from trace2skill.versions.registry import Registry

if TYPE_CHECKING:
    from trace2skill.runs.canary import Canary, Ended
    from trace2skill.store import Store

HELP = """Serve two versions of a skill to a share of real sessions, and end as soon as it is sure which is better.

1. `trace2skill canary start SKILL VERSION --to DIR` writes both versions into DIR; VERSION is tried beside the champion.

2. Where a session of your agent begins, `trace2skill canary pick DIR SESSION` prints the directory of the version that it gets: drawn by its name, the same each time. It needs no store.

3. `trace2skill canary look DIR LOGS` counts how the sessions ended, as often as you like: that is part of the test. Once it is sure, or enough sessions were seen, the canary ends, and every session gets the version that stays.

The chance that it ends between two versions that are equally good is the level, 5% unless given."""  # noqa: E501

canary_app = typer.Typer(help=HELP, no_args_is_help=True, rich_markup_mode="markdown")
Folder = Annotated[Path, typer.Argument(help="The folder that sessions are served from.", metavar="DIR")]


@canary_app.command()
def start(
    skill_dir: SkillGiven,
    version: Annotated[str, typer.Argument(help="The version to try: its digest or the start of it.")],
    to: Annotated[Path, typer.Option("--to", help="Write the folder that sessions are served from.")],
    share: Annotated[float, typer.Option(help="Of the sessions, those that get it.", min=0.01, max=0.99)] = 0.2,
    level: Annotated[
        float, typer.Option(help="Chance of an end between versions that are equally good.", min=0.0001, max=0.5)
    ] = 0.05,
    most: Annotated[int, typer.Option(help="End undecided after so many sessions with a known end.", min=10)] = 2000,
    patience: Annotated[
        float, typer.Option(help="Days that a session without a known end may hold up those after it.", min=0)
    ] = 7.0,
    store: StorePath = None,
    json: AsJson = False,
) -> None:
    """Begin: write the champion and another version into a folder."""
    from trace2skill.runs.canary import Canary, canary_id
    from trace2skill.runs.canary_serving import write_folder

    opened = existing_store(store)
    registry, place = Registry(opened), place_given(skill_dir, opened.beside)
    candidate = registry.skill(registry.version(version).skill)
    champion = registry.take_over(candidate.name, place)
    if not champion:
        raise BadInput(f"'{candidate.name}' has no champion at {skill_dir}: put a version there first")
    if champion == candidate.digest:
        raise BadInput(f"{candidate.digest[:12]} is the champion: name another version")
    started = clock.now().isoformat()
    made = Canary(
        id=canary_id(champion, candidate.digest, started),
        skill_name=candidate.name,
        champion=champion,
        candidate=candidate.digest,
        skill=skill_dir if skill_dir.startswith("git+") else str(Path(skill_dir).resolve()),
        share=share,
        level=level,
        most=most,
        patience=patience,
        started=started,
    )
    write_folder(to, made.id, share, registry.skill(champion), candidate)
    opened.put("canary", made.id, made)
    if json:
        typer.echo(made.model_dump_json(indent=2))
        return
    typer.echo(
        f"{to}: {share:.0%} of the sessions get {candidate.digest[:12]}, the others the champion {champion[:12]}\n"
        f"where a session begins: trace2skill canary pick {to} SESSION\n"
        f"to see where it stands: trace2skill canary look {to} LOGS"
    )


@canary_app.command()
def pick(
    folder: Folder, session: Annotated[str, typer.Argument(help="The session's name, as it will stand in its log.")]
) -> None:
    """Print the directory of the version that a session gets."""
    from trace2skill.runs.canary_serving import serve

    picked = serve(folder, session)
    if not picked.noted:
        typer.echo(f"{folder} cannot be written: that this session was served is not noted", err=True)
    typer.echo(picked.directory)


@canary_app.command()
def look(
    folder: Folder,
    logs: Annotated[list[Path], typer.Argument(help="Logs of the sessions: files and folders.")],
    format: Annotated[str | None, typer.Option(help="Read the logs as this format; detected, unless given.")] = None,
    labels: Annotated[Path | None, typer.Option(help="JSON or CSV: id of a session to its score.")] = None,
    promote: Annotated[
        bool, typer.Option("--promote", help="Make the candidate champion where it is surely better.")
    ] = False,
    store: StorePath = None,
    json: AsJson = False,
) -> None:
    """Count how the sessions in the logs ended, and end the canary where that is sure."""
    from trace2skill.runs.canary import look
    from trace2skill.runs.canary_serving import noted_in
    from trace2skill.runs.sources import Sources

    opened = existing_store(store)
    canary = _going_on(opened, folder)
    registry = Registry(opened)
    if (champion := registry.champion(canary.skill_name)) != canary.champion:
        _said(*_overtaken(opened, registry, folder, canary, champion or ""), json)
        return
    sources = Sources(paths=tuple(logs), format=format, labels=labels)
    with LiveProgress(Console(stderr=True), lambda: 0.0, quiet=json) as progress, watched_by(progress):
        found = look(opened, canary, noted_in(folder), sources)
    canary, why, more = found.canary, found.in_words, ""
    verdict = "goes_on" if found.uneven is not None or found.not_pulled else found.test.verdict
    if verdict == "better":
        command = f"trace2skill promote {canary.candidate[:12]} {canary.skill} --why 'better in a canary'"
        more = f"every session gets the candidate now; to make it the champion: {command}"
        if promote:
            place, skill = place_given(canary.skill, opened.beside), registry.skill(canary.candidate)
            registry.promote(skill, place, expected=canary.champion, run_id=canary.id, reason=f"canary: {why}")
            more = f"{place} holds {skill.name} {canary.candidate[:12]} now"
        canary = _end(opened, folder, canary, "better", why)
    elif verdict == "worse":
        canary = _end(opened, folder, canary, "worse", why)
        more = "every session gets the champion now"
    elif len(canary.seen) >= canary.most and found.uneven is None:
        canary = _end(opened, folder, canary, "undecided", why)
        more = f"{canary.most} sessions were to be enough: every session gets the champion now"
    told = found.model_copy(update={"canary": canary}).model_dump(mode="json")
    _said(told, "\n".join(filter(None, [found.in_words, more])), json)


@canary_app.command()
def stop(
    folder: Folder,
    why: Annotated[str, typer.Option(help="Why; it is kept.")] = "stopped by hand",
    store: StorePath = None,
    json: AsJson = False,
) -> None:
    """End it: every session gets the champion."""
    opened = existing_store(store)
    over = _end(opened, folder, _going_on(opened, folder), "stopped", why)
    _said(over.model_dump(mode="json"), f"ended: {why}; every session gets the champion now", json)


def _end(store: "Store", folder: Path, canary: "Canary", ended: "Ended", why: str) -> "Canary":
    """The folder first: whoever is served must not go on with what is known to be worse, whatever happens then."""
    from trace2skill.runs.canary_serving import serve_one

    serve_one(folder, "candidate" if ended == "better" else "champion")
    over = canary.model_copy(update={"ended": ended, "why": why})
    store.put("canary", canary.id, over)
    return over


def _overtaken(
    store: "Store", registry: Registry, folder: Path, canary: "Canary", champion: str
) -> tuple[dict[str, object], str]:
    """The champion is another one by now: sessions get that, and nothing is compared any more."""
    from trace2skill.runs.canary_serving import serve_one

    why = f"the champion is {champion[:12]} now, and not {canary.champion[:12]} any more"
    if champion == canary.candidate:
        serve_one(folder, "candidate")
    else:
        serve_one(folder, "champion", registry.skill(champion))
    over = canary.model_copy(update={"ended": "stopped", "why": why})
    store.put("canary", canary.id, over)
    return over.model_dump(mode="json"), f"ended: {why}; every session gets that one now"


def _going_on(store: "Store", folder: Path) -> "Canary":
    from trace2skill.runs.canary import Canary
    from trace2skill.runs.canary_serving import serve_one, serving_in

    serving = serving_in(folder)
    found = store.get("canary", serving.id, Canary)
    if found is None:
        raise BadInput(f"{store.path} knows no canary {serving.id}: name the store that it was started with (--store)")
    if found.ended:
        if serving.serves == "both":  # a copy of the folder, which has not heard of it
            serve_one(folder, "candidate" if found.ended == "better" else "champion")
        raise BadInput(f"the canary in {folder} has ended ({found.ended}): {found.why}")
    return found


def _said(told: dict[str, object], words: str, as_json: bool) -> None:
    if as_json:
        typer.echo(json_module.dumps(told, indent=2))
    else:
        Console().print(plain(words), highlight=False, soft_wrap=True)
