"""Lists of chat messages, as OpenAI's APIs and Anthropic's have them: the form that many formats carry inside."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from trace2skill.traces.base import Notes, Source
from trace2skill.traces.machine import is_machine
from trace2skill.traces.session import Call, Session, Speaker
from trace2skill.traces.values import (
    arguments,
    content,
    identity,
    identity_of,
    kept,
    label,
    moment,
    money,
    number,
    objects,
    rest,
    text,
)
from trace2skill.types.trajectory import Usage

SPEAKERS: dict[str, Any] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "agent",
    "ai": "agent",
    "model": "agent",
}
RESULTS = {"tool", "function", "ipython", "environment"}
ROLES = SPEAKERS.keys() | RESULTS
KNOWN = {
    "role", "content", "tool_calls", "function_call", "tool_call_id", "name", "reasoning_content", "reasoning",
    "timestamp", "model", "usage", "id", "type",
}  # fmt: skip
OF_RESULT = {"role", "content", "tool_call_id"}
NAMED_RESULT = {*OF_RESULT, "name"}
OF_CALL = {"id", "function", "type", "name", "arguments", "args", "input"}
RESPONSE_PARTS = {
    "message",
    "reasoning",
    "function_call",
    "custom_tool_call",
    "function_call_output",
    "custom_tool_call_output",
}
DRAWN = re.compile(r"(?=[A-Za-z_-]*\d)(?=[\d_-]*[A-Za-z])[A-Za-z0-9_-]++(?<=[A-Za-z0-9]{16})\Z")
"""An id that was drawn by chance, so that no two calls have it: long, with letters and digits."""
SHORTEST_DRAWN = 16
PLAIN = {"role", "content", "tool_calls", "name", "id", "type"}


def is_message(value: Any) -> bool:
    """Is it a chat message: an object with a role that is known?"""
    return isinstance(value, dict) and isinstance(value.get("role"), str) and value["role"] in ROLES


def is_item(value: Any) -> bool:
    """Is it an item of OpenAI's Responses API: a whole response, a call, an output, a message?"""
    if not isinstance(value, dict):
        return False
    if value.get("object") == "response" and isinstance(value.get("output"), list):
        return True
    return value.get("type") in RESPONSE_PARTS and ("role" in value or "call_id" in value or "summary" in value)


def say_item(session: Session, item: dict[str, Any], **more: Any) -> None:
    """Add an item of the Responses API. Items of one response are one step; `more` goes to that step."""
    if item.get("object") == "response":
        parts = objects(item.get("output"))
        named = label(item.get("id")) or f"response at {session.length}"
        usage = more.pop("usage", None) or usage_of(item.get("usage"))
        more.setdefault("model", label(item.get("model")))
        for part in parts:
            _say_part(
                session, part, named, {**more, "usage": usage, "identity": identity(_drawn(label(item.get("id"))))}
            )
    else:
        _say_part(session, item, f"response {session.turn}", more)


def _say_part(session: Session, part: dict[str, Any], response: str, more: dict[str, Any]) -> None:
    kind = part.get("type")
    if kind in ("function_call", "custom_tool_call"):
        given = part.get("arguments", part.get("input"))
        call = session.call(part.get("call_id") or part.get("id"), part.get("name"), arguments(given))
        session.respond(response, calls=[call], **more)
    elif kind in ("function_call_output", "custom_tool_call_output"):
        session.answer(part.get("call_id"), part.get("output"), error=part.get("status") == "failed")
    elif kind == "reasoning":
        told = [text(item.get("text")) for item in objects(part.get("summary")) + objects(part.get("content"))]
        session.respond(response, reasoning="\n".join(item for item in told if item), **more)
    elif SPEAKERS.get(label(part.get("role")), "agent") == "agent":
        session.respond(response, content(part.get("content")), **more)
    else:
        session.say(SPEAKERS[part["role"]], content(part.get("content")))


def _drawn(id: str) -> str:
    return id if DRAWN.match(id) else ""


def say_all(
    session: Session, messages: Iterable[Any], source: Source, notes: Notes, line: int = 0, where: str = "message"
) -> None:
    """Add a list of chat messages to a session. What is no message is noted."""
    for index, message in enumerate(messages, start=1):
        if not isinstance(message, dict):
            notes.problem(source, line, f"{where} {index} is no chat message (role {type(message).__name__!r})")
            continue
        role, said = message.get("role"), message.get("content")
        speaker, fields = SPEAKERS.get(role) if isinstance(role, str) else None, len(message)
        if speaker and fields == 2 and isinstance(said, str):
            session.speak(speaker, said)  # most are so, and as the next two: a short way for them
        elif fields == 3 and speaker == "agent" and "tool_calls" in message and "content" in message and _plain(said):
            _say_plain(session, speaker, said, message)
        elif fields == 4 and role == "tool" and message.keys() == NAMED_RESULT:
            name = message["name"]
            session.answer(message["tool_call_id"], said, extra={"name": name} if name else None)
        elif "type" in message and is_item(message):
            say_item(session, message)
        elif speaker or role in RESULTS:
            say(session, message)
        else:
            notes.problem(source, line, f"{where} {index} is no chat message (role {str(role)[:40]!r})")


