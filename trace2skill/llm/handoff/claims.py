"""Who answers what: several people or sessions side by side, each conversation by one of them."""

import os
import time
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from trace2skill.core.errors import BadInput
from trace2skill.core.record import Record
from trace2skill.llm.handoff.folder import NAME, Folder
from trace2skill.llm.handoff.page import block_digest, blocks
from trace2skill.llm.handoff.presence import runs
from trace2skill.llm.handoff.records import Body, Claim, GivenAnswer, Handed, Head, PrintedView, RequestRef

State = Literal["waiting", "claimed", "answered"]


class OpenRequest(Record):
    """One request in the folder that has no answer. Times in seconds since 1970."""

    id: str
    role: str
    step: str
    conversation: str
    state: State
    asked_at: float
    attended: bool
    """Does a run wait for the answer now?"""
    by: str = ""
    since: float | None = None
    characters: int = 0


class Status(Record):
    """What a folder holds."""

    directory: str
    runs: int
    open: tuple[OpenRequest, ...]
    answered: dict[str, int]
    """How many requests are answered, by role."""
    answered_by: dict[str, int]


@dataclass(frozen=True)
class ClaimedRequest:
    """A request that was claimed, and what of it is to be printed."""

    head: Head
    body: Body
    view: PrintedView


def take(
    folder: Folder,
    by: str,
    *,
    role: str = "",
    most: int = 1,
    unattended: bool = False,
    whole: bool = False,
    only: Collection[str] | None = None,
) -> list[ClaimedRequest]:
    """Claim up to `most` requests: first what goes on in a conversation of one's own, then the oldest.

    Nobody else gets them then, nor what follows in their conversations. What no run waits for now is passed over,
    unless it is asked for. `only` names the conversations of which one is wanted.
    """
    taken: list[ClaimedRequest] = []
    for head in _in_turn(folder, by, role):
        if only is not None and head.conversation not in only:
            continue
        if len(taken) >= most:
            break
        if not unattended and not folder.attended(head.id):
            continue
        if not _claim(folder, head, by):
            continue
        body = body_of(folder, head)
        view = PrintedView() if whole else _view(folder, head, body, by)
        if folder.put("handed", f"{head.id}.json", Handed(by=by, since=time.time(), view=view)):
            taken.append(ClaimedRequest(head, body, view))
            _mark_shown(folder, by, taken[-1])
    return taken


def held(folder: Folder, by: str) -> list[str]:
    """Ids of the requests that were handed to this reader and have no answer."""
    return sorted(
        name
        for name in folder.names("handed") - folder.names("answers")
        if (found := folder.get("handed", f"{name}.json", Handed)) and found.by == by
    )


def claimed_by(folder: Folder, by: str) -> list[str]:
    """Ids of the conversations that are this reader's, whether anything is open in them or not; sorted."""
    claims = {name: folder.get("claims", f"{name}.json", Claim) for name in folder.names("claims")}
    return sorted(name for name, claim in claims.items() if claim and claim.by == by)


def release(folder: Folder, chosen: set[str], *, by: str = "", older_than: float = 0.0) -> list[str]:
    """Free the conversations of requests without an answer: those named, or those of one claimant, or old ones.

    Args:
        folder: the folder.
        chosen: ids of requests.
        by: a claimant, all of whose requests are meant.
        older_than: only claims of at least so many seconds.

    A claimant's own are freed also where no request is open: what comes next in them is anybody's.

    Returns the ids of the requests that may be claimed again.
    """
    freed = []
    for head in open_heads(folder):
        claim = claimant(folder, head)
        if claim is None or time.time() - claim.since < older_than:
            continue
        if head.id in chosen or (by and claim.by == by) or (older_than and not chosen and not by):
            folder.remove("handed", f"{head.id}.json")
            folder.remove("claims", f"{head.conversation}.json")
            freed.append(head.id)
    for name in claimed_by(folder, by) if by and not older_than and not chosen else ():
        folder.remove("claims", f"{name}.json")
    return sorted(freed)


