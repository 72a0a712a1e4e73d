"""What `codex exec --json` prints: a line for each event of a thread, its turns and their items.

The prompt does not stand in it. https://developers.openai.com/codex/noninteractive
"""

from collections.abc import Iterator
from typing import Any

from trace2skill.traces.base import Notes, Source
from trace2skill.traces.session import Session
from trace2skill.traces.values import arguments, content, identity, label, mapping, number, objects, rest, text
from trace2skill.types.trajectory import Outcome, Trajectory, Usage

ITEMS = {"item.started", "item.updated", "item.completed"}
EVENTS = {"thread.started", "turn.started", "turn.completed", "turn.failed", "error", *ITEMS}
CALLS = {"command_execution", "file_change", "mcp_tool_call", "web_search", "collab_tool_call"}
ASIDE = {"todo_list"}


class CodexExec:
    """Reader of what Codex prints as it works."""

    name = "codex_exec"
    turn = 52
    fields = frozenset({"thread_id", "item"})

    def claims(self, source: Source) -> bool:
        """Lines of a thread, its turns or items."""
        firsts = source.first_objects if source.first_values else []
        return any(
            (first.get("type") == "thread.started" and "thread_id" in first)
            or (first.get("type") in ITEMS and isinstance(first.get("item"), dict))
            for first in firsts
        )

    def read(self, source: Source, notes: Notes) -> Iterator[Trajectory]:
        """The one trajectory of the thread."""
        name, failed, started = "", "", dict[str, dict[str, Any]]()
        session = Session(self.name, source.name, name=source.stem, agent="codex")
        for line, record in source.records(notes):
            kind, item = label(record.get("type")), mapping(record.get("item"))
            if kind == "thread.started" and not name and not len(session):
                name = label(record.get("thread_id"))
                session = Session(self.name, name, name=name, agent="codex")
            elif kind == "item.completed":
                started.pop(label(item.get("id")), None)
                _add(session, item, source, notes, line)
            elif kind in ITEMS:
                started[label(item.get("id"))] = item
            elif kind == "turn.completed":
                session.spend(_usage(mapping(record.get("usage"))))
            elif kind in ("turn.failed", "error"):
                failed = text(mapping(record.get("error")).get("message") or record.get("message"))
                session.say("system", failed, extra={"mark": "error"})
            elif kind not in EVENTS:
                notes.unknown(source, line, kind or ", ".join(sorted(record)[:6]))
        for item in started.values():  # begun, and never ended: the program stopped before
            if item.get("type") in CALLS:
                _add(session, {**item, "status": "stopped"}, source, notes, 0)
        if len(session):
            reason = f"the turn failed: {failed[:200]}"
            ended = Outcome(kind="infrastructure_error", reason=reason, source="log") if failed else None
            yield session.finish(outcome=ended) if ended else session.finish()


def _add(session: Session, item: dict[str, Any], source: Source, notes: Notes, line: int) -> None:
    kind, id = label(item.get("type")), label(item.get("id"))
    response = f"response {session.turn}"
    named = identity("codex exec", session.name, id)
    if kind == "agent_message":
        session.respond(response, text(item.get("text")), identity=named)
    elif kind == "reasoning":
        session.respond(response, reasoning=text(item.get("text")), identity=named)
    elif kind == "error":
        session.say("system", text(item.get("message")), extra={"mark": "error"})
    elif kind in CALLS:
        tool, given = _call(kind, item)
        session.respond(response, calls=[session.call(id, tool, given)], identity=named)
        _answer(session, id, item)
    elif kind in ASIDE:
        session.extra.setdefault("events", []).append(rest(item, ()))
    else:
        notes.unknown(source, line, kind)


def _call(kind: str, item: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    if kind == "command_execution":
        return "shell", {"command": text(item.get("command"))}
    if kind == "file_change":
        return "apply_patch", {"changes": objects(item.get("changes"))}
    if kind == "mcp_tool_call":
        return f"{label(item.get('server'))}__{label(item.get('tool'))}", arguments(item.get("arguments"))
    return kind, rest(item, ("id", "type", "status", "result", "error"))


def _answer(session: Session, id: str, item: dict[str, Any]) -> None:
    """Codex tells the state of a call in `status`: in_progress, completed, failed, declined."""
    code, error = item.get("exit_code"), text(mapping(item.get("error")).get("message"))
    result = item.get("aggregated_output", mapping(item.get("result")).get("content"))
    status = label(item.get("status"))
    session.answer(
        id,
        error or content(result),
        exit_code=code if isinstance(code, int) and not isinstance(code, bool) else None,
        error=status == "failed" or bool(error),
        not_run={"declined": "user", "stopped": "program"}.get(status, ""),
    )


def _usage(told: dict[str, Any]) -> Usage:
    return Usage(
        prompt=number(told.get("input_tokens")),
        completion=number(told.get("output_tokens")),
        cached=number(told.get("cached_input_tokens")),
    )
