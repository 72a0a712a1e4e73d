"""What a person asked for in a segment, and whether that can be a task for somebody who sees nothing else."""

import re
from collections.abc import Sequence

from trace2skill.mined.replay import WORKSPACE, does_something, moved
from trace2skill.mined.start import root_of
from trace2skill.mined.work import Operation, work_of
from trace2skill.safety.shown import hides
from trace2skill.traces.guesses import UNDONE, UNHAPPY, from_words
from trace2skill.traces.segments import PRAISE
from trace2skill.types.trajectory import Step, Trajectory

SHORTEST, LONGEST = 12, 20_000
MOST_OPERATIONS = 400
SIGNS = ".,;:!?\"'`()[]"
LEANS = re.compile(
    r"(?i)\b(?:the same|as (?:before|above)|again|too|also|above|earlier|previous(?:ly)?|those|them|instead|likewise|it"
    r")\b"
)
"""Words by which a later request leans on what was said before."""


def request_of(part: Trajectory, root: str) -> str:
    """What a person asked for: the first words, and what was said on top of them, without signs that nobody sees.

    Paths in the directory that it worked in are relative.
    """
    return moved(_said_in(part), root).replace(f"{WORKSPACE}/", "")


def request_alone(trajectory: Trajectory) -> str:
    """The same of a trajectory of which nothing else is known."""
    return request_of(trajectory, root_of(trajectory, work_of(trajectory)))


def alike(request: str) -> str:
    """A request without what differs where the same is asked: blanks, case, signs around words, where files lie."""
    words = (word.rstrip("/").rpartition("/")[2].strip(SIGNS) for word in request.lower().split())
    return " ".join(word for word in words if word)


def _said_in(part: Trajectory) -> str:
    said = [step.message.strip() for step in part.steps if _is_said(step)]
    more = [text for text in said[1:] if not (PRAISE.fullmatch(text) or UNHAPPY.search(text))]
    return "".join(sign for sign in "\n\n".join([*said[:1], *more]) if not hides(sign)).strip()


def _is_said(step: Step) -> bool:
    return step.source == "user" and "mark" not in step.extra and bool(step.message.strip())


def why_not(
    whole: Trajectory,
    part: Trajectory,
    request: str,
    work: Sequence[Operation],
    number: int,
    parts: Sequence[Trajectory],
) -> str:
    """Why a segment is no task, as far as it can be seen without doing it again; '' where it may be one."""
    if whole.extra.get("taken_back"):
        return "it was taken back"
    if not SHORTEST <= len(request) <= LONGEST:
        return "it has no request that could be a task" if len(request) < SHORTEST else "its request is too long"
    if number and LEANS.search(request):
        return "its request leans on what was said before"
    if not any(does_something(item) for item in work):
        return "nothing was changed or run"
    if len(work) > MOST_OPERATIONS:
        return f"it has more than {MOST_OPERATIONS} operations"
    after = [step.message for later in parts[number + 1 : number + 2] for step in later.steps if _is_said(step)][:1]
    last = [step.message for step in part.steps if _is_said(step)][1:][-1:]
    if any(UNHAPPY.search(said[:500]) or UNDONE.search(said[:500]) for said in (*last, *after)):
        return "the person was not content with it"
    return ""


def accepted(parts: Sequence[Trajectory], number: int) -> bool:
    """Did the person say that it is right, or go on to the next thing? Complaints were looked for before."""
    told = from_words(parts[number].steps)
    return (told is not None and told.kind == "passed") or number + 1 < len(parts)