def status(folder: Folder) -> Status:
    """What waits, who has claimed it since when, and what is answered."""
    rows = []
    for head in open_heads(folder):
        claim, handed = claimant(folder, head), folder.get("handed", f"{head.id}.json", Handed)
        rows.append(
            OpenRequest(
                **head.model_dump(include={"id", "role", "step", "conversation", "asked_at", "characters"}),
                state="claimed" if handed else "waiting",
                attended=folder.attended(head.id),
                by=claim.by if claim else "",
                since=handed.since if handed else claim.since if claim else None,
            )
        )
    heads = [folder.get("heads", f"{name}.json", Head) for name in folder.names("heads") & folder.names("answers")]
    given = [folder.get("answers", f"{name}.json", GivenAnswer) for name in folder.names("answers")]
    return Status(
        directory=str(folder.path),
        runs=runs(folder),
        open=tuple(sorted(rows, key=lambda row: (row.asked_at, row.id))),
        answered=dict(sorted(Counter(head.role for head in heads if head).items())),
        answered_by=dict(sorted(Counter(item.by for item in given if item).items())),
    )


def open_heads(folder: Folder) -> Iterator[Head]:
    """The requests without an answer."""
    for name in sorted(folder.names("heads") - folder.names("answers")):
        head = folder.get("heads", f"{name}.json", Head)
        if head is not None:
            yield head


def claimant(folder: Folder, head: Head) -> Claim | None:
    """Who answers the conversation of a request."""
    return folder.get("claims", f"{head.conversation}.json", Claim)


def head_of(folder: Folder, request: str) -> Head:
    """The request of that id, or the one whose id begins so.

    Raises:
        BadInput: there is none, or more than one.
    """
    begun = request.strip().lower()
    names = [name for name in folder.names("heads") if name.startswith(begun)] if len(begun) >= 4 else []
    if len(names) > 1:
        raise BadInput(f"'{begun}' begins several ids: {', '.join(sorted(names)[:5])}")
    head = folder.get("heads", f"{names[0]}.json", Head) if names and NAME.fullmatch(names[0]) else None
    if head is None:
        raise BadInput(
            f"no request '{request}' in {folder.path}: `trace2skill handoff status {folder.path}` lists them"
        )
    return head


def body_of(folder: Folder, head: Head) -> Body:
    """The words of a request.

    Raises:
        BadInput: somebody removed them.
    """
    body = folder.get("bodies", f"{head.id}.json", Body)
    if body is None:
        raise BadInput(f"the file bodies/{head.id}.json is gone from {folder.path}: run again with another folder")
    return body


def _mark_shown(folder: Folder, by: str, taken: ClaimedRequest) -> None:
    """Remember that this reader has seen the prompt, the tools and the schema of a request."""
    for name, text in blocks(taken.body, taken.view).items():
        if name not in taken.view.seen:
            folder.put("shown", f"{block_digest(by, text)}.json", RequestRef(id=taken.head.id))


def _in_turn(folder: Folder, by: str, role: str) -> list[Head]:
    handed = folder.names("handed")
    found = []
    for head in open_heads(folder):
        if head.id in handed or (role and head.role != role):
            continue
        claim = claimant(folder, head)
        if claim is None or claim.by == by:
            found.append((claim is None, head.asked_at, head.id, head))
    return [head for *_, head in sorted(found, key=lambda item: item[:3])]


def _claim(folder: Folder, head: Head, by: str) -> bool:
    if folder.put("claims", f"{head.conversation}.json", Claim(by=by, since=time.time())):
        return True
    claim = claimant(folder, head)
    return claim is not None and claim.by == by


def _view(folder: Folder, head: Head, body: Body, by: str) -> PrintedView:
    """What this reader has not seen: the rest of a conversation of its own, prompts that it was not shown before."""
    before = folder.get("handed", f"{head.parent}.json", Handed) if head.parent else None
    view = PrintedView(new_from=head.new_from if before and before.by == by else 0)
    seen = {}
    for name, text in blocks(body, view).items():
        link = folder.get("shown", f"{block_digest(by, text)}.json", RequestRef)
        if link is not None:
            seen[name] = link.id
    return view.model_copy(update={"seen": seen})


def default_name() -> str:
    """The claimant where none is named: $TRACE2SKILL_HANDOFF_AS, else the user on this machine.

    Not a process: the session of an agent runs each command in a shell of its own, and is one claimant all the same.
    """
    named = os.environ.get("TRACE2SKILL_HANDOFF_AS", "").strip()
    if named:
        return named
    import getpass
    import socket

    return f"{getpass.getuser()}@{socket.gethostname()}"
