"""The command triggers: do descriptions bring the agent to a skill when they should?"""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from trace2skill.cli import options as o
from trace2skill.cli import settings_groups as group
from trace2skill.cli.console import Console, flat, plain
from trace2skill.cli.live import LiveProgress
from trace2skill.cli.settings_options import Given, with_settings
from trace2skill.cli.skill_given import address_given, library_given
from trace2skill.cli.trigger_program import show_program, skills_table
from trace2skill.cli.written_queries import show_written
from trace2skill.core.errors import BadInput
from trace2skill.core.progress import watched_by
from trace2skill.evaluation.trigger_agreement import ConfirmedTriggers
from trace2skill.evaluation.trigger_file import add_queries, queries_there
from trace2skill.evaluation.trigger_queries import TriggerQuery, read_queries
from trace2skill.evaluation.triggers import SkillTriggers, TriggerReport
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.trigger_search import OptimisedTriggers, TriggerSearch
from trace2skill.runs.trigger_sessions import ProgramSessions
from trace2skill.runs.triggers import Choices, books_of, measure_triggers
from trace2skill.runs.written_queries import write_queries_for
from trace2skill.skills.git_address import GitAddress
from trace2skill.skills.skill import Skill
from trace2skill.store import open_store
from trace2skill.store.rows import LedgerTotal

SHOWN = 20
SAMPLE, SECONDS, EACH, TRIES = 20, 180.0, 10, 3


@with_settings(
    *group.MODEL,
    *group.MONEY,
    "level",
    "seed",
    "harness",
    "agent_command",
    "agent_set",
    "sandbox",
    "workers",
    "store",
    "store_wait_seconds",
    texts={
        "model": "LiteLLM name of the model that chooses, e.g. that of your agent.",
        "seed": "By which a sample of queries is drawn, and of many requests those that are written after.",
        "harness": "Give a sample of the queries to this agent's program, too: claude, codex, gemini, opencode, "
        "command, or a YAML file. See docs/harnesses.md.",
    },
)
def triggers(
    given: Given,
    skills: Annotated[
        str, typer.Argument(help="A skill (a directory or git+...), or a folder of skills that an agent sees together.")
    ],
    queries: Annotated[
        Path | None,
        typer.Option(help="YAML or JSON: a list of `query` with `skill` (null for none).", show_default=False),
    ] = None,
    write_queries: Annotated[
        Path | None,
        typer.Option(help="Have the model write queries into this file; what stands there stays.", show_default=False),
    ] = None,
    logs: Annotated[
        list[Path] | None,
        typer.Option(
            "--from",
            help="With --write-queries: logs whose requests it writes after, besides tasks in the store.",
            show_default=False,
        ),
    ] = None,
    sample: Annotated[
        int, typer.Option(min=2, help="With --harness: so many queries, half of which should call for a skill.")
    ] = SAMPLE,
    query_seconds: Annotated[float, typer.Option(min=1, help="With --harness: most seconds for a query.")] = SECONDS,
    each: Annotated[
        int, typer.Option(min=1, max=200, help="With --write-queries: of each half so many for every skill.")
    ] = EACH,
    optimise: Annotated[
        bool, typer.Option("--optimise", help="Look for better descriptions, and judge them on held-out queries.")
    ] = False,
    tries: Annotated[int, typer.Option(min=1, max=20, help="With --optimise: proposals for a skill at most.")] = TRIES,
    json: o.AsJson = False,
) -> None:
    """Measure whether descriptions bring an agent to a skill when they should, and not when they should not.

    Each query is put to the model beside all descriptions, one call a query: precision and recall of each skill, with
    intervals of 95%. First each skill is asked for by its name; where that does not bring it up, nothing is judged.
    --optimise has the model write other descriptions, from what went wrong on half of the queries; what is better on
    the other half by the gate of promotions is kept as a version, which `trace2skill promote` puts in use.
    --harness gives some of them to an agent's own program and reads from its records what that took up.
    --write-queries has it write queries for you to edit: half of them for each skill, half near misses of it.
    """
    if (queries is None) == (write_queries is None):
        raise BadInput("give the queries (--queries FILE), or have some written (--write-queries FILE): one of both")
    library = library_given(skills)
    names = {skill.name for skill in library}
    settings = given.settings(fixed={"data.path": skills})
    asks_program = any(given.typed.get(name) for name in ("harness", "agent_command", "agent_set"))
    if asks_program and (optimise or write_queries is not None):
        raise BadInput("--harness measures, and neither --optimise nor --write-queries asks a program: one at a time")
    asks_program = asks_program or (settings.learning.agent.harness is not None and not optimise)
    _refuse_idle(
        ("--sample", sample != SAMPLE, asks_program and write_queries is None, "--harness"),
        ("--query-seconds", query_seconds != SECONDS, asks_program and write_queries is None, "--harness"),
        ("--tries", tries != TRIES, optimise, "--optimise"),
        ("--optimise", optimise, write_queries is None, "--queries"),
        ("--each", each != EACH, write_queries is not None, "--write-queries"),
    )
    if write_queries is not None:
        _write(settings, library, write_queries, logs or (), each, json=json)
        return
    if logs:
        raise BadInput("--from goes with --write-queries: to count in logs which skills are used, `trace2skill usage`")
    assert queries is not None
    asked = read_queries(queries, names)
    search = tries if optimise else None
    found, total = _measured(settings, library, asked, search, (sample, query_seconds) if asks_program else None, json)
    if json:
        typer.echo(found.model_dump_json(indent=2))
        return
    if isinstance(found, OptimisedTriggers):
        show_searches(found, skills)
    else:
        show(found)
    if isinstance(found, ConfirmedTriggers):
        show_program(found.program)
    typer.echo(f"asked over these skills so far: {total.calls} model calls, ${total.cost:.4f}")
    if settings.models.agent.simulated:
        typer.echo("A simulated model chose: this shows that the machinery works and says nothing of descriptions.")


