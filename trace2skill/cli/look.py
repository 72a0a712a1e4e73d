"""Commands that look and change nothing: validate, show, doctor."""

import json as json_module
import os
import shutil
import sys
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.table import Table

from trace2skill.cli import options as o
from trace2skill.cli.console import Console, plain
from trace2skill.cli.print import print_summary
from trace2skill.cli.print_library import print_library
from trace2skill.cli.repeat import in_words
from trace2skill.cli.skill_given import SkillGiven, is_place, place_given
from trace2skill.core.errors import BadInput, SkillInvalid, Trace2SkillError
from trace2skill.core.forms import from_text
from trace2skill.core.record import Record
from trace2skill.runs.library_summary import LibrarySummary
from trace2skill.runs.summary import RunSummary
from trace2skill.safety.redaction import Redactor
from trace2skill.skills.skill import problems
from trace2skill.store import Store, store_to_read
from trace2skill.versions.places import read_there


def validate(skill: SkillGiven, json: o.AsJson = False) -> None:
    """Check a skill directory: the agentskills.io layout, and that every link and reference is in order."""
    with TemporaryDirectory(prefix="trace2skill-") as below:
        place = place_given(skill, Path(below))
        read = read_there(place)
    found = [*problems(read), *filter(None, [place.misnamed(read.name)])]
    if json:
        typer.echo(json_module.dumps({"skill": read.name, "digest": read.digest, "problems": found}, indent=2))
    elif not found:
        typer.echo(f"{read.name}: valid, {len(read.files)} files, digest {read.digest[:12]}")
    if found and not json:
        raise SkillInvalid(str(place), found)
    if found:
        raise typer.Exit(2)


def show(
    run: Annotated[str | None, typer.Argument(help="Id of a run; without one, all runs are listed.")] = None,
    store: o.StorePath = None,
    json: o.AsJson = False,
) -> None:
    """Show a run again, or list the runs in the store."""
    opened = o.store_to_look_into(store)
    if run is None:
        rows = opened.run_heads()
        if json:
            typer.echo(json_module.dumps([row.model_dump(mode="json", exclude={"told"}) for row in rows]))
            return
        table = Table("run", "kind", "state", "attempts", "cost")
        for row in rows:
            table.add_row(row.id, row.kind, row.state, str(row.attempts), f"${opened.ledger_total(row.id).cost:.4f}")
        Console().print(table)
        return
    found = opened.run(run)
    if found is not None and found.kind == "library" and found.summary:
        print_library(from_text(found.summary, LibrarySummary), as_json=json)
        return
    print_summary(summary_of(opened, run), as_json=json)


def summary_of(store: Store, run: str) -> RunSummary:
    """The summary of a finished run.

    Raises:
        BadInput: no such run, or it has not ended.
    """
    found = store.run(run)
    if found is None:
        of_skill = ", and `trace2skill nights` those of a skill" if is_place(run) else ""
        named = in_words([run]).strip("'")
        raise BadInput(f"no run '{named}' in {store.path}: `trace2skill show` lists them{of_skill}")
    if found.kind not in ("run", "refresh", "ingest"):
        raise BadInput(f"'{run}' is no refresh but a run of `trace2skill {found.kind}`, which has no summary")
    if not found.summary or found.state != "completed":
        raise BadInput(f"run '{run}' is {found.state} and has no summary yet: run its command again to go on")
    return from_text(found.summary, RunSummary)


class Check(Record):
    """One thing the doctor looked at."""

    what: str
    state: str
    detail: str


def doctor(
    model: Annotated[str | None, typer.Option(help="Check that this model can be called, with one short call.")] = None,
    store: o.StorePath = None,
    json: o.AsJson = False,
) -> None:
    """Check Python, sandbox, LibreOffice, Prefect, the store, and access to a model."""
    findings = [_python(), _sandbox(), _libreoffice(), _prefect(), _store(o.store_path(store)), *_model(model)]
    if json:
        typer.echo(json_module.dumps([item.model_dump() for item in findings], indent=2))
    else:
        colour = {"ok": "green", "missing": "yellow", "problem": "red"}
        table = Table("what", "state", "detail")
        for item in findings:
            table.add_row(item.what, f"[{colour[item.state]}]{item.state}[/]", plain(item.detail))
        Console().print(table)
    if any(item.state == "problem" for item in findings):
        raise typer.Exit(2)


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    known = (3, 11) <= sys.version_info[:2] <= (3, 13)
    return Check(what="Python", state="ok" if known else "problem", detail=f"{version} (3.11 to 3.13 are supported)")


def _sandbox() -> Check:
    from trace2skill.sandbox import choose_sandbox

    try:
        return Check(what="sandbox", state="ok", detail=choose_sandbox("auto", simulated_model=False).name)
    except Trace2SkillError as error:
        return Check(what="sandbox", state="missing", detail=str(error))


def _libreoffice() -> Check:
    found = shutil.which("soffice") or shutil.which("libreoffice")
    hint = "optional; recalculates formulas before grading (Debian package libreoffice-calc)"
    return Check(what="LibreOffice", state="ok" if found else "missing", detail=found or hint)


def _prefect() -> Check:
    api = os.environ.get("PREFECT_API_URL")
    if api is None:
        return Check(
            what="Prefect", state="ok", detail="a server of its own for each run; PREFECT_API_URL names a lasting one"
        )
    try:
        import_module("tasks.server").check_server()
    except Trace2SkillError as error:
        return Check(what="Prefect", state="problem", detail=str(error))
    return Check(what="Prefect", state="ok", detail=Redactor().text(api))


def _store(path: Path | str) -> Check:
    if isinstance(path, Path) and not path.is_file():
        return Check(what="store", state="ok", detail=f"{path} (will be made)")
    said: list[str] = []
    try:
        rows = store_to_read(path, on_copy=said.append).run_heads()
    except Trace2SkillError as error:
        return Check(what="store", state="problem", detail=str(error))
    return Check(what="store", state="ok", detail=f"{path}, {len(rows)} runs" + "".join(f"; {one}" for one in said))


def _model(name: str | None) -> list[Check]:
    if name is None:
        return []
    from trace2skill.llm import ModelSettings, Request
    from trace2skill.llm.checks import check_model
    from trace2skill.llm.transport import send

    if folder := ModelSettings(name=name).handoff:
        return [_by_hand(folder)]
    settings = ModelSettings(name=name, max_tokens=64, attempts=1, timeout_seconds=60)
    try:
        check_model(settings)
        messages = ({"role": "system", "content": "You are tested."}, {"role": "user", "content": "Say ok."})
        answer, _ = send(Request(role="agent", settings=settings, messages=messages))
    except Trace2SkillError as error:
        return [Check(what="model", state="problem", detail=str(error))]
    return [Check(what="model", state="ok", detail=f"{name} answered: {answer.text[:60]!r}")]


def _by_hand(path: Path) -> Check:
    """A folder for answers by hand: nobody is asked, since nobody may be there."""
    from trace2skill.llm.handoff.claims import status
    from trace2skill.llm.handoff.folder import Folder, free_for_one

    try:
        if free_for_one(path):
            return Check(what="model", state="ok", detail=f"answered by hand in {path}, which will be made")
        found = status(Folder(path))
    except Trace2SkillError as error:
        return Check(what="model", state="problem", detail=str(error))
    waiting = sum(row.state == "waiting" for row in found.open)
    detail = f"answered by hand in {path}: {waiting} waiting, {sum(found.answered.values())} answered; nobody was asked"
    return Check(what="model", state="ok", detail=detail)
