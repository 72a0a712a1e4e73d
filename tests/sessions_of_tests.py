"""Logs of sessions that met one fault and got over it in the same way, so that the rules have something to learn."""

import json
from pathlib import Path


def sessions(folder: Path, package: str = "asgiref", count: int = 6, start: int = 0) -> Path:
    """Write so many logs into a folder, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(start, start + count):
        wrong = f"Traceback (most recent call last):\nModuleNotFoundError: No module named '{package}'"
        told = [
            {"role": "user", "content": f"Make the tests of module {number} pass."},
            _call("a", "python -m pytest"),
            {"role": "tool", "tool_call_id": "a", "content": wrong},
            _call("b", f"pip install {package}"),
            {"role": "tool", "tool_call_id": "b", "content": f"Successfully installed {package}"},
            {"role": "assistant", "content": f"The tests of module {number} pass."},
        ]
        (folder / f"{package}-{number}.json").write_text(json.dumps({"messages": told}))
    return folder


def _call(id: str, command: str) -> dict[str, object]:
    given = {"name": "bash", "arguments": json.dumps({"command": command})}
    return {"role": "assistant", "content": None, "tool_calls": [{"id": id, "type": "function", "function": given}]}
