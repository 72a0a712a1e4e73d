"""What came of an ingestion, as data and as a person reads it."""

from pathlib import Path

from pydantic import Field

from trace2skill.consolidate.candidate import Candidate
from trace2skill.failures import Failure
from trace2skill.noun import Noun


class Quarantined(Noun):
    """A proposed line that is withheld, and why."""

    text: str
    reason: str
    trajectories: tuple[str, ...]


class IngestSummary(Noun):
    """What came of an ingestion."""

    run_id: str
    files: int
    unchanged: int
    trajectories: int
    fresh: int
    outcomes: dict[str, int]
    labels: dict[str, int] = Field(description="Trajectories by who said how they ended.")
    redacted: dict[str, int]
    lessons: int
    written: int
    dropped: int
    quarantined: tuple[Quarantined, ...]
    problems: int
    first_problems: tuple[str, ...]
    failures: tuple[Failure, ...]
    candidate: Candidate
    candidate_directory: Path


def as_markdown(summary: IngestSummary) -> str:
    """The summary as a person reads it."""
    counted = {
        "outcomes": summary.outcomes,
        "labelled by": summary.labels,
        "redacted": summary.redacted or {"nothing": 0},
    }
    lines = [
        f"# {summary.run_id}",
        "",
        f"- files {summary.files}, of them unchanged {summary.unchanged}; trajectories {summary.trajectories}, "
        f"new or changed {summary.fresh}",
        *(
            f"- {name}: {', '.join(f'{count} {key}' for key, count in found.items())}"
            for name, found in counted.items()
        ),
        f"- lessons {summary.lessons}; rules written {summary.written}, dropped for little support {summary.dropped}, "
        f"quarantined {len(summary.quarantined)}",
        f"- lines and files that could not be read: {summary.problems}",
        *(f"  - `{problem}`" for problem in summary.first_problems[:10]),
        *(f"- quarantined ({item.reason}): `{item.text[:120]}`" for item in summary.quarantined[:10]),
        *(f"- failed: {failure.name}: {failure.message}" for failure in summary.failures[:10]),
        f"- candidate: {summary.candidate_directory}; nothing was promoted",
    ]
    return "\n".join(lines) + "\n"
