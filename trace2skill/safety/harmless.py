"""What looks dangerous and is not: a command that a rule warns of, a mention, a clean-up of what a build made.

What is excused here is excused by what stands around it in the same sentence, never by a word somewhere in the text.
"""

import base64
import binascii
import re
from collections.abc import Iterator

from trace2skill.safety.scopes import speaks_of_others, stays_within_work

WARNS = re.compile(
    r"(?:\b(?:never|do not|don't|don’t|dont|avoid|must not|mustn't|should not|shouldn't|cannot|can't|instead of|rather than|not|no|without|nie|niemals|nicht|kein|keine|nunca|jamás|jamas|evita"
    r"|никогда не|не|нельзя|избегай(?:те)?)|(?:不要|切勿|禁止|不得|避免|绝不|別|别))\s*(?:ever\s+|to\s+|just\s+|blindly\s+|simply\s+)?"
    r"(?:(?:run|use|using|execute|call|type|issue|pipe|rely on|running|pass|passing|set|setting|add|adding|try|with|commit|edit|write to|touch|read|print|need|require|start|install|"
    r"ausführen|verwende\w*|nutze\w*|benutze\w*|ejecut\w+|us[ea]s?|запуска\w+|использу\w+|применя\w+|运行|執行|执行|使用|用)\s*)?(?:(?:with|by|via|through|mit|con)\s+)?(?:the |a |an |any )?(?:command |flag |option )?[`\"'“]?\Z",
    re.IGNORECASE,
)
SENTENCE_END = re.compile(r"[.!?;。！？；]\s|\n|,\s")
MADE_BY_BUILDS = re.compile(
    r"\brm\s+(?:-[\w-]+\s+)+[`\"']?(?:\./)?(?:build|dist|target|node_modules|__pycache__|\.?pytest_cache|\.mypy_cache|\.ruff_cache|\.tox|\.venv|venv|out|tmp|temp|coverage|htmlcov|\.next|\.cache|[\w-]+\.egg-info"
    r"|\*\.(?:o|pyc|tmp|log|bak|class))/?[`\"'.,;:)]*\Z",
    re.IGNORECASE,
)
ANOTHER_TARGET = re.compile(r"\s+[\"']?(?:[/~$*.]|[\w.-]+/)")
"""A path behind the first: what is done to that one excuses nothing."""
ONE_VARIABLE = re.compile(r"\brm\s+(?:-[fiv]+\s+)*(?:--\s+)?\"\$\{?\w+\}?\"[`.,;:)]*\Z")
FETCHES = re.compile(r"\b(?:curl|wget)\s", re.IGNORECASE)
LOCAL = re.compile(
    r"(?:https?://)?(?:localhost|127\.0\.0\.1|\[::1\]|0\.0\.0\.0)(?::\d+)?(?:/[\w./?=&%-]*)?", re.IGNORECASE
)
GOES_OUT = re.compile(
    r"://|\b[\w-]+\.[a-z]{2,24}\b(?![\w(])|\b\d{1,3}(?:\.\d{1,3}){3}\b|\|\s*(?:sudo\s+)?(?:\w*sh|python3?|perl|ruby|node)\b|(?:-d|--data[\w-]{0,16}|-F|--form|-T|--upload-file)\s{0,20}[^\s@<]{0,200}[@<]|\$\(|`\s*\|",
    re.IGNORECASE,
)
MENTIONED = re.compile(
    r"\Asudo(?:\s+(?:is|isn't|isnt|are|was|were|in|not|nor|rights?|password|access|privileges?|needed|available|here|or|and|to|for|at|on|when|where|does|has|works?|fails?|asks|cannot|may|must|unless|if|inside|outside)\b.*)?\Z",
    re.IGNORECASE | re.DOTALL,
)
WRITTEN_TO = re.compile(r"\s(?:-o|-O|--output)\s{1,9}[\w.-]{1,60}(?=[\s`\"']|\Z)")
"""The file that an answer goes to has a name like a host's."""
SAID_OF = re.compile(r"(?:eval|exec)`\s+(?:is|was|are|fails?|cannot|does|returns?|takes?)\b", re.IGNORECASE)
NAMED_ONLY = re.compile(r"\bunder\s+[`\"'“]?\Z", re.IGNORECASE)
WITH_LEASE = re.compile(r"\bgit\s+push\s+(?:\S+\s+)*--force-with-lease\b", re.IGNORECASE)
"""Refused by the server where somebody else has pushed since."""
TOLD_TO_USE = re.compile(
    r"\b(?:use|using|with|via|run|try|through|add|prefix(?: it with)?)\s+[`\"'“]?\Z", re.IGNORECASE
)
LOOPBACK = re.compile(r"\A(?:\w+://)?(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])(?::\d+)?(?:/\S*)?\Z", re.IGNORECASE)
COMMANDS = frozenset({"dangerous command", "turns off a safeguard", "settles where nobody looks"})
PIECES = re.compile(r"(?<![A-Za-z0-9+/=])(?:[A-Za-z0-9+/]{1,16}[ \t_.|,:-]{1,3}){5,}[A-Za-z0-9+/]{1,16}={0,2}")
MIXED = re.compile(r"[a-z][A-Z]|[A-Z]{2}[a-z]|[A-Za-z]\d|\d[A-Za-z]")
"""A word in which letters are mixed as in no language."""
MOST_PIECES, FEWEST_MIXED, FRAME = 400, 3, 6
"""So many words may stand around what is encoded."""
SEPARATORS = re.compile(r"[ \t_.|,:-]+")
PRINTABLE_SHARE, SHORTEST_HIDDEN = 0.95, 12


