"""GitHub Copilot CLI's `session-state/ID/events.jsonl`: an event a line, with its fields in `data`.

Calls stand in the message that asks for them and again when they run; results name the call.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from trace2skill.traces.base import Notes, Source
from trace2skill.traces.machine import is_machine
from trace2skill.traces.session import Session, trajectory_id
from trace2skill.traces.values import arguments, content, identity, label, mapping, moment, number, objects, text
from trace2skill.types.trajectory import Trajectory, Usage

SPOKEN = {"user.message", "assistant.message", "tool.execution_complete", "tool.execution_start"}
FAMILIES = (
    "session.",
    "assistant.",
    "user.",
    "tool.",
    "subagent.",
    "hook.",
    "system.",
    "permission.",
    "skill.",
    "abort",
)
STOPPED = {"rejected": "user", "denied": "rule", "aborted": "program", "cancelled": "user"}
Event = tuple[int, dict[str, Any]]


class Copilot:
    """Reader of GitHub Copilot CLI's sessions."""

    name = "copilot"
    turn = 54
    fields = frozenset({"data"})

    def claims(self, source: Source) -> bool:
        """Events with a type of two words and their fields in `data`."""
        firsts = source.first_objects if source.first_values else []
        return any(
            first.get("type") in {"session.start", *SPOKEN} and isinstance(first.get("data"), dict) and "id" in first
            for first in firsts
        )

    def read(self, source: Source, notes: Notes) -> Iterator[Trajectory]:
        """The session's trajectory, and one for each sub-agent that a call started."""
        name, head = source.stem if source.stem != "events" else source.path.parent.name, dict[str, Any]()
        chains: dict[str, list[Event]] = defaultdict(list)
        for line, record in source.records(notes):
            kind, data = label(record.get("type")), mapping(record.get("data"))
            if kind == "session.start":
                head = head or data
                name = label(data.get("sessionId")) or name
            if kind in SPOKEN or kind in (
                "abort",
                "session.error",
                "session.compaction_complete",
                "system.notification",
            ):
                chains[label(data.get("parentToolCallId"))].append((line, record))
            elif not kind.startswith(FAMILIES):
                notes.unknown(source, line, kind or ", ".join(sorted(record)[:6]))
        whole = trajectory_id(self.name, name)
        for chain, events in sorted(chains.items()):
            key = ("agent", chain) if chain else ()
            session = Session(self.name, name, *key, name=name, agent="copilot-cli")
            session.agent_version = label(head.get("copilotVersion"))
            session.extra = {"called_by": {"toolUseId": chain}} if chain else {"context": mapping(head.get("context"))}
            for _, record in events:
                _add(session, record)
            if len(session):
                yield session.finish(parent=whole if chain else "")


def _add(session: Session, record: dict[str, Any]) -> None:
    kind, data, when = record["type"], mapping(record.get("data")), moment(record.get("timestamp"))
    if kind == "user.message":
        said = content(data.get("content"))
        machine = is_machine(said) or label(data.get("source")) not in ("", "user")
        session.say("system" if machine else "user", said, timestamp=when, extra={"mark": "notice"} if machine else {})
    elif kind == "assistant.message":
        calls = [
            session.call(call.get("toolCallId"), call.get("name"), arguments(call.get("arguments")))
            for call in objects(data.get("toolRequests"))
        ]
        response = label(data.get("messageId")) or label(record.get("id"))
        session.respond(
            response,
            content(data.get("content")),
            reasoning=text(data.get("reasoningText")),
            calls=calls,
            timestamp=when,
            model=label(data.get("model")),
            usage=Usage(completion=number(data["outputTokens"])) if data.get("outputTokens") else None,
            identity=identity("copilot", response, when),
        )
    elif kind == "tool.execution_start":
        id = label(data.get("toolCallId"))
        if not session.has_asked(id):
            session.add_calls([session.call(id, data.get("toolName"), arguments(data.get("arguments")))])
    elif kind == "tool.execution_complete":
        error, result = mapping(data.get("error")), mapping(data.get("result"))
        shown = content(result.get("content")) or content(error.get("message"))
        stopped = STOPPED.get(label(error.get("code")), "")
        session.answer(data.get("toolCallId"), shown, error=data.get("success") is False, not_run=stopped)
    else:
        mark = {"abort": "interrupted", "session.error": "error", "system.notification": "notice"}.get(
            kind, "compaction"
        )
        said = content(data.get("message") or data.get("reason") or data.get("content"))
        session.say("system", said, timestamp=when, extra={"mark": mark})
