"""Claude Code's records, one by one: in sessions on disk and in what `--output-format stream-json` prints."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from trace2skill.traces.base import Notes, Source
from trace2skill.traces.chat import usage_of
from trace2skill.traces.machine import is_machine, without_machine
from trace2skill.traces.session import Session
from trace2skill.traces.values import arguments, content, identity, label, mapping, moment, objects, rest, text

Record = tuple[int, dict[str, Any]]
PARTS = {
    "text", "tool_use", "tool_result", "thinking", "redacted_thinking", "image", "document", "server_tool_use",
    "web_search_tool_result", "web_fetch_tool_result", "mcp_tool_use", "mcp_tool_result", "code_execution_tool_result",
}  # fmt: skip
CALLS = ("tool_use", "server_tool_use", "mcp_tool_use")
RESULTS = (
    "tool_result",
    "mcp_tool_result",
    "web_search_tool_result",
    "web_fetch_tool_result",
    "code_execution_tool_result",
)
SILENT = (*CALLS, *RESULTS, "thinking", "redacted_thinking")
KNOWN = {
    "type", "message", "timestamp", "sessionId", "isSidechain", "userType", "cwd", "version", "gitBranch",
    "toolUseResult", "parentUuid", "requestId", "attachment", "session_id", "parent_tool_use_id",
}  # fmt: skip
REJECTED = "The user doesn't want to proceed with this tool use"
INTERRUPTED = "[Request interrupted by user"
SYNTHETIC = "<synthetic>"
LIMIT = re.compile(
    r"(?i)\b(?:hit|reached|exceeded)\b.{0,40}\blimit\b|\blimit (?:reached|exceeded)\b|\bresets? (?:at )?\d"
)
PERSON = ("human", "channel")
_FILES_KEPT: ContextVar[bool] = ContextVar("files_kept", default=False)


def is_spoken(record: dict[str, Any]) -> bool:
    """Does the record hold a message with content?"""
    message = record.get("message")
    return isinstance(message, dict) and isinstance(message.get("content"), (str, list))


def is_boundary(record: dict[str, Any]) -> bool:
    """A mark of compaction: the boundary, or the summary that stands in for what was cut."""
    boundary = record.get("type") == "system" and record.get("subtype") == "compact_boundary"
    return boundary or (record.get("type") == "summary" and isinstance(record.get("message"), dict))


def is_queued(record: dict[str, Any]) -> bool:
    """What was typed while the agent worked, handed to it between two of its calls."""
    return record.get("type") == "attachment" and mapping(record.get("attachment")).get("type") == "queued_command"


def once(records: list[Record], aside: list[dict[str, Any]], notes: Notes) -> list[Record]:
    """The records of a session without those that are written twice, and with words that only the queue holds.

    When a session is resumed, some versions write its earlier turns again, under new names (`uuid`) but with the same
    ids of messages, calls and times. What hangs on such a copy hangs on the original.
    """
    kept: list[Record] = []
    first: dict[tuple[str, ...], list[tuple[Any, str]]] = {}
    names: dict[str, str] = {}
    pending: dict[str, int] = {}
    for line, record in records:
        own, message = record.get("uuid"), record.get("message")
        said = message.get("content") if isinstance(message, dict) else None
        parts = objects(said)
        answered = [str(part.get("tool_use_id")) for part in parts if part.get("type") == "tool_result"]
        awaited = answered and any(
            pending.get(id, 0) > 0 for id in answered
        )  # an id may be used again, for another call
        same = first.setdefault(key, []) if (key := _known_by(record, answered)) else []
        copied = next((name for content, name in same if content == said), None) if same and not awaited else None
        if copied is not None:
            names[str(own)] = copied
            notes.counts["repeated line"] += 1
            continue
        same.append((said, str(own)))
        for part in parts:
            if part.get("type") in CALLS:
                pending[str(part.get("id"))] = pending.get(str(part.get("id")), 0) + 1
        for id in answered:
            pending[id] = pending.get(id, 0) - 1
        if names and (parent := names.get(str(record.get("parentUuid")))):
            record = {**record, "parentUuid": parent}
        kept.append((line, record))
    return _with_queue(kept, aside)


def _known_by(record: dict[str, Any], answered: list[str]) -> tuple[str, ...]:
    """By what, besides its content, a record is known again under another name; empty where it cannot be told."""
    message = record.get("message")
    if isinstance(message, dict) and isinstance(message.get("id"), str) and message["id"]:
        return ("response", message["id"])
    if answered:
        return ("results", *answered)
    when = record.get("timestamp")
    if isinstance(when, str) and when and record.get("type") in ("user", "assistant"):
        return ("words", when)
    return ("record", str(record["uuid"])) if record.get("uuid") else ()


def _with_queue(records: list[Record], aside: list[dict[str, Any]]) -> list[Record]:
    """Words that were taken out of the queue and stand nowhere else, put where they were taken out."""
    events = [event for event in aside if event.get("type") == "queue-operation"]
    if not events:
        return records
    waiting: list[str] = []
    told = {_queued_text(record) for _, record in records}
    made: list[Record] = []
    for event in events:
        if event.get("operation") == "enqueue":
            waiting.append(content(event.get("content")).strip())
        elif waiting:
            said = waiting.pop(0) if event.get("operation") in ("dequeue", "remove") else waiting.pop()
            if event.get("operation") in ("dequeue", "remove") and said and said not in told:
                record = {"type": "attachment", "attachment": {"type": "queued_command", "prompt": said}}
                made.append((0, {**record, "timestamp": event.get("timestamp"), "sessionId": event.get("sessionId")}))
    if not made:
        return records
    merged = [*records]
    for item in made:
        when = label(item[1].get("timestamp"))
        at = next((n for n, (_, other) in enumerate(merged) if label(other.get("timestamp")) > when), len(merged))
        parent = next((label(other.get("uuid")) for _, other in reversed(merged[:at]) if label(other.get("uuid"))), "")
        merged.insert(at, (item[0], {**item[1], "parentUuid": parent or None, "uuid": f"queued {parent} {when}"}))
    return merged


def _queued_text(record: dict[str, Any]) -> str:
    said = mapping(record.get("attachment")).get("prompt", mapping(record.get("message")).get("content"))
    return content(said).strip()


def add(session: Session, line: int, record: dict[str, Any], source: Source, notes: Notes) -> None:
    """Add one record to a session."""
    when = moment(record.get("timestamp"))
    extra = rest(record, KNOWN)
    if is_boundary(record):
        said = mapping(record.get("message")).get("content", record.get("content"))
        session.say("system", content(said), timestamp=when, extra={**extra, "mark": "compaction"})
    elif is_queued(record):
        _add_queued(session, mapping(record["attachment"]), when, extra)
    elif record.get("type") == "assistant":
        _add_agent(session, line, record, when, extra, source, notes)
    elif record.get("type") == "user":
        _add_user(session, line, record, when, extra, source, notes)


def _add_queued(session: Session, queued: dict[str, Any], when: str, extra: dict[str, Any]) -> None:
    said = content(queued.get("prompt"))
    machine = is_machine(said) or label(queued.get("commandMode")) == "task-notification"
    mark = {"mark": "notice"} if machine else {"queued": True}
    session.say("system" if machine else "user", said, timestamp=when, extra={**extra, **mark})


def _add_agent(
    session: Session, line: int, record: dict[str, Any], when: str, extra: dict[str, Any], source: Source, notes: Notes
) -> None:
    message = mapping(record.get("message"))
    said = message.get("content")
    _name_unknown(said, line, source, notes)
    parts = objects(said)
    spoken = said if isinstance(said, str) else content([part for part in said or () if not _silent(part)])
    if record.get("isApiErrorMessage") or message.get("model") == SYNTHETIC:  # the program's words, not the model's
        mark = "limit" if LIMIT.search(spoken) else "error" if record.get("isApiErrorMessage") else "notice"
        session.say("system", spoken, timestamp=when, extra={**extra, "mark": mark})
        return
    calls = [
        session.call(part.get("id"), part.get("name"), arguments(part.get("input")))
        for part in parts
        if part.get("type") in CALLS
    ]
    response = label(message.get("id"))
    session.respond(
        response,
        spoken,
        reasoning="\n".join(text(part.get("thinking")) for part in parts if part.get("type") == "thinking"),
        calls=calls,
        timestamp=when,
        model=label(message.get("model")),
        usage=usage_of(message.get("usage")),
        extra=extra,
        identity=identity(response, when or record.get("sessionId") or record.get("session_id"), repr(said)),
    )
    _add_results(session, parts, record)


def _add_user(
    session: Session, line: int, record: dict[str, Any], when: str, extra: dict[str, Any], source: Source, notes: Notes
) -> None:
    said = mapping(record.get("message")).get("content")
    _name_unknown(said, line, source, notes)
    parts = objects(said)
    results = bool(parts) and any(part.get("type") in RESULTS for part in parts)
    spoken = said if isinstance(said, str) else content([part for part in said or () if not _silent(part)])
    if record.get("isCompactSummary"):
        extra["mark"] = "compaction"
    elif spoken.startswith(INTERRUPTED):
        extra["mark"] = "interrupted"
    if spoken or not results:
        kind = label(mapping(record["origin"]).get("kind")) if "origin" in record else ""
        machine = record.get("isMeta") is True or is_machine(spoken) or bool(kind and kind not in PERSON)
        if machine and "mark" not in extra:
            extra["mark"] = "notice"
        elif not machine and (own := without_machine(spoken)) != spoken:
            extra["machine"], spoken = spoken, own.strip()
        session.say("system" if machine else "user", spoken, timestamp=when, extra=extra)
    _add_results(session, parts, record)


def _add_results(session: Session, parts: list[dict[str, Any]], record: dict[str, Any]) -> None:
    for part in parts:
        if part.get("type") not in RESULTS:
            continue
        shown = content(part.get("content"))
        details = rest(mapping(record.get("toolUseResult")), ("stdout", "stderr", "content", "file", "originalFile"))
        rejected = {"rejected": True} if shown.startswith(REJECTED) else {}
        files = _files_in(mapping(record.get("toolUseResult"))) if _FILES_KEPT.get() else {}
        more = {**rejected, **({"details": details} if details else {}), **files}
        session.answer(part.get("tool_use_id"), shown, error=part.get("is_error") is True, extra=more)


@contextmanager
def files_kept() -> Iterator[None]:
    """Within, what a log holds of files beside what the agent was shown is read as well: mining tasks needs it.

    An answer has it under `before` (what an edited file was) and `file` (what was read, with its place in the file).
    Learning does without: it would keep each file once more for each edit.
    """
    token = _FILES_KEPT.set(True)
    try:
        yield
    finally:
        _FILES_KEPT.reset(token)


def _files_in(result: dict[str, Any]) -> dict[str, Any]:
    before, file = result.get("originalFile"), mapping(result.get("file"))
    found: dict[str, Any] = {"before": before} if isinstance(before, str) else {}
    if isinstance(file.get("content"), str):
        found["file"] = {key: file.get(key) for key in ("content", "startLine", "numLines", "totalLines")}
    return found


def _name_unknown(said: Any, line: int, source: Source, notes: Notes) -> None:
    for part in said if isinstance(said, list) else []:
        if not isinstance(part, dict) or part.get("type") not in PARTS:
            kind = mapping(part).get("type") or type(part).__name__
            notes.problem(source, line, f"unknown part of a message: {str(kind)[:60]!r}; kept as text")


def _silent(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") in SILENT
