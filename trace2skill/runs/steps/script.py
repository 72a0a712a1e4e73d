"""Step `script`: the programs of a routine become one script, which is tried on the tasks behind it and on others."""

import itertools
import logging
from collections.abc import Iterator, Sequence

from trace2skill.analysts.script_trial import ScriptCall, ScriptRun, ScriptTrial, TriedScript
from trace2skill.consolidate.groups import EditGroup
from trace2skill.consolidate.quarantine import Quarantined, allowed_in, keep, text_of, written_by
from trace2skill.consolidate.routines import Routine, WorkedProgram
from trace2skill.consolidate.scripts import PROMPT, InducedScript, RefusedScript, as_group, divided, induced
from trace2skill.core.digest import digest_of
from trace2skill.core.record import Record
from trace2skill.domains.base import Scripted
from trace2skill.runs.known_scripts import asked_before, keep_answer, own_scripts
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.steps.asks import Asks, Expected
from trace2skill.runs.steps.foresight import Foresight
from trace2skill.runs.steps.step import RunStep, always
from trace2skill.runs.steps.stored import asks_merger, bounds_of, skill_of, stored
from trace2skill.safety.programs import found_in_program
from trace2skill.safety.screening import screened
from trace2skill.skills.skill import Skill
from trace2skill.types.task import Task

log = logging.getLogger(__name__)
SPARE = 2
"""For each unseen task that a script has to pass, so many are tried at most."""


