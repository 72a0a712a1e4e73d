"""Does the work of a log again, inside the sandbox. It is copied there and run alone: nothing but the standard library.

Reads the operations from the file that its first argument names, works in the directory it is started in, and prints
one JSON object: what became of each operation, and where the shell stood at the end.
"""

from __future__ import annotations  # an environment may have an older Python

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

READ, SHOWN = 20_000, 300
"""So much is read of what a command prints, and so much of its end is told."""
LOOKED_AT, NAMED = 20_000, 100
"""So many files are looked at after a command, and so many that it changed are told."""


TARGET = re.compile(r"(?<![<>&])>{1,2}\s*([\w./-]+/[\w.-]+)")


def main() -> None:
    """Do all operations, one after the other."""
    given = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    root, stands = os.getcwd(), os.path.join(os.getcwd(), given["stands"])
    until = time.monotonic() + given["seconds"]
    os.environ.update(given.get("environment", {}))
    if given.get("first"):
        _run(given["first"], root, given["each"])
    told = []
    for item in given["work"]:
        if item["kind"] == "run":
            folder = os.path.join(root, item["folder"]) if item["folder"] is not None else stands
            here = folder if os.path.isdir(folder) else root
            _make_folders(item["command"], here, root)
            before = _states(root, given["noise"])
            done, after = _run(item["command"], here, min(given["each"], until - time.monotonic()))
            changed = _changed(before, _states(root, given["noise"]))
            stands = after if item["folder"] is None and _within(after, root) else stands
            said = done.pop("output")
            same = said.strip() == item["output"].strip()
            where = {"folder": os.path.relpath(here, root), "changed": changed}
            told.append({**done, "same": same, "said": said[-SHOWN:], **where})
        else:
            told.append({"did": _do(item)})
    sys.stdout.write(json.dumps({"told": told, "stands": os.path.relpath(stands, root)}) + "\n")


def _states(root: str, noise: list[str]) -> dict[str, tuple[int, int, int]]:
    """What tells of each file whether it was changed."""
    found: dict[str, tuple[int, int, int]] = {}
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in noise)
        for name in sorted(files):
            with contextlib.suppress(OSError):
                state = os.lstat(os.path.join(folder, name))
                path = os.path.relpath(os.path.join(folder, name), root)
                found[path] = (state.st_mtime_ns, state.st_size, state.st_ino)
        if len(found) > LOOKED_AT:
            break
    return found


def _changed(before: dict[str, tuple[int, int, int]], after: dict[str, tuple[int, int, int]]) -> list[str]:
    """Files that were made, changed or removed, by names that can be told."""
    paths = sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
    return [path for path in paths if path.isprintable() and len(path) < SHOWN][:NAMED]


def _do(item: dict[str, Any]) -> str:
    """What became of an operation on a file: 'done', or why not."""
    path = Path(item["path"])
    try:
        there = path.read_text(encoding="utf-8") if path.is_file() else None
        if item["kind"] == "read":
            return (
                "missing" if there is None else "done" if there.rstrip("\n") == item["text"].rstrip("\n") else "other"
            )
        if item["kind"] == "write":
            return _write(path, item["text"])
        if there is None:
            return "missing"
        if item["kind"] == "remove":
            path.unlink()
        elif item["kind"] == "move":
            Path(item["text"]).parent.mkdir(parents=True, exist_ok=True)
            path.rename(item["text"])
        elif item["kind"] == "insert":
            lines = there.splitlines(keepends=True)
            text = item["text"] if item["text"].endswith("\n") else item["text"] + "\n"
            return _write(path, "".join([*lines[: item["line"]], text, *lines[item["line"] :]]))
        elif item["kind"] == "lines":
            lines = there.splitlines(keepends=True)
            if not 1 <= item["line"] <= item["to"] <= max(1, len(lines)):
                return "no match"
            return _write(path, "".join([*lines[: item["line"] - 1], item["text"] + "\n", *lines[item["to"] :]]))
        elif item["kind"] == "edit":
            if item["old"] not in there:
                return "no match"
            return _write(path, there.replace(item["old"], item["text"], -1 if item["every"] else 1))
        else:
            return "unclear"
    except (OSError, UnicodeError, ValueError) as error:
        return f"failed: {type(error).__name__}"
    return "done"


def _write(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return "done"


def _run(command: str, folder: str, seconds: float) -> tuple[dict[str, Any], str]:
    """Run one command of the log as its shell did; what it leaves running is ended with the sandbox."""
    if seconds <= 0:
        return {"did": "no time", "exit_code": None, "output": ""}, folder
    with tempfile.TemporaryDirectory() as aside:
        out = os.path.join(aside, "out")
        script, stood = "/tmp/command", os.path.join(aside, "stood")  # what a shell says has the name of its script
        Path(script).write_text(command, encoding="utf-8")
        shell = 'trap \'pwd -P > "$1"\' EXIT; . "$0"'
        with open(out, "wb") as sink:
            try:
                done = subprocess.run(
                    ["bash", "-c", shell, script, stood],
                    cwd=folder,
                    stdin=subprocess.DEVNULL,
                    stdout=sink,
                    stderr=subprocess.STDOUT,
                    timeout=seconds,
                    env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
                )
                code: int | None = done.returncode
            except subprocess.TimeoutExpired:
                code = None
        with open(out, "rb") as source:
            shown = source.read(READ).decode("utf-8", "replace")
        after = Path(stood).read_text(encoding="utf-8").strip() if os.path.isfile(stood) else folder
    return {"did": "done" if code is not None else "no end", "exit_code": code, "output": shown}, after


def _make_folders(command: str, here: str, root: str) -> None:
    """Folders that a command of the log wrote to were there, or it made them: an empty one is nowhere in a log."""
    for path in TARGET.findall(command):
        folder = os.path.dirname(os.path.normpath(os.path.join(here, path)))
        if _within(folder, root):
            with contextlib.suppress(OSError):
                os.makedirs(folder, exist_ok=True)


def _within(folder: str, root: str) -> bool:
    return folder == root or folder.startswith(f"{root}/")


if __name__ == "__main__":
    main()
