"""Codex rollout JSONL: `session_meta`, `turn_context`, `response_item`, `event_msg` and `compacted` lines.

What was said stands twice in newer files, as an item and as an event for the screen; the items are read. The oldest
files hold bare items without the envelope, after a first line of their own.

A response of the model is one step: what it thought, said and called until an answer, a person's words or the count
of its tokens. A file that was forked, or a sub-agent's, repeats its parent's history after a second `session_meta`;
what is repeated has the parent's identity.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from trace2skill.traces.base import Notes, Source
from trace2skill.traces.chat import SPEAKERS
from trace2skill.traces.machine import is_machine
from trace2skill.traces.session import Session
from trace2skill.traces.values import (
    arguments,
    content,
    identity,
    instant,
    label,
    mapping,
    moment,
    number,
    objects,
    rest,
    text,
)
from trace2skill.types.trajectory import Trajectory, Usage

ENVELOPES = {"session_meta", "turn_context", "response_item", "event_msg", "compacted"}
CALLS = {"function_call", "custom_tool_call", "local_shell_call", "web_search_call", "tool_search_call"}
ANSWERS = {"function_call_output", "custom_tool_call_output", "local_shell_call_output", "tool_search_output"}
SAID_TWICE = {"user_message", "agent_message", "agent_reasoning", "agent_reasoning_raw_content"}
VERDICTS = {"patch_apply_end", "exec_command_end", "mcp_tool_call_end"}
PATCH_FAILED = re.compile(r"\A(?:apply_patch verification failed|patch: |Failed to apply patch|error: patch)")
REPLAYED = 2.5
"""Within so many seconds of its start a fork writes down what it repeats."""


class Codex:
    """Reader of Codex rollouts."""

    name = "codex"
    turn = 50
    fields = frozenset({"payload", "instructions"})
    header_lines = 1
    """The session is named in the first line."""

    def claims(self, source: Source) -> bool:
        """Lines are envelopes with a payload, or the older first line with `instructions`."""
        firsts = source.first_objects if source.first_values else []
        return any(
            (first.get("type") in ENVELOPES and isinstance(first.get("payload"), dict))
            or ({"id", "timestamp", "instructions"} <= first.keys() and "type" not in first)
            for first in firsts
        )

    def read(self, source: Source, notes: Notes) -> Iterator[Trajectory]:
        """The one trajectory of the file."""
        rollout: _Rollout | None = None
        for line, record in source.records(notes):
            kind, payload = _open(record)
            if rollout is None:
                rollout = _Rollout(payload if kind == "session_meta" else {}, record, source, notes)
            elif kind == "session_meta":
                rollout.repeats(payload)
            when = moment(record.get("timestamp"))
            rollout.check_replay(when)
            if kind == "turn_context":
                rollout.model = label(payload.get("model")) or rollout.model
            elif kind == "compacted":
                rollout.close()
                said = text(payload.get("message"))
                rollout.session.say("system", said, timestamp=when, extra={"mark": "compaction"})
            elif kind == "event_msg":
                rollout.event(payload, when, line)
            elif kind == "response_item":
                rollout.item(payload, when, line)
            elif kind != "session_meta":
                notes.unknown(source, line, record.get("type"))
        if rollout is not None:
            yield from rollout.finish()


def _open(record: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    if record.get("type") in ENVELOPES and isinstance(record.get("payload"), dict):
        return str(record["type"]), record["payload"]
    if "instructions" in record and "type" not in record:
        return "session_meta", record
    if record.get("record_type") == "state":
        return "session_meta", {}
    return "response_item", record


class _Rollout:
    """One file while it is read."""

    def __init__(self, meta: dict[str, Any], first: dict[str, Any], source: Source, notes: Notes) -> None:
        self.source, self.notes = source, notes
        self.name = label(meta.get("id")) or source.stem
        self.session = Session(Codex.name, self.name, name=self.name, agent="codex")
        self.session.agent_version = label(meta.get("cli_version"))
        self.session.extra = rest(meta, ("id", "cli_version", "instructions", "base_instructions"))
        self.model = ""
        self._began = instant(first.get("timestamp"))
        self._scope = self.name
        self._response, self._open, self._counted = 1, False, False
        self._ahead: Usage | None = None
        self._thoughts: list[str] = []
        self._said: Counter[str] = Counter()
        self._total: Usage | None = None
        self._gone: list[Session] = []
        self._verdicts: dict[str, dict[str, Any]] = {}

    def repeats(self, meta: dict[str, Any]) -> None:
        """Another session's head inside the file: what follows was its own."""
        self._scope = label(meta.get("id")) or self._scope

    def check_replay(self, when: str) -> None:
        """What is written later than a moment after the start is the file's own again."""
        if self._scope != self.name and self._began + REPLAYED < instant(when) < float("inf"):
            self._scope = self.name

    def close(self) -> None:
        """The model's response is over: what comes next is another."""
        self._response += 1
        self._open = self._counted = False

    def event(self, payload: dict[str, Any], when: str, line: int) -> None:
        """Tokens, ends of turns, errors, and the program's verdicts on calls."""
        kind = payload.get("type")
        if kind == "token_count":
            self._count(mapping(payload.get("info")))
        elif kind == "turn_aborted":
            self.close()
            said = f"turn aborted: {label(payload.get('reason'))}"
            self.session.say("system", said, timestamp=when, extra={"mark": "interrupted"})
        elif kind in ("error", "stream_error"):
            self.close()
            self.session.say("system", text(payload.get("message")), timestamp=when, extra={"mark": "error"})
        elif not isinstance(kind, str):
            self.notes.unknown(self.source, line, kind)
        elif kind in VERDICTS:
            self._verdict(kind, payload, line)
        elif kind == "thread_rolled_back":
            self.close()
            gone = Session(Codex.name, self.name, "rolled back", line, name=self.name, agent="codex")
            self.session.taken_back(number(payload.get("num_turns")), gone)
            self._gone += [gone] if len(gone) else []
        elif kind not in SAID_TWICE:
            self.session.extra.setdefault("events", []).append({"line": line, **payload})

    def item(self, item: dict[str, Any], when: str, line: int) -> None:
        """One item. Reasoning waits for what it led to."""
        kind = item.get("type", "message" if "role" in item else None)
        if kind == "reasoning":
            told = [text(part.get("text")) for part in objects(item.get("summary")) + objects(item.get("content"))]
            self._thoughts.extend(part for part in told if part)
        elif kind == "message" and item.get("role") in SPEAKERS:
            self._message(item, when)
        elif isinstance(kind, str) and kind in CALLS:
            given = item.get("arguments", item.get("input", item.get("action")))
            name = item.get("name") or kind.removesuffix("_call")
            extra = rest(item, ("type", "call_id", "id", "name", "arguments", "input", "action"))
            call = self.session.call(item.get("call_id") or item.get("id"), name, arguments(given), extra)
            self._respond("", when, identity(self._scope, "call", call["id"], self._nth(call["id"])), calls=[call])
        elif isinstance(kind, str) and kind in ANSWERS:
            self.close()
            self._answer(label(item.get("call_id")), item)
        else:
            self.notes.unknown(self.source, line, kind)

    def finish(self) -> Iterator[Trajectory]:
        """The trajectory, then what was rolled back in it; none where nothing was said."""
        if self._thoughts:
            self._respond("", "", "")
        if self._ahead:
            self.session.spend(self._ahead)
        parent = label(self.session.extra.get("forked_from_id") or self.session.extra.get("parent_thread_id"))
        # The total counts the whole session, also what no line told; a later part of a large file has only its own.
        total = None if self.source.is_later_part or self._gone else self._total
        if len(self.session):
            above = Session(Codex.name, parent).id if parent and parent != self.name else ""
            yield self.session.finish(parent=above, usage=total)
        for gone in self._gone:
            gone.extra = {"taken_back": True}
            yield gone.finish(parent=self.session.id if len(self.session) else "")

    def _message(self, item: dict[str, Any], when: str) -> None:
        speaker, said = SPEAKERS[item["role"]], content(item.get("content"))
        extra = rest(item, ("type", "role", "content"))
        if speaker == "agent":
            self._respond(said, when, identity(self._scope, "said", said or " ", self._nth(said)), extra=extra)
            return
        self.close()
        if speaker == "user" and is_machine(said):
            speaker, extra = "system", {**extra, "mark": "notice"}
        self.session.say(speaker, said, timestamp=when, extra=extra)

    def _respond(self, said: str, when: str, named: str, **more: Any) -> None:
        reasoning = "\n".join(self._thoughts)
        self._thoughts.clear()
        self.session.respond(
            f"response {self._response}",
            said,
            reasoning=reasoning,
            timestamp=when,
            model=self.model,
            identity=named,
            **more,
        )
        self._open = True
        if self._ahead:
            self.session.spend(self._ahead)
            self._ahead, self._counted = None, True

    def _nth(self, said: str) -> int:
        """The how-many-eth time something is said under one session: a copy has the same count as the original."""
        key = f"{self._scope} {said}"
        self._said[key] += 1
        return self._said[key]

    def _answer(self, id: str, item: dict[str, Any]) -> None:
        output, told = item.get("output"), self._verdicts.pop(id, {})
        found = arguments(output) if isinstance(output, (str, dict)) else {}
        shown, failed = output, item.get("success") is False
        if "_raw" not in found:
            shown = next((found[key] for key in ("output", "content") if key in found), output)
            failed = failed or found.get("success") is False
        code = mapping(found.get("metadata")).get("exit_code", told.get("exit_code"))
        failed = told.get("error", failed or bool(PATCH_FAILED.match(content(shown)[:200])))
        known = code if isinstance(code, int) and not isinstance(code, bool) else None
        self.session.answer(id, shown, exit_code=known, error=failed)

    def _verdict(self, kind: str, payload: dict[str, Any], line: int) -> None:
        """What the program says of a call's end, before or after the output stands in the log."""
        id, told = label(payload.get("call_id")), dict[str, Any]()
        code, result = payload.get("exit_code"), mapping(payload.get("result"))
        if kind == "patch_apply_end" and isinstance(payload.get("success"), bool):
            told["error"] = not payload["success"]
        if isinstance(code, int) and not isinstance(code, bool):
            told["exit_code"] = code
        if "Err" in result or mapping(result.get("Ok")).get("isError") is True:
            told["error"] = True
        if self.session.has_answer(id):
            self.session.correct(id, **told)
        else:
            self._verdicts[id] = told
        self.session.extra.setdefault("events", []).append({"line": line, **payload})

    def _count(self, info: dict[str, Any]) -> None:
        """Tokens of the last response: as told, else by how much the total grew. A total told again counts nothing."""
        total = _tokens(mapping(info.get("total_token_usage")))
        last = _tokens(mapping(info.get("last_token_usage")))
        if total is None and last is None:
            return
        before, self._total = self._total, total or self._total
        if total is not None and total == before:
            return
        grown = last
        if grown is None and total is not None:
            grown = total if before is None else _grown(total, before)
        if self._open and not self._counted:
            self.session.spend(grown or Usage())
        else:  # some versions count a response before its words
            self._ahead = (self._ahead or Usage()) + (grown or Usage())
        self.close()


def _tokens(used: dict[str, Any]) -> Usage | None:
    if not used:
        return None
    return Usage(
        prompt=number(used.get("input_tokens")),
        completion=number(used.get("output_tokens")),
        cached=number(used.get("cached_input_tokens")),
    )


def _grown(total: Usage, before: Usage) -> Usage:
    return Usage(
        prompt=max(0, total.prompt - before.prompt),
        completion=max(0, total.completion - before.completion),
        cached=max(0, total.cached - before.cached),
    )
