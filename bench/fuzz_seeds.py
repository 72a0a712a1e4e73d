"""What the fuzz bench mutates: an answer, a skill, a patch, logs, a workbook, a server's reply."""

import io
import json
from typing import Any

from openpyxl import Workbook

from trace2skill.types.task import Task

TABLE = Task(id="t", domain="table_qa", instruction="How many?", detail={"gold": "12", "canon": "12.0"}, content="c")
PAGE = Task(id="p", domain="document_qa", instruction="Who?", detail={"answers": '["12"]'}, content="c")

SKILL = """\
---
name: sums
description: "Adds numbers; use it for sums."
metadata:
  author: somebody
---
# Sums

## Rules

- Add every number once.
- Write *plain* digits, see [the list](references/list.md).

| a | b |
|---|---|
| 1 | 2 |

```python
print(1)
```

## Ends

1. Check it.
2. Say it.
"""

PATCH = json.dumps(
    {
        "edits": [
            {
                "op": "append_to_section",
                "file": "SKILL.md",
                "section": ["Rules"],
                "content": "- Look.",
                "lessons": ["L1"],
            }
        ]
    }
)
REPLY = {
    "id": "1", "object": "chat.completion", "created": 1, "model": "m",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "fine", "tool_calls": [
        {"id": "c", "type": "function", "function": {"name": "bash", "arguments": "{\"command\": \"ls\"}"}}]}}],
    "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110, "prompt_tokens_details": {"cached_tokens": 5}},
}  # fmt: skip
TALK = [
    {"role": "user", "content": "Count the rows of a.csv, my mail is me@example.com"},
    {"role": "assistant", "content": "I look.", "tool_calls": [
        {"id": "c1", "type": "function", "function": {"name": "bash", "arguments": json.dumps({"command": "wc -l a.csv"})}}]},
    {"role": "tool", "tool_call_id": "c1", "content": "wc: a.csv: No such file or directory\n[exit 1]"},
    {"role": "assistant", "content": "There are 3."}, {"role": "user", "content": "Thanks, that works"},
]  # fmt: skip
LOGS: dict[str, Any] = {
    "chat.jsonl": [{"id": "s1", "messages": TALK, "reward": 1}], "messages.jsonl": TALK, "one.json": {"messages": TALK},
    "claude.jsonl": [
        {"type": "user", "sessionId": "s", "uuid": "u1", "parentUuid": None, "timestamp": "2026-01-01T00:00:00Z", "cwd": "/w",
         "message": {"role": "user", "content": "Count the rows."}},
        {"type": "assistant", "sessionId": "s", "uuid": "u2", "parentUuid": "u1", "timestamp": "2026-01-01T00:00:01Z", "message": {
            "id": "m", "role": "assistant", "model": "x", "content": [{"type": "text", "text": "I look."},
            {"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "wc -l a"}}], "usage": {"input_tokens": 5, "output_tokens": 2}}},
        {"type": "user", "sessionId": "s", "uuid": "u3", "parentUuid": "u2", "timestamp": "2026-01-01T00:00:02Z", "message": {
            "role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "3 a", "is_error": False}]}},
    ],
    "codex.jsonl": [
        {"timestamp": "2026-01-01T00:00:00Z", "type": "session_meta", "payload": {"id": "s", "cwd": "/w", "cli_version": "1"}},
        {"timestamp": "2026-01-01T00:00:01Z", "type": "response_item", "payload": {"type": "message", "role": "user", "content": [
            {"type": "input_text", "text": "Count."}]}},
        {"timestamp": "2026-01-01T00:00:02Z", "type": "response_item", "payload": {
            "type": "function_call", "name": "shell", "call_id": "c", "arguments": json.dumps({"command": ["bash", "-lc", "wc -l a"]})}},
        {"timestamp": "2026-01-01T00:00:03Z", "type": "response_item", "payload": {
            "type": "function_call_output", "call_id": "c", "output": json.dumps({"output": "3", "metadata": {"exit_code": 0}})}},
    ],
    "atif.json": {"schema_version": "ATIF-v1.2", "session_id": "s", "agent": {"name": "a", "version": "1"}, "steps": [
        {"step_id": 1, "source": "user", "message": "Count."},
        {"step_id": 2, "source": "agent", "message": "", "tool_calls": [
            {"tool_call_id": "c", "function_name": "bash", "arguments": {"command": "ls"}}],
         "observation": {"results": [{"source_call_id": "c", "content": "a"}]}}]},
    "cline.json": [{"role": "user", "content": [{"type": "text", "text": "<task>\nCount.\n</task>"}]},
                   {"role": "assistant", "content": "<thinking>a</thinking><execute_command>\n<command>ls</command>\n</execute_command>"},
                   {"role": "user", "content": [{"type": "text", "text": "[execute_command for 'ls'] Result:\nCommand executed.\nOutput:\na"}]}],
}  # fmt: skip


def _book() -> bytes:
    book = Workbook()
    sheet = book.active
    sheet.title = "Data"
    for row in (("name", "count", "sum"), ("a", 1, 1), ("b", 2, 3), ("c", 3.5, 6.5)):
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


BOOK = _book()