def is_harmless(reason: str, text: str, match: re.Match[str]) -> bool:
    """Is a suspicious piece excused by what it is or by the words that lead to it?"""
    piece = match[0].strip()
    if reason == "address of a host":
        return bool(LOOPBACK.match(piece.rstrip(".,;:!?`")))
    if reason not in COMMANDS:
        return False
    if WARNS.search(_before(text, match.start())):
        return True
    if reason != "dangerous command":
        return False
    before = _before(text, match.start())
    named = bool(NAMED_ONLY.search(before)) and piece.lower().startswith("sudo")
    mentioned = (MENTIONED.match(piece) and not TOLD_TO_USE.search(before)) or named or WITH_LEASE.match(piece)
    command = command_at(text, match.start())
    alone = not ANOTHER_TARGET.match(command, len(match[0])) and not speaks_of_others(text, match.start())
    if mentioned or (alone and (MADE_BY_BUILDS.search(piece) or ONE_VARIABLE.search(piece))):
        return True
    if FETCHES.match(piece):
        return not GOES_OUT.search(WRITTEN_TO.sub("", LOCAL.sub("", command)))
    return stays_within_work(text, match.start(), command) or SAID_OF.match(text, match.start()) is not None


def _before(text: str, place: int) -> str:
    """What of its sentence stands before a place; a comma ends it, too: 'Never mind, run ...' warns of nothing."""
    head = text[max(0, place - 120) : place]
    ends = list(SENTENCE_END.finditer(head))
    return head[ends[-1].end() :] if ends else head


def command_at(text: str, place: int) -> str:
    """The command from a place on, to the end of its code span or of its line."""
    line = text[place : place + 600].split("\n", 1)[0]
    if text[max(0, place - 200) : place].count("`") % 2:
        return line.split("`", 1)[0]
    return line


def encoded_in_pieces(text: str) -> Iterator[str]:
    """Base64 that was written with blanks or other marks between its letters, where it stands for a text."""
    for found in PIECES.finditer(text):
        pieces = SEPARATORS.split(found[0].strip())[:MOST_PIECES]
        if sum(MIXED.search(piece) is not None for piece in pieces) < FEWEST_MIXED:
            continue
        windows = ((start, len(pieces) - end) for start in range(FRAME) for end in range(FRAME))
        hit = next((window for window in windows if _is_text("".join(pieces[slice(*window)]))), None)
        if hit:
            yield " ".join(pieces[slice(*hit)])


def _is_text(joined: str) -> bool:
    joined = joined.rstrip("=")
    joined = joined[: len(joined) - (len(joined) % 4 == 1)]
    try:
        raw = base64.b64decode(joined + "=" * (-len(joined) % 4), validate=True)
    except (binascii.Error, ValueError):
        return False
    printable = sum(32 <= byte < 127 or byte in (9, 10, 13) for byte in raw)
    return len(raw) >= SHORTEST_HIDDEN and printable >= PRINTABLE_SHARE * len(raw) and b" " in raw
