"""The command audit: with a skill and without, by what an agent says it would do for requests of logs."""

import json as json_module
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from trace2skill.cli import options as o
from trace2skill.cli import settings_groups as group
from trace2skill.cli.console import Console
from trace2skill.cli.live import LiveProgress
from trace2skill.cli.print_audit import print_assertions, print_audit, print_sessions, say_estimate
from trace2skill.cli.settings_options import Given, with_settings
from trace2skill.cli.skill_given import SkillGiven, skill_given
from trace2skill.core.errors import BadInput
from trace2skill.core.progress import watched_by
from trace2skill.evaluation.assertion_file import WrittenSegment, add_assertions, assertions_there, read_assertions
from trace2skill.evaluation.assertions import Assertion
from trace2skill.evaluation.audit import AuditReport
from trace2skill.llm import ModelSettings
from trace2skill.runs.audit import audited
from trace2skill.runs.audit_asking import Panel
from trace2skill.runs.audit_assertions import NOTHING, Confirmed, as_confirmed, write_assertions
from trace2skill.runs.audit_estimate import AuditEstimate, estimated
from trace2skill.runs.audit_sessions import AuditedSessions, ShownSegment, sessions_to_audit
from trace2skill.runs.learned_from import what_taught
from trace2skill.runs.settings import RunSettings
from trace2skill.skills.skill import Skill
from trace2skill.store import Store, open_store
from trace2skill.store.rows import LedgerTotal

JUDGES, MOST = 3, 40


@with_settings(
    *group.MODEL,
    "agent_model",
    "analyst_model",
    *group.MONEY,
    "labels",
    "format",
    "seed",
    "workers",
    "store",
    "store_wait_seconds",
    texts={
        "model": "LiteLLM name of the model that writes, judges and says what it would do.",
        "agent_model": "LiteLLM name of the model that says what it would do, e.g. that of your agent.",
        "analyst_model": "LiteLLM name of the model that writes assertions, and judges unless --judge-model does.",
        "seed": "Which of many segments are asked about, and in what order judges see what they judge.",
    },
)
def audit(
    given: Given,
    skill: SkillGiven,
    logs: Annotated[list[Path], typer.Argument(help="Log files and folders of logs.")],
    before: Annotated[
        str | None,
        typer.Option(help="Hold the skill against this one, and not against none.", show_default=False),
    ] = None,
    judge_model: Annotated[
        list[str] | None,
        typer.Option(help="LiteLLM name of a model that judges; may be given again.", show_default=False),
    ] = None,
    judges: Annotated[
        int, typer.Option(min=1, max=15, help="Judges, where no more models are named than one.")
    ] = JUDGES,
    most: Annotated[int, typer.Option(min=2, help="Segments that are asked about, at most.")] = MOST,
    write_to: Annotated[
        Path | None,
        typer.Option(
            "--write-assertions",
            help="Have assertions written into this YAML file, for you to edit; what stands there stays.",
            show_default=False,
        ),
    ] = None,
    from_file: Annotated[
        Path | None,
        typer.Option("--from", help="Take the assertions of this file, which you have confirmed.", show_default=False),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say which sessions would be asked about, and the bill; ask nobody.")
    ] = False,
    json: o.AsJson = False,
) -> None:
    """Audit a skill by logs that cannot be done again: what does an agent say it would do, with it and without?

    Of sessions from which the skill has not learned, a model writes assertions that an answer meets or does not.
    Judges confirm them on the recorded session; those on which not all agree do not count. Then the agent's model is
    asked for the same request without the skill and with it, and the judges, who do not know which is which, decide.
    Judges that take another task's answer for right are refused. It promotes nothing.
    """
    if write_to is not None and from_file is not None:
        raise BadInput("--write-assertions has assertions written and --from takes those of a file: one of both")
    if judge_model and len(judge_model) > 1 and judges != JUDGES:
        raise BadInput("--judges says how often one model judges: with several --judge-model each judges once")
    if any(not name.strip() for name in judge_model or ()):
        raise BadInput("--judge-model names no model: give the LiteLLM name of one, or leave the option out")
    settings = given.settings(fixed={"data.path": skill, "data.sources.paths": tuple(logs)})
    known = assertions_there(write_to) if write_to else read_assertions(from_file) if from_file else {}
    who = _judges(settings, judge_model or [], judges)
    wanted = _Wanted(settings, (before, skill), who, most, known, from_file, write_to, dry_run, json)
    done = _carried_out(wanted)
    if json:
        _print_json(done)
        return
    if dry_run:
        return
    if done.report is None:
        print_assertions(done.counted, done.sessions.segments, str(write_to))
    else:
        print_audit(done.report)
    typer.echo(f"asked for this audit so far: {done.total.calls} model calls, ${done.total.cost:.4f}")
    if done.simulated:
        typer.echo("Simulated models answered: this shows that the machinery works and says nothing of the skill.")


