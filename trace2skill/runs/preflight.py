"""What a run writes with its last steps, tried before its first: what cannot be written is known at the start."""

import os
import tempfile
from collections.abc import Collection
from difflib import get_close_matches
from pathlib import Path

from trace2skill.core.errors import BadInput, SkillInvalid
from trace2skill.domains.base import Scripted
from trace2skill.runs.batching import check_batches
from trace2skill.runs.library_checks import check_library, check_named_skills
from trace2skill.runs.pull_requests import check_proposing
from trace2skill.runs.run_progress import RunProgress, read_progress
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.steps import STEPS
from trace2skill.skills.skill import Skill, faults, is_named
from trace2skill.versions.places import SkillPlace, place_of


def check(rt: Runtime) -> None:
    """Refuse what cannot work before anything is spent: unknown stages and models, no key, no price, no sandbox, and
    places that could not be written when the run comes to them.

    Raises:
        BadInput: what is wrong, where, and what to do.
    """
    known = [step.name for step in STEPS if step.mapped]
    for name in rt.settings.operation.max_failed_shares:
        if name not in known:
            raise BadInput(f"max_failed_shares: '{name}' is no stage of many items, as are {', '.join(known)}")
    if rt.tasks and rt.settings.gate.evaluate:
        check_named_tasks(rt.settings, rt.splits.validation)
    if rt.settings.learning.scripts.make and not isinstance(rt.domain, Scripted):
        raise BadInput(
            f"--scripts: the domain '{rt.domain.name}' does not say how a script is called, as 'spreadsheet' and "
            "'shell' do: leave it out, or see docs/domains.md for one of your own"
        )
    check_batches(rt.settings)
    if rt.settings.asks_a_model:
        _ = rt.client
    if rt.tasks:
        _ = rt.harness, rt.sandbox
    check_proposing(rt)
    if rt.library:
        check_library(rt.settings)
        check_named_skills(rt)
    for directory, skill in rt.library.items():
        check_places(rt.settings.changed(skill=directory), skill, rt.run_id)
    check_places(rt.settings, rt.given_skill, rt.run_id, rt.place)  # last: it makes the directory of runs


def check_places(settings: RunSettings, skill: Skill | None, run_id: str, place: SkillPlace | None = None) -> None:
    """See that the run's directory can be written, and the skill's place, where the run may replace it.

    Raises:
        BadInput: one could not; says which and what to do.
    """
    _check_output(settings.operation.output, run_id)
    _check_owner(settings, run_id)
    where = settings.data.skill
    if skill is None or where is None:
        return
    found = faults(skill)
    if found:
        raise SkillInvalid(str(where), found)
    if settings.operation.promote in ("stage", "pull_request") or not settings.gate.evaluate:
        return
    if isinstance(where, Path) and not is_named(where, skill.name):
        raise BadInput(
            f"the directory is called '{where.resolve().name}' and the skill '{skill.name}': the specification has "
            f"one name for both, and --promote {settings.operation.promote} could not replace it. Rename one of them"
        )
    (place or place_of(where, Path())).check(skill)


def check_named_tasks(settings: RunSettings, held_out: Collection[str]) -> None:
    """Tasks that must not regress are held-out tasks: others are never compared, and would guard nothing.

    Raises:
        BadInput: one is not; names it, and what it may have meant.
    """
    unknown = [task for task in settings.gate.no_regression if task not in held_out]
    if not unknown:
        return
    near = get_close_matches(unknown[0], held_out, 1)
    hint = f" (did you mean '{near[0]}'?)" if near else ""
    raise BadInput(
        f"--no-regression {', '.join(unknown)}: the validation split has no such task{hint}. The report of a run "
        "lists them"
    )


def _check_output(output: Path, run_id: str) -> None:
    """Files can be made in the directory of runs, and in the run's own where it is there already."""
    place = output
    try:
        output.mkdir(parents=True, exist_ok=True)
        for place in [output, *([output / run_id] if (output / run_id).exists() else [])]:
            with tempfile.NamedTemporaryFile(dir=place, prefix=".trial-"):
                pass
    except OSError as error:
        raise BadInput(
            f"--output {output}: nothing can be written to {place} ({error.strerror or error}): name another one"
        ) from error


def store_from(settings: RunSettings, run_id: str) -> str:
    """Where a run's store is, seen from its directory: so a project that is moved or copied as a whole stays one."""
    store = settings.operation.store
    if not isinstance(store, Path):
        return str(store)
    return os.path.relpath(store.expanduser().resolve(), (settings.operation.output / run_id).resolve())


def _check_owner(settings: RunSettings, run_id: str) -> None:
    """The run's directory is that of the same run in the same store, or nobody's."""
    try:
        found: RunProgress = read_progress(settings.operation.output, run_id)
    except BadInput:
        return
    here, directory = store_from(settings, run_id), settings.operation.output / run_id
    if not found.store or found.store == here:
        return
    other = directory / found.store
    if "://" in found.store or (other.is_file() and not _same(other, settings.operation.store)):
        raise BadInput(
            f"{directory} holds this run as the store {found.store if '://' in found.store else other.resolve()} has "
            f"it, and would be overwritten: give each store a directory of its own (--output), or remove that one"
        )


def _same(one: Path, other: Path | str) -> bool:
    try:
        return isinstance(other, Path) and one.samefile(other.expanduser())
    except OSError:
        return False
