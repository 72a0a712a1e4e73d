"""SWE-agent's own commands, which no shell has, as the operations they are: `create`, `open`, `edit 10:12`."""

import re
from collections.abc import Iterator
from typing import Any

from trace2skill.mined.reads import read_whole

EDIT = re.compile(r"edit (?P<first>\d{1,7}):(?P<last>\d{1,7})\n(?P<text>.*?)\n?end_of_edit", re.S)
PATH = re.compile(r"(?P<name>create|open) [\"']?(?P<path>[^\s\"']{1,500})[\"']?(?: \d{1,7})?")
LOOKS = frozenset({"goto", "scroll_up", "scroll_down", "search_dir", "search_file", "find_file"})
PROMPT = re.compile(r"\(Open file: [^\n]{0,500}\)\n\(Current directory: (?P<folder>[^\n]{0,500})\)\nbash-\$\s{0,9}\Z")
SHOWS = "[File: "
REFUSED = "Your proposed edit has introduced"


def of_swe_agent(command: str, said: str) -> Iterator[dict[str, Any]] | None:
    """Fields of the operations that a command is; None where it is a shell's. One that was refused did nothing.

    Of a shell's, what it printed stands before the prompt, which says where it ran.
    """
    text = command.strip()
    if (prompt := PROMPT.search(said)) is not None:
        said = said[: prompt.start()].rstrip() + "\n"
    if text == "submit":  # it prints the diff of all that was done
        return iter([{"kind": "run", "command": "git diff", "output": said}])
    if text.partition(" ")[0] in LOOKS:
        return iter(())
    if (edit := EDIT.fullmatch(text)) is not None:
        lines: dict[str, Any] = {"line": int(edit["first"]), "to": int(edit["last"]), "text": edit["text"]}
        return iter([{"kind": "lines", **lines}] if SHOWS in said and REFUSED not in said else [])
    if (named := PATH.fullmatch(text)) is None:
        if prompt is None:
            return None
        folder = {} if re.search(r"\bcd\b", text) else {"folder": prompt["folder"]}
        return iter([{"kind": "run", "command": command, "output": said, **folder}])
    if SHOWS not in said:
        return iter(())
    if named["name"] == "create":
        return iter([{"kind": "write", "path": named["path"], "text": "\n"}])
    whole = read_whole(said, {})
    return iter([{"kind": "read", "path": named["path"], "text": whole or "", "whole": whole is not None}])
