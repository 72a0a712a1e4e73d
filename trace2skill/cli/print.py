"""What commands print: the summary of a run, tables of scores, or JSON for a script."""

import json
from collections import Counter
from typing import Any

import typer
from rich.markup import escape
from rich.table import Table

from trace2skill.cli.console import Console, code, flat, plain
from trace2skill.evaluation.ends import ended, in_words, of_each, short
from trace2skill.runs.dry_run import DryRun
from trace2skill.runs.held_back import NOT_LOOKED_AT
from trace2skill.runs.script_review import refused, reviewed
from trace2skill.runs.summary import SIMULATED_NOTE, RunSummary
from trace2skill.safety.shown import shown
from trace2skill.types.evaluation import Evaluation, score_names

SHOWN_OF_A_FILE = 5
VERDICTS = {
    "promote": "[bold green]promote[/bold green]",
    "reject": "[bold red]do not promote[/bold red]",
    "not_enough_evidence": "[bold yellow]not enough evidence[/bold yellow]",
    "unfinished": "[bold yellow]no verdict[/bold yellow]",
}


def print_summary(summary: RunSummary, *, as_json: bool, diff: bool = True) -> None:
    """The summary of a run: what was learned, from how many traces, at what cost, and what changed in the score."""
    if as_json:
        typer.echo(summary.model_dump_json(indent=2))
        return
    console = Console()
    console.rule(f"{summary.mode}: {plain(summary.skill_name)} ({summary.run_id})")
    _scores(console, list(summary.evaluations))
    _learned(console, summary)
    if diff and summary.candidate.diff:
        console.print(code(summary.candidate.diff, "diff"))
    _numbers(console, summary)
    for line in summary.sources.as_lines() if summary.sources else ():
        console.print(f"logs: {flat(line)}", highlight=False)
    for item in summary.quarantined:
        text = escape(shown(_one_line(item.text))[:160])
        console.print(f"[yellow]in quarantine[/yellow] ({flat(item.reason)}): {text}", highlight=False)
    if summary.quarantined:
        console.print("review it with `trace2skill quarantine`")
    for rule in summary.candidate.let_through:
        console.print(
            f"[yellow]{flat(rule.in_words)}[/yellow]: {escape(shown(_one_line(rule.text))[:160])}", highlight=False
        )
    if summary.candidate.unjudged:
        console.print(f"[yellow]{NOT_LOOKED_AT.lower()}[/yellow]: {len(summary.candidate.unjudged)}: read its diff")
    for failure in summary.failures:
        console.print(
            f"[red]failed[/red] {failure.stage}: {flat(failure.name)}: {flat(failure.message)}", highlight=False
        )
    for left_out in summary.left_out:
        console.print(
            f"left out {flat(left_out.task_id)}: {left_out.verdict}: {flat(left_out.reason)}", highlight=False
        )
    for task in summary.disputed:
        console.print(
            f"[yellow]look at[/yellow] {flat(task.task_id)}: its expected result contradicts the request: "
            f"{flat(task.reason)}",
            highlight=False,
        )
    console.print(f"verdict: {VERDICTS[summary.decision.verdict]}: {flat(summary.decision.reason)}", highlight=False)
    if summary.outlook and summary.outlook.in_words:
        console.print(f"[yellow]known before[/yellow]: {escape(summary.outlook.in_words)}", highlight=False)
    for conflict in summary.candidate.open:
        sides = " <> ".join(f"{len(side.support.tasks)} tasks: {_one_line(side.text)}" for side in conflict.sides)
        console.print(f"[yellow]open conflict[/yellow] {flat(conflict.reason)}: {escape(sides)}", highlight=False)
    for script in reviewed(summary.candidate, summary.scripts):
        told = f"the candidate holds a new script: {plain(script.path)}, {flat(script.source)}"
        warning = f"; its writer warns: {flat(script.warning)}" if script.warning else ""
        console.print(f"[yellow]review[/yellow] {told}{warning}", highlight=False)
    for line in refused(summary.scripts):
        console.print(f"no new script: {flat(line)}", highlight=False)
    if summary.promoted:
        console.print("the skill directory was replaced by the candidate")
    candidate = summary.candidate_directory or "none: nothing was learned"
    console.print(f"candidate skill: {plain(candidate)}", highlight=False, soft_wrap=True)
    if summary.candidate_directory:
        console.print(f"report: {plain(summary.candidate_directory.parents[1] / 'report.html')}", soft_wrap=True)
    if summary.simulated:
        console.print(f"[dim]{SIMULATED_NOTE}[/dim]")


def _one_line(text: str) -> str:
    return " ".join(text.split()).removeprefix("- ")


