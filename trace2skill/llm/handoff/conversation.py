"""Which conversation a request belongs to: the one whose whole history it repeats, word for word.

Not the one that began alike: two runs with the same opening and other files are two conversations from the first
answer of a tool that differs. A request goes on from an answered one if its messages up to the last word of the model
are that request's and its answer. Where two go on from the same answer, the second begins a conversation of its own,
since whoever answers the first would not be shown what the second has of its own.
"""

from collections.abc import Sequence
from typing import Any

from trace2skill.core.digest import digest_of
from trace2skill.llm.handoff.folder import Folder
from trace2skill.llm.handoff.records import Head, RequestRef


def remember(folder: Folder, request: str, how: Sequence[Any], history: Sequence[dict[str, Any]]) -> None:
    """Keep that this history, which ends with the answer of `request`, was said."""
    folder.put("said", f"{_digest(how, history)}.json", RequestRef(id=request))


def placed(folder: Folder, head: Head, how: Sequence[Any], messages: Sequence[dict[str, Any]]) -> Head:
    """The head with its conversation, and from where on its messages are new in it.

    Args:
        folder: the folder.
        head: of a request that stands for itself.
        how: what else names a conversation: model, seed and parameters.
        messages: all messages of the request, as they are kept in the folder.
    """
    last = max((index for index, item in enumerate(messages) if item["role"] == "assistant"), default=-1)
    if last < 0 or last == len(messages) - 1:
        return head
    link = folder.get("said", f"{_digest(how, messages[: last + 1])}.json", RequestRef)
    parent = folder.get("heads", f"{link.id}.json", Head) if link else None
    if parent is None:
        return head
    if not _goes_on(folder, parent, head):
        return head.model_copy(update={"shares": parent.id})
    return head.model_copy(update={"conversation": parent.conversation, "parent": parent.id, "new_from": last + 1})


def _goes_on(folder: Folder, parent: Head, head: Head) -> bool:
    name = f"{parent.id}.json"
    if folder.put("next", name, RequestRef(id=head.id)):
        return True
    first = folder.get("next", name, RequestRef)
    return first is not None and first.id == head.id


def _digest(how: Sequence[Any], messages: Sequence[dict[str, Any]]) -> str:
    return digest_of("handoff history 1", list(how), [_plain(message) for message in messages])


def _plain(message: dict[str, Any]) -> list[Any]:
    """What was said, without what differs between a message that came and the same one sent back."""
    calls = [(call["id"], call["function"]["name"], call["function"]["arguments"]) for call in _calls(message)]
    return [message["role"], message.get("content") or "", message.get("tool_call_id") or "", calls]


def _calls(message: dict[str, Any]) -> list[dict[str, Any]]:
    return list(message.get("tool_calls") or ())
