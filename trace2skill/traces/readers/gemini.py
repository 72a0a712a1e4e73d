"""Gemini CLI sessions: one JSON document with `messages`, or JSONL whose first line names the session.

In JSONL a message is written again under its id when it changes, and the last one counts; `$rewindTo` takes back the
message it names and all after it; `$set` renews the head, and with `messages` the context that the model is given.
https://github.com/google-gemini/gemini-cli, packages/core/src/services/chatRecordingService.ts
"""

from collections.abc import Iterator
from typing import Any

from trace2skill.traces.base import Notes, Source
from trace2skill.traces.calls import opened_shell
from trace2skill.traces.machine import is_machine, without_machine
from trace2skill.traces.session import Call, Session, trajectory_id
from trace2skill.traces.values import arguments, content, identity, label, mapping, moment, number, objects, rest, text
from trace2skill.types.trajectory import Trajectory, Usage

SPEAKERS: dict[str, Any] = {"user": "user", "gemini": "agent", "info": "system", "warning": "system", "error": "system"}
KNOWN = {"id", "timestamp", "type", "content", "model", "thoughts", "tokens", "toolCalls", "sessionId"}
COMPRESSED = {"type": "info", "content": "the conversation was compressed", "mark": "compaction"}
Message = tuple[int, Any]


class Gemini:
    """Reader of Gemini CLI sessions."""

    name = "gemini"
    turn = 70
    fields = frozenset({"projectHash", "messages", "type"})
    header_lines = 1
    """The session is named in the first line."""

    def claims(self, source: Source) -> bool:
        """A session id with a project hash, or messages of the type `gemini`."""
        return any(
            ("sessionId" in first and "projectHash" in first)
            or first.get("type") == "gemini"
            or any(message.get("type") == "gemini" for message in objects(first.get("messages")))
            for first in source.first_objects
        )

    def read(self, source: Source, notes: Notes) -> Iterator[Trajectory]:
        """The trajectory of the file, then each part that was taken back, with a link."""
        head: dict[str, Any] = {}
        taken_back: list[list[Message]] = []
        if source.first_values and not objects(mapping(source.first_values[0]).get("messages")):
            messages = _replayed(source, notes, head, taken_back)
        else:
            head = mapping(source.document())
            given = head.get("messages")
            messages = [(0, message) for message in (given if isinstance(given, list) else [])]
        name = label(head.get("sessionId")) or source.stem
        whole = trajectory_id(self.name, name)
        for place, part in enumerate([messages, *taken_back]):
            key = (f"rewound {label(mapping(part[0][1]).get('id'))}", place) if place else ()
            session = Session(self.name, name, *key, name=name, agent="gemini-cli")
            session.extra = {"taken_back": True} if place else rest(head, ("sessionId", "messages"))
            for line, message in part:
                _add(session, message, source, notes, line)
            if len(session):
                # A sub-agent's file lies in a folder with its parent's name.
                above = source.path.parent.name if head.get("kind") == "subagent" else ""
                yield session.finish(parent=whole if place else trajectory_id(self.name, above) if above else "")


def _replayed(source: Source, notes: Notes, head: dict[str, Any], taken_back: list[list[Message]]) -> list[Message]:
    """The messages as they stand after all lines; what was taken back goes to `taken_back`, the session's fields to
    `head`."""
    messages: dict[str, Message] = {}
    for line, record in source.records(notes):
        changes = record.get("$set")
        if isinstance(record.get("$rewindTo"), str):
            names = list(messages)
            at = names.index(record["$rewindTo"]) if record["$rewindTo"] in messages else 0
            if gone := [messages.pop(name) for name in names[at:]]:
                taken_back.append(gone)
        elif isinstance(changes, dict):
            head |= rest(changes, ("messages",))
            new = [item for item in objects(changes.get("messages")) if label(item.get("id")) not in messages]
            if new and messages:  # the model's context was replaced; what had been said was said
                messages[f"compressed {line}"] = (line, COMPRESSED)
            messages |= {label(item.get("id")) or f"{line} {place}": (line, item) for place, item in enumerate(new)}
        elif "projectHash" in record and "type" not in record:
            head |= record
        else:
            messages[label(record.get("id")) or f"line {line}"] = (line, record)
    return list(messages.values())


def _add(session: Session, message: Any, source: Source, notes: Notes, line: int) -> None:
    kind = mapping(message).get("type")
    if not isinstance(kind, str) or kind not in SPEAKERS:
        notes.unknown(source, line, kind)
        return
    extra, said = rest(message, KNOWN), content(message.get("content"))
    speaker = SPEAKERS[kind]
    if kind in ("error", "warning"):
        extra["mark"] = kind
    if said.startswith("[Request cancelled") or (kind == "info" and "cancel" in said):
        extra["mark"] = "interrupted"
    if kind == "user" and is_machine(said):
        speaker, extra["mark"] = "system", "notice"
    elif kind == "user":
        said = without_machine(said).strip() if "</" in said else said
    thoughts = [
        f"{text(item.get('subject'))}: {text(item.get('description'))}" for item in objects(message.get("thoughts"))
    ]
    raw = objects(message.get("toolCalls"))
    calls = [_call(session, call) for call in raw]
    when = moment(message.get("timestamp"))
    session.say(
        speaker,
        said,
        reasoning="\n".join(thoughts),
        calls=calls,
        timestamp=when,
        model=label(message.get("model")),
        usage=_usage(message.get("tokens")),
        extra=extra,
        identity=identity("gemini", session.name, label(message.get("id")), when) if speaker == "agent" else "",
    )
    for asked, call in zip(raw, calls, strict=True):
        if asked.get("result") is not None or asked.get("error") or asked.get("resultDisplay"):
            _answer(session, asked, call)


def _answer(session: Session, asked: dict[str, Any], call: Call) -> None:
    status = asked.get("status")
    shown = opened_shell(_result(asked)) if call["name"] == "run_shell_command" else None
    session.answer(
        call["id"],
        shown.content if shown else _result(asked),
        error=status == "error",
        exit_code=shown.exit_code if shown else None,
        not_run="user" if status == "cancelled" else "",
        extra={"rejected": True} if status == "cancelled" else {},
    )


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
