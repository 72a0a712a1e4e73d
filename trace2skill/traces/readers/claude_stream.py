"""What `claude -p --output-format stream-json` prints, as lines or as one list (`--output-format json --verbose`).

A sub-agent's records name the call that started it (`parent_tool_use_id`), the session stands in `session_id`, and the
last line says how the run ended. https://docs.claude.com/en/docs/claude-code/headless
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from trace2skill.traces.base import Notes, Source
from trace2skill.traces.chat import usage_of
from trace2skill.traces.claude import Record, add, is_boundary, is_spoken, once
from trace2skill.traces.session import Session, trajectory_id
from trace2skill.traces.values import label, mapping, money, objects
from trace2skill.types.trajectory import Outcome, StopReason, Trajectory, Usage

ASIDE = {"system", "rate_limit_event", "stream_event", "control_request", "control_response", "control_cancel_request",
         "keep_alive", "tool_progress", "auth_status", "tool_use_summary", "prompt_suggestion"}  # fmt: skip
LIMITS: dict[str, StopReason] = {"error_max_turns": "turn_limit", "error_max_budget_usd": "cost_limit"}


class ClaudeStream:
    """Reader of what Claude Code prints as it works."""

    name = "claude_stream"
    turn = 58
    fields = frozenset({"session_id"})

    def claims(self, source: Source) -> bool:
        """Records with `session_id` that name the call of a sub-agent, or the line that begins such a run."""
        firsts = source.first_objects if source.first_values else []
        listed = next((value for value in source.first_values or [source.start] if isinstance(value, list)), [])
        return any(map(_is_ours, firsts)) or any(map(_is_ours, objects(listed)[:20]))

    def read(self, source: Source, notes: Notes) -> Iterator[Trajectory]:
        """The main agent's trajectory and each sub-agent's, by session."""
        chains: dict[str, dict[str, list[Record]]] = defaultdict(lambda: defaultdict(list))
        heads: dict[str, dict[str, Any]] = {}
        ends: dict[str, dict[str, Any]] = {}
        last = ""
        for line, record in _records(source, notes):
            kind = record.get("type")
            name = last = label(record.get("session_id")) or last or source.stem
            if (kind in ("user", "assistant") and is_spoken(record)) or is_boundary(record):
                chains[name][label(record.get("parent_tool_use_id"))].append((line, record))
            elif kind == "result":
                ends[name] = record
            elif kind == "system" and record.get("subtype") == "init":
                heads.setdefault(name, record)
            elif not isinstance(kind, str) or kind not in ASIDE:
                notes.unknown(source, line, kind or ", ".join(sorted(record)[:6]))
        for name, found in chains.items():
            whole = trajectory_id(self.name, name)
            for chain, records in sorted(found.items()):
                key = ("agent", chain) if chain else ()
                session = Session(self.name, name, *key, name=name, agent="claude-code")
                head = heads.get(name, {})
                session.extra = {"cwd": head["cwd"]} if head.get("cwd") else {}
                session.agent_version = label(head.get("claude_code_version"))
                session.extra |= {"called_by": {"toolUseId": chain}} if chain else {}
                for line, record in once(records, [], notes):
                    add(session, line, record, source, notes)
                yield _finished(session, {} if chain else ends.get(name, {}), whole if chain else "")


def _is_ours(record: dict[str, Any]) -> bool:
    if "session_id" not in record or "parentUuid" in record:
        return False
    return "parent_tool_use_id" in record or (record.get("type") == "system" and record.get("subtype") == "init")


def _records(source: Source, notes: Notes) -> Iterator[Record]:
    if source.is_jsonl and not isinstance(source.first_values[0], list):
        yield from source.records(notes)
        return
    for place, record in enumerate(source.items("item"), start=1):
        if isinstance(record, dict):
            yield place, record
        else:
            notes.problem(source, 0, f"item {place} is no object")


def _finished(session: Session, end: dict[str, Any], parent: str) -> Trajectory:
    """With what the result line says: cost, the tokens where the lines tell fewer, and how the run ended."""
    used, told = session.used(), _used(end)
    usage = Usage(
        prompt=max(used.prompt, told.prompt),
        completion=max(used.completion, told.completion),
        cached=max(used.cached, told.cached),
        cost=money(end.get("total_cost_usd")) or used.cost,
    )
    made = session.finish(parent=parent, usage=usage, outcome=_outcome(end))
    stop = LIMITS.get(label(end.get("subtype")))
    return made.model_copy(update={"stop": stop}) if stop else made


def _used(end: dict[str, Any]) -> Usage:
    return usage_of(end.get("usage")) or Usage()


def _outcome(end: dict[str, Any]) -> Outcome:
    """That a run came to its end is no success; that it was broken off is the log's own word."""
    how = label(end.get("subtype"))
    if how in LIMITS or how == "error_max_structured_output_retries":
        return Outcome(kind="failed", reason=f"the run ended by {how}", source="log")
    if end.get("is_error") is True or how == "error_during_execution":
        told = label(mapping(end).get("result")) or how
        return Outcome(kind="infrastructure_error", reason=f"the run ended with an error: {told[:200]}", source="log")
    reason = f"ended as {how!r}, which is no verdict" if how else "the log has no verdict"
    return Outcome(kind="unknown", reason=reason, source="none")
