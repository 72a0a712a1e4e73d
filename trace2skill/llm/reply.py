"""Reading a server's message: texts that are none, calls of tools without a name, arguments that are no object."""

import json
from typing import Any

from trace2skill.llm.request import Message, readable
from trace2skill.types.trajectory import ToolCall


def calls_in(message: Message) -> tuple[tuple[ToolCall, ...], tuple[str, ...]]:
    """The calls of a message, and the ids of those whose arguments cannot be read. The message gets the ids, too."""
    calls, malformed = [], []
    for index, call in enumerate(message.get("tool_calls") or []):
        call["id"] = call_id = as_text(call.get("id")) or f"call_{index}"
        function = call.get("function") or {}
        try:
            arguments = readable(json.loads(function.get("arguments") or "{}"))
        except (TypeError, ValueError, RecursionError):
            arguments = None
        if not isinstance(arguments, dict):
            malformed.append(call_id)
            arguments = {}
        calls.append(ToolCall(id=call_id, name=as_text(function.get("name")), arguments=arguments))
    return tuple(calls), tuple(malformed)


def as_text(value: Any) -> str:
    """What should be a text, as one: servers send numbers for ids, and lists of parts for what was said."""
    if isinstance(value, list):
        return "".join(as_text(part.get("text") if isinstance(part, dict) else part) for part in value)
    return value if isinstance(value, str) else "" if value is None else str(value)


def says(message: Message) -> bool:
    """Is there anything in the message that a model had to write?"""
    return any(message.get(name) for name in ("content", "reasoning_content", "tool_calls", "refusal", "function_call"))
