"""Scripts that were asked for before: who writes them is not asked, and paid, once more for what is known.

A script that passed is kept by its place and its text, with how it is called: a later run finds it in its skill.
Besides, what a model answered for a routine is kept by how the routine's programs are built, while the skill is the
same.
"""

from collections.abc import Iterable

from trace2skill.analysts.script_trial import TriedScript
from trace2skill.consolidate.routines import Routine, shape_of
from trace2skill.consolidate.scripts import InducedScript
from trace2skill.core.digest import digest_of
from trace2skill.core.record import Record
from trace2skill.runs.runtime import Runtime
from trace2skill.skills.skill import Skill


class KnownScript(Record, form="KnownScript", version=1):
    """A script, for which routine it was asked for first, and why it did not enter a skill then, '' where it did."""

    routine: str
    made: InducedScript
    reason: str = ""


def own_scripts(rt: Runtime, skill: Skill) -> list[InducedScript]:
    """The scripts of a skill of which it is known how they are called, in the order of their paths."""
    found = []
    for file in sorted(skill.files, key=lambda file: file.path):
        known = rt.store.get("script", _of_file(file.path, skill.text(file.path) or ""), KnownScript)
        if known is not None:
            found.append(known.made)
    return found


def keep_as_files(rt: Runtime, tried: Iterable[TriedScript]) -> None:
    """Keep those that may enter the skill, under the names that they have there."""
    rt.store.put_all(
        ("script", _of_file(item.made.path, item.made.script), KnownScript(routine=item.routine, made=item.made))
        for item in tried
        if item.group
    )


def asked_before(rt: Runtime, routine: Routine, asked: object) -> KnownScript | None:
    """What came of another routine whose programs are built the same; None where nobody was asked.

    Args:
        rt: the run.
        routine: whose programs count as they are built, on whatever tasks.
        asked: all else that an answer depends on: skill, model, prompt, what has to be passed.
    """
    known = rt.store.get("script", _of_shape(routine, asked), KnownScript)
    return None if known is None or known.routine == routine.id else known  # its own call is in the store anyway


def keep_answer(rt: Runtime, routine: Routine, asked: object, told: TriedScript) -> None:
    """Keep what came of a routine that was asked about."""
    known = KnownScript(routine=routine.id, made=told.made, reason=told.reason)
    rt.store.put("script", _of_shape(routine, asked), known)


def _of_file(path: str, text: str) -> str:
    return digest_of("file", path, text)


def _of_shape(routine: Routine, asked: object) -> str:
    shapes = sorted({digest_of(sorted(shape_of(program.source))) for program in routine.programs})
    return digest_of("shape", shapes, asked)
