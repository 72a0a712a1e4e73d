"""A request as the simulated model reads it, and what it says."""

import json
import re
from functools import cached_property
from typing import Any

from pydantic import Field

from trace2skill.core.digest import digest_of
from trace2skill.core.record import Record
from trace2skill.sim.profile import Profile

DATA_BLOCK = re.compile(
    r'<data name="(?P<name>[^"]*)" mark="(?P<mark>[0-9a-f]+)">\n(?P<text>.*?)\n</data mark="(?P=mark)">', re.DOTALL
)


class Heard(Record):
    """One request. `turns` counts what the model has said before in this conversation."""

    profile: Profile
    messages: tuple[dict[str, Any], ...]
    native_tools: bool = False
    seed: int = 0

    @property
    def system(self) -> str:
        """The system prompt."""
        return text_of(self.messages[0])

    @property
    def opening(self) -> str:
        """The first user message."""
        return text_of(self.messages[1]) if len(self.messages) > 1 else ""

    @property
    def pictures(self) -> tuple[dict[str, Any], ...]:
        """The parts that are pictures."""
        return tuple(part for message in self.messages for part in pictures_in(message))

    @property
    def turns(self) -> int:
        """How many assistant messages there are."""
        return sum(message["role"] == "assistant" for message in self.messages)

    @property
    def observations(self) -> tuple[str, ...]:
        """What the tools said, in order."""
        return tuple(text_of(message) for message in self.messages[2:] if message["role"] in ("tool", "user"))

    @cached_property
    def key(self) -> str:
        """Digest of all that was heard."""
        return digest_of(self.messages, self.seed, self.profile.seed)

    def block(self, name: str) -> str:
        """The first marked data block of that name in the opening, or ''."""
        return next((text for found, text in blocks(self.opening) if found == name), "")


class Spoken(Record):
    """An answer: text, and the tool it calls, if any."""

    text: str = ""
    tool: str = ""
    arguments: dict[str, Any] = Field(default_factory=dict)
    finish: str = "stop"


def text_of(message: dict[str, Any]) -> str:
    """The text of a message, whether it is a string or a list of parts."""
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "\n".join(part["text"] for part in content if "text" in part)


def pictures_in(message: dict[str, Any]) -> list[dict[str, Any]]:
    """The parts of a message that are pictures."""
    content = message.get("content") or ""
    return [] if isinstance(content, str) else [part for part in content if part.get("type") == "image_url"]


def blocks(text: str) -> list[tuple[str, str]]:
    """(name, text) of the marked data blocks, in order."""
    return [(found["name"], found["text"]) for found in DATA_BLOCK.finditer(text)]


def call(heard: Heard, thought: str, tool: str, **arguments: Any) -> Spoken:
    """Call a tool: natively where the request offers tools, else in a fenced block."""
    if heard.native_tools:
        return Spoken(text=thought, tool=tool, arguments=arguments, finish="tool_calls")
    body = arguments["command"] if tool == "bash" else json.dumps(arguments)
    return Spoken(text=f"{thought}\n\n```{tool}\n{body}\n```")


def answer_json(value: dict[str, Any]) -> Spoken:
    """A structured answer."""
    return Spoken(text=json.dumps(value, ensure_ascii=False))
