"""Screening of what would enter a skill: text that speaks to its reader, hides, or brings hosts and commands.

A log's words can be written by anybody, and so can what a model made of them. What is new in a text and suspicious is
named with its reason; a person may allow it (`trace2skill.quarantine`).
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator

from trace2skill.core.digest import digest_of
from trace2skill.core.record import Record
from trace2skill.safety.suspicions import HARMLESS_COMMANDS, INVISIBLE, LINE_RULES, SPAN_RULES

LONGEST = 300
COMMAND = "dangerous command"
PRINTABLE = re.compile(r"[\n\t\x20-\x7e]*")
"""ASCII text of which no character hides."""
MARKS = re.compile(r"[*_`~\"'’“”]")


class Finding(Record):
    """One suspicious piece of a text."""

    reason: str
    fragment: str

    @property
    def id(self) -> str:
        """Names the piece for good: who allows it, allows it wherever it stands."""
        return "Q" + digest_of(self.reason, self.fragment)[:12]

    def __str__(self) -> str:
        return f"{self.reason}: {shown(self.fragment)}"


def screened(text: str, known: str = "", allowed: Collection[str] = ()) -> tuple[Finding, ...]:
    """What speaks against a text in a skill; nothing for a clean one.

    Args:
        text: what would be written.
        known: the skill as it is; what stands there already is not new.
        allowed: ids of findings that a person has allowed.
    """
    found = [item for item in dict.fromkeys(_findings(text)) if item.id not in allowed]
    if not found:  # most texts are clean: nothing is looked up in the skill for them
        return ()
    stated = {_bare(line) for line in known.split("\n")}
    return tuple(
        item for item in found if not (item.fragment in known if item.reason in SPANS else item.fragment in stated)
    )


def shown(text: str) -> str:
    """A suspicious text for a terminal or page: nothing in it hides or turns what stands beside it."""
    return "".join(sign if not _hides(sign) else f"\\u{{{ord(sign):X}}}" for sign in text)


SPANS = frozenset(name for name, _ in SPAN_RULES)


def _findings(text: str) -> Iterator[Finding]:
    lines = [_bare(line) for line in text.split("\n")]
    held: set[str] = set()
    for bare in lines:
        if hidden := sorted({f"U+{ord(sign):04X}" for sign in _hidden(bare)}):
            yield Finding(reason=f"hidden characters {', '.join(hidden[:5])}", fragment=bare[:LONGEST])
        forms = _forms(bare)
        for reason, pattern in LINE_RULES:
            if _holds(pattern, forms):
                held.add(pattern.pattern)
                yield Finding(reason=reason, fragment=bare[:LONGEST])
    whole = _forms(text) if len(lines) > 1 else frozenset[str]()
    for reason, pattern in LINE_RULES:  # an instruction broken over lines is one all the same
        if pattern.pattern not in held and _holds(pattern, whole):
            yield Finding(reason=reason, fragment=" ".join(text.split())[:LONGEST])
    spared = [match.span() for match in HARMLESS_COMMANDS.finditer(text)]
    for reason, pattern in SPAN_RULES:
        for match in pattern.finditer(text):
            if reason == COMMAND and any(first <= match.start() and match.end() <= last for first, last in spared):
                continue
            yield Finding(reason=reason, fragment=" ".join(match[0].split())[:LONGEST])


def _bare(line: str) -> str:
    """A line without the marks of a list, so that a lesson and the line written from it are the same."""
    return line.strip().lstrip("-*+> ").strip()


def _holds(pattern: re.Pattern[str], forms: Iterable[str]) -> bool:
    return any(pattern.search(form) for form in forms)


def _forms(text: str) -> frozenset[str]:
    """A text as it is and as its reader would take it: without accents and look-alike forms, white space made plain."""
    if text.isascii() and not _hidden(text):
        return frozenset({" ".join(MARKS.sub("", text).split())})
    seen = MARKS.sub("", "".join(sign for sign in text if not _hides(sign)))
    folded = unicodedata.normalize("NFKD", seen)
    plain = "".join(LOOKALIKES.get(sign, sign) for sign in folded if not unicodedata.combining(sign))
    return frozenset(" ".join(form.split()) for form in (seen, plain))


def _hidden(text: str) -> list[str]:
    """The characters of a text that hide."""
    if text.isascii() and PRINTABLE.fullmatch(text):
        return []
    return [sign for sign in text if _hides(sign)]


def _hides(sign: str) -> bool:
    if sign in "\n\t":
        return False
    return (
        unicodedata.category(sign) in ("Cf", "Co", "Cs", "Cc", "Cn")
        or sign in INVISIBLE
        or "\U000e0100" <= sign <= "\U000e01ef"
    )


LOOKALIKES = dict(zip("аеорсухіѕԁԛոΙΟΑΕгІОАЕ", "aeopcyxisdqnIOAErIOAE", strict=True))
"""Cyrillic, Armenian and Greek letters with which Latin words are disguised."""