def print_dry_run(found: DryRun, *, as_json: bool) -> None:
    """Of each file what is in it, the ids of its first sessions, and what of it was not read and why."""
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
        return
    for file in found.files:
        ended = ", ".join(f"{count} {name}" for name, count in file.outcomes.items())
        read = (
            f"{file.format}, {len(file.sessions)} sessions, {file.steps} steps: {ended}" if file.format else "not read"
        )
        typer.echo(shown(f"{file.name}: {read}"))
        for item in file.sessions[:SHOWN_OF_A_FILE]:
            why = f"; {item.reason}" if item.reason else ""
            typer.echo(shown(f"  {' | '.join(item.ids)}: {item.steps} steps, {item.outcome} ({item.source}{why})"))
        if more := len(file.sessions[SHOWN_OF_A_FILE:]):
            typer.echo(f"  and {more} more (--json has all)")
        for problem in file.problems[:SHOWN_OF_A_FILE]:
            typer.echo(shown(f"  not read: {problem}"))
        if more := len(file.problems[SHOWN_OF_A_FILE:]) + file.more_problems:
            typer.echo(f"  not read: {more} more")
    for path in found.verdicts:
        typer.echo(shown(f"{path}: verdicts, no log"))
    typer.echo(
        f"{found.sessions} sessions in {len(found.files)} files; passed over: {found.companions} files beside logs, "
        f"{found.duplicates} repeated and {found.copies} copied sessions. Nothing was kept. A label may name any id."
    )
    if found.unsampled:
        typer.echo(f"{found.unsampled} traces are in no sample: nothing would be learned from them")
    if found.unmatched:
        typer.echo(shown(f"labels that name no session: {len(found.unmatched)}: {', '.join(found.unmatched[:10])}"))


def print_evaluations(evaluations: list[Evaluation], *, as_json: bool) -> None:
    """A row per condition."""
    if as_json:
        typer.echo(json.dumps([item.model_dump(mode="json") for item in evaluations], indent=2))
        return
    _scores(Console(), evaluations)


def print_rollouts(gathered: Any, *, as_json: bool) -> None:
    """A row per trajectory."""
    if as_json:
        rows = [item.model_dump(mode="json") for item in gathered.results]
        failures = [item.model_dump(mode="json") for item in gathered.failures]
        typer.echo(json.dumps({"trajectories": rows, "failures": failures}, indent=2))
        return
    cells = [item.cell for item in gathered.results]
    otherwise = any(cell.stop for cell in cells)
    table = Table("task", "seed", "outcome", "soft", "turns", "tokens", "cost", *(["ended by"] if otherwise else []))
    for cell in cells:
        row = (cell.task_id, cell.seed, cell.outcome, f"{cell.soft:.2f}", cell.turns, cell.tokens, f"${cell.cost:.4f}")
        table.add_row(*map(plain, row), *([cell.stop.replace("_", " ")] if otherwise else []))
    console = Console()
    console.print(table)
    counts = Counter(cell.outcome for cell in cells)
    console.print(", ".join(f"{count} {name}" for name, count in sorted(counts.items())))
    for line in in_words(ended(cells), len(cells)):
        console.print(line, highlight=False)


def _scores(console: Console, evaluations: list[Evaluation]) -> None:
    if not evaluations:
        return
    otherwise = ["ended otherwise"] if any(map(short, evaluations)) else []
    names = ["skill", *score_names(evaluations), "runs scored", *otherwise, "mean turns", "mean tokens"]
    table = Table(*names, title="held-out tasks")
    for item in evaluations:
        runs = max(len(item.scored), 1)
        table.add_row(
            flat(item.condition),
            f"{item.hard:.1%}",
            f"{item.soft:.1%}",
            f"{len(item.scored)} of {len(item.cells)}",
            *([short(item)] if otherwise else []),
            f"{sum(cell.turns for cell in item.scored) / runs:.1f}",
            f"{sum(cell.tokens for cell in item.scored) / runs:.0f}",
        )
    console.print(table)
    for line in of_each(evaluations):
        console.print(plain(line), highlight=False)


def _learned(console: Console, summary: RunSummary) -> None:
    if not summary.learned:
        console.print(f"nothing learned: {_why_nothing(summary)}")
        return
    table = Table("tasks", "failures", "successes", "rule", title="learned, by support")
    for group in summary.candidate.written:
        support = group.support
        line = " ".join(group.text.split()).removeprefix("- ")
        table.add_row(str(len(support.tasks)), str(len(support.errors)), str(len(support.successes)), plain(line))
    console.print(table)


def _why_nothing(summary: RunSummary) -> str:
    if not summary.lessons:
        return "no trajectory gave a lesson (trace2skill lessons shows why)"
    if summary.quarantined:
        return "what was left of the lessons is in quarantine (trace2skill quarantine)"
    return "no lesson had enough support"


def _numbers(console: Console, summary: RunSummary) -> None:
    outcomes = ", ".join(f"{count} {name}" for name, count in summary.trajectories.items())
    verdicts = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in summary.verdicts.items())
    spent = summary.spent
    lines = [
        *([f"trajectories: {outcomes}"] if outcomes else []),
        *summary.search_in_words(),
        *(f"  {plain(line)}" for line in summary.blamed_in_words()),
        *(f"  {plain(line)}" for line in (summary.shrunk.as_lines() if summary.shrunk else ())),
        *summary.ends,
        f"analyses: {verdicts}",
        f"lessons {summary.lessons}, patches {summary.patches}, rules {summary.rules_in_words()}; "
        f"written {len(summary.candidate.written)}, dropped for little support {len(summary.candidate.dropped)}, "
        f"unplaced {len(summary.candidate.unplaced)}, open conflicts {len(summary.candidate.open)}",
        f"model calls {spent.calls}, tokens {spent.tokens_in} in, {spent.tokens_out} out, ${spent.cost:.4f}",
    ]
    for line in lines:
        console.print(line, highlight=False)
