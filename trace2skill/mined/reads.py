"""Whole files out of what readings answered: with numbers before the lines, by `cat`, or as they are.

A content that was cut, or of which a part was asked for, is none: what is not known is not made up.
"""

import re
import shlex
from collections.abc import Mapping
from typing import Any

NUMBERED = re.compile(r"\A\s*(\d{1,7})(?:→|\t|\|)(.*)\Z", re.S)
WITH_COLON = re.compile(r"\A\s*(\d{1,7}):(.*)\Z", re.S)
HEAD = re.compile(
    r"\A(?:Here's the result of running `cat -n` on [^\n]*:|\[File: [^\n]*\((?P<lines>\d{1,7}) lines total\)\])\r?\n"
)
REMINDER = "<system-reminder>"
CUT = re.compile(
    r"(?i)<response clipped>|\[?(?:output|content|file|result|lines?)[^\n]{0,40} (?:truncated|omitted|clipped)"
    r"|\.\.\. ?\[?[\d,]{1,12} (?:more )?(?:lines|characters|chars|bytes)|\[truncated"
    r"|\(\d{1,9} more lines (?:above|below)\)|\d{1,12} (?:chars|tokens) truncated"
)
LIMIT = 2000
"""So many lines a reading shows where nobody says how many (Claude Code, and others after it)."""
FROM = ("offset", "start_line", "startLine", "start")
COUNT = ("limit", "lines", "end_line", "endLine")
BEFORE = re.compile(r"\Acd\s+([^\s;&|'\"]+)\s*&&\s*")
SED = re.compile(r"\A'?1,(\d{1,6})p'?\Z")


def read_whole(shown: str, asked: Mapping[str, Any]) -> str | None:
    """The file that a reading shows, None where it shows no more than a part of it."""
    if asked.get("view_range") or any(_number(asked.get(name)) > 1 for name in FROM):
        return None
    most = min([number for name in COUNT if (number := _number(asked.get(name)))] or [LIMIT])
    head = HEAD.match(shown)
    text, reminded, _ = (shown[head.end() :] if head else shown).partition(REMINDER)
    text = text.rstrip("\n") if reminded else text
    if head and head["lines"]:  # SWE-agent shows a window of a file, and around it where it stands
        lines = [line for line in text.replace("\r\n", "\n").split("\n") if WITH_COLON.match(line)]
        whole = len(lines) == int(head["lines"])
        return _plain("\n".join(lines), most, numbered=True, form=WITH_COLON) if whole else None
    return _plain(text, most)


def read_by_command(command: str, shown: str) -> tuple[str, str] | None:
    """The file that a command prints whole, by its path, and what it holds; None for any other command."""
    before = BEFORE.match(command.strip())
    rest = command.strip()[before.end() :] if before else command.strip()
    if any(sign in rest for sign in "|;&<>\n$`*?"):
        return None
    try:
        words = shlex.split(rest)
    except ValueError:
        return None
    most = LIMIT * 50
    if len(words) == 4 and words[:2] == ["sed", "-n"] and (part := SED.match(words[2])):
        most = int(part[1])
    elif not (len(words) == 2 and words[0] == "cat") and not (
        len(words) == 3 and words[:2] in (["nl", "-ba"], ["cat", "-n"])
    ):
        return None
    path = words[-1]
    text = _plain(shown, most, numbered=words[0] == "nl" or words[:2] == ["cat", "-n"])
    if path.startswith("-") or text is None:
        return None
    return (f"{before[1].rstrip('/')}/{path}" if before and not path.startswith(("/", "~")) else path), text


def _plain(text: str, most: int, *, numbered: bool | None = None, form: re.Pattern[str] = NUMBERED) -> str | None:
    """The lines without their numbers: there are some for sure (True), none (False), or whatever looks like it."""
    lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
    if len(lines) >= most or CUT.search(text[-2000:]) or CUT.search(text[:500]):
        return None
    found = [form.match(line) for line in lines] if numbered is not False else []
    if found and all(found):
        told = [match for match in found if match]
        if [int(match[1]) for match in told] == list(range(1, len(told) + 1)):
            lines = [match[2] for match in told]
        elif numbered or len(told) > 1:
            return None  # numbers that begin elsewhere: a part
    elif numbered:
        return None
    return "".join(f"{line}\n" for line in lines) if lines != [""] else ""


def _number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
