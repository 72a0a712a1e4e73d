"""What a line may not lose when it is worded more shortly: code, numbers, paths, names, and words its sense turns on.

Words are compared as they stand, what denies together with what it stands before. What only looks like a name is
kept, too: a line that stays long costs little, and one that says something else costs more. It is no proof: who does
what to whom, and words that are in no list of `telling_words`, are only held to the words of the longer line.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from trace2skill.consolidate.telling_words import (
    BOUND,
    CONDITION,
    EXAMPLE,
    FILLER,
    GERMAN,
    NEGATION,
    NEW,
    OF_LITTLE,
    OPERATOR,
    RELATION,
    UNIT,
    WHY,
)
from trace2skill.skills.near import stems

LONGEST = 4_000
"""Characters of lines that are compared, together: nobody should call `not_kept` with more."""
KEPT = 0.6
"""Share of a line's words, without filler, reasons and examples, that has to be in the one that takes its place."""
CLAUSE = re.compile(r"[.;:,()](?:\s|$)")
KEPT_OF_EACH = 0.5
"""The same of each of several lines."""
SHORTEST = 3
"""Letters of a word that another one may begin with."""
NEXT = 5
"""So many words after one that denies are what it denies."""
CODE = re.compile(r"``([^`\n]{1,400})``|`([^`\n]{1,400})`")
LINK = re.compile(r"\]\(([^)\s]+)|\b(\w+://[^\s)>\]]+)")
QUOTED = re.compile(
    r"(?<!\w)'([^'\n]{1,80})'(?!\w)|‘([^’\n]{1,80})’(?!\w)|\"([^\"\n]{1,80})\"|“([^”\n]{1,80})”|„([^“”\n]{1,80})[“”]|«([^»\n]{1,80})»|「([^」\n]{1,80})」"
)
PATH = re.compile(r"(?<![\w/.-])(?:~|\.{1,2})?/?[\w.-]+(?:/[\w.*-]+)+/?|(?<![\w.-])(?:[\w-]{2,}|\*)\.[A-Za-z]\w{0,5}\b")
NUMBER = re.compile(r"(?:(?<![\w.,/)\]-])[-+\u2212])?(?<!\d)\d+(?:[.,:/]\d+)*%?")
CAPITAL = re.compile(r"(?<=[\w,;)] )[A-Z][a-z]\w*")
SPELT = re.compile(
    r"(?i)\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|hundred|thousand|million|half|twice|double|"
    r"zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|zwölf|hundert|tausend|doppelt|deux|trois|quatre|cinq|dos|tres|cuatro"
    r"|cinco)\b"
)
NAME = re.compile(r"(?<![\w-])--?[A-Za-z][\w-]*|\b\w+_\w+\b|\b[A-Z][A-Z0-9]{1,}\b|\b[a-z]+[A-Z]\w*|\$\w+|[@#]\w+")
KINDS: tuple[tuple[str, Callable[[str], list[str]]], ...] = (
    ("the link", lambda text: _groups(LINK, text)),
    ("the quoted word", lambda text: _groups(QUOTED, text)),
    ("the path", lambda text: [found.rstrip(".") for found in PATH.findall(LINK.sub(" ", text))]),
    ("the number", lambda text: NUMBER.findall(PATH.sub(" ", text))),
    ("the number", lambda text: [found.lower() for found in SPELT.findall(text)]),
    ("the name", lambda text: NAME.findall(PATH.sub(" ", text))),
    ("the bound", lambda text: [found.lower() for found in BOUND.findall(text)]),
)
IN_ORDER = ("the number", "the quoted word", "the path")
COUNTED: tuple[tuple[str, Callable[[str], list[str]]], ...] = (
    ("the sign", OPERATOR.findall),
    ("the unit", lambda text: [found.lastgroup or found.group().lower() for found in UNIT.finditer(text)]),
    ("the word", lambda text: [found.lower() for found in RELATION.findall(text)]),
)
"""Of these it counts how often they stand there."""
ONCE = ("or", "oder", "ou")
"""But of these, which a list may have more than once."""


