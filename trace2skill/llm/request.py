"""What goes to a model and what comes back."""

import re
from functools import cached_property
from operator import not_
from typing import Any

from pydantic import Field

from trace2skill.core.digest import digest_of
from trace2skill.core.record import Record
from trace2skill.llm.settings import ModelSettings, Role
from trace2skill.types.picture import Picture
from trace2skill.types.trajectory import StopReason, ToolCall, Usage

Message = dict[str, Any]
THOUGHT = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL)
"""Reasoning that a server left in the text, closed or not."""


class ToolSpec(Record):
    """A tool the model may call. `parameters` is a JSON schema of an object."""

    name: str
    description: str
    parameters: dict[str, Any]


class Request(Record):
    """One call of a model. Everything in its `key` can change the answer; nothing else can."""

    role: Role
    settings: ModelSettings
    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    answer_schema: dict[str, Any] | None = Field(default=None, description="JSON schema of a structured answer.")
    seed: int | None = None
    pictures: tuple[Picture, ...] = Field(
        default=(), exclude_if=not_, description="Shown with the first user message, before its words."
    )

    @cached_property
    def key(self) -> str:
        """Content key of the call: 'call/' and 64 hex digits."""
        parts = (self.settings.identity, self.messages, self.tools, self.answer_schema, self.seed)
        shown = (tuple(picture.digest for picture in self.pictures),) if self.pictures else ()
        return "call/" + digest_of("model call 1", *parts, *shown)

    @property
    def sent(self) -> list[Message]:
        """The messages as they are sent: with the pictures, as parts."""
        messages = [dict(message) for message in self.messages]
        if self.pictures:
            first = next(message for message in messages if message["role"] == "user")
            words = {"type": "text", "text": first["content"]}
            first["content"] = [*(picture.part for picture in self.pictures), words]
        return messages


def readable(value: Any) -> Any:
    """What a model said without what no store and no command takes: halves of characters, and NUL."""
    if isinstance(value, str):
        whole = value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return whole.replace("\0", "\N{SYMBOL FOR NULL}")
    if isinstance(value, dict):
        return {readable(key): readable(item) for key, item in value.items()}
    return [readable(item) for item in value] if isinstance(value, list) else value


class Answer(Record, form="Answer", version=1):
    """What the model said. `message` is the provider's own form, to be sent back as it came."""

    key: str
    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    malformed_calls: tuple[str, ...] = Field(default=(), description="Ids of tool calls whose arguments are no JSON.")
    message: Message
    finish: str = "stop"
    usage: Usage = Usage()
    usage_note: str = Field(default="", exclude_if=not_, description="Why the usage is not the server's own figures.")
    cached_told: bool = Field(
        default=False, exclude_if=not_, description="Does the server say how many tokens came from its cache?"
    )

    @property
    def tokens_cached(self) -> int | None:
        """Tokens of the prompt that came from the provider's cache, None where it does not say."""
        return self.usage.cached if self.cached_told else None

    @property
    def end(self) -> StopReason:
        """How an answer ended that calls no tool: whether it is one at all, and what is in its way."""
        if self.finish == "content_filter" or self.message.get("refusal"):
            return "refused"
        if self.finish == "length":
            return "output_limit"
        if THOUGHT.sub("", self.text).strip():
            return "answered"
        return "reasoning_only" if self.reasoning.strip() or self.text.strip() else "empty"
