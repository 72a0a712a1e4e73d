"""What an agent ran, laid out for the error analyst, so that a fix may start from it."""

import re
from collections.abc import Iterator
from pathlib import Path

from trace2skill.core.here_documents import here_documents
from trace2skill.types.trajectory import Trajectory

COMMANDS = "commands.sh"
MOST_FILES, MOST_CHARS = 40, 100_000
TO_FILE = re.compile(r"(?<![\d&>])>[ \t]*['\"]?(?P<path>[\w./~+-]+)")
PROGRAM = re.compile(r"\b(?P<kind>python3?|bash|sh|node|perl|ruby)\b")
SUFFIXES = {"bash": "sh", "sh": "sh", "node": "js", "perl": "pl", "ruby": "rb"}
PATHS, TEXTS = ("file_path", "path", "filename"), ("content", "file_text", "contents")
"""Arguments of the tools with which other agents write files."""


def write_agent_files(trajectory: Trajectory, directory: Path) -> None:
    """Write `commands.sh` and the files that the agent wrote in its commands, each as it wrote it last.

    A program that was handed to an interpreter without a file has the name of its step, `step_004.py`.
    """
    directory.mkdir(parents=True)
    files = files_written(trajectory)
    for name, text in [*files.items()][-MOST_FILES:]:
        (directory / name).write_text(text[:MOST_CHARS], encoding="utf-8", errors="replace")
    commands = "\n\n".join(f"# step {step}\n{command}" for step, command in _commands(trajectory))
    (directory / COMMANDS).write_text(commands[:MOST_CHARS] + "\n", encoding="utf-8", errors="replace")


def files_written(trajectory: Trajectory) -> dict[str, str]:
    """The texts that the agent wrote in its commands by name, each as it wrote it last, in the order of that."""
    files: dict[str, str] = {}
    for name, text in _written(trajectory):
        files.pop(name, None)
        files[name] = text
    return files


def _commands(trajectory: Trajectory) -> Iterator[tuple[int, str]]:
    for step in trajectory.steps:
        for call in step.tool_calls:
            command = call.arguments.get("command")
            if step.source == "agent" and isinstance(command, str):
                yield step.number, command


def _written(trajectory: Trajectory) -> Iterator[tuple[str, str]]:
    """Name and text of all that was written, in order."""
    for number, command in _commands(trajectory):
        for found in here_documents(command):
            to, program = TO_FILE.search(found.line), PROGRAM.search(found.line)
            if to:
                yield _name(to["path"]), found.body
            elif program:
                yield f"step_{number:03d}.{SUFFIXES.get(program['kind'], 'py')}", found.body
    for step in trajectory.steps:
        for call in step.tool_calls:
            path, text = (
                next((call.arguments[key] for key in keys if key in call.arguments), None) for keys in (PATHS, TEXTS)
            )
            if isinstance(path, str) and isinstance(text, str):
                yield _name(path), text


def _name(path: str) -> str:
    """A name in one folder: of `src/app/main.py` it is `src_app_main.py`."""
    name = re.sub(r"[^\w.+-]+", "_", path.removeprefix("/workspace/").lstrip("./~"))[-100:].lstrip(".") or "file"
    return f"agent_{name}" if name == COMMANDS else name
