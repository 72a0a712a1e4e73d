"""How imported trajectories ended: a person's labels first, then the log's own verdict, then what the session shows.

`Outcome.source` records who said so: `labels`, `log` (a reward or grade in the log), `report` (a verdict beside it),
`feedback` (a rating in the log, or the user's last words on the work), `signs` (what the last steps show), `judge` (a
model, asked for it), or `none`. What is not said stays `unknown`. From `feedback` on, labels are weak: lessons that rest
on them say so, count half, and are never verified.
"""

import csv
import io
import re
from pathlib import Path

from trace2skill.core.errors import BadInput
from trace2skill.core.foreign_json import parse
from trace2skill.traces.calls import command_of
from trace2skill.traces.outcome_of import from_score
from trace2skill.traces.runner_reports import tests_passed
from trace2skill.types.trajectory import Outcome, Step, Trajectory

Labels = dict[str, float]
LARGEST = 64 * 1024 * 1024

UNDONE = re.compile(
    r"(?i)\b(?:undo (?:that|this|it|everything|your|the)|revert (?:that|this|it|everything|your|the)|roll (?:it|that|this|everything) back)\b"
    r"|\bmach(?:e|en Sie)? (?:das|es) (?:wieder )?r[üu]ckg[äa]ngig\b|\bannule[zr]? (?:ça|cela|tout)\b|\bdeshaz(?:lo)?\b"
)
UNDOING = re.compile(r"\bgit (?:checkout -- |restore |reset --hard|revert )|\bgit stash(?: push)?\s*$")
SHOWS = re.compile(r"\s*(?:cat|head|tail|less|more|bat|grep|rg|sed -n|awk|git (?:show|log|diff)|gh (?:run|pr) view)\b")
"""Commands that show what stands in a file: a report in it may be an old one."""
SHOWING = re.compile(r"(?i)(?:read|view|open|cat|grep|search|glob|fetch|web)(?:_|[A-Z]|\Z)")
CONTENT = re.compile(
    r"(?i)\A\W*(?:(?:perfect|great|excellent|awesome|brilliant|lovely|wonderful|amazing|nice|thanks?|thank you|thx|cheers|super|danke|merci|gracias|perfekt|parfait|perfecto)\b[\s,.!:)-]*)+"
    r"(?:so much|a lot|very much|sehr|beaucoup|work|job|it works?(?: now)?|that works?(?: now)?|works?(?: now)?|that(?:'s| is) (?:it|all|right|perfect|what i (?:wanted|needed))|for (?:your|the) help|[\s,.!:)-])*\Z"
    r"|\b(?:it|that|this|everything) works? (?:now|perfectly|great|fine)\b|\bexactly what i (?:wanted|needed)\b|\blgtm\b|\bproblem (?:is )?solved\b|\bfunktioniert jetzt\b|\bça marche\b|\bfunciona (?:bien|ahora)\b|\A\W*(?:👍|✅|🎉)"
)
UNHAPPY = re.compile(
    r"(?i)\b(?:that|this|it)(?:'s| is| was) (?:still )?(?:wrong|incorrect|broken|not (?:right|correct|working|what i (?:asked|wanted|meant)))\b|\b(?:still|it|that|this) (?:does ?n[o']t|doesnt|is ?n[o']t|isnt) (?:work|working|compile|right|correct|fixed)"
    r"|\byou (?:broke|deleted|ruined|messed up|forgot|ignored)\b|\bnot what i (?:asked|wanted|meant)\b|\bstill (?:fails|failing|broken|wrong)\b|\bfunktioniert (?:immer noch )?nicht\b|\bne (?:marche|fonctionne) (?:toujours )?pas\b|\bno funciona\b|\A\W*(?:👎|❌)"
)
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
SHORT = 400


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
    if trajectory.extra.get("taken_back"):  # whether it was good or bad, it is not work that stands
        unknown = Outcome(kind="unknown", reason="the person took it back", source="none")
        return trajectory.model_copy(update={"outcome": unknown})
    found = from_rating(trajectory) or from_words(trajectory.steps) or from_signs(trajectory.steps)
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
                return _ended(score > 0, f"the user's rating {where}", "feedback")
    return None


def from_words(steps: tuple[Step, ...]) -> Outcome | None:
    """What the user said last of the work, where that is a short word of praise or complaint."""
    for step in reversed(steps):
        if step.source != "user" or "mark" in step.extra or not step.message.strip():
            continue
        said = step.message[:SHORT]
        worked = any(earlier.source == "agent" for earlier in steps[: step.number - 1])
        if not worked or len(step.message) > SHORT or UNDONE.search(said):
            return None
        if UNHAPPY.search(said) and any(later.tool_calls for later in steps[step.number :]):
            return None  # what was wrong was worked on after that, and nobody spoke of it again
        if UNHAPPY.search(said):
            return _ended(False, f"the user complained (step {step.number})", "feedback")
        return _ended(True, f"the user was content (step {step.number})", "feedback") if CONTENT.search(said) else None
    return None


def from_signs(steps: tuple[Step, ...]) -> Outcome | None:
    """What the end of a session shows: the user had the work undone, the last tests, a last command that failed.

    A call that did not run says nothing, and neither does what a command shows of a file.
    """
    last = True
    for step in reversed(steps):
        if step.source == "user" and UNDONE.search(step.message[:500]):
            return Outcome(kind="failed", reason=f"the user had it undone (step {step.number})", source="signs")
        for answer in reversed(step.observations):
            call = next((call for call in step.tool_calls if call.id == answer.call_id), None)
            if answer.state == "not_run":
                last = last and answer.not_run == "sibling"
                continue
            command = command_of(call.name, call.arguments) if call else ""
            if UNDOING.search(command):
                return _ended(False, f"the work was undone (step {step.number})", "signs")
            passed = None if SHOWS.match(command) or (call and SHOWING.match(call.name)) else tests_passed(answer)
            if passed is not None:
                return _ended(
                    passed, f"the last tests {'passed' if passed else 'failed'} (step {step.number})", "signs"
                )
            if last and answer.state == "failed":
                return _ended(False, f"the last command failed (step {step.number})", "signs")
            last = False
    return None


def _ended(well: bool, reason: str, source: str) -> Outcome:
    score = float(well)
    return Outcome(kind="passed" if well else "failed", hard=score, soft=score, reason=reason, source=source)
