"""Screening of what would enter a skill: text that speaks to its reader, hides, or brings hosts and commands.

A log's words can be written by anybody, and so can what a model made of them. What is new in a text and suspicious is
named with its reason; a person may allow it (`trace2skill.quarantine`). What a rule would make its reader do is looked
for in `orders`, what it brings along in `suspicions`.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cached_property, lru_cache
from operator import not_
from typing import NamedTuple

from pydantic import Field

from trace2skill.core.digest import digest_of
from trace2skill.core.record import Record
from trace2skill.safety.bounded import PIECE, pieces
from trace2skill.safety.disguises import joined, spelt, unquoted
from trace2skill.safety.effects import effects_in
from trace2skill.safety.everyday import is_everyday
from trace2skill.safety.harmless import command_at, encoded_in_pieces, is_harmless
from trace2skill.safety.lookalikes import LOOKALIKES
from trace2skill.safety.orders import Reason, orders_in
from trace2skill.safety.quick import Quick
from trace2skill.safety.requests import disregards_in
from trace2skill.safety.suspicions import HARMLESS_COMMANDS, INVISIBLE, LINE_RULES, SPAN_RULES, SpanRule
from trace2skill.safety.view import View

LONGEST = 300
COMMAND = "dangerous command"
EMOJI_FORM = "\ufe0f"
"""Makes a picture of the sign before it; behind a letter it only hides a word from whoever looks for it."""
INNER_DOT = re.compile(r"(?<=\w)\.(?=\w| [a-z])")
"""A dot that ends no sentence: of a name of a file, of what is cut short."""
WORD_START = re.compile(r"(?<=\s)\S|(?<![\w-])[\w-]")
MARKS = re.compile(r"[*_`~\"'’“”]")
LINES = Quick([pattern for _, pattern in LINE_RULES])
SPANS = Quick([rule.pattern for rule in SPAN_RULES])


class Hit(NamedTuple):
    """Why a piece of a text is suspicious, and whether honest advice says it, too."""

    reason: str
    piece: str
    everyday: bool = False


class Finding(Record):
    """One suspicious piece of a text."""

    reason: str
    fragment: str
    why: str = Field(default="", exclude_if=not_, description="What whoever judged it says; no part of its name.")
    everyday: bool = Field(
        default=False,
        exclude_if=not_,
        description="Honest advice says it, too: a suspicion, which a reader can decide.",
    )

    @property
    def id(self) -> str:
        """Names the piece for good: who allows it, allows it wherever it stands."""
        return "Q" + digest_of(self.reason, self.fragment)[:12]

    @property
    def in_words(self) -> str:
        """The reason, with what was said of it."""
        return f"{self.reason}: {shown(self.why)}" if self.why else self.reason

    def __str__(self) -> str:
        return f"{self.in_words}: {shown(self.fragment)}"


def screened(text: str, known: str = "", allowed: Collection[str] = ()) -> tuple[Finding, ...]:
    """What speaks against a text in a skill; nothing for a clean one.

    Args:
        text: what would be written.
        known: the skill as it is; what is found in it is not new. A longer word in it that holds the piece is another.
        allowed: ids of findings that a person has allowed.
    """
    found = dict[tuple[str, str], bool]()
    for reason, piece, everyday in _findings(text):
        found[reason, piece] = everyday and found.get((reason, piece), True)
    if not found:
        return ()
    stated = _stated(known) if known else frozenset()
    made = (finding_of(*at, everyday=everyday) for at, everyday in found.items() if _plainly(*at) not in stated)
    return tuple(item for item in dict.fromkeys(made) if item.id not in allowed)


def finding_of(reason: str, piece: str, why: str = "", *, everyday: bool = False) -> Finding:
    """A finding over a piece of text, which is named by all of it however long it is."""
    return Finding(reason=reason, fragment=_fragment(piece), why=why, everyday=everyday)


def are_suspicions(found: Sequence[Finding]) -> bool:
    """Is something found, and all of it such as honest advice says, too?"""
    return bool(found) and all(item.everyday for item in found)


def reasons(found: Iterable[Finding]) -> str:
    """What is found, in words, each reason once."""
    return ", ".join(dict.fromkeys(item.reason for item in found))


@lru_cache(maxsize=32)
def _stated(known: str) -> frozenset[tuple[str, str]]:
    return frozenset(_plainly(reason, piece) for reason, piece, _ in _findings(known))


def _plainly(reason: str, piece: str) -> tuple[str, str]:
    """A finding as it is known again, whatever mark ends the sentence."""
    return reason, piece.rstrip(".,;:!?")


def _fragment(piece: str) -> str:
    """The piece; of a long one the head, and a digest of the whole: what is allowed is the whole and not its head."""
    if len(piece) <= LONGEST:
        return piece
    return f"{piece[: LONGEST - 60]} [... {len(piece)} characters, {digest_of('piece', piece)[:16]}]"


def shown(text: str) -> str:
    """A suspicious text for a terminal or page: nothing in it hides or turns what stands beside it."""
    return "".join(sign if not hides(sign) else f"\\u{{{ord(sign):X}}}" for sign in text)


def _findings(text: str) -> Iterator[Hit]:
    """All that is suspicious."""
    lines = text.split("\n")
    for line in lines:
        bare = _bare(line)
        if hidden := sorted(_hidden_in(bare)):
            yield Hit(f"hidden characters {', '.join(hidden[:5])}", bare)
        for told in _reasons(bare):
            yield Hit(told.reason, bare, told.everyday)
    if len(lines) > 1:  # an instruction broken over lines is one all the same
        own = {told for line in lines for told in _reasons(_bare(line))}
        for told in _reasons(" ".join(lines)):
            if own.isdisjoint((told, Reason(told.reason))):
                yield Hit(told.reason, " ".join(text.split()), told.everyday)
    yield from _spans(text, _read(text))


def _spans(text: str, read: str) -> Iterator[Hit]:
    """What is suspicious in a text as it is written, and as it is read, where that is something else.

    What excuses a piece stands in the words as they are written: read as look-alikes, many languages say nothing.
    """
    seen, excused = set[Hit](), Counter[tuple[str, str]]()
    for number, whole in enumerate(dict.fromkeys((text, read, unquoted(joined(read))))):
        left = Counter(excused)
        for rule, piece, form, match in _matches(whole):
            reason = rule.reason
            if is_harmless(reason, form, match):
                excused[reason, piece] += number == 0
                left[reason, piece] -= 1
                continue
            if left[reason, piece] > 0:
                left[reason, piece] -= 1
                continue
            found = Hit(reason, piece, _is_suspicion(rule, form, match))
            if found not in seen:
                seen.add(found)
                yield found
    for piece in encoded_in_pieces(text):
        yield Hit("encoded text", piece)


def _is_suspicion(rule: SpanRule, form: str, match: re.Match[str]) -> bool:
    """Is a piece everyday, and so is what the same rule finds within it? `docker run --privileged` is found once."""
    inner = (rule.pattern.match(form, at.start()) for at in WORD_START.finditer(form, match.start() + 1, match.end()))
    every = (match, *(found for found in inner if found))
    return all(is_everyday(rule.reason, found[0], command_at(form, found.start())) for found in every)


def _matches(whole: str) -> Iterator[tuple[SpanRule, str, str, re.Match[str]]]:
    """Rule, piece, and where it stands, of all that the patterns find in one form of a text."""
    for form, end in pieces(whole):
        spared = _Spared(form)
        for rule in (SPAN_RULES[number] for number in SPANS.found_in(View(form))):
            for match in rule.pattern.finditer(form):
                if match.start() >= end or (rule.reason == COMMAND and match in spared):
                    continue
                if piece := " ".join(match[0].split()):
                    yield rule, piece, form, match


class _Spared:
    """The pieces of a text in which a dangerous command seems to stand; looked for when one is found."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __contains__(self, match: re.Match[str]) -> bool:
        return any(a <= match.start() and match.end() <= z for a, z in self._spans)

    @cached_property
    def _spans(self) -> list[tuple[int, int]]:
        return [match.span() for match in HARMLESS_COMMANDS.finditer(self._text)]


