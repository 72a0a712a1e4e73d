"""How imported trajectories ended: a person's labels first, then the log's own verdict, then what the session shows.

`Outcome.source` records who said so: `labels`, `log` (a reward or grade in the log), `report` (a verdict file beside
it), `feedback` (a rating in the log, or the user's last words on the work), `signs` (what the last steps show), `judge`
(a model, asked for it), or `none`. What is not said stays `unknown`, which is neither a failure nor a success. From
`feedback` on, labels are weak: lessons that rest on them say so, count half, and are never verified.
"""

import csv
import io
from pathlib import Path

from trace2skill.core.errors import BadInput
from trace2skill.core.foreign_json import parse
from trace2skill.traces.guesses import ended, trusted
from trace2skill.traces.verdicts import Labels, Verdicts
from trace2skill.types.trajectory import Outcome, Trajectory

LARGEST = 64 * 1024 * 1024

RATINGS = {
    "thumbs_up": 1.0,
    "up": 1.0,
    "positive": 1.0,
    "good": 1.0,
    "thumbs_down": 0.0,
    "down": 0.0,
    "negative": 0.0,
    "bad": 0.0,
}


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


def labelled(trajectory: Trajectory, verdicts: Verdicts | None = None, path: str = "") -> Trajectory:
    """The trajectory with the best outcome there is: a person's label, the log's own verdict, a verdict file's, a
    rating, and a guess where such guesses are right often enough (`trace2skill.traces.guesses`).
    """
    label = verdicts.label_of(trajectory) if verdicts else None
    if label is not None:
        return trajectory.model_copy(update={"outcome": label})
    if trajectory.outcome.kind != "unknown":
        return trajectory
    if trajectory.extra.get("taken_back"):  # whether it was good or bad, it is not work that stands
        unknown = Outcome(kind="unknown", reason="the person took it back", source="none")
        return trajectory.model_copy(update={"outcome": unknown})
    found = (verdicts.verdict_of(trajectory, path) if verdicts else None) or from_rating(trajectory)
    found = found or trusted(trajectory)
    return trajectory if found is None else trajectory.model_copy(update={"outcome": found})


def from_rating(trajectory: Trajectory) -> Outcome | None:
    """A rating that the tool wrote into the log: thumbs up or down, on the whole or on the last step rated."""
    places = [(trajectory.extra, "of the whole")] + [
        (step.extra, f"of step {step.number}") for step in trajectory.steps
    ]
    for extra, where in reversed(places):
        for name in ("feedback", "rating", "user_feedback", "thumbs"):
            given = extra.get(name)
            given = given.get("rating", given.get("score", given.get("value"))) if isinstance(given, dict) else given
            score = RATINGS.get(str(given).strip().lower()) if isinstance(given, str) else given
            if isinstance(score, (bool, int, float)) and score in (0, 1, -1):
                return ended(score > 0, f"the user's rating {where}", "feedback")
    return None