class _Wanted(NamedTuple):
    settings: RunSettings
    places: tuple[str | None, str]
    """Of the skill that the other is held against, if any, and of the skill."""
    judges: Sequence[ModelSettings]
    most: int
    known: Mapping[str, tuple[Assertion, ...]]
    from_file: Path | None
    write_to: Path | None
    dry_run: bool
    quiet: bool


class _Done(NamedTuple):
    sessions: AuditedSessions
    bill: AuditEstimate
    counted: Confirmed
    report: AuditReport | None
    total: LedgerTotal
    simulated: bool


def _carried_out(wanted: _Wanted) -> _Done:
    """Read, foresee the bill, and ask; what is to be written into a file is written last."""
    how = wanted.settings.operation
    store = open_store(how.store, wait_seconds=how.store_wait_seconds)
    try:
        first, after = (skill_given(place, store.beside) if place else None for place in wanted.places)
        assert after is not None
        if first is not None and first.digest == after.digest:
            raise BadInput(f"--before {wanted.places[0]} is the same skill, to the byte: there is nothing to compare")
        logs = [str(path) for path in wanted.settings.data.sources.paths] if wanted.settings.data.sources else []
        panel = Panel(store, wanted.settings, wanted.judges, [after, *([first] if first else [])], logs)
        cost = lambda: store.ledger_total(panel.run_id).cost  # noqa: E731
        with LiveProgress(Console(stderr=True), cost, quiet=wanted.quiet) as progress, watched_by(progress):
            sessions = _sessions(store, wanted, [after, *([first] if first else [])])
        written, asked = wanted.from_file is None, sessions.segments
        bill = estimated(panel, asked, (first, after), written=written, audited=wanted.write_to is None)
        if not wanted.quiet:
            print_sessions(sessions, after.name, each=wanted.dry_run)
        say_estimate(bill, wanted.settings.money.max_cost)
        counted, found = NOTHING, None
        if not wanted.dry_run:
            with LiveProgress(Console(stderr=True), cost, quiet=wanted.quiet) as progress, watched_by(progress):
                counted = write_assertions(panel, asked) if written else as_confirmed(asked, wanted.known)
                found = None if wanted.write_to else audited(panel, asked, counted, first, after)
        if wanted.write_to is not None and not wanted.dry_run:  # as long as no other audit has the store
            add_assertions(wanted.write_to, [_as_written(item, counted) for item in asked])
        total = store.ledger_total(panel.run_id)
    finally:
        store.close()
    return _Done(sessions, bill, counted, found, total, panel.simulated)


def _print_json(done: _Done) -> None:
    """The report, else what was written, else what would be asked; with the sessions and the bill."""
    if done.report is not None:
        told = done.report.model_dump(mode="json")
    else:
        told = {"assertions": done.counted.told.model_dump(mode="json")} if done.counted is not NOTHING else {}
    left = done.sessions.model_dump(mode="json", exclude={"segments"} if told else None)
    rest = {"sessions": left, "estimate": done.bill.model_dump(), "cost": done.total.cost}
    typer.echo(json_module.dumps({**told, **rest}, indent=2, ensure_ascii=False))


def _judges(settings: RunSettings, named: Sequence[str], number: int) -> list[ModelSettings]:
    """The models that judge: several once each, else one as often as asked."""
    base = settings.models.analyst
    models = [ModelSettings.model_validate({**base.model_dump(), "name": name}) for name in named] or [base]
    return models if len(models) > 1 else models * number


def _sessions(store: Store, wanted: _Wanted, skills: Sequence[Skill]) -> AuditedSessions:
    """The segments that are asked about: of a file those that stand in it, of one that is added to the others.

    Raises:
        BadInput: there is none.
    """
    sources = wanted.settings.data.sources
    assert sources is not None
    only = {id for id, rows in wanted.known.items() if rows} if wanted.from_file else None
    there = wanted.known.keys() if wanted.write_to else ()
    taught = what_taught(store, skills)
    found = sessions_to_audit(sources, taught, wanted.most, wanted.settings.learning.seeds[0], only, there, skills)
    if not found.segments:
        why = "".join(f"; {count}: {reason}" for reason, count in found.unfit.items())
        raise BadInput(
            f"of {found.read} segments none can be asked about: {found.learned} are of sessions from which "
            f"{skills[0].name} has learned{why}. Give logs of other sessions, or newer ones"
        )
    if wanted.write_to is None and len({item.group for item in found.segments}) == 1:
        raise BadInput(
            f"all {len(found.segments)} segments that can be asked about are of one group, and judges are tried on the "
            "answer of another: nobody was asked. Give logs of other work, too"
        )
    return found


def _as_written(item: ShownSegment, counted: Confirmed) -> WrittenSegment:
    notes = {"session": item.session, "request": item.request[:400], "ended": f"{item.outcome} ({item.source})"}
    return WrittenSegment(item.id, notes, counted.kept.get(item.id, ()), counted.dropped.get(item.id, ()))
