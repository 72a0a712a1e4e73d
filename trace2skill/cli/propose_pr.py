"""The command propose-pr: a run's skill as a branch and a pull request, for people to merge."""

import json as json_module
from typing import Annotated, Any

import typer

from trace2skill.cli import options as o
from trace2skill.cli.console import Console, flat, plain
from trace2skill.cli.look import summary_of
from trace2skill.cli.repeat import in_words
from trace2skill.core.errors import BadInput
from trace2skill.runs.pull_request_page import page_of, title_of
from trace2skill.runs.pull_requests import address_of, propose, pull_request, report_of
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.skill_reviews import reviews_of
from trace2skill.skills.git_address import GitAddress, parse
from trace2skill.versions.forges import ForgeName, forge_of

DONE = {
    "opened": "a pull request was opened",
    "updated": "the open pull request was brought up to date",
    "unchanged": "the open pull request says so already",
    "refused": "people have closed the pull request of this version: none was opened again",
    "pushed": "no pull request was asked for: open one for that branch by hand",
}


def propose_pr(
    run: Annotated[str, typer.Argument(help="Id of a run; `trace2skill show` lists them.")],
    to: Annotated[
        str | None,
        typer.Option(
            help="Where people keep the skill: git+https://host/repository@branch#path; else where the run read it."
        ),
    ] = None,
    forge: Annotated[
        ForgeName | None,
        typer.Option(help="Where pull requests are; told by the host, unless given. 'none' pushes the branch alone."),
    ] = None,
    api: Annotated[
        str, typer.Option(help="The REST API's address, where it is not the usual one of the repository's host.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print branch, title and text, and push nothing.")] = False,
    store: o.StorePath = None,
    json: o.AsJson = False,
) -> None:
    """Propose a run's skill to the people of a repository: a branch with a commit a version, and a pull request.

    The text says what was decided, what was tested, which rules came in and who asked for them. Versions that would
    replace the same skill share one branch and one request; running it again changes nothing. Nothing is forced, and no
    other branch is pushed to. The token comes from GITHUB_TOKEN (GH_TOKEN) or GITLAB_TOKEN.
    """
    opened = o.store_to_look_into(store)
    summary, row = summary_of(opened, run), opened.run(run)
    settings = RunSettings.kept(row.settings if row else "{}")
    address = address_named(to) if to else address_of(settings)
    if dry_run:
        asked, skill = pull_request(opened, summary, address)
        branch, into = asked.planned(skill, summary.candidate.base)
        page = page_of(summary, report_of(settings, summary), reviews_of(opened, skill.name))
        _print_plan({"branch": branch, "into": into, "title": title_of(summary), "body": page}, json)
        return
    asked_of = settings.operation.forge if forge is None else forge
    at = None if asked_of == "none" else forge_of(address, asked_of, api or settings.operation.forge_api)
    done = propose(opened, settings, summary, address, at)
    if json:
        typer.echo(json_module.dumps(done.model_dump(mode="json"), indent=2))
        return
    console = Console()
    pushed = "pushed" if done.pushed else "there already"
    console.print(f"branch {flat(done.branch)} {pushed}, to be merged into {flat(done.into)}", highlight=False)
    console.print(f"{DONE[done.did]} {plain(done.request)}".rstrip(), highlight=False, soft_wrap=True)


def address_named(to: str) -> GitAddress:
    """The repository that `--to` names.

    Raises:
        BadInput: it names none.
    """
    try:
        where = parse(to)
    except ValueError as error:
        raise BadInput(f"--to: {error}") from error
    if isinstance(where, GitAddress):
        return where
    raise BadInput(f"--to {in_words([to])}: name a place in a repository (git+https://host/repository@branch#path)")


def _print_plan(plan: dict[str, Any], as_json: bool) -> None:
    if as_json:
        typer.echo(json_module.dumps(plan, indent=2))
        return
    console = Console()
    console.print(f"branch: {flat(plan['branch'])}, into: {flat(plan['into'])}", highlight=False)
    console.print(f"title: {flat(plan['title'])}\n", highlight=False)
    console.print(plain(plan["body"]), highlight=False, soft_wrap=True)
