"""Commands that show what the analysts made of single trajectories: lessons, patch."""

import json as json_module
from typing import Annotated, Any

import typer
from rich.markup import escape

from trace2skill.analysts.reading import step_text
from trace2skill.cli import options as o
from trace2skill.cli.console import Console, code, flat, plain
from trace2skill.cli.look import summary_of
from trace2skill.core.errors import BadInput
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.summary import Analysis
from trace2skill.skills.apply import apply_edits
from trace2skill.skills.place import EditPolicy
from trace2skill.skills.skill import Skill
from trace2skill.store import Store
from trace2skill.types.lesson import Extraction, Lesson
from trace2skill.types.patch import Patch
from trace2skill.types.trajectory import Trajectory

STEP_CHARS = 600
RunId = Annotated[str, typer.Argument(help="Id of a run; `trace2skill show` lists them.")]


def lessons(
    run: RunId,
    trajectory: Annotated[
        str | None, typer.Option(help="Only this trajectory: its id or its start, or a task id. Shows the steps.")
    ] = None,
    store: o.StorePath = None,
    json: o.AsJson = False,
) -> None:
    """Show the lessons of a run, each with its proof and the steps that show it.

    With --trajectory the steps themselves are shown, too, and the fix that proved the cause of a failure.
    """
    opened = o.store_to_look_into(store)
    analyses = _chosen(summary_of(opened, run).analyses, trajectory)
    found = [(item, _stored(opened, item)) for item in analyses]
    if json:
        rows = [{**item.model_dump(mode="json"), **extraction.model_dump(mode="json")} for item, extraction in found]
        typer.echo(json_module.dumps(rows, indent=2))
        return
    console = Console()
    for analysis, extraction in found:
        _print_extraction(console, opened, analysis, extraction, with_steps=trajectory is not None)


def patch(
    run: RunId,
    trajectory: Annotated[str, typer.Argument(help="A trajectory's id or its start, or a task id.")],
    store: o.StorePath = None,
    json: o.AsJson = False,
) -> None:
    """Show what one trajectory asks of the skill, as a diff, with the lessons each edit writes down."""
    opened = o.store_to_look_into(store)
    row = opened.run(run)
    policy = RunSettings.kept(row.settings).learning.edits if row else EditPolicy()
    chosen = [item for item in _chosen(summary_of(opened, run).analyses, trajectory) if item.patch]
    if not chosen:
        raise BadInput(f"trajectory '{trajectory}' of {run} has no patch: no lesson came of it (`trace2skill lessons`)")
    patches = [(item, _patch(opened, item)) for item in chosen]
    if json:
        typer.echo(json_module.dumps([patch.model_dump(mode="json") for _, patch in patches], indent=2))
        return
    console = Console()
    for analysis, found in patches:
        _print_patch(console, opened, analysis, found, policy)


def _chosen(analyses: tuple[Analysis, ...], wanted: str | None) -> list[Analysis]:
    if wanted is None:
        return list(analyses)
    found = [item for item in analyses if item.task_id == wanted or item.trajectory_id.startswith(wanted)]
    if not found:
        raise BadInput(f"no trajectory '{wanted}' was analysed in this run: `trace2skill lessons RUN` lists them")
    return found


def _stored(store: Store, analysis: Analysis) -> Extraction:
    found = store.get("extraction", analysis.extraction, Extraction)
    if found is None:
        raise BadInput(f"the store {store.path} no longer has the analysis of {analysis.trajectory_id}: was it pruned?")
    return found


def _patch(store: Store, analysis: Analysis) -> Patch:
    found = store.get("patch", analysis.patch, Patch)
    if found is None:
        raise BadInput(f"the store {store.path} no longer has the patch of {analysis.trajectory_id}: was it pruned?")
    return found


def _print_extraction(
    console: Console, store: Store, analysis: Analysis, extraction: Extraction, *, with_steps: bool
) -> None:
    verdict = extraction.verdict.replace("_", " ")
    console.rule(f"{flat(analysis.task_id)} seed {analysis.seed} ({analysis.trajectory_id}): {verdict}")
    if extraction.reason:
        console.print(flat(extraction.reason), highlight=False)
    if extraction.cause:
        kind = f" ({extraction.fault})" if extraction.fault else ""
        console.print(f"[bold]cause[/bold]{kind} {flat(extraction.cause)}", highlight=False)
    if with_steps and extraction.fix:
        console.print("[bold]fix[/bold] that the harness ran from the original input, and that passed:")
        console.print(code(extraction.fix, "python"))
    for lesson in extraction.lessons:
        _print_lesson(console, lesson)
    for dropped in extraction.dropped:
        console.print(f"[yellow]dropped[/yellow] {flat(dropped.title)}: {flat(dropped.reason)}", highlight=False)
    if extraction.raw and with_steps:
        console.print(f"[bold]raw answer[/bold]\n{escape(extraction.raw[:STEP_CHARS])}", highlight=False)
    if with_steps:
        _print_steps(console, store, extraction)


def _print_lesson(console: Console, lesson: Lesson) -> None:
    steps = ", ".join(f"{e.first}" if e.first == e.last else f"{e.first} to {e.last}" for e in lesson.evidence)
    colour = {"verified": "green", "observed": "yellow"}.get(lesson.proof, "dim")
    console.print(
        f"[bold]{flat(lesson.title)}[/bold] [{colour}]{lesson.proof}[/] {lesson.id}, steps {steps}", highlight=False
    )
    console.print(f"  {escape(lesson.content)}", highlight=False)
    told = f"  {lesson.certainty or ''}" + (f", proved by: {lesson.proved_by}" if lesson.proved_by else "")
    if told.strip():
        console.print(escape(told), highlight=False, style="dim")
    if lesson.line:
        words = (lesson.stands or "").replace("_", " ")
        console.print(escape(f"  {words}: {lesson.line} {lesson.note}"), highlight=False, style="dim")


def _print_steps(console: Console, store: Store, extraction: Extraction) -> None:
    trajectory = store.get("trajectory", extraction.trajectory_id, Trajectory)
    wanted = {n for lesson in extraction.lessons for e in lesson.evidence for n in range(e.first, e.last + 1)}
    for step in trajectory.steps if trajectory else ():
        if step.number in wanted:
            console.print(escape(step_text(step, STEP_CHARS)), highlight=False, style="dim")


def _print_patch(console: Console, store: Store, analysis: Analysis, patch: Patch, policy: EditPolicy) -> None:
    console.rule(f"{flat(analysis.task_id)} seed {analysis.seed} ({analysis.trajectory_id}): {patch.verdict}")
    for line in (patch.reason, patch.reasoning):
        if line:
            console.print(escape(line), highlight=False)
    base: Any = store.get("skill", patch.base, Skill)
    if base is not None and patch.edits:
        diff = apply_edits(base, patch.edits, policy).diff
        console.print(code(diff, "diff"))
    for edit in patch.edits:
        console.print(f"{edit.id} {edit.op} in {plain(edit.file)}: lessons {', '.join(edit.lessons)}", highlight=False)
    for item in patch.unplaced:
        where = escape(" > ".join((item.edit.file, *item.edit.section)))
        console.print(f"[yellow]unplaced[/yellow] {item.edit.op} in {where}: {flat(item.reason)}", highlight=False)
