"""A reader who stays with one conversation: shown what goes on in it, and nothing else until it has ended.

The program runs the tools that an answer called for, so that for a while nothing is open in a conversation that goes
on. It has ended when the run says that it asks nothing further there, or when no run is left to ask.
"""

from dataclasses import dataclass
from typing import Literal

from trace2skill.llm.handoff.claims import ClaimedRequest, claimed_by, release, take
from trace2skill.llm.handoff.folder import Folder
from trace2skill.llm.handoff.presence import runs
from trace2skill.llm.handoff.records import Head, RequestRef

State = Literal["printed", "unanswered", "awaits", "ended", "stopped", "nothing"]


@dataclass(frozen=True)
class Staying:
    """How it stands with the conversation of a reader.

    `printed`: `taken` is to be printed. `unanswered`: the request in `heads` was printed and has no answer. `awaits`:
    the run has the answer, and has not asked further. `ended`: it asks nothing further. `stopped`: no run is left to
    ask. `nothing`: the reader has no conversation, and there is none to be had.
    """

    state: State
    heads: tuple[Head, ...] = ()
    """The last request of each conversation that is meant."""
    taken: tuple[ClaimedRequest, ...] = ()


def stay(folder: Folder, by: str, *, role: str = "", unattended: bool = False, whole: bool = False) -> Staying:
    """Claim what goes on in the reader's conversation; one new conversation where the reader has none.

    A conversation that has ended is said to have once, and is the reader's no longer.
    """
    mine = [head for name in claimed_by(folder, by) if (head := _last(folder, name))]
    open_ = [head for head in mine if not folder.has("answers", f"{head.id}.json")]
    ready = {head.conversation for head in open_ if not folder.has("handed", f"{head.id}.json")}
    taken = take(folder, by, unattended=unattended, whole=whole, only=ready) if ready else []
    if not mine:
        taken = take(folder, by, role=role, unattended=unattended, whole=whole)
    if taken:
        return Staying("printed", taken=tuple(taken))
    over = [head for head in mine if head not in open_ and folder.has("ended", f"{head.id}.json")]
    if over:
        return Staying("ended", _left(folder, over))
    if mine and not runs(folder) and not any(folder.attended(head.id) for head in open_):
        return Staying("stopped", _left(folder, mine))
    held = tuple(head for head in open_ if head.conversation not in ready)
    return Staying("unanswered", held) if held else Staying("awaits", tuple(mine)) if mine else Staying("nothing")


def _left(folder: Folder, heads: list[Head]) -> tuple[Head, ...]:
    """Make the conversations nobody's: what may still come of them, after a restart, is for anybody."""
    release(folder, {head.id for head in heads})
    for head in heads:
        folder.remove("claims", f"{head.conversation}.json")
    return tuple(heads)


def _last(folder: Folder, conversation: str) -> Head | None:
    """The last request of a conversation; the one before it while it is being written."""
    head = folder.get("heads", f"{conversation}.json", Head)
    while head is not None:
        link = folder.get("next", f"{head.id}.json", RequestRef)
        further = folder.get("heads", f"{link.id}.json", Head) if link else None
        if further is None:
            return head
        head = further
    return None
