"""A long session in segments of one intent each: cut where a person asks for the next thing, and at compaction.

A short answer ("yes", "thanks", "no, the other file") belongs to what it answers and cuts nothing. Each segment is a
trajectory of its own, numbered from 1, with a link to the whole (`parent`, and `extra.segment` with the steps it had
there). The task stays the session's, so that support counts sessions and not their pieces. Only sessions of assistants
are cut: in a benchmark's log the whole is one task.
"""

import re

from trace2skill.traces.session import trajectory_id
from trace2skill.types.trajectory import Step, Trajectory, Usage

CUT = {"claude-code", "codex", "gemini-cli", "qwen-code", "opencode", "cursor", "cline"}
FOLLOWS_ON = re.compile(
    r"(?i)\A\W*(?:(?:yes|no|nope|ok(?:ay)?|sure|thanks?|thank you|perfect|great|good|nice|continue|go on|go ahead|"
    r"proceed|please do|actually|wait|stop|hold|never ?mind|wrong|that'?s|it'?s|still|undo|revert|try again|again|"
    r"why|what|how|which|will|can you|could you|do you)\b(?!-)|<)"
)
PRAISE = re.compile(
    r"(?i)\A\W*(?:(?:yes|ok(?:ay)?|thanks?|thank you|perfect|great|good|nice|well done|done)\b[\s,.!:;-]*)+"
)
NEXT = re.compile(r"(?i)(?:and |so |then )?(?:now|next|then)\b")


def segmented(trajectory: Trajectory, said: Trajectory | None = None) -> list[Trajectory]:
    """The segments of a session in their order; the trajectory itself where there is but one.

    Args:
        trajectory: the session.
        said: the same session as it was said, if words of the first are replaced: it is cut where this one is.
    """
    starts = _starts((said or trajectory).steps) if trajectory.agent in CUT else [0]
    if len(starts) < 2:
        return [trajectory]
    ends = [*starts[1:], len(trajectory.steps)]
    return [_part(trajectory, first, last) for first, last in zip(starts, ends, strict=True)]


def _starts(steps: tuple[Step, ...]) -> list[int]:
    """Places of the steps that begin a segment. The first begins with the session."""
    starts, worked = [0], False
    for place, step in enumerate(steps):
        compaction = step.extra.get("mark") == "compaction"
        asks = step.source == "user" and _asks_anew(step.message) and not step.extra.keys() & {"mark", "queued"}
        if worked and (compaction or asks):
            starts.append(place)
            worked = False
        worked = worked or step.source == "agent"
    return starts


def _asks_anew(said: str) -> bool:
    """Does a person ask for the next thing? "Good. Now print the version" does, "Good" does not."""
    praise = PRAISE.match(said)
    return not FOLLOWS_ON.match(said) or bool(praise and NEXT.match(said, praise.end()))


def _part(whole: Trajectory, first: int, last: int) -> Trajectory:
    steps = tuple(
        step.model_copy(update={"number": number}) for number, step in enumerate(whole.steps[first:last], start=1)
    )
    return whole.model_copy(
        update={
            "id": trajectory_id(whole.id, "segment", first + 1),
            "steps": steps,
            "parent": whole.id,
            "usage": sum((step.usage for step in steps if step.usage), Usage()),
            "extra": {"segment": {"of": whole.id, "first": first + 1, "last": last}},
        }
    )
