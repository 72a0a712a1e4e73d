"""Qwen Code's chat recordings, `chats/SESSION.jsonl`: Gemini's messages in records that are linked by `parentUuid`.

https://github.com/QwenLM/qwen-code, packages/core/src/services/chatRecordingService.ts
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from trace2skill.traces.base import Notes, Source
from trace2skill.traces.calls import opened_shell
from trace2skill.traces.machine import is_machine
from trace2skill.traces.session import Session, trajectory_id
from trace2skill.traces.values import arguments, content, identity, label, mapping, moment, number, objects, rest, text
from trace2skill.types.trajectory import Trajectory, Usage

TYPES = ("user", "assistant", "tool_result", "system")
KNOWN = {
    "uuid", "parentUuid", "sessionId", "timestamp", "type", "cwd", "version", "gitBranch", "message", "usageMetadata",
    "model", "toolCallResult", "contextWindowSize", "isSidechain", "systemPayload",
}  # fmt: skip
SILENT = {"functionCall", "functionResponse"}
MACHINE = {"notification", "cron", "goal_runtime", "agent_launch_prompt", "background_task_completed"}
Record = tuple[int, dict[str, Any]]


class Qwen:
    """Reader of Qwen Code's sessions."""

    name = "qwen"
    turn = 56
    fields = frozenset({"sessionId"})

    def claims(self, source: Source) -> bool:
        """Records of a session whose messages have parts, as Gemini's have."""
        firsts = source.first_objects if source.first_values else []
        return any(_is_ours(record) for record in firsts)

    def read(self, source: Source, notes: Notes) -> Iterator[Trajectory]:
        """The line that the session ended on, then what was taken back, then sub-agents."""
        sessions: dict[str, list[Record]] = defaultdict(list)
        seen: set[str] = set()
        for line, record in source.records(notes):
            if record.get("type") not in TYPES or "sessionId" not in record:
                notes.unknown(source, line, record.get("type") or ", ".join(sorted(record)[:6]))
            elif label(record.get("uuid")) not in seen:
                seen.add(label(record.get("uuid")))
                sessions[label(record["sessionId"]) or source.stem].append((line, record))
        for name, records in sessions.items():
            own = [item for item in records if not item[1].get("isSidechain")]
            standing, taken_back = _parted(own)
            whole = trajectory_id(self.name, name)
            chains: dict[str, list[Record]] = defaultdict(list)
            for item in records:
                if item[1].get("isSidechain"):
                    chains[label(item[1].get("agentId"))].append(item)
            parts: list[tuple[tuple[str, ...], list[Record], dict[str, Any]]] = [((), standing, {})]
            parts += [(("rewound",), taken_back, {"taken_back": True})] if taken_back else []
            parts += [(("agent", chain), items, {"sub_agent": chain}) for chain, items in sorted(chains.items())]
            for key, items, extra in parts:
                session = Session(self.name, name, *key, name=name, agent="qwen-code")
                session.extra = extra
                for line, record in items:
                    _add(session, record, line, source, notes)
                if len(session):
                    yield session.finish(parent=whole if key else "")


def _is_ours(record: dict[str, Any]) -> bool:
    has_parts = isinstance(mapping(record.get("message")).get("parts"), list)
    return record.get("type") in TYPES and "sessionId" in record and "uuid" in record and has_parts


def _parted(records: list[Record]) -> tuple[list[Record], list[Record]]:
    """The chain of the last record back to the first, and what hangs on none of it."""
    by_id = {label(record.get("uuid")): record for _, record in records}
    standing: set[str] = set()
    at = label(records[-1][1].get("uuid")) if records else ""
    while at in by_id and at not in standing:
        standing.add(at)
        at = label(by_id[at].get("parentUuid"))
    if at:  # a parent that is not in the file: a part of it only, nothing can be told
        return records, []
    kept = [item for item in records if label(item[1].get("uuid")) in standing]
    return kept, [item for item in records if label(item[1].get("uuid")) not in standing]


def _add(session: Session, record: dict[str, Any], line: int, source: Source, notes: Notes) -> None:
    kind, when, extra = record["type"], moment(record.get("timestamp")), rest(record, KNOWN)
    parts = objects(mapping(record.get("message")).get("parts"))
    said = content(
        [part for part in parts if not part.keys() & {"functionCall", "functionResponse"} and not part.get("thought")]
    )
    if kind == "system":
        if record.get("subtype") == "chat_compression":
            session.say("system", timestamp=when, extra={"mark": "compaction"})
        elif record.get("subtype") == "rewind":
            session.say("system", timestamp=when, extra={"mark": "rewind"})
    elif kind == "user":
        machine = record.get("subtype") in MACHINE or record.get("provenance") == "system" or is_machine(said)
        more = {"mark": "notice"} if machine else {}
        session.say("system" if machine else "user", said, timestamp=when, extra={**extra, **more})
    elif kind == "assistant":
        calls = [
            session.call(call.get("id"), call.get("name"), arguments(call.get("args")))
            for part in parts
            if (call := mapping(part.get("functionCall")))
        ]
        session.say(
            "agent",
            said,
            reasoning="\n".join(text(part.get("text")) for part in parts if part.get("thought")),
            calls=calls,
            timestamp=when,
            model=label(record.get("model")),
            usage=_usage(record.get("usageMetadata")),
            extra=extra,
            identity=identity("qwen", label(record.get("uuid")), when),  # a branch copies records with their names
        )
    else:
        _answer(session, parts, mapping(record.get("toolCallResult")))


def _answer(session: Session, parts: list[dict[str, Any]], told: dict[str, Any]) -> None:
    status = label(told.get("status"))
    for part in parts:
        response = mapping(part.get("functionResponse"))
        if not response:
            continue
        given = mapping(response.get("response"))
        shown = opened_shell(content(given.get("output", given.get("error", given))))
        session.answer(
            response.get("id") or told.get("callId"),
            shown.content,
            exit_code=shown.exit_code,
            error=status == "error" or ("error" in given and "output" not in given),
            not_run="user" if status == "cancelled" else "",
        )


def _usage(told: Any) -> Usage | None:
    found = mapping(told)
    if not found:
        return None
    return Usage(
        prompt=number(found.get("promptTokenCount")) + number(found.get("toolUsePromptTokenCount")),
        completion=number(found.get("candidatesTokenCount")) + number(found.get("thoughtsTokenCount")),
        cached=number(found.get("cachedContentTokenCount")),
    )
