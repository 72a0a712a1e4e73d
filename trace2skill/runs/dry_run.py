"""What an import would read, without keeping anything: files, formats, sessions, outcomes and who says them."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import Field

from trace2skill.core.record import Record
from trace2skill.runs.reading_progress import ReadingProgress
from trace2skill.runs.samples import left_out_of_samples
from trace2skill.runs.sources import Sources
from trace2skill.safety.redaction import Redactor
from trace2skill.traces import ReadFile, Readings, read_paths
from trace2skill.traces.outcomes import labelled, read_labels
from trace2skill.traces.own_format import reader_for
from trace2skill.traces.segments import segmented
from trace2skill.traces.stores import files_of
from trace2skill.traces.verdicts import Verdicts, names_of, verdicts_for
from trace2skill.types.trajectory import Trajectory


class SeenSession(Record):
    """One session, or a segment of one. A label may name it by any of its ids."""

    ids: tuple[str, ...]
    steps: int
    calls: int
    outcome: str
    source: str
    reason: str


class SeenFile(Record):
    """One file of a dry run."""

    name: str
    format: str = Field(description="'' where it was not read.")
    sessions: tuple[SeenSession, ...] = ()
    problems: tuple[str, ...] = Field(default=(), description="What of it was not read, and why.")
    more_problems: int = 0

    @property
    def steps(self) -> int:
        """Of all its sessions."""
        return sum(item.steps for item in self.sessions)

    @property
    def outcomes(self) -> dict[str, int]:
        """By how they ended and who says so: `passed (log)`."""
        return dict(sorted(Counter(f"{item.outcome} ({item.source})" for item in self.sessions).items()))


class DryRun(Record):
    """What an import would read."""

    files: tuple[SeenFile, ...]
    verdicts: tuple[str, ...] = Field(description="Files that hold verdicts, and are no logs.")
    companions: int = Field(description="Files beside logs that are no logs of their own.")
    duplicates: int = Field(description="Sessions that say again what another says.")
    copies: int = Field(description="Sessions that are copies of a part of another, and steps that are.")
    unsampled: int = Field(default=0, description="Traces of trace stores that are in no sample, and yet shown here.")
    unmatched: tuple[str, ...] = Field(default=(), description="Labels that no session bears.")

    @property
    def sessions(self) -> int:
        """All of them."""
        return sum(len(item.sessions) for item in self.files)


@dataclass
class _Looking(ReadingProgress):
    """Takes what is read, and keeps what is said of it."""

    verdicts: Verdicts
    found: dict[str, list[SeenSession]] = field(default_factory=dict)
    redactor: Redactor = field(default_factory=Redactor)

    def take(self, trajectory: Trajectory, file: ReadFile, number: int) -> None:
        """See `Taker`."""
        del number
        for part in segmented(trajectory):
            ended = labelled(part, self.verdicts, file.path).outcome
            self.found.setdefault(file.path, []).append(
                SeenSession(
                    ids=tuple(map(self.redactor.text, names_of(part))),
                    steps=len(part.steps),
                    calls=sum(len(step.tool_calls) for step in part.steps),
                    outcome=ended.kind,
                    source=ended.source,
                    reason=self.redactor.text(ended.reason),
                )
            )


def dry_run(sources: Sources) -> DryRun:
    """Read the logs of an import and say what was found. No store is opened, and nothing is written.

    Raises:
        BadInput: a path, the labels or the format is not what it should be.
    """
    verdicts = verdicts_for(files_of(sources.paths), read_labels(sources.labels) if sources.labels else None)
    reader = reader_for(sources.format) if sources.format else None
    looking = _Looking(verdicts)
    readings = read_paths(sources.paths, looking, reader=reader, aside=verdicts.files)
    ends = {path: [item.outcome for item in sessions] for path, sessions in looking.found.items()}
    return DryRun(
        files=_files(readings, looking),
        verdicts=tuple(sorted(_shown(path, files_of(sources.paths)) for path in verdicts.files)),
        companions=readings.counts.get("companion", 0) - len(verdicts.files),
        duplicates=readings.counts.get("duplicate", 0),
        copies=readings.counts.get("copy", 0),
        unsampled=len(left_out_of_samples(sources.paths, ends)),
        unmatched=tuple(verdicts.unmatched),
    )


def _files(readings: Readings, looking: _Looking) -> tuple[SeenFile, ...]:
    problems: dict[str, list[str]] = {}
    for problem in readings.problems:
        where = f"line {problem.line}: " if problem.line else ""
        problems.setdefault(problem.file, []).append(looking.redactor.text(where + problem.message))
    read = [
        SeenFile(
            name=file.name,
            format=file.format,
            sessions=tuple(looking.found.get(file.path, ())),
            problems=tuple(problems.get(file.name, ())),
            more_problems=max(0, file.problems - len(problems.get(file.name, ()))),
        )
        for file in readings.files
    ]
    known = {file.name for file in read}
    others = (name for name in problems if name not in known)
    return (*read, *(SeenFile(name=name, format="", problems=tuple(problems[name])) for name in others))


def _shown(path: Path, roots: tuple[Path, ...]) -> str:
    root = next((root for root in roots if path.is_relative_to(root)), None)
    return path.relative_to(root).as_posix() if root else str(path)
