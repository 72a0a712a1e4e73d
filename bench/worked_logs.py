"""Writes sessions of `worked_sessions.py` as the programs of agents write theirs: Claude Code, Codex, OpenHands."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from worked_sessions import FORMATS, HOME, Call, Worked


def write_logs(sessions: list[Worked], folder: Path) -> Path:
    """Write each session in the format whose turn it is; returns the folder."""
    for session in sessions:
        name = FORMATS[session.number % len(FORMATS)]
        WRITERS[name](session, folder / name)
    return folder


def claude_code(session: Worked, folder: Path) -> None:
    """As Claude Code writes `~/.claude/projects/...`."""
    name = f"{session.number:08d}-0000-4000-8000-000000000000"
    lines: list[dict[str, Any]] = []

    def add(kind: str, content: Any, **more: Any) -> None:
        before = lines[-1]["uuid"] if lines else None
        at = f"2026-05-{1 + session.number % 27:02d}T10:{len(lines) // 60:02d}:{len(lines) % 60:02d}.000Z"
        message = {"role": kind, "content": content, **more}
        record = {"type": kind, "uuid": f"u{session.number}-{len(lines)}", "parentUuid": before, "sessionId": name}
        branch = {"gitBranch": session.branch} if session.branch else {}
        lines.append({**record, "timestamp": at, "cwd": HOME, "version": "2.0.1", **branch, "message": message})

    add("user", session.request)
    for place, call in enumerate(session.calls):
        tool, given = _for_claude(call)
        use = {"type": "tool_use", "id": f"toolu_{session.number}_{place}", "name": tool, "input": given}
        add("assistant", [use], id=f"msg_{session.number}_{place}", model="some-model")
        said = _numbered(call.said) if call.kind == "read" else call.said
        said = f"Exit code {call.code}\n{said}" if call.code else said
        result = {"type": "tool_result", "tool_use_id": use["id"], "content": said, "is_error": bool(call.code)}
        add("user", [result])
        if call.beside:
            lines[-1]["toolUseResult"] = call.beside
    add("assistant", [{"type": "text", "text": "Done."}], id=f"msg_{session.number}_end", model="some-model")
    if session.thanks:
        add("user", session.thanks)
    _lines(folder / f"{name}.jsonl", lines)


def codex(session: Worked, folder: Path) -> None:
    """As Codex writes `~/.codex/sessions/...`."""
    name = f"019d0000-0000-7000-8000-{session.number:012d}"
    lines: list[dict[str, Any]] = []

    def add(kind: str, **payload: Any) -> None:
        at = f"2026-05-{1 + session.number % 27:02d}T11:{len(lines) // 60:02d}:{len(lines) % 60:02d}.000Z"
        lines.append({"timestamp": at, "type": kind, "payload": payload})

    git = {"git": {"commit_hash": session.commit, "branch": session.branch}} if session.commit else {}
    more = {"cli_version": "0.60.0", "originator": "cli", **git}
    add("session_meta", id=name, timestamp="2026-05-01T11:00:00.000Z", cwd=HOME, **more)
    add("response_item", type="message", role="user", content=[{"type": "input_text", "text": session.request}])
    for place, call in enumerate(session.calls):
        id = f"call_{session.number}_{place}"
        if call.kind in ("write", "edit"):
            add("response_item", type="custom_tool_call", call_id=id, name="apply_patch", input=_as_patch(call))
            kind, output = "custom_tool_call_output", {"output": "Success.", "metadata": {"exit_code": 0}}
        else:
            command = f"cat {call.given['path']}" if call.kind == "read" else call.given["command"]
            arguments = json.dumps({"command": ["bash", "-lc", command]})
            add("response_item", type="function_call", call_id=id, name="shell", arguments=arguments)
            kind, output = "function_call_output", {"output": call.said, "metadata": {"exit_code": call.code}}
        add("response_item", type=kind, call_id=id, output=json.dumps(output))
    add("response_item", type="message", role="assistant", content=[{"type": "output_text", "text": "Done."}])
    if session.thanks:
        add("response_item", type="message", role="user", content=[{"type": "input_text", "text": session.thanks}])
    _lines(folder / f"rollout-2026-05-01T11-00-00-{name}.jsonl", lines)


def openhands(session: Worked, folder: Path) -> None:
    """As OpenHands saves a trajectory: a list of events."""
    events: list[dict[str, Any]] = []

    def add(source: str, **more: Any) -> int:
        day, minute = 1 + session.number % 27, len(events)
        at = f"2026-05-{day:02d}T12:{minute // 60:02d}:{minute % 60:02d}.{session.number:06d}"
        events.append({"id": len(events), "timestamp": at, "source": source, **more})
        return len(events) - 1

    add("user", action="message", args={"content": session.request})
    for call in session.calls:
        kind, given = call.kind, dict(call.given)
        if kind == "edit":
            given = {"path": given["path"], "command": "str_replace", "old_str": given["old"], "new_str": given["new"]}
        elif kind == "write":
            given = {"path": given["path"], "content": given["text"]}
        cause = add("agent", action=kind, args=given)
        if kind == "run":
            add(
                "agent",
                observation="run",
                cause=cause,
                content=call.said,
                extras={"metadata": {"exit_code": call.code}},
            )
        else:
            add("agent", observation=kind, cause=cause, content=call.said, extras={"path": given["path"]})
    add("agent", action="finish", args={"final_thought": "Done."})
    if session.thanks:
        add("user", action="message", args={"content": session.thanks})
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"trajectory-{session.number}.json").write_text(json.dumps(events))


WRITERS: dict[str, Callable[[Worked, Path], None]] = {
    "claude_code": claude_code,
    "codex": codex,
    "openhands": openhands,
}


def _for_claude(call: Call) -> tuple[str, dict[str, str]]:
    if call.kind == "run":
        return "Bash", {"command": call.given["command"]}
    path = {"file_path": f"{HOME}/{call.given['path']}"}
    if call.kind == "read":
        return "Read", path
    if call.kind == "write":
        return "Write", {**path, "content": call.given["text"]}
    return "Edit", {**path, "old_string": call.given["old"], "new_string": call.given["new"]}


def _as_patch(call: Call) -> str:
    if call.kind == "write":
        body = "".join(f"+{line}\n" for line in call.given["text"].splitlines())
        return f"*** Begin Patch\n*** Add File: {call.given['path']}\n{body}*** End Patch"
    gone = "".join(f"-{line}\n" for line in call.given["old"].splitlines())
    came = "".join(f"+{line}\n" for line in call.given["new"].splitlines())
    return f"*** Begin Patch\n*** Update File: {call.given['path']}\n@@\n{gone}{came}*** End Patch"


def _numbered(text: str) -> str:
    return "\n".join(f"{number:6d}→{line}" for number, line in enumerate(text.splitlines(), start=1))


def _lines(path: Path, records: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
