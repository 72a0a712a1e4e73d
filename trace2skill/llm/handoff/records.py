"""What the files of a handoff folder hold."""

from operator import not_
from typing import Any

from pydantic import Field

from trace2skill.core.record import Record

ID_DIGITS = 12


class Head(Record):
    """Who asks what, without the words: small, since every look at the folder reads all that wait."""

    id: str = Field(description="The first digits of the call's key.")
    key: str = Field(description="The call's key, under which the store keeps the answer.")
    role: str = ""
    step: str = ""
    model: str = ""
    asked_at: float = Field(description="Seconds since 1970, when it was first asked.")
    conversation: str = Field(description="Id of the conversation's first request.")
    parent: str = Field(default="", description="Id of the request whose answer this one goes on from.")
    new_from: int = Field(default=0, description="Index of the first message that came after that answer.")
    shares: str = Field(
        default="",
        exclude_if=not_,
        description="Id of an answered request from which it goes on, too, after another conversation that did.",
    )
    characters: int = Field(default=0, description="Characters of all messages.")


class Body(Record):
    """The words. A picture in a message is the name of its file."""

    messages: tuple[dict[str, Any], ...]
    tools: tuple[dict[str, Any], ...] = ()
    answer_schema: dict[str, Any] | None = None
    max_tokens: int | None = None


class AskedBy(Record):
    """One who waits for the answer to a request."""

    step: str


class Claim(Record):
    """Who answers a conversation, and since when."""

    by: str
    since: float


class PrintedView(Record):
    """What of a request is printed: messages from `new_from` on, without the parts a reader has seen elsewhere."""

    new_from: int = 0
    seen: dict[str, str] = Field(default_factory=dict, description="Part left out -> id of the request it stood in.")


class Handed(Record):
    """To whom a request was printed, and what of it."""

    by: str
    since: float
    view: PrintedView = PrintedView()


class RequestRef(Record):
    """The id of a request."""

    id: str


class GivenCall(Record):
    """One call of a tool; `arguments` is the JSON text, as a provider sends it."""

    name: str
    arguments: str


class GivenAnswer(Record):
    """An answer."""

    id: str
    key: str
    by: str
    at: float
    text: str = ""
    calls: tuple[GivenCall, ...] = ()
    cut_off: bool = Field(default=False, description="It says of itself that it ends before its end.")
    forced: bool = Field(default=False, description="It was taken although it does not fit what was asked.")