def _reasons(text: str) -> tuple[Reason, ...]:
    """Why a line is none for a skill, as it is or as its reader would take it: without accents and look-alikes."""
    if len(text) <= PIECE:
        return _reasons_of(text)
    return _each_once(told for piece, _ in pieces(text) for told in _reasons_of(piece))


def _each_once(told: Iterable[Reason]) -> tuple[Reason, ...]:
    """Each reason once; one that is no mere suspicion anywhere is none."""
    found = dict[str, bool]()
    for item in told:
        found[item.reason] = item.everyday and found.get(item.reason, True)
    return tuple(Reason(reason, everyday) for reason, everyday in found.items())


@lru_cache(maxsize=4096)
def _reasons_of(text: str) -> tuple[Reason, ...]:
    seen = MARKS.sub("", _visible(text))
    plain = _folded(seen)
    forms = dict.fromkeys(
        " ".join(form.split())
        for form in (seen, plain, joined(plain), spelt(plain), INNER_DOT.sub(" ", seen), INNER_DOT.sub(" ", plain))
    )
    lines = sorted({number for form in forms for number in LINES.found_in(View(form))})
    read = (told for form in forms for read in (orders_in, effects_in, disregards_in) for told in read(form))
    return _each_once([*(Reason(LINE_RULES[number][0]) for number in lines), *read])


def _read(text: str) -> str:
    """A text as its reader takes it: what hides is gone, and a letter is the one it looks like."""
    return _folded(_visible(text))


def _visible(text: str) -> str:
    """A text without the signs that show nothing. Most texts have none, which is seen at once."""
    if text.isascii() and text.replace("\n", "").replace("\t", "").isprintable():
        return text
    return "".join(sign for sign in text if not hides(sign))


def _folded(text: str) -> str:
    if text.isascii():
        return text
    folded = unicodedata.normalize("NFKD", text)
    return "".join(LOOKALIKES.get(sign, sign) for sign in folded if not unicodedata.combining(sign))


def _hidden_in(line: str) -> set[str]:
    """The signs of a line that show nothing or turn what stands beside them."""
    if line.isascii() and line.isprintable():
        return set()
    return {
        f"U+{ord(sign):04X}"
        for before, sign in zip(" " + line, line, strict=False)
        if hides(sign) and not (sign == EMOJI_FORM and unicodedata.category(before) in ("So", "Sm", "Po", "Nd", "Sk"))
    }


def _bare(line: str) -> str:
    """A line without the marks of a list, so that a lesson and the line written from it are the same."""
    return line.strip().lstrip("-*+> ").strip()


def hides(sign: str) -> bool:
    """Is it a sign that nobody sees?"""
    if sign in "\n\t":
        return False
    return (
        unicodedata.category(sign) in ("Cf", "Co", "Cs", "Cc", "Cn", "Zl", "Zp")
        or sign in INVISIBLE
        or "\ufe00" <= sign <= "\ufe0f"
        or "\U000e0100" <= sign <= "\U000e01ef"
    )