def say(session: Session, message: dict[str, Any], **more: Any) -> None:
    """Add one chat message."""
    role, spoken = message["role"], message.get("content")
    if role in RESULTS:
        failed = bool(message.get("error")) or message.get("is_error") is True
        extra = rest(message, OF_RESULT) if len(message) > 3 or not message.keys() <= OF_RESULT else None
        session.answer(message.get("tool_call_id"), spoken, error=failed, extra=extra)
        return
    if role == "user" and isinstance(spoken, str) and spoken[:1] == "<" and is_machine(spoken):
        session.say("system", spoken, extra={"mark": "notice"})
        return
    if _plain(spoken) and not more and message.keys() <= PLAIN:
        _say_plain(session, SPEAKERS[role], spoken, message)
        return
    parts = objects(spoken)
    results = [part for part in parts if part.get("type") == "tool_result"]
    if parts:
        spoken = [part for part in spoken or () if not _is_machinery(part)]
    thoughts = message.get("reasoning_content") or message.get("reasoning")
    thinking = [part for part in parts if part.get("type") in ("thinking", "reasoning")]
    said = content(spoken)
    if said or not results:
        calls = tool_calls(session, message) + list(_tool_uses(session, parts))
        session.say(
            SPEAKERS[role],
            said,
            reasoning=content(thoughts) or "\n".join(_thought(part) for part in thinking),
            calls=calls,
            timestamp=more.pop("timestamp", "") or moment(message.get("timestamp"), 1),
            model=more.pop("model", "") or label(message.get("model")),
            usage=more.pop("usage", None) or usage_of(message.get("usage")),
            identity=more.pop("identity", "") or _by_calls(session, calls, said),
            extra={**rest(message, KNOWN), **more},
        )
    for part in results:
        session.answer(part.get("tool_use_id"), part.get("content"), error=part.get("is_error") is True)


def _plain(spoken: Any) -> bool:
    return spoken is None or isinstance(spoken, str)


def _say_plain(session: Session, speaker: Speaker, spoken: str | None, message: dict[str, Any]) -> None:
    """Words and calls, and nothing besides."""
    calls = tool_calls(session, message) if message.get("tool_calls") else ()
    if session.copied_by_calls:
        session.say(speaker, spoken or "", calls=calls, identity=_by_calls(session, calls, spoken))
    else:
        session.say(speaker, spoken or "", calls=calls)


def tool_calls(session: Session, message: dict[str, Any]) -> list[Call]:
    """The calls of a message: `tool_calls`, the old `function_call`, and flat ones with `name` and `arguments`."""
    calls = message.get("tool_calls")
    if type(calls) is list and len(calls) == 1 and type(calls[0]) is dict and "function_call" not in message:
        return [_tool_call(session, calls[0])]  # most are so: a short way for them
    calls = objects(calls)
    if isinstance(message.get("function_call"), dict):
        calls.append({"function": message["function_call"]})
    if len(calls) == 1:
        return [_tool_call(session, calls[0])]
    return [_tool_call(session, call, place) for place, call in enumerate(calls)]


def _tool_call(session: Session, call: dict[str, Any], place: int = -1) -> Call:
    """One call. `place` is its place among several, and negative for the only one."""
    function, usual = call.get("function"), False
    if type(function) is dict and function:
        name, usual = function.get("name"), len(call) == 3 and "id" in call and "type" in call
    else:
        name, function = call.get("name") or (function if isinstance(function, str) else ""), call
    given = function.get("arguments")
    if given is None:
        given = function.get("args", function.get("input"))
    id = label(call.get("id")) or (f"call-{session.length + 1}-{place}" if place >= 0 else "")
    if id and (usual or call.keys() <= OF_CALL):  # most are so: a short way for them
        return {"id": id, "name": label(name), "arguments": kept(arguments(given))}
    return session.call(id, name, arguments(given), rest(call, OF_CALL))


def _by_calls(session: Session, calls: Sequence[Call], said: str | None) -> str:
    """A response's identity by its calls, where their ids were drawn by chance: a copied conversation keeps them."""
    if (
        not session.copied_by_calls
        or not calls
        or len(calls[0]["id"]) < SHORTEST_DRAWN
        or not DRAWN.match(calls[0]["id"])
    ):
        return ""
    ids = calls[0]["id"] if len(calls) == 1 else "".join([call["id"] for call in calls])
    return identity_of(f"{said} {ids}")


def usage_of(value: Any, cost: Any = None) -> Usage | None:
    """Tokens as OpenAI or Anthropic count them, and what they cost if it is said elsewhere.

    With Anthropic, cached tokens are not part of `input_tokens`.
    """
    if not value or not isinstance(value, dict):
        return None
    get = value.get
    read, written, details = get("cache_read_input_tokens"), get("cache_creation_input_tokens"), None
    prompt = number(get("input_tokens") if (asked := get("prompt_tokens")) is None else asked)
    if read is not None or written is not None:
        read = number(read)
        prompt += read + number(written)
    if not read:
        details = get("prompt_tokens_details") or get("input_tokens_details")
    return Usage(
        prompt=prompt,
        completion=number(get("output_tokens") if (said := get("completion_tokens")) is None else said),
        cached=read or (number(details.get("cached_tokens")) if isinstance(details, dict) else 0),
        cost=money(get("cost") if cost is None else cost),
    )


def _tool_uses(session: Session, parts: list[dict[str, Any]]) -> Iterator[Call]:
    for part in parts:
        if part.get("type") == "tool_use":
            yield session.call(part.get("id"), part.get("name"), arguments(part.get("input")))


def _is_machinery(part: Any) -> bool:
    kinds = ("tool_use", "tool_result", "thinking", "reasoning")
    return isinstance(part, dict) and part.get("type") in kinds


def _thought(part: dict[str, Any]) -> str:
    return text(part.get("thinking") or part.get("reasoning") or part.get("text"))
