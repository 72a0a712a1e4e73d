"""Gemini CLI sessions: one JSON document with `messages`, or JSONL whose first line names the session."""

from collections.abc import Iterator
from typing import Any

from trace2skill.traces.base import Notes, Source
from trace2skill.traces.session import Call, Session
from trace2skill.traces.values import arguments, content, label, mapping, moment, number, objects, rest, text
from trace2skill.types.trajectory import Trajectory, Usage

SPEAKERS: dict[str, Any] = {"user": "user", "gemini": "agent", "info": "system", "warning": "system", "error": "system"}
KNOWN = {"id", "timestamp", "type", "content", "model", "thoughts", "tokens", "toolCalls", "sessionId"}


class Gemini:
    """Reader of Gemini CLI sessions."""

    name = "gemini"
    turn = 70
    header_lines = 1
    """The session is named in the first line."""

    def claims(self, source: Source) -> bool:
        """A session id with a project hash, or messages of the type `gemini`."""
        first = mapping(source.first_values[0] if source.first_values else source.start)
        messages = objects(first.get("messages"))
        named = "sessionId" in first and "projectHash" in first
        return named or any(message.get("type") == "gemini" for message in messages)

    def read(self, source: Source, notes: Notes) -> Iterator[Trajectory]:
        """The one trajectory of the file."""
        if source.first_values and not objects(mapping(source.first_values[0]).get("messages")):
            lines = list(source.records(notes))
            head = lines[0][1] if lines else {}
            messages = [item for item in lines if "type" in item[1] or "projectHash" not in item[1]]
        else:
            head = mapping(source.document())
            given = head.get("messages")
            messages = [(0, message) for message in (given if isinstance(given, list) else [])]
        name = label(head.get("sessionId")) or source.stem
        session = Session(self.name, name, name=name, agent="gemini-cli")
        session.extra = rest(head, ("sessionId", "messages"))
        for line, message in messages:
            _add(session, message, source, notes, line)
        if len(session):
            yield session.finish()


def _add(session: Session, message: Any, source: Source, notes: Notes, line: int) -> None:
    kind = mapping(message).get("type")
    if not isinstance(kind, str) or kind not in SPEAKERS:
        if mapping(message).get("$set") is None:  # a later line that only renews the session's head
            notes.unknown(source, line, kind)
        return
    extra = rest(message, KNOWN)
    if kind in ("error", "warning"):
        extra["mark"] = kind
    if label(message.get("content")).startswith("[Request cancelled") or (
        kind == "info" and "cancel" in label(message.get("content"))
    ):
        extra["mark"] = "interrupted"
    thoughts = [
        f"{text(item.get('subject'))}: {text(item.get('description'))}" for item in objects(message.get("thoughts"))
    ]
    raw = objects(message.get("toolCalls"))
    calls = [_call(session, call) for call in raw]
    session.say(
        SPEAKERS[kind],
        content(message.get("content")),
        reasoning="\n".join(thoughts),
        calls=calls,
        timestamp=moment(message.get("timestamp")),
        model=label(message.get("model")),
        usage=_usage(message.get("tokens")),
        extra=extra,
    )
    for asked, call in zip(raw, calls, strict=True):
        if asked.get("result") is not None or asked.get("error") or asked.get("resultDisplay"):
            failed = asked.get("status") in ("error", "cancelled")
            rejected = {"rejected": True} if asked.get("status") == "cancelled" else {}
            session.answer(call["id"], _result(asked), error=failed, extra=rejected)


def _call(session: Session, call: dict[str, Any]) -> Call:
    extra = rest(call, ("id", "name", "args", "result", "error", "displayName", "renderOutputAsMarkdown"))
    return session.call(call.get("id"), call.get("name"), arguments(call.get("args")), extra)


def _result(call: dict[str, Any]) -> str:
    """What the model was shown: the parts of the function's response; the error says more where there is one."""
    shown = []
    for part in objects(call.get("result")):
        response = mapping(mapping(part.get("functionResponse")).get("response"))
        shown.append(content(response.get("output", response.get("error", response))) if response else content(part))
    if isinstance(call.get("result"), str):
        shown.append(call["result"])
    error = content(call.get("error"))
    if error and not any(part in error for part in shown if part):
        shown.append(error)
    return error if error and shown and shown[0] in error else "\n".join(shown) or content(call.get("resultDisplay"))


def _usage(tokens: Any) -> Usage | None:
    """Thoughts and tool prompts are billed: thoughts with the output, tool prompts with the input."""
    found = mapping(tokens)
    if not found:
        return None
    return Usage(
        prompt=number(found.get("input")) + number(found.get("tool")),
        completion=number(found.get("output")) + number(found.get("thoughts")),
        cached=number(found.get("cached")),
    )
