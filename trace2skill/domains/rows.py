"""Reading a JSONL file of tasks, with errors that name the line."""

import json
from pathlib import Path
from typing import Any

from trace2skill.core.errors import BadInput


def read_rows(path: Path, *needed: str) -> list[dict[str, Any]]:
    """The objects of a JSONL file, in order; empty lines are skipped.

    Args:
        path: the file.
        needed: names that every object must hold, with a value.

    Raises:
        BadInput: the file cannot be read, or a line is no object or lacks something; names file and line.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read: {error}") from error
    rows = [_row(path, number, line, needed) for number, line in enumerate(lines, 1) if line.strip()]
    if not rows:
        raise BadInput(f"{path} holds no task")
    return rows


def _row(path: Path, number: int, line: str, needed: tuple[str, ...]) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise BadInput(f"{path}:{number}: not JSON: {error.msg}") from error
    if not isinstance(row, dict):
        raise BadInput(f"{path}:{number}: not an object")
    if missing := [name for name in needed if row.get(name) in (None, "")]:
        raise BadInput(f"{path}:{number}: it lacks {', '.join(missing)}")
    return row
