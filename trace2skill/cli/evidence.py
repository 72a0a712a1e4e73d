"""Commands about evidence: power, ablate, drift, transfer."""

import json as json_module
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from trace2skill.cli import options as o
from trace2skill.cli import settings_groups as group
from trace2skill.cli.console import Console, flat, plain
from trace2skill.cli.flows import run_flow
from trace2skill.cli.look import summary_of
from trace2skill.cli.print import VERDICTS
from trace2skill.cli.settings_options import Given, with_settings
from trace2skill.core import clock
from trace2skill.core.errors import BadInput
from trace2skill.evaluation.ablation import AblationSettings
from trace2skill.evaluation.power import discordance_spread, report, spread_of
from trace2skill.evaluation.transfer import NO_SKILL
from trace2skill.evaluation.transfer import transfer as transfer_matrix
from trace2skill.runs.settings import RunSettings
from trace2skill.types.comparison import Interval
from trace2skill.types.evaluation import Evaluation, Measured
from trace2skill.versions.registry import Registry
from trace2skill.versions.spending import look

FALSE_ALARM = "Chance of ever raising a false alarm."
RunId = Annotated[str, typer.Argument(help="Id of a run; `trace2skill show` lists them.")]


def power(
    run: Annotated[str | None, typer.Argument(help="A run whose spread to take; else give --discordance.")] = None,
    tasks: Annotated[int | None, typer.Option(help="Validation tasks.", min=2)] = None,
    seeds: Annotated[int | None, typer.Option(help="Seeds of each task.", min=1)] = None,
    lift: Annotated[
        float, typer.Option(help="The lift you want to see, e.g. 0.1 for ten points.", min=0.001, max=1)
    ] = 0.1,
    level: Annotated[float, typer.Option(help="Level over all looks.", min=0.0001, max=0.5)] = 0.05,
    number: Annotated[
        int, typer.Option("--look", help="Which look at the champion it is: later ones have less level.", min=1)
    ] = 1,
    discordance: Annotated[
        float | None, typer.Option(help="Share of tasks that end differently with the two skills.", min=0.01, max=1)
    ] = None,
    store: o.StorePath = None,
    json: o.AsJson = False,
) -> None:
    """Before spending: the smallest lift these tasks can show, and how many tasks or seeds a wanted lift needs."""
    if run is not None:
        before, after = pair_of(summary_of(o.store_to_look_into(store), run).evaluations)
        spread = spread_of(before, after)
        tasks = tasks or len({cell.task_id for cell in before.cells})
        seeds = seeds or len({cell.seed for cell in before.cells})
    elif discordance is None or tasks is None:
        raise BadInput("name a run whose evaluations to take, or give --tasks and --discordance")
    else:
        spread = discordance_spread(discordance)
    found = report(tasks, seeds or 1, spread, look(number, level).level, lift)
    if json:
        typer.echo(found.model_dump_json(indent=2))
        return
    console = Console()
    console.print(
        f"{found.tasks} tasks at {found.seeds} seeds, look {number} at level {found.level:.4f}: a lift of "
        f"{found.smallest_lift:+.1%} is seen with probability {found.power:.0%}",
        highlight=False,
    )
    console.print(f"a lift of {lift:+.1%} needs {found.tasks_needed} tasks at {found.seeds} seeds", highlight=False)
    enough = (
        f"or {found.seeds_needed} seeds of {found.tasks} tasks" if found.seeds_needed else "no number of seeds would do"
    )
    console.print(enough, highlight=False)
    if not spread.known:
        console.print("with one seed, tasks and chance cannot be told apart: the figure for seeds takes all for chance")


