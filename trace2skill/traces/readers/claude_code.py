"""Claude Code's session JSONL: records linked by `parentUuid`, sub-agents as side chains, forks, rejections.

A response of the model is one step, though it is written in a record for each of its blocks; a record that holds only
results becomes the observations of the steps that asked. A fork (two prompts under one parent) leaves the line that the
session ended on as the trajectory; each other line is one of its own, from the fork on, with a link. So is each
sub-agent, whether its records stand in the session's file or in one of its own.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from trace2skill.core.foreign_json import parse
from trace2skill.traces.base import Notes, Source
from trace2skill.traces.claude import Record, add, is_boundary, is_queued, is_spoken, once
from trace2skill.traces.session import Session, trajectory_id
from trace2skill.traces.values import label, mapping, objects
from trace2skill.types.trajectory import Trajectory

SPOKEN = ("user", "assistant")
KEPT_ASIDE = {
    "summary", "system", "file-history-snapshot", "queue-operation", "progress", "attachment", "custom-title",
    "ai-title", "last-prompt", "agent-name", "mode", "permission-mode", "pr-link", "tag", "compact_file_reference",
    "result", "rate_limit_event",
}  # fmt: skip
LARGEST_NOTE = 2**20


class ClaudeCode:
    """Reader of Claude Code sessions, also of sub-agents' own files."""

    name = "claude_code"
    turn = 60

    def claims(self, source: Source) -> bool:
        """Records with `sessionId` and `uuid`, or of the kinds that only Claude Code writes."""
        firsts = source.first_objects if source.first_values else []
        spoken = [record for record in firsts if record.get("type") in SPOKEN and is_spoken(record)]
        if spoken:
            return any("uuid" in record or "parentUuid" in record for record in spoken)
        return any(
            "leafUuid" in record
            or record.get("type") == "file-history-snapshot"
            or (record.get("type") == "queue-operation" and "sessionId" in record)
            for record in firsts
        )

    def read(self, source: Source, notes: Notes) -> Iterator[Trajectory]:
        """The session's own line, then lines left behind at forks, then sub-agents; one set per session id."""
        sessions: dict[str, list[Record]] = defaultdict(list)
        aside: dict[str, list[dict[str, Any]]] = defaultdict(list)
        last = ""
        for line, record in source.records(notes):
            kind = record.get("type")
            name = label(record.get("sessionId")) or label(record.get("session_id")) or last or source.stem
            if (kind in SPOKEN and is_spoken(record)) or is_boundary(record) or is_queued(record):
                sessions[name].append((line, record))
                last = name
            elif isinstance(kind, str) and kind in KEPT_ASIDE:
                aside[name].append(record)
                if isinstance(record.get("uuid"), str):  # a link between what was said before and after it
                    sessions[name].append((line, record))
            else:
                notes.unknown(source, line, kind or ", ".join(sorted(record)[:6]))
        for name, records in sessions.items():
            yield from self._session(source, notes, name, once(records, aside[name], notes), aside[name])

    def _session(
        self, source: Source, notes: Notes, name: str, records: list[Record], aside: list[dict[str, Any]]
    ) -> Iterator[Trajectory]:
        own = [item for item in records if not _of_sub_agent(item[1])]
        side = [item for item in records if _of_sub_agent(item[1])]
        said = [item for item in own if item[1].get("type") not in KEPT_ASIDE or is_boundary(item[1])]
        # A file may hold a piece of another session; a file of a sub-agent belongs to the session that it names.
        piece = said and source.stem != name
        own_name: tuple[str, ...] = (name, source.stem) if piece else (name,)
        for number, line in enumerate(_lines_of(own) if said else []):
            fork = (f"fork {line[0][1].get('uuid')}",) if number else ()
            extra: dict[str, Any] = {"events": aside} if aside and not number else {}
            if number:
                extra |= {"fork_of": label(line[0][1].get("parentUuid")), "taken_back": True}
            session = _read(Session(self.name, *own_name, *fork, name=name), line, extra, source, notes)
            if len(session):
                yield session.finish(parent=trajectory_id(self.name, *own_name) if number else "")
        for chain, line in _side_chains(side).items():
            key = (self.name, *own_name, "agent", chain)
            extra = {"sub_agent": chain, **_called_by(source, chain)}
            session = _read(Session(*key, name=name), line, extra, source, notes)
            if len(session):
                yield session.finish(parent=trajectory_id(self.name, *own_name))


