"""Going on with a run over a library of which some skill failed, although others were promoted since.

Promotions change the library, and a changed library is another run: without this a failure of one skill would cost the
rollouts of all once more.
"""

from trace2skill.core.forms import from_text_or_none
from trace2skill.runs.library_summary import LibrarySummary, SkillRow
from trace2skill.runs.live_skills import LibraryRead
from trace2skill.runs.routing import Routing
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.summary import RunSummary
from trace2skill.versions.registry import Registry


def gone_on_with(rt: Runtime) -> RunSettings:
    """The settings with the last run of the same settings that is to be gone on with, where there is one.

    In such a run not every skill came to its end, or new ones did not, and all that has changed of the library since
    are promotions of its own.
    """
    now = {skill.name: skill.digest for skill in rt.library.values()}
    for row in rt.store.runs("library", newest_first=True):
        settings = from_text_or_none(row.settings, RunSettings)
        read = rt.store.get("library", row.id, LibraryRead)
        if settings is None or read is None or settings.identity != rt.settings.identity:
            continue
        ended = from_text_or_none(row.summary, LibrarySummary) if row.summary else None
        whole = ended is not None and ended.is_whole
        changed = {name for name in now if read.skills.get(name) != now[name]}
        if whole or not changed or read.skills.keys() != now.keys():
            return rt.settings
        mine = all(part_that_promoted(rt, name, row.id) for name in changed)
        return rt.settings.changed(library_read_by=row.id) if mine else rt.settings
    return rt.settings


def part_that_promoted(rt: Runtime, name: str, run_id: str) -> str:
    """Id of the part of that run which promoted the champion of a skill, '' where something else did."""
    history = Registry(rt.store).history(name)
    row = rt.store.run(history[-1].run_id) if history else None
    settings = from_text_or_none(row.settings, RunSettings) if row else None
    return history[-1].run_id if settings and settings.operation.of_library == run_id else ""


def rows_before(rt: Runtime, routing: Routing, used: dict[str, int]) -> list[SkillRow]:
    """The rows of skills that this run has promoted in an earlier attempt."""
    found = []
    for skill in rt.library.values() if rt.settings.operation.library_read_by else ():
        if not (part := part_that_promoted(rt, skill.name, rt.run_id)):
            continue
        lessons, by, seen = len(routing.of(skill.name)), routing.by(skill.name), used.get(skill.name, 0)
        row = rt.store.run(part)
        summary = from_text_or_none(row.summary, RunSummary) if row and row.summary else None
        bare = SkillRow(name=skill.name, state="decided", run_id=part, lessons=lessons, by=by, used=seen, promoted=True)
        found.append(SkillRow.of(summary, lessons, by, seen) if summary else bare)
    return found
