"""The use of skills in logs: in how many sessions which skill was taken up, which of its files, and how these ended.

A session with its sub-agents is one. Facts alone are counted (`trace2skill.traces.skill_use`): that a session without a
record of a skill did not have its text before it, nobody can tell.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from pydantic import Field

from trace2skill.core.errors import BadInput
from trace2skill.core.record import Record
from trace2skill.runs.reading_progress import ReadingProgress
from trace2skill.runs.sources import Sources
from trace2skill.skills.skill import Skill
from trace2skill.traces import ReadFile, read_paths
from trace2skill.traces.outcomes import labelled, read_labels
from trace2skill.traces.own_format import reader_for
from trace2skill.traces.segments import segmented
from trace2skill.traces.skill_use import SkillUse, skill_uses
from trace2skill.traces.stores import files_of
from trace2skill.traces.verdicts import Verdicts, verdicts_for
from trace2skill.types.trajectory import Trajectory

Ended = Literal["passed", "failed", "unknown"]


class FileInSessions(Record):
    """A file of a skill: in how many sessions it was opened or ran."""

    path: str
    sessions: int


class SkillInSessions(Record):
    """A skill: how many sessions used it, how, and how they ended."""

    name: str
    sessions: int
    activated: int = Field(description="Sessions that took it up by their agent's own tool for skills.")
    ended: dict[Ended, int] = Field(description="Of these sessions; failed where any part of one failed.")
    files: tuple[FileInSessions, ...] = Field(description="The most used first; SKILL.md where it was opened.")
    unused: tuple[str, ...] = Field(default=(), description="Files of the skill as it is that no session used.")


class LoggedUsage(Record):
    """Use of skills in all sessions that were read."""

    sessions: int
    with_calls: int = Field(description="Sessions with a call of any tool: in others nothing could be seen.")
    ended: dict[Ended, int]
    skills: tuple[SkillInSessions, ...] = Field(description="The most used first.")
    unused: tuple[str, ...] = Field(default=(), description="Skills that were given and that no session used.")
    unmatched: tuple[str, ...] = Field(default=(), description="Labels that name no session.")
    problems: int = Field(default=0, description="What of the logs could not be read.")


@dataclass
class _Session:
    uses: list[SkillUse] = field(default_factory=list)
    calls: int = 0
    outcomes: set[str] = field(default_factory=set)

    @property
    def ended(self) -> Ended:
        return "failed" if "failed" in self.outcomes else "passed" if "passed" in self.outcomes else "unknown"


@dataclass
class _Counting(ReadingProgress):
    """Keeps of each session what it used and how it ended, and nothing of its text."""

    verdicts: Verdicts
    known: frozenset[str]
    sessions: dict[str, _Session] = field(default_factory=dict)

    def take(self, trajectory: Trajectory, file: ReadFile, number: int) -> None:
        """See `Taker`."""
        del number
        whole, apart = whole_of(trajectory)
        session = self.sessions.setdefault(whole, _Session())
        session.uses += skill_uses(trajectory, self.known)
        session.calls += sum(len(step.tool_calls) for step in trajectory.steps)
        if not apart:
            session.outcomes |= {
                labelled(part, self.verdicts, file.path).outcome.kind for part in segmented(trajectory)
            }


def whole_of(trajectory: Trajectory) -> tuple[str, bool]:
    """The session a trajectory belongs to, and whether it is a sub-agent of it, whose end is not the session's.

    What was resumed under another id is a session of its own, and a later part of a large file is of its session.
    """
    copied, part = trajectory.extra.get("copied"), trajectory.extra.get("part")
    if isinstance(copied, dict) and copied.get("of") == trajectory.parent:
        return trajectory.id, False
    return trajectory.parent or trajectory.id, bool(trajectory.parent) and part is None


def logged_usage(sources: Sources, skills: Sequence[Skill] = ()) -> LoggedUsage:
    """Read logs and count. No store is opened, and nothing is written.

    Args:
        sources: the logs, their format and their labels.
        skills: what of them was never used is said, too.

    Raises:
        BadInput: a path, the labels or the format is not what it should be, or no session could be read.
    """
    verdicts = verdicts_for(files_of(sources.paths), read_labels(sources.labels) if sources.labels else None)
    reader = reader_for(sources.format) if sources.format else None
    counting = _Counting(verdicts, frozenset(skill.name for skill in skills))
    readings = read_paths(sources.paths, counting, reader=reader, aside=verdicts.files)
    sessions = list(counting.sessions.values())
    if not sessions:
        first = f": {readings.problems[0]}" if readings.problems else ""
        raise BadInput(f"no session was found in {', '.join(map(str, sources.paths[:5]))}{first}")
    names = sorted({use.skill for session in sessions for use in session.uses})
    found = [_in_sessions(name, sessions, next((one for one in skills if one.name == name), None)) for name in names]
    return LoggedUsage(
        sessions=len(sessions),
        with_calls=sum(session.calls > 0 for session in sessions),
        ended=_ends(sessions),
        skills=tuple(sorted(found, key=lambda item: (-item.sessions, item.name))),
        unused=tuple(sorted(skill.name for skill in skills if skill.name not in names)),
        unmatched=tuple(verdicts.unmatched),
        problems=len(readings.problems),
    )


def _in_sessions(name: str, sessions: Sequence[_Session], skill: Skill | None) -> SkillInSessions:
    having = [session for session in sessions if any(use.skill == name for use in session.uses)]
    files: Counter[str] = Counter()
    activated = 0
    for session in having:
        uses = [use for use in session.uses if use.skill == name]
        activated += any(use.how == "activated" for use in uses)
        files.update({use.file for use in uses if use.how != "activated"})
    others = [file.path for file in skill.files if file.path != "SKILL.md"] if skill else []
    return SkillInSessions(
        name=name,
        sessions=len(having),
        activated=activated,
        ended=_ends(having),
        files=tuple(
            FileInSessions(path=path, sessions=count)
            for path, count in sorted(files.items(), key=lambda item: (-item[1], item[0]))
        ),
        unused=tuple(path for path in others if path not in files),
    )


def _ends(sessions: Sequence[_Session]) -> dict[Ended, int]:
    return dict(sorted(Counter(session.ended for session in sessions).items()))
