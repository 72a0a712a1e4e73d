"""Claude Code's session JSONL: records linked by `parentUuid`, sub-agents as side chains, forks, rejections.

A record becomes a step; one that holds only results becomes the observations of the steps that asked. A fork (two
prompts under one parent) leaves the line that the session ended on as the trajectory; each other line is one of its
own, from the fork on, with a link. So is each sub-agent.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from trace2skill.traces.base import Notes, Source
from trace2skill.traces.chat import usage_of
from trace2skill.traces.session import Session, trajectory_id
from trace2skill.traces.values import arguments, content, label, mapping, moment, objects, rest, text
from trace2skill.types.trajectory import Trajectory

SPOKEN = ("user", "assistant")
KEPT_ASIDE = {
    "summary", "system", "file-history-snapshot", "queue-operation", "progress", "attachment", "custom-title",
    "ai-title", "last-prompt", "agent-name", "mode", "permission-mode", "pr-link", "tag", "compact_file_reference",
}  # fmt: skip
PARTS = {"text", "tool_use", "tool_result", "thinking", "redacted_thinking", "image", "document", "server_tool_use"}
KNOWN = {
    "type", "message", "timestamp", "sessionId", "isSidechain", "userType", "cwd", "version", "gitBranch",
    "toolUseResult", "parentUuid", "requestId",
}  # fmt: skip
REJECTED = "The user doesn't want to proceed with this tool use"
INTERRUPTED = "[Request interrupted by user"
Record = tuple[int, dict[str, Any]]


class ClaudeCode:
    """Reader of Claude Code sessions, also of sub-agents' own files."""

    name = "claude_code"
    turn = 60

    def claims(self, source: Source) -> bool:
        """Records with `sessionId` and `uuid`, or of the kinds that only Claude Code writes."""
        for record in source.first_values:
            if isinstance(record, dict) and record.get("type") in SPOKEN and "message" in record:
                return "uuid" in record or "parentUuid" in record
        firsts = [record for record in source.first_values if isinstance(record, dict)]
        return any("leafUuid" in record or record.get("type") == "file-history-snapshot" for record in firsts)

    def read(self, source: Source, notes: Notes) -> Iterator[Trajectory]:
        """The session's own line, then lines left behind at forks, then sub-agents; one set per session id."""
        sessions: dict[str, list[Record]] = defaultdict(list)
        aside: dict[str, list[Record]] = defaultdict(list)
        last = ""
        for line, record in source.records(notes):
            kind = record.get("type")
            name = label(record.get("sessionId")) or last or source.stem
            if (kind in SPOKEN and _is_spoken(record)) or _mark(record):
                sessions[name].append((line, record))
                last = name
            elif isinstance(kind, str) and kind in KEPT_ASIDE:
                aside[name].append((line, record))
            else:
                notes.unknown(source, line, kind or ", ".join(sorted(record)[:6]))
        for name, records in sessions.items():
            yield from self._session(source, notes, name, records, aside.get(name, []))

    def _session(
        self, source: Source, notes: Notes, name: str, records: list[Record], aside: list[Record]
    ) -> Iterator[Trajectory]:
        own = [item for item in records if not item[1].get("isSidechain")]
        side = [item for item in records if item[1].get("isSidechain")]
        own_name: tuple[str, ...] = (
            (name,) if source.stem == name else (name, source.stem)
        )  # a file may hold a piece of another session
        whole = trajectory_id(self.name, *own_name)
        for number, line in enumerate(_lines_of(own)):
            parent = whole if number else ""
            fork = (f"fork {line[0][1].get('uuid')}",) if number else ()
            extra: dict[str, Any] = {"events": [record for _, record in aside]} if aside and not number else {}
            if number:
                extra["fork_of"] = label(line[0][1].get("parentUuid"))
            yield _trajectory((self.name, *own_name, *fork), name, line, parent, extra, source, notes)
        for chain, line in _side_chains(side).items():
            key = (self.name, *own_name, "agent", chain)
            yield _trajectory(key, name, line, whole, {"sub_agent": chain}, source, notes)


def _is_spoken(record: dict[str, Any]) -> bool:
    message = record.get("message")
    return isinstance(message, dict) and (isinstance(message.get("content"), (str, list)))


def _mark(record: dict[str, Any]) -> bool:
    """A mark of compaction: the boundary, or the summary that stands in for what was cut."""
    boundary = record.get("type") == "system" and record.get("subtype") == "compact_boundary"
    return boundary or (record.get("type") == "summary" and isinstance(record.get("message"), dict))