def not_kept(says: str, lines: Sequence[str]) -> list[str]:
    """What a shorter line has lost or brought in, in words; nothing where it keeps what it may not lose.

    Args:
        says: the shorter line.
        lines: those that it stands for: one, or several that say the same.
    """
    code, said = _apart(says)
    parts = [_apart(line) for line in lines]
    told = [text for _, text in parts]
    whole = "\n".join(told)
    found = _differences("the code", code, [one for codes, _ in parts for one in codes])
    found += _turned("the code", code, [codes for codes, _ in parts])
    for kind, read in KINDS:
        found += _differences(kind, read(said), read(whole))
        found += _turned(kind, read(said), map(read, told)) if kind in IN_ORDER else []
    for kind, read in COUNTED:
        found += _counts(kind, read(said), [read(text) for text in told], [read(_ordered(text)) for text in told])
    ors, ands = (re.compile(rf"(?i)\b(?:{words})\b") for words in ("or|oder|ou", "and|und|y|et"))
    if len(ors.findall(said)) < len(ors.findall(whole)) and len(ands.findall(said)) > len(ands.findall(whole)):
        found.append("of what is one or the other it makes both")
    found += _capitals(said, whole)
    found += _conditions(said, told)
    found += _negations(said, told)
    found += _bound_to(said, told)
    return found + _words(said, told)


def _counts(kind: str, has: Sequence[str], most: Sequence[Sequence[str]], least: Sequence[Sequence[str]]) -> list[str]:
    """Between as often as in one of the lines, reasons and examples left out, and as often as in all of them."""
    there, highest = Counter(has), sum(map(Counter, most), Counter[str]())
    lowest = Counter[str]()
    for one in least:
        lowest |= Counter(one)
    found = [f"{kind} {word} is lost" for word in sorted(lowest - there) if word not in ONCE or not there[word]]
    return found + [f"{kind} {word} is new" for word in sorted(there - highest)]


def _turned(kind: str, has: Iterable[str], lines: Iterable[Sequence[str]]) -> list[str]:
    """Do they stand in another order than in one of the lines?"""
    first = [*dict.fromkeys(has)]
    for line in lines:
        here, there = [one for one in first if one in line], [one for one in dict.fromkeys(line) if one in first]
        if here != there:
            return [f"{kind} {here[0]} stood behind {there[0]}: they stay in their order"]
    return []


def _capitals(said: str, told: str) -> list[str]:
    """Names of things, as "Excel" within a sentence; of German none is told from any other noun."""
    if GERMAN.search(told):
        return []
    before, now = (set(re.findall(r"\w+", text)) for text in (told, said))
    lost = sorted({*CAPITAL.findall(_ordered(told))} - now)
    new = sorted({*CAPITAL.findall(said)} - before - {word.capitalize() for word in before})
    return [f"the name {word} is lost" for word in lost] + [f"the name {word} is new" for word in new]


def _conditions(said: str, lines: Sequence[str]) -> list[str]:
    least = max(len(CONDITION.findall(_ordered(line))) for line in lines)
    most, has = sum(len(CONDITION.findall(line)) for line in lines), len(CONDITION.findall(said))
    if has < least:
        return ["it has lost its condition" if not has else f"it has lost a condition ({has} of {least})"]
    return ["it makes a condition"] if has > most else []


def _negations(said: str, lines: Sequence[str]) -> list[str]:
    counts = [len(NEGATION.findall(line)) for line in lines]
    has = len(NEGATION.findall(said))
    if any(counts) != all(counts):
        return ["of its lines one forbids and another does not: they do not say the same"]
    if not max(counts) <= has <= sum(counts):
        many = "fewer" if has < max(counts) else "more"
        return [f"it has {many} negations than what it stands for ({has} and {max(counts)})"]
    always = [
        sum(word.lower() not in ("must", "should", "shall") for word in OF_LITTLE.findall(line)) for line in lines
    ]
    if len(OF_LITTLE.findall(said)) > sum(len(OF_LITTLE.findall(line)) for line in lines):
        return [f"the word {OF_LITTLE.findall(said)[-1].lower()} is new"]
    if has and max(always) > len(OF_LITTLE.findall(said)):
        return ["it says what never is and has lost what always is"]
    return []


