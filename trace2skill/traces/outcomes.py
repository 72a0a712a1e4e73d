"""How imported trajectories ended: a person's labels first, then the log's own verdict, then mechanical signs.

`Outcome.source` records who said so: `labels`, `log` (a reward or grade in the log), `report` (a verdict beside it),
`signs` (what the last steps show), or `none`. What is not said stays `unknown`. `WEIGHT` says how much a label counts
where a lesson rests on it; signs count half.
"""

import csv
import io
import re
from pathlib import Path

from trace2skill.errors import BadInput
from trace2skill.traces.outcome_of import from_score
from trace2skill.traces.raw import parse
from trace2skill.trajectory import Outcome, Step, Trajectory

Labels = dict[str, float]
WEIGHT = {"grader": 1.0, "labels": 1.0, "log": 1.0, "report": 1.0, "signs": 0.5, "none": 0.0}
LARGEST = 64 * 1024 * 1024

TESTS_PASSED = re.compile(
    r"(?m)^(?:=+ )?\d+ passed\b(?!.*\d+ (?:failed|error))|^OK(?: \(.*\))?$|^Tests:\s+\d+ passed, \d+ total"
)
TESTS_FAILED = re.compile(r"(?m)\b\d+ failed\b|^FAILED \((?:failures|errors)=|^FAIL\b")
UNDONE = re.compile(r"(?i)\b(?:undo (?:that|this|it)|revert (?:that|this|it|everything)|roll (?:it|that|this) back)\b")


def read_labels(path: Path) -> Labels:
    """Scores by id: a JSON object, or CSV with the columns id and score.

    Raises:
        BadInput: the file is neither, or a score is not between 0 and 1; names the line.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise BadInput(f"{path} is larger than {LARGEST} bytes: labels are one line an id")
        raw = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error
    if raw.lstrip().startswith(b"{"):
        try:
            rows = [(line, str(id), score) for line, (id, score) in enumerate(parse(raw).items(), start=1)]
        except (ValueError, AttributeError) as error:
            raise BadInput(f"{path} is not a JSON object of scores by id: {error}") from error
    else:
        table = list(csv.reader(io.StringIO(raw.decode("utf-8-sig", "replace"))))
        start = 2 if table and table[0][:1] and table[0][0].strip().lower() in ("id", "task_id", "session") else 1
        rows = [
            (n, row[0].strip(), row[1] if len(row) > 1 else "")
            for n, row in enumerate(table, start=1)
            if row and n >= start
        ]
    labels: Labels = {}
    for line, id, score in rows:
        try:
            value = float(score)
        except (TypeError, ValueError):
            value = -1.0
        if not 0 <= value <= 1:
            raise BadInput(f"{path}:{line}: the score of {id[:60]!r} is {score!r}, not a number from 0 to 1")
        labels[id] = value
    return labels


def labelled(trajectory: Trajectory, labels: Labels | None = None) -> Trajectory:
    """The trajectory with the best outcome there is. A label names a trajectory, a session or a task, in that order."""
    for id in (trajectory.id, trajectory.session, trajectory.task_id):
        if labels and id in labels:
            made = from_score(labels[id], "labels", f"label {labels[id]:g}")
            return trajectory.model_copy(update={"outcome": made})
    if trajectory.outcome.kind != "unknown":
        return trajectory
    signs = from_signs(trajectory.steps)
    return trajectory if signs is None else trajectory.model_copy(update={"outcome": signs})


def from_signs(steps: tuple[Step, ...]) -> Outcome | None:
    """What the end of a session shows: the last tests that ran, or that the user had the work undone."""
    for step in reversed(steps):
        if step.source == "user" and UNDONE.search(step.message[:500]):
            return Outcome(kind="failed", reason=f"the user had it undone (step {step.number})", source="signs")
        for answer in reversed(step.observations):
            shown = answer.content[-4000:]
            if TESTS_FAILED.search(shown):
                return Outcome(kind="failed", reason=f"the last tests failed (step {step.number})", source="signs")
            if TESTS_PASSED.search(shown):
                reason = f"the last tests passed (step {step.number})"
                return Outcome(kind="passed", hard=1.0, soft=1.0, reason=reason, source="signs")
    return None
