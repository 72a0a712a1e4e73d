"""The routines of a run: the programs behind its analyses, and what they have in common."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from trace2skill.analysts.agent_files import files_written
from trace2skill.consolidate.routines import WorkedProgram, routines_of
from trace2skill.consolidate.settle import RuleBook
from trace2skill.domains.base import Scripted
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.steps.script import ScriptJob
from trace2skill.runs.steps.stored import stored
from trace2skill.types.lesson import Extraction
from trace2skill.types.references import Extracted
from trace2skill.types.trajectory import Trajectory

ENDINGS = (".py", ".sh")
WITHOUT_FILE = re.compile(r"step_\d+\.\w+")


def makes_scripts(rt: Runtime) -> bool:
    """Are scripts wanted, is there a model to write them, and a domain that says how one is called?"""
    return rt.settings.learning.scripts.make and "merger" in rt.settings.roles_asked and isinstance(rt.domain, Scripted)


def script_jobs(rt: Runtime, analysed: Sequence[Extracted], book: RuleBook) -> list[ScriptJob]:
    """The routines of which scripts are made, those of most tasks first; they are put into the store."""
    how = rt.settings.learning.scripts
    found = routines_of(_programs(rt, analysed), how.sources)[: how.most]
    rt.store.put_all([("routine", item.digest, item) for item in found])
    rules = defaultdict[str, set[str]](set)
    for rule in book.rules:
        for said in rule.said:
            for lesson in said.rule.lessons:
                rules[lesson].add(rule.id)
    return [
        ScriptJob(
            content=item.digest,
            tasks=len(item.tasks),
            rules=tuple(sorted({id for program in item.programs for one in program.lessons for id in rules[one]})),
        )
        for item in found
    ]


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