def _of_sub_agent(record: dict[str, Any]) -> bool:
    """In a session's file such a record says so, in what the program prints it names the call."""
    return bool(record.get("isSidechain") or record.get("parent_tool_use_id"))


def _read(session: Session, records: list[Record], extra: dict[str, Any], source: Source, notes: Notes) -> Session:
    session.agent = "claude-code"
    session.agent_version = next((label(record.get("version")) for _, record in records if record.get("version")), "")
    first = next((record for _, record in records if record.get("type") in SPOKEN), records[0][1])
    session.extra = {**extra, **{key: first[key] for key in ("cwd", "gitBranch") if first.get(key)}}
    for line, record in records:
        add(session, line, record, source, notes)
    return session


def _called_by(source: Source, chain: str) -> dict[str, Any]:
    """The call that started a sub-agent, from the description beside its file."""
    beside = source.path.with_name(f"agent-{chain}.meta.json")
    try:
        if beside.name.count("/") or not beside.is_file() or beside.stat().st_size > LARGEST_NOTE:
            return {}
        told = mapping(parse(beside.read_bytes()))
    except (OSError, ValueError):
        return {}
    return {"called_by": {key: told[key] for key in ("toolUseId", "agentType", "description") if label(told.get(key))}}


def _lines_of(records: list[Record]) -> list[list[Record]]:
    """The line the session ended on, then those left behind at forks, each in the order of the file.

    A prompt hangs on what was said before it, whatever records of hooks and attachments stand in between.
    """
    by_id = {record["uuid"]: record for _, record in records if isinstance(record.get("uuid"), str)}
    prompts: dict[str, list[str]] = defaultdict(list)
    for _, record in records:
        own = record.get("uuid")
        if isinstance(own, str) and _is_prompt(record) and (parent := _said_before(record, by_id)):
            prompts[parent].append(own)
    forks = {child for children in prompts.values() if len(set(children)) > 1 for child in children}
    if not forks:
        return [records] if records else []
    branch_of: dict[str, str] = {}
    for _, record in records:  # a parent stands before its child
        own, parent = str(record.get("uuid")), str(record.get("parentUuid"))
        branch_of[own] = own if own in forks else branch_of.get(parent, "")
    ended = next(record for _, record in reversed(records) if record.get("type") in SPOKEN or len(records) == 1)
    kept, at = {""}, str(ended.get("uuid"))
    while (branch := branch_of.get(at, "")) and branch not in kept:
        kept.add(branch)
        at = str(by_id[branch].get("parentUuid"))
    lines: dict[str, list[Record]] = {"": []}
    for item in records:
        branch = branch_of.get(str(item[1].get("uuid")), "")
        lines.setdefault("" if branch in kept else branch, []).append(item)
    return [line for line in lines.values() if line]


def _said_before(record: dict[str, Any], by_id: dict[str, dict[str, Any]]) -> str:
    """The nearest record before a prompt that holds words or results, '' where there is none."""
    seen: set[str] = set()
    at = str(record.get("parentUuid"))
    while at in by_id and at not in seen:
        seen.add(at)
        if by_id[at].get("type") in SPOKEN:
            return at
        at = str(by_id[at].get("parentUuid"))
    return ""


def _is_prompt(record: dict[str, Any]) -> bool:
    if record.get("type") != "user" or record.get("isMeta"):
        return False
    parts = objects(mapping(record.get("message")).get("content"))
    return not parts or not any(part.get("type") == "tool_result" for part in parts)


def _side_chains(records: list[Record]) -> dict[str, list[Record]]:
    """Sub-agents' records by the agent's id, or by the first record of their chain in older logs."""
    chains: dict[str, list[Record]] = defaultdict(list)
    root: dict[str, str] = {}
    for line, record in records:
        own, parent = str(record.get("uuid")), str(record.get("parentUuid"))
        root[own] = label(record.get("agentId")) or label(record.get("parent_tool_use_id")) or root.get(parent) or own
        chains[root[own]].append((line, record))
    return chains