def _lines_of(records: list[Record]) -> list[list[Record]]:
    """The line the session ended on, then those left behind at forks, each in the order of the file."""
    by_id = {record["uuid"]: record for _, record in records if isinstance(record.get("uuid"), str)}
    prompts: dict[str, list[str]] = defaultdict(list)
    for _, record in records:
        parent, own = record.get("parentUuid"), record.get("uuid")
        if isinstance(parent, str) and isinstance(own, str) and parent in by_id and _is_prompt(record):
            prompts[parent].append(own)
    forks = {child for children in prompts.values() if len(set(children)) > 1 for child in children}
    if not forks:
        return [records] if records else []
    branch_of: dict[str, str] = {}
    for _, record in records:  # a parent stands before its child
        own, parent = str(record.get("uuid")), str(record.get("parentUuid"))
        branch_of[own] = own if own in forks else branch_of.get(parent, "")
    kept, at = {""}, str(records[-1][1].get("uuid"))
    while (branch := branch_of.get(at, "")) and branch not in kept:
        kept.add(branch)
        at = str(by_id[branch].get("parentUuid"))
    lines: dict[str, list[Record]] = {"": []}
    for item in records:
        branch = branch_of.get(str(item[1].get("uuid")), "")
        lines.setdefault("" if branch in kept else branch, []).append(item)
    return [line for line in lines.values() if line]


def _is_prompt(record: dict[str, Any]) -> bool:
    said = mapping(record.get("message")).get("content")
    results = any(part.get("type") == "tool_result" for part in objects(said))
    return record.get("type") == "user" and not results and not record.get("isMeta")


def _side_chains(records: list[Record]) -> dict[str, list[Record]]:
    """Sub-agents' records by the agent's id, or by the first record of their chain in older logs."""
    chains: dict[str, list[Record]] = defaultdict(list)
    root: dict[str, str] = {}
    for line, record in records:
        own, parent = str(record.get("uuid")), str(record.get("parentUuid"))
        root[own] = label(record.get("agentId")) or root.get(parent) or own
        chains[root[own]].append((line, record))
    return chains


def _trajectory(
    key: tuple[object, ...],
    name: str,
    records: list[Record],
    parent: str,
    extra: dict[str, Any],
    source: Source,
    notes: Notes,
) -> Trajectory:
    session = Session(*key, name=name, agent="claude-code")
    first = records[0][1]
    session.agent_version = next((label(record.get("version")) for _, record in records if record.get("version")), "")
    session.extra = {**extra, **{key: first[key] for key in ("cwd", "gitBranch") if first.get(key)}}
    for line, record in records:
        _add(session, line, record, source, notes)
    return session.finish(parent=parent)


def _add(session: Session, line: int, record: dict[str, Any], source: Source, notes: Notes) -> None:
    message = mapping(record.get("message"))
    said = message.get("content", record.get("content"))
    extra = rest(record, KNOWN)
    when = moment(record.get("timestamp"))
    if _mark(record):
        session.say("system", content(said), timestamp=when, extra={**extra, "mark": "compaction"})
        return
    for part in said if isinstance(said, list) else []:
        if not isinstance(part, dict) or part.get("type") not in PARTS:
            kind = mapping(part).get("type") or type(part).__name__
            notes.problem(source, line, f"unknown part of a message: {str(kind)[:60]!r}; kept as text")
    parts = objects(said)
    calls = [
        session.call(part.get("id"), part.get("name"), arguments(part.get("input")))
        for part in parts
        if part.get("type") in ("tool_use", "server_tool_use")
    ]
    results = [part for part in parts if part.get("type") == "tool_result"]
    spoken = said if isinstance(said, str) else content([part for part in said or () if not _silent(part)])
    if record.get("isCompactSummary"):
        extra["mark"] = "compaction"
    if spoken.startswith(INTERRUPTED):
        extra["mark"] = "interrupted"
    if spoken or calls or not results:
        agent = record["type"] == "assistant"
        session.say(
            "agent" if agent else "user",
            spoken,
            reasoning="\n".join(text(part.get("thinking")) for part in parts if part.get("type") == "thinking"),
            calls=calls,
            timestamp=when,
            model=label(message.get("model")),
            usage=usage_of(message.get("usage")) if agent else None,
            extra=extra,
        )
    for part in results:
        shown = content(part.get("content"))
        rejected = {"rejected": True} if shown.startswith(REJECTED) else {}
        details = rest(mapping(record.get("toolUseResult")), ("stdout", "stderr", "content", "file", "originalFile"))
        more = {**rejected, **({"details": details} if details else {})}
        session.answer(part.get("tool_use_id"), shown, error=part.get("is_error") is True, extra=more)


def _silent(part: Any) -> bool:
    kinds = ("tool_use", "server_tool_use", "tool_result", "thinking", "redacted_thinking")
    return isinstance(part, dict) and part.get("type") in kinds
