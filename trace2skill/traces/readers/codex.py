"""Codex rollout JSONL: `session_meta`, `turn_context`, `response_item`, `event_msg` and `compacted` lines.

What was said stands twice in newer files, as an item and as an event for the screen; the items are read. The oldest
files hold bare items without the envelope, after a first line of their own.
"""

import re
from collections.abc import Iterator
from typing import Any

from trace2skill.traces.base import Notes, Source
from trace2skill.traces.chat import SPEAKERS
from trace2skill.traces.session import Session
from trace2skill.traces.values import arguments, content, label, mapping, moment, number, objects, rest, text
from trace2skill.types.trajectory import Trajectory, Usage

ENVELOPES = {"session_meta", "turn_context", "response_item", "event_msg", "compacted"}
CALLS = {"function_call", "custom_tool_call", "local_shell_call", "web_search_call", "tool_search_call"}
ANSWERS = {"function_call_output", "custom_tool_call_output", "local_shell_call_output", "tool_search_output"}
SAID_TWICE = {"user_message", "agent_message", "agent_reasoning", "agent_reasoning_raw_content"}
EXIT = re.compile(r"(?:Process exited with code|Exit code:) (-?\d{1,6})")


class Codex:
    """Reader of Codex rollouts."""

    name = "codex"
    turn = 50
    header_lines = 1
    """The session is named in the first line."""

    def claims(self, source: Source) -> bool:
        """The first line is an envelope with a payload, or the older first line with `instructions`."""
        first = mapping(source.first_values[0]) if source.first_values else {}
        envelope = first.get("type") in ENVELOPES and isinstance(first.get("payload"), dict)
        return envelope or ({"id", "timestamp", "instructions"} <= first.keys() and "type" not in first)

    def read(self, source: Source, notes: Notes) -> Iterator[Trajectory]:
        """The one trajectory of the file."""
        session, lines = None, source.records(notes)
        thoughts: list[str] = []
        total: Usage | None = None
        model = ""
        for line, record in lines:
            kind, payload = _open(record)
            if session is None:
                meta = payload if kind == "session_meta" else {}
                name = label(meta.get("id")) or source.stem
                session = Session(self.name, name, name=name, agent="codex")
                session.agent_version = label(meta.get("cli_version"))
                session.extra = rest(meta, ("id", "cli_version", "instructions", "base_instructions"))
            when = moment(record.get("timestamp"))
            if kind == "turn_context":
                model = label(payload.get("model")) or model
            elif kind == "compacted":
                session.say("system", text(payload.get("message")), timestamp=when, extra={"mark": "compaction"})
            elif kind == "event_msg":
                total = _event(session, payload, when, source, notes, line) or total
            elif kind == "response_item":
                _item(session, payload, when, model, thoughts, source, notes, line)
            elif kind != "session_meta":
                notes.unknown(source, line, record.get("type"))
        if session is not None and len(session):
            if thoughts:
                session.say("agent", reasoning="\n".join(thoughts), model=model)
            parent = label(session.extra.get("forked_from_id") or session.extra.get("parent_thread_id"))
            yield session.finish(usage=total, parent=Session(self.name, parent).id if parent else "")


def _open(record: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    if record.get("type") in ENVELOPES and isinstance(record.get("payload"), dict):
        return str(record["type"]), record["payload"]
    if "instructions" in record and "type" not in record:
        return "session_meta", record
    if record.get("record_type") == "state":
        return "session_meta", {}
    return "response_item", record


def _event(
    session: Session, payload: dict[str, Any], when: str, source: Source, notes: Notes, line: int
) -> Usage | None:
    kind = payload.get("type")
    if kind == "token_count":
        used = mapping(mapping(payload.get("info")).get("total_token_usage"))
        return Usage(
            prompt=number(used.get("input_tokens")),
            completion=number(used.get("output_tokens")),
            cached=number(used.get("cached_input_tokens")),
        )
    if kind == "turn_aborted":
        reason = label(payload.get("reason"))
        session.say("system", f"turn aborted: {reason}", timestamp=when, extra={"mark": "interrupted"})
    elif kind in ("error", "stream_error"):
        session.say("system", text(payload.get("message")), timestamp=when, extra={"mark": "error"})
    elif not isinstance(kind, str):
        notes.unknown(source, line, kind)
    elif kind not in SAID_TWICE:
        session.extra.setdefault("events", []).append({"line": line, **payload})
    return None


def _item(
    session: Session,
    item: dict[str, Any],
    when: str,
    model: str,
    thoughts: list[str],
    source: Source,
    notes: Notes,
    line: int,
) -> None:
    """One item. Reasoning waits for what it led to."""
    kind = item.get("type", "message" if "role" in item else None)
    if kind == "reasoning":
        told = [text(part.get("text")) for part in objects(item.get("summary")) + objects(item.get("content"))]
        thoughts.extend(part for part in told if part)
    elif kind == "message" and item.get("role") in SPEAKERS:
        speaker = SPEAKERS[item["role"]]
        agent = speaker == "agent"
        reasoning = "\n".join(thoughts) if agent else ""
        if agent:
            thoughts.clear()
        extra = rest(item, ("type", "role", "content"))
        said = content(item.get("content"))
        session.say(speaker, said, reasoning=reasoning, timestamp=when, model=model if agent else "", extra=extra)
    elif isinstance(kind, str) and kind in CALLS:
        given = item.get("arguments", item.get("input", item.get("action")))
        name = item.get("name") or kind.removesuffix("_call")
        extra = rest(item, ("type", "call_id", "id", "name", "arguments", "input", "action"))
        call = session.call(item.get("call_id") or item.get("id"), name, arguments(given), extra)
        if thoughts:
            session.say("agent", reasoning="\n".join(thoughts), timestamp=when, model=model)
            thoughts.clear()
        session.add_calls([call])
    elif isinstance(kind, str) and kind in ANSWERS:
        shown, code = _output(item.get("output"))
        session.answer(item.get("call_id"), shown, exit_code=code, error=item.get("success") is False)
    else:
        notes.unknown(source, line, kind)


def _output(output: Any) -> tuple[str, int | None]:
    """What a call put out, and its exit code: plain text, or JSON with `output` and `metadata`."""
    found = arguments(output) if isinstance(output, (str, dict)) else {}
    shown = content(found["output"]) if "output" in found and "_raw" not in found else content(output)
    code = mapping(found.get("metadata")).get("exit_code")
    if isinstance(code, int):
        return shown, code
    told = EXIT.search(shown[:400])
    return shown, int(told[1]) if told else None