def _measured(
    settings: RunSettings,
    library: list[Skill],
    asked: list[TriggerQuery],
    tries: int | None,
    sampled: tuple[int, float] | None,
    quiet: bool,
) -> tuple[TriggerReport | OptimisedTriggers, LedgerTotal]:
    """What came of the queries, and what these skills have cost so far.

    Args:
        settings: of the run.
        library: all skills that an agent sees together.
        asked: the queries.
        tries: proposals for a skill at most, where better descriptions are looked for; None where they are not.
        sampled: how many queries an agent's program is given, and seconds for each; None where it is asked nothing.
        quiet: no progress is shown.
    """
    how, model = settings.operation, settings.models.agent
    store = open_store(how.store, wait_seconds=how.store_wait_seconds)
    try:
        books = books_of(model, library)
        cost = lambda: store.ledger_total(books).cost  # noqa: E731
        with LiveProgress(Console(stderr=True), cost, quiet=quiet) as progress, watched_by(progress):
            choices = Choices(store, model, library, settings.money, how.workers)
            if tries is not None:
                search = TriggerSearch(store, choices, settings.models.merger, settings.gate, tries)
                return search(library, asked), store.ledger_total(books)
            program = ProgramSessions(store, choices, settings, sampled[1]) if sampled else None
            found = measure_triggers(choices, library, asked)
            if program and sampled:
                found = program.confirm(found, asked, sampled[0])
            return found, store.ledger_total(books)
    finally:
        store.close()


def _refuse_idle(*options: tuple[str, bool, bool, str]) -> None:
    """Refuse options that would do nothing: (option, whether it was given, whether it counts, what it goes with)."""
    for option, was_given, counts, goes_with in options:
        if was_given and not counts:
            raise BadInput(f"{option} goes with {goes_with}, and would do nothing here")


