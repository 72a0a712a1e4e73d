"""Shell commands as the miner sees them: segments, their programs, and the words that two commands do not share."""

import re
import shlex
from typing import NamedTuple

LONGEST = 2000
MOST_SEGMENTS = 8
MOST_WORDS = 40
WITH_SUBCOMMAND = frozenset(
    [
        "apk",
        "apt",
        "apt-get",
        "aws",
        "brew",
        "bundle",
        "cargo",
        "composer",
        "conda",
        "docker",
        "docker-compose",
        "dotnet",
        "gem",
        "gh",
        "git",
        "go",
        "gradle",
        "helm",
        "just",
        "kubectl",
        "make",
        "mamba",
        "mvn",
        "npm",
        "npx",
        "nox",
        "pdm",
        "pip",
        "pip3",
        "pipenv",
        "pnpm",
        "podman",
        "poetry",
        "rails",
        "rake",
        "rustup",
        "service",
        "systemctl",
        "terraform",
        "tox",
        "uv",
        "yarn",
        "yum",
        "dnf",
    ]
)
"""Programs whose first word says what they do."""
PASSED_OVER = frozenset(["cd", "pushd", "popd", "source", ".", "set", "export", "true", ":", "wait", "clear"])
"""Words of a shell that do nothing by themselves; `export` counts where it is what put something right."""
WRAPPERS = frozenset(["sudo", "time", "env", "nohup", "command", "exec", "timeout", "xvfb-run", "nice", "stdbuf"])
INSTALLERS = {
    "pip install": "python",
    "pip3 install": "python",
    "python -m pip install": "python",
    "uv add": "python",
    "conda install": "python",
    "mamba install": "python",
    "poetry add": "python",
    "npm install": "node",
    "npm i": "node",
    "npm add": "node",
    "yarn add": "node",
    "pnpm add": "node",
    "pnpm install": "node",
    "apt-get install": "command",
    "apt install": "command",
    "apk add": "command",
    "brew install": "command",
    "yum install": "command",
    "dnf install": "command",
    "gem install": "ruby",
    "cargo install": "command",
    "go install": "command",
}
"""Commands that install packages by name, and what kind of thing these are."""
READ_ONLY = frozenset(
    [
        "ls",
        "cat",
        "head",
        "tail",
        "pwd",
        "which",
        "grep",
        "rg",
        "find",
        "wc",
        "stat",
        "tree",
        "file",
        "echo",
        "less",
        "more",
        "sed",
        "awk",
        "type",
        "du",
        "df",
    ]
)
"""Programs that put nothing right: they look."""
PACKAGE = re.compile(r"\A@?[A-Za-z][\w.-]*(?:/[\w.-]+)?(?:\[[\w,-]+\])?(?:[=<>~!]=?[\w.*,<>=!]+)?\Z")
PLAIN = re.compile(r"\A(@?[A-Za-z][\w.-]*(?:/[\w.-]+)?)")
SPLIT = re.compile(r"\A(?:&&|\|\||;|\n|\|)")


class Segment(NamedTuple):
    """One command of a line: its program with its subcommand, and all its words."""

    program: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join(self.words)


def segments(command: str) -> list[Segment]:
    """The commands of a line that do something, in order; of a pipe the first one."""
    found: list[Segment] = []
    for text, before in _split(command.partition("<<")[0][:LONGEST]):
        if before == "|":
            continue
        words = _words(text)
        if words and words[0] not in PASSED_OVER | {"export"}:
            found.append(Segment(_program(words), words))
        elif words and words[0] == "export" and len(words) > 1:
            found.append(Segment("export", words))
    return found[:MOST_SEGMENTS]


def installed_by(segment: Segment) -> tuple[str, tuple[str, ...]]:
    """What a segment installs by name: the kind ('python', 'node', 'command') and the packages; '' for none.

    A command that names an index, an address, a file or a folder installs nothing that its words tell.
    """
    kind = INSTALLERS.get(segment.program, "")
    if not kind:
        return "", ()
    skip = len(segment.program.split())
    names = []
    for word in segment.words[skip:]:
        if word.startswith("-"):
            if word in ("-r", "-e", "--requirement", "--editable") or "index" in word or "find-links" in word:
                return "", ()
            continue
        if not PACKAGE.match(word) or word in (".", "..") or ("/" in word and not word.startswith("@")):
            return "", ()
        names.append((PLAIN.match(word) or [""])[0].rstrip("."))
    return (kind, tuple(names)) if names else ("", ())


def changed(before: Segment, after: Segment) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words that only the first has, and those that only the second has."""
    old, new = list(before.words), list(after.words)
    gone = tuple(word for word in old if word not in new)
    come = tuple(word for word in new if word not in old)
    return gone, come


def tail(word: str, parts: int = 2) -> str:
    """A long path by its last parts, after an ellipsis; any other word as it is."""
    pieces = [piece for piece in word.split("/") if piece]
    if "/" not in word or "://" in word or len(pieces) <= parts:
        return word
    return "…/" + "/".join(pieces[-parts:])


def _split(command: str) -> list[tuple[str, str]]:
    """Pieces of a line with the separator before each; separators in quotes separate nothing."""
    pieces, start, quote, before, at = list[tuple[str, str]](), 0, "", "", 0
    while at < len(command):
        sign = command[at]
        if quote:
            if sign == quote and command[at - 1] != "\\":
                quote = ""
            at += 1
            continue
        if sign in "'\"":
            quote = sign
        elif found := SPLIT.match(command[at : at + 2]):
            pieces.append((command[start:at], before))
            before = found[0]
            at += len(before)
            start = at
            continue
        at += 1
    pieces.append((command[start:], before))
    return pieces


def _words(text: str) -> tuple[str, ...]:
    text = re.sub(r"\d?>{1,2}\s*(?:&\d|\S+)|&>\s*\S+|\s&\s*\Z", " ", text)
    try:
        words = shlex.split(text, comments=True)
    except ValueError:
        words = text.split()
    while words and (re.match(r"\A\w+=", words[0]) or words[0] in WRAPPERS or re.match(r"\A\d+[smh]?\Z", words[0])):
        words = words[1:]
    return tuple(words[:MOST_WORDS])


def _program(words: tuple[str, ...]) -> str:
    """`git commit`, `python -m pytest`, `pytest`: what a person would call it."""
    first = words[0].rsplit("/", 1)[-1]
    if re.match(r"\Apython[\d.]*\Z", first) and len(words) > 2 and words[1] == "-m":
        if words[2] == "pip" and len(words) > 3:
            return f"python -m pip {words[3]}"
        return f"python -m {words[2]}" if first in ("python", "python3") else f"{first} -m {words[2]}"
    if first in WITH_SUBCOMMAND:
        sub = next((word for word in words[1:] if re.match(r"\A[a-z][\w:-]{0,20}\Z", word)), "")
        return f"{first} {sub}".strip()
    return first if re.match(r"\A[\w.+-]{1,40}\Z", first) else ""
