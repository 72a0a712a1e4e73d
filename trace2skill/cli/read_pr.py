"""The command read-pr: what reviewers said of a run's pull request, and what becomes of it."""

import json as json_module
from collections.abc import Mapping
from typing import Annotated

import typer

from trace2skill.cli import options as o
from trace2skill.cli.console import Console, flat
from trace2skill.cli.look import summary_of
from trace2skill.cli.propose_pr import address_named
from trace2skill.consolidate.quarantine import allowed_in
from trace2skill.core.errors import BadInput
from trace2skill.runs.pull_requests import address_of
from trace2skill.runs.read_reviews import ReviewsRead, read_reviews
from trace2skill.runs.reviewers_words import why_not_taken
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.skill_reviews import ReviewedLine, reviews_of
from trace2skill.skills.git_address import GitAddress, parse
from trace2skill.versions.forges import ForgeName, forge_of
from trace2skill.versions.registry import Registry

EFFECTS = {
    "rejects": "the rule stays out until enough new tasks ask for it",
    "words": "the rule is written in these words",
    "note": "kept as a note",
}


def read_pr(
    run: Annotated[str, typer.Argument(help="Id of a run whose skill was proposed; `trace2skill show` lists runs.")],
    to: Annotated[
        str | None,
        typer.Option(
            help="Where it was proposed: git+https://host/repository@branch#path; else as `propose-pr` wrote it down."
        ),
    ] = None,
    forge: Annotated[
        ForgeName | None, typer.Option(help="Where pull requests are; told by the host, unless given.")
    ] = None,
    api: Annotated[
        str, typer.Option(help="The REST API's address, where it is not the usual one of the repository's host.")
    ] = "",
    store: o.StorePath = None,
    json: o.AsJson = False,
) -> None:
    """Read what reviewers said of a run's pull request, and keep what of it decides.

    A comment at a line that begins with `/reject`, `reject:` or `no:`, by somebody who may write there, keeps the rule
    of that line out until enough new tasks ask for it; a suggestion of one line gives the rule its words; everything
    else is a note, which `why` and `book` show. Reading again changes nothing, unless comments have changed. Nights
    read the open requests of their skill by themselves. The token comes from GITHUB_TOKEN (GH_TOKEN) or GITLAB_TOKEN.
    """
    opened = o.existing_store(store)
    summary, row = summary_of(opened, run), opened.run(run)
    settings = RunSettings.kept(row.settings if row else "{}")
    known = next((one for one in reviews_of(opened, summary.skill_name).proposed if one.run_id == run), None)
    address: GitAddress = address_named(to) if to else _kept(known.address) if known else address_of(settings)
    asked_of = forge or (known.forge if known else settings.operation.forge)
    if asked_of == "none":
        raise BadInput("--forge none names no place where anybody could have said something: name github or gitlab")
    at = forge_of(address, asked_of, api or settings.operation.forge_api)
    if at is None:
        raise BadInput(f"{address}: its host does not say which forge it is: name one (--forge), with --api")
    found = read_reviews(opened, summary, address, at)
    skill, allowed = Registry(opened).skill(found.request.version), allowed_in(opened)
    kept = {line.comment.id: why_not_taken(line, skill, allowed) for line in found.request.lines}
    if json:
        typer.echo(json_module.dumps(_as_json(found, kept), indent=2))
        return
    _print(Console(), found, kept)


def _kept(address: str) -> GitAddress:
    where = parse(address)
    if isinstance(where, GitAddress):
        return where
    raise BadInput(f"{address} is in no repository: name it (--to)")


def _as_json(found: ReviewsRead, kept: Mapping[str, str]) -> dict[str, object]:
    request = found.request
    lines = [
        {
            **line.model_dump(mode="json"),
            "effect": line.effect,
            "why_not": line.why_not,
            "not_taken": kept[line.comment.id],
        }
        for line in request.lines
    ]
    counts = {"new": len(found.new), "changed": len(found.changed), "gone": len(found.gone)}
    return {**request.model_dump(mode="json"), "lines": lines, **counts}


def _print(console: Console, found: ReviewsRead, kept: Mapping[str, str]) -> None:
    request = found.request
    counts = f"{len(found.new)} new, {len(found.changed)} changed, {len(found.gone)} gone since it was last read"
    console.print(f"{flat(request.address)}: {request.state}; {len(request.lines)} comments, {counts}", highlight=False)
    if request.unread:
        console.print(f"[yellow]not known: {flat(request.unread)}[/yellow]", highlight=False)
    if request.against:
        console.print(f"against all of it: {flat(', '.join(request.against))} (a note)", highlight=False)
    for line in request.lines:
        _print_line(console, line, kept[line.comment.id])


def _print_line(console: Console, line: ReviewedLine, not_taken: str) -> None:
    where = f"{flat(line.file)}:{line.line}" if line.file and line.line else "all of it"
    console.print(f"[bold]{where}[/bold] {flat(line.text.strip())}".rstrip(), highlight=False)
    console.print(f"  {flat(line.in_words)}", highlight=False)
    console.print(f"  {flat(not_taken) or EFFECTS[line.effect]}", highlight=False)
