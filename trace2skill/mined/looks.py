"""Commands that show something and change nothing: they need not be done again.

What is not known to change nothing is done again, which costs a moment; what is taken for a look and is none leaves out
a part of the work, and what was right in the log would be held against files that it never made.
"""

import re
import shlex
from collections.abc import Sequence

BEFORE = re.compile(r"\A\s*cd\s+[^\s<>`$&;|(){}]+\s*(?:&&|;)")
ONE_COMMAND = re.compile(r"(?:[^'\"<>`$&;|(){}\\]|'[^']*'|\"[^\"$`\\]*\")*\Z")
"""Words, some of them quoted: nothing that a shell would do more than call a program with."""
PLAIN = frozenset({
    "ls", "pwd", "whoami", "which", "type", "grep", "head", "tail", "wc", "stat", "du", "df", "printenv", "echo", "cat",
    "uname", "id",
})  # fmt: skip
WITHOUT_OPTIONS = frozenset({"less", "more", "tree", "file", "date"})
"""Some of their options write files, or set what they show."""
CHANGING = {
    "rg": ("--pre",),
    "find": ("-delete", "-exec", "-ok", "-fprint", "-fls"),
    "git log": ("--ou", "--ext"),
    "git diff": ("--ou", "--ext"),
    "git show": ("--ou", "--ext"),
}
"""How options begin by which a look becomes something else."""
ALONE = {
    "env": frozenset[str](),
    "git remote": frozenset({"-v"}),
    "git branch": frozenset({"--list", "--all", "--show-current", "-a", "-v", "-r", "-av", "-vv"}),
    "git status": frozenset({"-s", "--short", "-sb", "--porcelain", "."}),
}
"""All that may follow."""


def looks(command: str) -> bool:
    """Does each line of a command show something, and change nothing?"""
    return all(_is_look(line) for line in command.split("\n") if line.strip())


def _is_look(line: str) -> bool:
    before = BEFORE.match(line)
    rest = line[before.end() :] if before else line
    if not ONE_COMMAND.match(rest):
        return False
    try:
        words = shlex.split(rest)
    except ValueError:  # a quotation that goes on in the next line
        return False
    return bool(words) and _changes_nothing(words)


def _changes_nothing(words: Sequence[str]) -> bool:
    program, given = (" ".join(words[:2]), words[2:]) if words[0] == "git" else (words[0], words[1:])
    if program in ALONE:
        return ALONE[program].issuperset(given)
    if program in CHANGING:
        return not any(word.startswith(CHANGING[program]) for word in given)
    return program in PLAIN or (program in WITHOUT_OPTIONS and not any(word.startswith("-") for word in given))
