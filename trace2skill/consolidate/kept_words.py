"""What a line may not lose when it is worded more shortly: code, numbers, paths, names, negations, conditions.

Words are compared as they stand. What only looks like a name is kept, too: a line that stays long costs little, and one
that says something else costs more.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence

from trace2skill.consolidate.write import CONDITION

CODE = re.compile(r"``([^`\n]{1,400})``|`([^`\n]{1,400})`")
LINK = re.compile(r"\]\(([^)\s]+)|\b(\w+://[^\s)>\]]+)")
QUOTED = re.compile(r"\"([^\"\n]{1,80})\"|“([^”\n]{1,80})”|„([^“”\n]{1,80})[“”]|«([^»\n]{1,80})»|「([^」\n]{1,80})」")
PATH = re.compile(r"(?<![\w/.])(?:~|\.{1,2})?/?[\w.-]+(?:/[\w.*-]+)+/?|(?<![\w.])(?:[\w-]{2,}|\*)\.[A-Za-z]\w{0,5}\b")
NUMBER = re.compile(r"\d+(?:[.,:/]\d+)*%?")
SPELT = re.compile(
    r"(?i)\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|hundred|thousand|million|half|twice|double|"
    r"zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|zwölf|hundert|tausend|doppelt|deux|trois|quatre|cinq|dos|tres|cuatro"
    r"|cinco)\b"
)
NAME = re.compile(r"(?<![\w-])--?[A-Za-z][\w-]*|\b\w+_\w+\b|\b[A-Z][A-Z0-9]{1,}\b|\b[a-z]+[A-Z]\w*|\$\w+|[@#]\w+")
BOUND = re.compile(
    r"(?i)\b(?:at least|at most|more than|less than|fewer than|no more than|no less than|up to|before|after|first|last|"
    r"below|above|between|exactly|mindestens|höchstens|mehr als|weniger als|bis zu|vor|nach|zuerst|zuletzt|au moins|"
    r"au plus|avant|après|al menos|como máximo|antes|después)\b"
)
NEGATION = re.compile(
    r"(?i)\b(?:not|no|never|none|nothing|nobody|nowhere|neither|nor|without|cannot|except|unless|only|avoid|nicht|kein\w{0,2}|"
    r"nie|niemals|nichts|niemand|ohne|nur|außer|jamais|sans|aucun\w?|sauf|seulement|nunca|jamás|ningun\w|ningún|sólo|não|"
    r"niet|geen|nooit|zonder|inte|ikke|aldrig|utan|uden|mai|senza)\b|\b\w{1,10}n['’]t\b|\bn['’](?=\w)|\bne\b(?=\s+\w+\s+pas\b)"
    r"|[不没沒無勿未禁]|ない|ません"
)
KINDS: tuple[tuple[str, Callable[[str], list[str]]], ...] = (
    ("the link", lambda text: _groups(LINK, text)),
    ("the quoted word", lambda text: _groups(QUOTED, text)),
    ("the path", lambda text: [found.rstrip(".") for found in PATH.findall(LINK.sub(" ", text))]),
    ("the number", lambda text: NUMBER.findall(PATH.sub(" ", text))),
    ("the number", lambda text: [found.lower() for found in SPELT.findall(text)]),
    ("the name", lambda text: NAME.findall(PATH.sub(" ", text))),
    ("the bound", lambda text: [found.lower() for found in BOUND.findall(text)]),
)


def not_kept(says: str, lines: Sequence[str]) -> list[str]:
    """What a shorter line has lost or brought in, in words; nothing where it keeps what it may not lose.

    Args:
        says: the shorter line.
        lines: those that it stands for: one, or several that say the same.
    """
    before = "\n".join(lines)
    (code, said), (codes, told) = _apart(says), _apart(before)
    found = _differences("the code", code, codes)
    for kind, read in KINDS:
        found += _differences(kind, read(said), read(told))
    conditions = [bool(CONDITION.search(_apart(line)[1])) for line in lines]
    if bool(CONDITION.search(said)) != any(conditions):
        found.append(f"it {'makes a' if not any(conditions) else 'has lost its'} condition")
    return found + _negations(said, [_apart(line)[1] for line in lines])


def _negations(said: str, lines: Sequence[str]) -> list[str]:
    counts = [len(NEGATION.findall(line)) for line in lines]
    has = len(NEGATION.findall(said))
    if any(counts) != all(counts):
        return ["of its lines one forbids and another does not: they do not say the same"]
    if not max(counts) <= has <= sum(counts):
        many = "fewer" if has < max(counts) else "more"
        return [f"it has {many} negations than what it stands for ({has} and {max(counts)})"]
    return []


def _differences(kind: str, has: Sequence[str], had: Sequence[str]) -> list[str]:
    lost, new = [*Counter(had).keys() - {*has}], [*Counter(has).keys() - {*had}]
    found = [f"{kind} {word} is lost" for word in sorted(lost)]
    return found + [f"{kind} {word} is new" for word in sorted(new)]


def _apart(text: str) -> tuple[list[str], str]:
    """The code spans of a text, and the text without them."""
    return [found.strip() for found in _groups(CODE, text)], CODE.sub(" ", text)


def _groups(pattern: re.Pattern[str], text: str) -> list[str]:
    return [next(filter(None, found.groups()), "") for found in pattern.finditer(text)]