class ScriptJob(Record):
    """A routine that is in the store, by its digest, and the rules of the book that its fixes speak for."""

    content: str
    tasks: int
    rules: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What a person reads in the UI."""
        return f"routine {self.content[:8]} of {self.tasks} tasks"


def _parts(rt: Runtime, job: ScriptJob, base: str) -> tuple[object, ...]:
    """Who is asked, the routine, all tasks that the script may be tried on, and the scripts that are known."""
    routine = stored(rt, "routine", job.content, Routine)
    asked = _asked(rt, base)
    before = asked_before(rt, routine, asked)
    known = [item.digest for item in own_scripts(rt, skill_of(rt, base))] + ([before.digest] if before else [])
    tasks = sorted(rt.task(id).content for id in rt.splits.evolve)
    allowed = sorted(allowed_in(rt.store))
    return job.content, job.rules, digest_of(tasks), *asked, allowed, known


def _asked(rt: Runtime, base: str) -> tuple[object, ...]:
    """What an answer depends on besides the programs, and what is done with it."""
    how = rt.settings.learning
    ran = (rt.domain.version, rt.sandbox.name, how.agent.command, how.scripts.sources, how.scripts.unseen)
    return bounds_of(rt, PROMPT), base, *ran


def script(rt: Runtime, job: ScriptJob, base: str) -> TriedScript:
    """Have one script written for a routine, screen it, and run it on tasks; what it comes to is kept in any case.

    Nobody is asked where the skill has a script that does it, or where programs that are built the same were asked
    about with this skill: then what was answered is tried on the tasks of this routine.

    Raises:
        BadInput: a task of the routine is held out.
        InfrastructureFault, ModelUnusable, BudgetReached: as `Client.complete`; the routine is taken up again.
    """
    routine, skill, how = stored(rt, "routine", job.content, Routine), skill_of(rt, base), rt.settings.learning
    assert isinstance(rt.domain, Scripted)
    asked = _asked(rt, base)
    if known := _by_own(rt, job, routine, skill) or _as_before(rt, job, routine, skill, asked):
        log.info("%s script: nobody is asked: %s", rt.run_id, known.in_words)
        return known
    shown, _ = _divided(rt, routine)
    requests = [rt.domain.describe(rt.evolve_task(program.task_id)) for program in shown]
    ask = asks_merger(rt, "script", job.name, job.content)
    given = (rt.domain.script_contract, requests, shown, _names(skill), how.merge.room)
    told, wrong = _judged(rt, job, routine, skill, induced(ask, *given))
    if wrong:
        again, still = _judged(rt, job, routine, skill, induced(ask, *given, RefusedScript(told.made, wrong)))
        told = told if again.made.refused else again
        log.info("%s script: asked again since %s%s", rt.run_id, wrong, "; still wrong" if still else "")
    keep_answer(rt, routine, asked, told)
    log.info("%s script: %s", rt.run_id, told.in_words)
    return told


def _by_own(rt: Runtime, job: ScriptJob, routine: Routine, skill: Skill) -> TriedScript | None:
    """What a script of the skill does on a routine, where it does it; None where none does."""
    for made in own_scripts(rt, skill):
        told, _ = _measured(rt, TriedScript.of(routine, job.rules, made), routine)
        if not told.reason:
            says = (
                f"the skill's own script passes {told.passes('source')} of these tasks and {told.passes('unseen')} more"
            )
            return told.model_copy(update={"reason": says, "group": None, "is_there": True})
    return None


def _as_before(
    rt: Runtime, job: ScriptJob, routine: Routine, skill: Skill, asked: tuple[object, ...]
) -> TriedScript | None:
    """What came of programs that are built the same; None where nobody was asked, or it passed then and not now."""
    before = asked_before(rt, routine, asked)
    if before is None:
        return None
    if before.made.refused:
        return TriedScript.of(routine, job.rules, before.made, f"as before: {before.reason}")
    told, _ = _judged(rt, job, routine, skill, before.made)
    return told if before.reason or not told.reason else None


def _judged(
    rt: Runtime, job: ScriptJob, routine: Routine, skill: Skill, made: InducedScript
) -> tuple[TriedScript, str]:
    """Screened, then tried: what is kept out is not run. Returns what came of it, and what its writer may be told."""
    assert isinstance(rt.domain, Scripted)
    told = TriedScript.of(routine, job.rules, made)
    if told.reason:
        return told, ""
    group = as_group(made, rt.domain.script_arguments, routine.programs)
    if aside := _suspicious(rt, made, skill, group):
        keep(rt.store, [aside])
        out = told.model_copy(update={"reason": f"quarantined: {aside.reason}", "quarantined": aside.digest})
        return out, f"it may not do what a script of a skill never does: {'; '.join(map(str, aside.findings[:5]))}"
    return _measured(rt, told, routine)


def _measured(rt: Runtime, told: TriedScript, routine: Routine) -> tuple[TriedScript, str]:
    """Tried on tasks. What its writer may be told is what came of those that it was made from."""
    assert isinstance(rt.domain, Scripted)
    trial = ScriptTrial(rt.domain, rt.sandbox, rt.settings.learning.agent.command, told.made)
    tasks = {id: rt.evolve_task(id) for id in rt.splits.evolve}
    calls: dict[str, ScriptCall] = {}
    problem = trial.help_problem()
    if not problem:
        calls, problem = trial.calls([*tasks.values()])
    if problem:
        return told.model_copy(update={"reason": problem}), problem
    runs = tuple(_tried(rt, trial, routine, tasks, calls))
    reason = _why_not(rt, runs, "source") or _why_not(rt, runs, "unseen")
    asking = [program for program in routine.programs if program.task_id in calls]  # it is not meant for the others
    group = as_group(told.made, rt.domain.script_arguments, asking)
    out = told.model_copy(update={"runs": runs, "reason": reason, "group": None if reason else group})
    return out, _why_not(rt, [run.model_copy(update={"reason": run.told}) for run in runs], "source")


def _divided(rt: Runtime, routine: Routine) -> tuple[tuple[WorkedProgram, ...], tuple[WorkedProgram, ...]]:
    requests = {id: rt.evolve_task(id).instruction for id in routine.tasks}
    how = rt.settings.learning.scripts
    return divided(routine, how.unseen, requests, how.sources)


def _suspicious(rt: Runtime, made: InducedScript, skill: Skill, group: EditGroup) -> Quarantined | None:
    """What the screens find in a script: its words as those of any file of a skill, and what it does as a program."""
    allowed = allowed_in(rt.store)
    words = screened(written_by(group), text_of(skill), allowed)
    does = tuple(finding for finding in found_in_program(made.script) if finding.id not in allowed)
    found = (*words, *does)
    return (
        Quarantined(text=group.text[:2000], findings=found, trajectories=group.support.trajectories) if found else None
    )


def _tried(
    rt: Runtime, trial: ScriptTrial, routine: Routine, tasks: dict[str, Task], calls: dict[str, ScriptCall]
) -> Iterator[ScriptRun]:
    """The tasks that it was made from, then others of the routine, then any that it says it is meant for."""
    needed = rt.settings.learning.scripts.unseen
    shown, held = _divided(rt, routine)
    others = sorted(set(calls) - {*routine.tasks}, key=lambda id: digest_of(routine.id, id))
    for program in shown:
        if program.task_id in calls:
            run = trial.run(tasks[program.task_id], "source", calls[program.task_id])
            yield run
            if not run.passed:
                return
    own = [program.task_id for program in held if program.task_id in calls]
    usable = (id for id in others if rt.domain.audit(tasks[id]).verdict == "usable")  # another would tell nothing
    for id in itertools.islice(itertools.chain(own, usable), SPARE * needed):
        run = trial.run(tasks[id], "unseen", calls[id])
        yield run
        if not run.passed:
            return


def _why_not(rt: Runtime, runs: Sequence[ScriptRun], seen: str) -> str:
    """Why a script does not enter by the tasks it was made from or by unseen ones, '' where it may.

    A task it claims fails, or it could not be measured on enough.
    """
    how = rt.settings.learning.scripts
    mine = [run for run in runs if run.seen == seen]
    failed = next((run for run in mine if not run.passed), None)
    if failed:
        which = "a task it was made from" if seen == "source" else "an unseen task"
        return f"it fails {which}, {failed.task_id}: {failed.reason}"
    least, what = (how.sources, "was") if seen == "source" else (how.unseen, "was not")
    if len(mine) >= least:
        return ""
    return f"it can be called on {len(mine)} tasks it {what} made from without a model, and {least} are needed"


def _names(skill: Skill) -> list[str]:
    paths = [file.path for file in skill.files if file.path.startswith("scripts/") and file.path.endswith(".py")]
    return sorted(path.removeprefix("scripts/").removesuffix(".py") for path in paths)


def _expects(seen: Foresight) -> list[Expected]:
    """As many routines as the analyses could be of, each with the least tasks that one has: mostly there are fewer."""
    settings, how = seen.rt.settings, seen.rt.settings.learning.scripts
    if not how.make or "merger" not in settings.roles_asked:
        return []
    routines = min(how.most, round(seen.analyses) // how.sources) if seen.new_analyses else 0
    return [Expected(SCRIPT.asks[0], float(routines * (1 + seen.later_rounds)))]


SCRIPT = RunStep(
    name="script",
    version=1,
    parts=_parts,
    expects=_expects,
    do=script,
    gives=TriedScript,
    shown="script: {job.name}",
    asks=(Asks("script", "merger", (6_000, 2_000)),),
    one_call=always,
)