def _write(
    settings: RunSettings, library: Sequence[Skill], file: Path, logs: Sequence[Path], each: int, *, json: bool
) -> None:
    """Add queries to a file."""
    there = queries_there(file, {skill.name for skill in library})
    how = settings.operation
    store = open_store(how.store, wait_seconds=how.store_wait_seconds)
    try:
        books = books_of(settings.models.agent, library)
        cost = lambda: store.ledger_total(books).cost  # noqa: E731
        with LiveProgress(Console(stderr=True), cost, quiet=json) as progress, watched_by(progress):
            found = write_queries_for(store, settings, library, there, logs, each)
        add_queries(file, found.new, one_skill=len(library) == 1)
        total = store.ledger_total(books)
    finally:
        store.close()
    if json:
        typer.echo(found.model_dump_json(indent=2))
        return
    show_written(found, str(file))
    typer.echo(f"asked over these skills so far: {total.calls} model calls, ${total.cost:.4f}")
    if settings.models.merger.simulated:
        typer.echo("A simulated model wrote them: this shows that the machinery works; no user writes so.")


def show_searches(found: OptimisedTriggers, skills: str) -> None:
    """What was looked for on behalf of each skill, and how the held-out queries went before and after."""
    console = Console()
    for item in found.searches:
        console.print(f"[bold]{plain(item.name)}[/bold]", highlight=False)
        wrong = f"wrong choices on the queries to learn from: {item.wrong_before}"
        if item.decision is None:
            told = "nothing to mend" if not item.tried and not item.refused else "no description did better"
            console.print(f"  {wrong}; {told}", highlight=False)
        else:
            console.print(f"  {wrong}, with the new description {item.wrong_after}", highlight=False)
            console.print(f"  was: {flat(item.before)}", highlight=False)
            console.print(f"  new: {flat(item.after)}", highlight=False)
            console.print(f"  held-out queries: {item.decision.verdict}: {flat(item.decision.reason)}", highlight=False)
        for why in item.refused:
            console.print(f"  not taken: {flat(why)}", highlight=False)
        if item.won:
            given = address_given(skills)  # as an address is kept: without a password that was typed into it
            alone = isinstance(given, GitAddress) or (given / "SKILL.md").is_file()
            where = shlex.quote(str(given if alone else Path(skills) / item.name))
            command = f"trace2skill promote {item.version[:12]} {plain(where)}"
            console.print(f"  in use with: {command}", highlight=False, soft_wrap=True)
    console.print("held-out queries with the descriptions as they are")
    console.print(skills_table(found.before.skills))
    if any(item.won for item in found.searches):
        console.print("and with those that won")
        console.print(skills_table(found.after.skills))
    _say_unreadable(console, found.before)


def show(found: TriggerReport) -> None:
    """A row a skill, and the queries that went wrong."""
    console = Console()
    console.print(skills_table(found.skills))
    _show_misjudged(console, found)


def _say_unreadable(console: Console, found: TriggerReport) -> None:
    if found.unreadable:
        console.print(f"[yellow]{found.unreadable} queries had no usable answer[/yellow] and count for nothing")


def _show_misjudged(console: Console, found: TriggerReport) -> None:
    for wrong in found.misjudged[:SHOWN]:
        wanted, taken = wrong.wanted or "none", wrong.taken or "none"
        console.print(
            f"[yellow]{plain(taken)}[/yellow] and not {plain(wanted)}: {flat(wrong.query)[:160]}", highlight=False
        )
    if more := len(found.misjudged[SHOWN:]):
        console.print(f"and {more} more: --json has all")
    _say_unreadable(console, found)
    if few := [item.name for item in found.skills if _is_wide(item)]:
        console.print(f"too few queries to tell much of {plain(', '.join(few))}: intervals are wide")


def _is_wide(item: SkillTriggers) -> bool:
    return item.recall is None or item.recall.high - item.recall.low > 0.4
