"""How the sessions in logs ended, each by the log's own name for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from trace2skill.runs.reading_progress import ReadingProgress
from trace2skill.runs.skill_usage import whole_of
from trace2skill.runs.sources import Sources
from trace2skill.safety.redaction import Redactor
from trace2skill.traces import ReadFile, read_paths
from trace2skill.traces.outcomes import labelled, read_labels
from trace2skill.traces.own_format import reader_for
from trace2skill.traces.segments import segmented
from trace2skill.traces.stores import files_of
from trace2skill.traces.stores.pull import NOT_PULLED
from trace2skill.traces.values import instant
from trace2skill.traces.verdicts import Verdicts, verdicts_for
from trace2skill.types.trajectory import Trajectory


class LoggedSession(NamedTuple):
    """A session, when it began (seconds since 1970, infinite where nobody says), and its score, none where unknown."""

    name: str
    began: float
    score: float | None


class LoggedEnds(NamedTuple):
    """The sessions by name; lines, files and traces that could not be read, and the first of them in words; and what
    trace stores have and did not give this time, traces and pages of lists.
    """

    sessions: Mapping[str, LoggedSession]
    problems: int
    first_problem: str
    not_pulled: int


def ends_in(sources: Sources) -> LoggedEnds:
    """How the sessions in logs ended. Of a session's text nothing is kept.

    Raises:
        BadInput: a path, the labels or the format is not what it should be.
    """
    verdicts = verdicts_for(files_of(sources.paths), read_labels(sources.labels) if sources.labels else None)
    reader = reader_for(sources.format) if sources.format else None
    counting = _Ends(verdicts)
    read = read_paths(sources.paths, counting, reader=reader, aside=verdicts.files)
    sessions = {name: LoggedSession(name, item.began, item.score) for name, item in counting.sessions.items()}
    first = Redactor().text(str(read.problems[0])) if read.problems else ""
    return LoggedEnds(sessions, read.counts.get("problem", 0), first, read.counts.get(NOT_PULLED, 0))


@dataclass
class _Session:
    outcomes: set[str] = field(default_factory=set)
    began: float = float("inf")

    @property
    def score(self) -> float | None:
        """0 where any part of it failed, 1 where one passed and none failed, none where nobody says."""
        return 0.0 if "failed" in self.outcomes else 1.0 if "passed" in self.outcomes else None


@dataclass
class _Ends(ReadingProgress):
    verdicts: Verdicts
    names: dict[str, str] = field(default_factory=dict)
    sessions: dict[str, _Session] = field(default_factory=dict)

    def take(self, trajectory: Trajectory, file: ReadFile, number: int) -> None:
        """See `Taker`."""
        del number
        whole, apart = whole_of(trajectory)
        if apart:
            return
        name = self.names.setdefault(whole, trajectory.session or whole)
        session = self.sessions.setdefault(name, _Session())
        session.outcomes |= {labelled(part, self.verdicts, file.path).outcome.kind for part in segmented(trajectory)}
        session.began = min([session.began, *(instant(step.timestamp) for step in trajectory.steps if step.timestamp)])
