"""A long session in segments of one intent each: cut where a person asks for the next thing, and at compaction.

A short answer ("yes", "thanks", "no, the other file") belongs to what it answers and cuts nothing. Each segment is a
trajectory of its own, numbered from 1, with a link to the whole (`parent`, and `extra.segment` with the steps it had
there). The task stays the session's, so that support counts sessions and not their pieces. Only sessions of assistants
are cut: in a benchmark's log the whole is one task.
"""

import re

from trace2skill.traces.session import trajectory_id
from trace2skill.types.trajectory import Step, Trajectory, Usage

CUT = {"claude-code", "codex", "gemini-cli", "opencode"}
FOLLOWS_ON = re.compile(
    r"(?i)\A\W*(?:yes|no|ok(?:ay)?|sure|thanks?|thank you|perfect|great|good|nice|continue|go on|go ahead|proceed|"
    r"please do|actually|wait|stop|hold|never ?mind|wrong|that'?s|it'?s|still|undo|revert|try again|again|why|what|how|"
    r"which|will|can you|could you|do you|<)"
)


def segmented(trajectory: Trajectory) -> list[Trajectory]:
    """The segments of a session in their order; the trajectory itself where there is but one."""
    starts = _starts(trajectory.steps) if trajectory.agent in CUT else [0]
    if len(starts) < 2:
        return [trajectory]
    ends = [*starts[1:], len(trajectory.steps)]
    return [_part(trajectory, first, last) for first, last in zip(starts, ends, strict=True)]


def _starts(steps: tuple[Step, ...]) -> list[int]:
    """Places of the steps that begin a segment. The first begins with the session."""
    starts, worked = [0], False
    for place, step in enumerate(steps):
        compaction = step.extra.get("mark") == "compaction"
        asks = step.source == "user" and not FOLLOWS_ON.match(step.message) and "mark" not in step.extra
        if worked and (compaction or asks):
            starts.append(place)
            worked = False
        worked = worked or step.source == "agent"
    return starts


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
