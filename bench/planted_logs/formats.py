"""The same session as three programs would log it: chat messages, a Claude Code session, an ATIF document."""

import json
from pathlib import Path
from typing import Any

from bench.planted_logs.worlds import Told


def as_messages(told: Told, folder: Path) -> None:
    """A line of chat messages; all sessions of a folder share a file."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": told.asked}]
    for place, call in enumerate(told.calls):
        function = {"name": call.tool, "arguments": json.dumps(call.arguments)}
        messages.append(
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [{"id": f"c{place}", "type": "function", "function": function}],
            }
        )
        messages.append({"role": "tool", "tool_call_id": f"c{place}", "content": call.answer})
    messages.append({"role": "assistant", "content": "Done."})
    with (folder / "messages.jsonl").open("a") as file:
        file.write(json.dumps({"id": told.id, "messages": messages}) + "\n")


def as_claude(told: Told, folder: Path) -> None:
    """A session file of Claude Code."""
    lines: list[dict[str, Any]] = []

    def line(kind: str, message: dict[str, Any]) -> None:
        number = len(lines)
        common = {"sessionId": told.id, "cwd": "/w", "version": "2.0.1", "isSidechain": False, "userType": "external"}
        before = lines[-1]["uuid"] if lines else None
        when = f"2025-01-01T00:{number // 60:02d}:{number % 60:02d}.000Z"
        lines.append(
            {
                **common,
                "type": kind,
                "uuid": f"{told.id}-{number}",
                "parentUuid": before,
                "timestamp": when,
                "message": message,
            }
        )

    line("user", {"role": "user", "content": told.asked})
    for place, call in enumerate(told.calls):
        used = {"type": "tool_use", "id": f"{told.id}-t{place}", "name": "Bash", "input": call.arguments}
        used |= {"name": call.tool} if call.tool != "bash" else {}
        message = {"role": "assistant", "id": f"{told.id}-m{place}", "model": "m", "content": [used]}
        line("assistant", message)
        shown = f"Exit code {call.code}\n{call.answer}" if call.code else call.answer
        result = {"type": "tool_result", "tool_use_id": used["id"], "content": shown, "is_error": bool(call.code)}
        line("user", {"role": "user", "content": [result]})
    said = {"role": "assistant", "id": f"{told.id}-end", "model": "m", "content": [{"type": "text", "text": "Done."}]}
    line("assistant", said)
    (folder / f"{told.id}.jsonl").write_text("".join(json.dumps(item) + "\n" for item in lines))


def as_atif(told: Told, folder: Path) -> None:
    """A document of the Agent Trajectory Interchange Format."""
    steps: list[dict[str, Any]] = [{"step_id": 1, "source": "user", "message": told.asked}]
    for place, call in enumerate(told.calls):
        made = {"tool_call_id": f"c{place}", "function_name": call.tool, "arguments": call.arguments}
        answered = {"results": [{"source_call_id": f"c{place}", "content": call.answer}]}
        steps.append(
            {
                "step_id": len(steps) + 1,
                "source": "agent",
                "message": "",
                "tool_calls": [made],
                "observation": answered,
            }
        )
    steps.append({"step_id": len(steps) + 1, "source": "agent", "message": "Done."})
    document = {
        "schema_version": "ATIF-v1.4",
        "session_id": told.id,
        "agent": {"name": "bench", "version": "1", "model_name": "m"},
        "steps": steps,
    }
    (folder / f"{told.id}.json").write_text(json.dumps(document))


FORMATS = {"orders": as_messages, "checkout": as_claude, "database": as_atif}