def _bound_to(said: str, lines: Sequence[str]) -> list[str]:
    """Do words that deny, and numbers where there are several, stand with what they stood with?"""
    found, known = [], set[str]().union(*(_content(line) for line in lines))
    for pattern, what in (
        (NEGATION, "denies"),
        (re.compile(r"(?i)\b(?:instead|rather|statt|anstatt)\b"), "passes over"),
    ):
        before = [set(_after(line, at.end())[:NEXT]) for line in lines for at in pattern.finditer(line)]
        for at in pattern.finditer(said):
            word = next(iter(_after(said, at.end())), "")
            if word in known and not any(word in there for there in before):
                found.append(f"it {what} '{word}', which what it stands for does not")
    numbers = [(at.group(), _ahead(line, at.start())) for line in lines for at in NUMBER.finditer(line)]
    for at in NUMBER.finditer(said) if len({number for number, _ in numbers}) > 1 else ():
        word = next(iter(_ahead(said, at.start())[::-1]), "")
        if word in known and not any(number == at.group() and word in there for number, there in numbers):
            found.append(f"{at.group()} stands with '{word}' and did not")
    return found


def _words(said: str, lines: Sequence[str]) -> list[str]:
    """Is most of each line there, and nothing else?"""
    has, known = _content(said), set[str]().union(*(_content(line, whole=True) for line in lines))
    share = KEPT if len(lines) == 1 else KEPT_OF_EACH
    for line in lines:
        wanted = _content(_ordered(line))
        kept = {word for word in wanted if _is_in(word, has)}
        if len(kept) < share * len(wanted):
            return [f"it has lost too much: {', '.join(sorted(wanted - kept))[:200]}"]
        for clause in CLAUSE.split(_ordered(line)):
            wanted = _content(clause)
            if len(wanted) > 1 and not any(_is_in(word, has) for word in wanted):
                return [f"nothing is left of '{' '.join(clause.split())[:80]}'"]
    new = sorted(word for word in has - NEW if not _is_in(word, known))
    return [f"the word {word} is new" for word in new]


def _content(text: str, *, whole: bool = False) -> set[str]:
    """The stems of words that say something."""
    return {_stem(word) for word in re.findall(r"[^\W\d_]{2,}", text) if whole or word.lower() not in FILLER} - {""}


def _stem(word: str) -> str:
    return next(iter(stems(f"x {word}") - {"x"}), "")


def _is_in(word: str, words: set[str]) -> bool:
    """Is it there, or in another form: one begins with the other?"""
    return word in words or any(
        min(len(word), len(other)) >= SHORTEST and (word.startswith(other) or other.startswith(word)) for other in words
    )


def _after(text: str, at: int) -> list[str]:
    return _in_order(re.split(r"[.;!?](?:\s|$)", text[at : at + 300], maxsplit=1)[0])


def _ahead(text: str, at: int) -> list[str]:
    return _in_order(NUMBER.split(text[max(0, at - 300) : at])[-1])


def _in_order(text: str) -> list[str]:
    return [_stem(word) for word in re.findall(r"[^\W\d_]{2,}", text) if word.lower() not in FILLER]


def _ordered(text: str) -> str:
    """A line without the reasons and examples that it gives."""
    return EXAMPLE.sub(" ", WHY.sub(" ", text))


def _differences(kind: str, has: Sequence[str], had: Sequence[str]) -> list[str]:
    lost, new = [*Counter(had).keys() - {*has}], [*Counter(has).keys() - {*had}]
    found = [f"{kind} {word} is lost" for word in sorted(lost)]
    return found + [f"{kind} {word} is new" for word in sorted(new)]


def _apart(text: str) -> tuple[list[str], str]:
    """The code spans of a text, and the text without them."""
    return [found.strip() for found in _groups(CODE, text)], CODE.sub(" ", text)


def _groups(pattern: re.Pattern[str], text: str) -> list[str]:
    return [next(filter(None, found.groups()), "") for found in pattern.finditer(text)]
