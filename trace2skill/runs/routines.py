"""The routines of a run: the programs behind its analyses, and what they have in common."""

import itertools
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from trace2skill.analysts.agent_files import files_written
from trace2skill.analysts.script_trial import TriedScript
from trace2skill.consolidate.routines import Routine, WorkedProgram, routines_of
from trace2skill.consolidate.scripts import InducedScript, wording
from trace2skill.consolidate.settle import RuleBook
from trace2skill.domains.base import Scripted
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.steps.script import ScriptJob
from trace2skill.runs.steps.stored import stored
from trace2skill.skills.skill import Skill
from trace2skill.types.lesson import Extraction
from trace2skill.types.references import Extracted
from trace2skill.types.trajectory import Trajectory

ENDINGS = (".py", ".sh")
LONGEST_NAME = 36
WITHOUT_FILE = re.compile(r"step_\d+\.\w+")


def makes_scripts(rt: Runtime) -> bool:
    """Are scripts wanted, is there a model to write them, and a domain that says how one is called?"""
    return rt.settings.learning.scripts.make and "merger" in rt.settings.roles_asked and isinstance(rt.domain, Scripted)


class Routines(NamedTuple):
    """The routines of a run: those that scripts are made of, and the others with the reason."""

    jobs: list[ScriptJob]
    left: list[TriedScript]


def routines_in(rt: Runtime, analysed: Sequence[Extracted], book: RuleBook) -> Routines:
    """The routines of a run, those of most tasks first; they are put into the store.

    One on whose tasks, and on others that are worded alike, a script could never pass as many as it has to is left.
    """
    how = rt.settings.learning.scripts
    rules = defaultdict[str, set[str]](set)
    for rule in book.rules:
        for said in rule.said:
            for lesson in said.rule.lessons:
                rules[lesson].add(rule.id)
    jobs, left = list[ScriptJob](), list[TriedScript]()
    for item in routines_of(_programs(rt, analysed), how.sources):
        of = tuple(sorted({id for program in item.programs for one in program.lessons for id in rules[one]}))
        there, needed = _to_try_on(rt, item), how.sources + how.unseen
        if there < needed:
            reason = f"{there} evolve tasks are worded like its own, and {needed} are needed to try a script on"
        elif len(jobs) == how.most:
            reason = f"{how.most} routines of more tasks go first (--most-scripts)"
        else:
            jobs.append(ScriptJob(content=item.digest, tasks=len(item.tasks), rules=of))
            rt.store.put("routine", item.digest, item)
            continue
        left.append(TriedScript.of(item, of, InducedScript(), reason))
    return Routines(jobs, left)


def named_apart(tried: Sequence[TriedScript], skill: Skill) -> tuple[TriedScript, ...]:
    """Each script that may enter under a name of its own: who writes one does not know of the others of the run."""
    taken, found = {file.path for file in skill.files}, list[TriedScript]()
    for item in tried:
        if item.group:
            names = (f"{item.made.name[:LONGEST_NAME]}_{number}" for number in itertools.count(2))
            while item.made.path in taken:
                item = item.named(next(names))
            taken.add(item.made.path)
        found.append(item)
    return tuple(found)


def _to_try_on(rt: Runtime, routine: Routine) -> int:
    """Its tasks, and the other evolve tasks whose requests are worded like one of theirs."""
    worded = {wording(rt.evolve_task(id).instruction) for id in routine.tasks}
    others = {*rt.splits.evolve} - {*routine.tasks}
    return len(routine.tasks) + sum(wording(rt.evolve_task(id).instruction) in worded for id in others)


def _programs(rt: Runtime, analysed: Sequence[Extracted]) -> Iterator[WorkedProgram]:
    """Fixes that were run and passed, and what agents wrote in runs that passed. Imported logs have no task to try."""
    for item in analysed:
        if item.log or item.kind == "unknown":
            continue
        rt.evolve_task(item.task_id)
        extraction = stored(rt, "extraction", item.content, Extraction)
        source = extraction.fix if item.kind == "error" else _own_program(rt, item.trajectory_id)
        if source.strip():
            yield WorkedProgram(
                trajectory_id=item.trajectory_id,
                task_id=item.task_id,
                by="fix" if item.kind == "error" else "agent",
                source=source,
                lessons=tuple(lesson.id for lesson in extraction.lessons),
            )


def _own_program(rt: Runtime, trajectory_id: str) -> str:
    """The last program that an agent wrote to a file, else the longest that it ran without one; '' for none.

    What an agent runs without a file is mostly a look at something.
    """
    files = files_written(stored(rt, "trajectory", trajectory_id, Trajectory))
    found = {name: text for name, text in files.items() if name.endswith(ENDINGS)}
    named = [text for name, text in found.items() if not WITHOUT_FILE.fullmatch(name)]
    return named[-1] if named else max(found.values(), key=len, default="")
