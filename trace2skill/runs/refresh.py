"""What opens a refresh and leads it: its plan, its jobs and conditions, what it spent, and how it ended."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trace2skill.consolidate.candidate import Candidate
from trace2skill.core.errors import BadInput
from trace2skill.core.forms import as_text, as_value, from_text_or_none
from trace2skill.core.record import Record
from trace2skill.domains.base import Audit
from trace2skill.evaluation.conditions import Condition
from trace2skill.runs import batching
from trace2skill.runs.disputes import disputed_before
from trace2skill.runs.held_out import left_out_as_seen, marks_of_held_out, seen_before
from trace2skill.runs.intake import NOTHING_READ, Intake, take_in
from trace2skill.runs.library_checks import check_kind
from trace2skill.runs.lineage import keep_evidence
from trace2skill.runs.night import is_night_of
from trace2skill.runs.nightly_reviews import read_before
from trace2skill.runs.preflight import check, store_from
from trace2skill.runs.run_progress import ProgressFile, RunProgress, State
from trace2skill.runs.runtime import RunKind, Runtime, runtime
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.settings_file import write_settings
from trace2skill.runs.sources_read import SourcesRead
from trace2skill.runs.summary import LeftOut, Spent
from trace2skill.runs.watermarks import TakenIn
from trace2skill.skills.git_address import GitAddress
from trace2skill.skills.skill import Skill
from trace2skill.store import RunRow
from trace2skill.types.references import RolloutJob
from trace2skill.versions.places import SkillPlace, place_of, read_there
from trace2skill.versions.registry import Registry


class Plan(Record):
    """Which tasks a run evolves on and which it holds out, without those that teach nothing."""

    evolve: tuple[str, ...]
    validation: tuple[str, ...]
    left_out: tuple[LeftOut, ...]

    def jobs(self, seeds: Sequence[int], skill: str) -> list[RolloutJob]:
        """The rollouts that lessons come from."""
        return [RolloutJob(task_id=task, seed=seed, skill=skill) for task in self.evolve for seed in seeds]


NAMED = 5
COMMANDS: dict[RunKind, str] = {
    "run": "run",
    "rollout": "rollout",
    "evaluate": "evaluate",
    "ablate": "ablate RUN",
    "shrink": "shrink",
    "drift": "drift",
    "ingest": "ingest",
    "library": "run",
}
"""The command that repeats a run of a kind."""
MEASURING: tuple[RunKind, ...] = ("rollout", "evaluate", "ablate")
"""Kinds of runs that change no champion."""
NO_PLAN = Plan(evolve=(), validation=(), left_out=())
"""The plan of a run that has no tasks."""


def start(rt: Runtime, kind: RunKind = "run", *, flow_run: str = "", **arguments: Any) -> str:
    """Open the run: check the models, and write its row. Returns the run's id.

    Args:
        rt: the runtime.
        kind: what kind of run it is.
        flow_run: id of the Prefect flow run.
        arguments: what the flow was given besides the settings, as JSON has it; a retry gives them again.

    Raises:
        BadInput: a model is unknown, lacks its key, or has no price; or the skill directory holds a former champion.
    """
    rt.begin(kind)
    check_kind(rt, kind)
    check(rt)
    rt.keep_division()
    if rt.given_skill is not None:
        rt.store.put("skill", rt.given_skill.digest, rt.given_skill)
        if rt.place is not None:
            keep_evidence(rt, rt.given_skill)
            _take_over(rt, rt.given_skill, rt.place, kind)
    if kind in ("run", "ingest"):
        read_before(rt)
    rt.store.start_run(RunRow(id=rt.run_id, kind=kind, settings=as_text(rt.as_read)))
    settings = as_value(rt.as_read)
    first = RunProgress(
        run_id=rt.run_id,
        kind=kind,
        settings=settings,
        arguments=arguments,
        store=store_from(rt.settings, rt.run_id),
        flow_run=flow_run,
    )
    if not rt.settings.operation.of_library:  # a part is repeated with the whole
        command = "ingest" if kind == "library" and rt.settings.of_logs else COMMANDS.get(kind, kind)
        write_settings(rt.as_read, rt.run_directory(), command)
    rt.progress = ProgressFile(rt.run_directory(), first, lambda: rt.store.ledger_total(rt.books).cost)
    batching.settle(rt, wait=False)
    return rt.run_id


def _take_over(rt: Runtime, skill: Skill, place: SkillPlace, kind: RunKind) -> None:
    """What people have changed is the champion. A former one may be measured, but nothing is built on it.

    A run that is repeated at its commit begins with what was the champion then; a promotion asks for today's.
    """
    registry = Registry(rt.store)
    if (kind in MEASURING or rt.settings.operation.skill_commit) and registry.is_former(skill):
        return
    registry.adopt(skill, place)


def take_in_logs(settings: RunSettings) -> tuple[RunSettings, Intake]:
    """Read the logs a run learns from. Returns the settings with what was read, which then names the run, and that.

    Raises:
        BadInput: there is nothing to read, or a path, the labels or the format is not what it should be.
    """
    if settings.data.sources is None:
        return settings, NOTHING_READ
    rt = runtime(settings)
    rt.keep_division()
    intake = take_in(rt.store, settings.data.sources, *marks_of_held_out(rt))
    rt.store.put("intake", intake.content, TakenIn(ids=tuple(item.id for item in intake.taken)))
    sources = settings.data.sources.model_copy(update={"content": intake.content})
    return settings.changed(sources=sources), intake


def as_it_went_on(settings: RunSettings, kind: RunKind) -> RunSettings:
    """The settings under which a run went on once it knew its night and had read its logs: both name the run."""
    asked = settings.data.sources is not None and not settings.data.sources.content
    how = settings.learning
    if not asked and (how.night_of or not (how.moving_seeds or how.night)):
        return settings
    for row in runtime(settings).store.runs(kind, newest_first=True):
        if row.state == "running":
            found = from_text_or_none(row.settings, RunSettings)
            if found is None:
                continue
            sources = found.data.sources and found.data.sources.model_copy(update={"content": ""})
            unread = found.changed(sources=sources)
            if unread.identity == settings.identity or is_night_of(unread, settings):
                return found
    return settings


def skill_given(rt: Runtime) -> str:
    """The digest of the skill that a run starts from.

    Raises:
        BadInput: there is none.
    """
    if rt.given_skill is None:
        raise BadInput("this run needs a skill to start from (--skill)")
    return rt.given_skill.digest


def plan(rt: Runtime, audits: Sequence[Audit]) -> Plan:
    """Leave out the tasks that cannot teach: those the untouched input passes, those gold itself
    does not pass, and those whose gold was found to contradict the request.

    Raises:
        BadInput: nothing is left to evolve on or to hold out.
    """
    left_out = {item.task_id: LeftOut(**item.model_dump()) for item in audits if item.verdict != "usable"}
    seen = left_out_as_seen(map(rt.task, rt.splits.validation), seen_before(rt, rt.given_skill))
    left_out = {**seen, **left_out}
    for task, why in disputed_before(rt).items():
        left_out.setdefault(task, LeftOut(task_id=task, verdict="reference", reason=why))
    kept = {
        name: tuple(task for task in getattr(rt.splits, name) if task not in left_out)
        for name in ("evolve", "validation")
    }
    for name, tasks in kept.items():
        if not tasks:
            why = _why_none([left_out[task] for task in getattr(rt.splits, name)])
            raise BadInput(f"no task is left in the {name} split of {rt.settings.data.path}: {why}")
    return Plan(
        **kept,
        left_out=tuple(item for _, item in sorted(left_out.items())),
    )


def told_of_logs(rt: Runtime, intake: Intake, planned: Plan) -> SourcesRead:
    """What was read of logs, with what the held-out tasks beside them are."""
    tasks = [rt.task(id) for id in planned.validation]
    made = [task for task in tasks if task.sessions]
    counts = sorted(Counter(task.kind for task in tasks).items())
    kinds = ", ".join(f"{count} by {kind or 'a check'}" for kind, count in counts)
    of = f"{len(made)} of them mined from sessions, " if made else ""
    return intake.read.model_copy(update={"tested_on": f"{len(tasks)} held-out tasks ({of}{kinds})"})


def _why_none(left_out: Sequence[LeftOut]) -> str:
    """What a person can mend: the tasks of the split, all of which were left out, or else their number."""
    if not left_out:
        return "use more tasks (--tasks)"
    named = [f"{item.task_id} ({item.verdict.replace('_', ' ')}: {item.reason})" for item in left_out]
    more = f" and {len(named) - NAMED} more" if len(named) > NAMED else ""
    return f"left out were {'; '.join(named[:NAMED])}{more}. Mend their checks, or use more tasks (--tasks)"


def nothing_learned(base: str, thresholds: tuple[int, int]) -> Candidate:
    """The candidate of a run without any proposal: S0 itself."""
    return Candidate(base=base, skill=base, thresholds=thresholds)


def end(rt: Runtime, state: State, summary: str = "", message: str = "") -> None:
    """Close a run with its summary as JSON, '' for none, and a word on how it ended."""
    rt.store.finish_run(rt.run_id, state, summary)
    if rt.progress:
        rt.progress.end(state, message)


def spent(rt: Runtime) -> Spent:
    """What the run has used so far, over all its attempts; a part of a run over a library, what all of it has."""
    total = rt.store.ledger_total(rt.books)
    return Spent(
        calls=total.calls,
        from_memory=total.from_memory,
        tokens_in=total.tokens_in,
        tokens_out=total.tokens_out,
        cost=total.cost,
    )


def all_jobs(rt: Runtime) -> list[RolloutJob]:
    """Every task but the sealed ones at every seed, with the skill given or with none."""
    skill = rt.given_skill.digest if rt.given_skill else None
    tasks = [task for task in rt.tasks if task not in rt.splits.test]
    return [RolloutJob(task_id=task, seed=seed, skill=skill) for task in tasks for seed in rt.settings.learning.seeds]


def conditions_of(rt: Runtime, places: Sequence[Path | GitAddress]) -> list[Condition]:
    """No skill, and each of the skills there, which are kept in the store; without any, the run's own skill.

    Raises:
        BadInput: a place holds no skill.
    """
    found = [Condition(name="no skill", skill=None)]
    if not places and rt.given_skill is not None and rt.place is not None:
        found.append(Condition(name=str(rt.place), skill=rt.given_skill.digest))
    for where in places:
        skill = read_there(place_of(where, rt.store.beside))
        rt.store.put("skill", skill.digest, skill)
        found.append(Condition(name=str(where), skill=skill.digest))
    return found