@with_settings(*group.ABLATE)
def ablate(
    run: RunId,
    given: Given,
    rollouts: Annotated[int, typer.Option(help="Most rollouts in all.", min=1)] = 400,
    seeds: Annotated[int, typer.Option(help="Most seeds for one group.", min=1, max=16)] = 3,
    worth: Annotated[
        float, typer.Option(help="An effect below this is not worth a group's tokens.", min=0.001, max=0.9)
    ] = 0.05,
    json: o.AsJson = False,
) -> None:
    """Measure what each edit group of a run's candidate does, by leaving it out on the held-out tasks.

    Groups that harm, or surely add too little for their tokens, are pruned; the pruned skill then has to pass the same
    gate as any candidate. Nothing is replaced: it becomes a version, see `trace2skill versions`.
    """
    settings = _as_in(run, given)
    how = o.checked(AblationSettings, rollouts=rollouts, seeds=seeds, worth=worth)
    found: Any = run_flow("ablate:ablate", settings, run, how, quiet=json)
    if json:
        typer.echo(found.model_dump_json(indent=2))
        return
    table = Table("verdict", "effect", "95% interval", "tokens", "support", "rule", title="edit groups")
    colours = {"keep": "green", "prune": "red", "unknown": "yellow"}
    for item in found.ablation.effects:
        verdict = f"[{colours[item.verdict]}]{item.verdict}[/]"
        text = escape(" ".join(item.text.split()).removeprefix("- "))
        table.add_row(verdict, f"{item.effect.mean:+.1%}", _range(item.effect), str(item.tokens), str(item.tasks), text)
    console = Console()
    console.print(table)
    console.print(f"{found.ablation.rollouts} runs were needed", highlight=False)
    if found.ablation.pruned:
        said = VERDICTS[found.decision.verdict]
        console.print(f"without what is to be pruned: {said}: {flat(found.decision.reason)}", highlight=False)
        console.print(f"the pruned skill: {plain(found.directory)}", highlight=False, soft_wrap=True)
    else:
        console.print(flat(found.decision.reason), highlight=False)


@with_settings(
    *group.DRIFT,
    counts=group.BOTH_SEEDS,
    texts={"level": FALSE_ALARM, "skill": "The directory the skill is used from."},
)
def drift(
    given: Given,
    label: Annotated[
        str | None, typer.Option(help="Name of this watch; today's date, if not given. The same label goes on.")
    ] = None,
    roll_back: Annotated[bool, typer.Option("--roll-back", help="Put the version before back on a drop.")] = False,
    json: o.AsJson = False,
) -> None:
    """Score the skill in use again, with fresh seeds, and say whether it still does what it did when promoted."""
    settings = given.settings()
    found: Any = run_flow("drift:drift_watch", settings, label or clock.today(), roll_back, quiet=json)
    if json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        console = Console()
        console.print(f"{plain(found.name)} {found.skill[:12]}: {plain(found.reason)}", highlight=False)
        if found.rolled_back_to:
            console.print(f"rolled back to {found.rolled_back_to[:12]}", highlight=False)
    if found.dropped:
        raise typer.Exit(1)


def transfer(
    reference: Annotated[
        str | None, typer.Option(help="Digest of the skill that deltas are against; without it, no skill.")
    ] = None,
    store: o.StorePath = None,
    json: o.AsJson = False,
) -> None:
    """Show the transfer matrix: which skill, by which author, used by which model, scores what on which tasks.

    It holds whatever was evaluated with this store, by `run` and by `evaluate`.
    """
    opened = o.store_to_look_into(store)
    registry = Registry(opened)
    known = {item.skill: item for item in registry.versions()}

    def describe(digest: str | None) -> tuple[str, str]:
        if digest is None:
            return "-", NO_SKILL
        version = known.get(digest)
        return (version.author or "people", f"{version.name} {digest[:8]}") if version else ("people", digest[:8])

    against = registry.version(reference).skill if reference else None
    cells = transfer_matrix(opened.all_of("evaluation", Measured), describe, against)
    if json:
        typer.echo(json_module.dumps([cell.model_dump(mode="json") for cell in cells], indent=2))
        return
    table = Table("tasks", "user", "author", "skill", "score", "95% interval", "delta", "95% interval", "runs")
    for cell in cells:
        delta = (f"{cell.delta.mean:+.1%}", _range(cell.delta)) if cell.delta else ("", "")
        row = (cell.data, cell.user, cell.author, cell.skill, f"{cell.score.mean:.1%}", _range(cell.score), *delta)
        table.add_row(*row, str(cell.runs))
    Console().print(table)


def _as_in(run: str, given: Given) -> RunSettings:
    """The settings of a run, with what was given besides."""
    store = o.store_to_look_into(given.typed.get("store"))
    row = store.run(run)
    if row is None:
        raise BadInput(f"no run '{run}' in {store.path}: `trace2skill show` lists them")
    base = RunSettings.kept(row.settings).model_dump()
    return given.settings(base=base, fixed={"operation.store": store.path})


def pair_of(evaluations: tuple[Evaluation, ...]) -> tuple[Evaluation, Evaluation]:
    """The evaluations of S0 and of the candidate.

    Raises:
        BadInput: there are none.
    """
    if len(evaluations) < 2:
        raise BadInput("this run compared nothing: it learned nothing, or was not evaluated")
    return evaluations[0], evaluations[1]


def _range(interval: Interval) -> str:
    return f"{interval.low:+.1%} to {interval.high:+.1%}"
