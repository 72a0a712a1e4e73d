"""Screening of what would enter a skill: text that speaks to its reader, hides, or brings hosts and commands.

A log's words can be written by anybody, and so can what a model made of them. What is new in a text and suspicious is
named with its reason; a person may allow it (`trace2skill.quarantine`). What a rule would make its reader do is looked
for in `orders`, what it brings along in `suspicions`.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator
from functools import cached_property, lru_cache
from operator import not_

from pydantic import Field

from trace2skill.core.digest import digest_of
from trace2skill.core.record import Record
from trace2skill.safety.bounded import PIECE, pieces
from trace2skill.safety.disguises import joined, spelt, unquoted
from trace2skill.safety.effects import effects_in
from trace2skill.safety.harmless import encoded_in_pieces, is_harmless
from trace2skill.safety.lookalikes import LOOKALIKES
from trace2skill.safety.orders import orders_in
from trace2skill.safety.quick import Quick
from trace2skill.safety.requests import disregards_in
from trace2skill.safety.suspicions import HARMLESS_COMMANDS, INVISIBLE, LINE_RULES, SPAN_RULES
from trace2skill.safety.view import View

LONGEST = 300
COMMAND = "dangerous command"
EMOJI_FORM = "\ufe0f"
"""Makes a picture of the sign before it; behind a letter it only hides a word from whoever looks for it."""
INNER_DOT = re.compile(r"(?<=\w)\.(?=\w| [a-z])")
"""A dot that ends no sentence: of a name of a file, of what is cut short."""
MARKS = re.compile(r"[*_`~\"'’“”]")
LINES = Quick([pattern for _, pattern in LINE_RULES])
SPANS = Quick([rule.pattern for rule in SPAN_RULES])


class Finding(Record):
    """One suspicious piece of a text."""

    reason: str
    fragment: str
    why: str = Field(default="", exclude_if=not_, description="What whoever judged it says; no part of its name.")

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
    found = dict.fromkeys(_findings(text))
    if not found:
        return ()
    stated = _stated(known) if known else frozenset()
    made = (finding_of(reason, piece) for reason, piece in found if _plainly(reason, piece) not in stated)
    return tuple(item for item in dict.fromkeys(made) if item.id not in allowed)


def finding_of(reason: str, piece: str, why: str = "") -> Finding:
    """A finding over a piece of text, which is named by all of it however long it is."""
    return Finding(reason=reason, fragment=_fragment(piece), why=why)


@lru_cache(maxsize=32)
def _stated(known: str) -> frozenset[tuple[str, str]]:
    return frozenset(_plainly(reason, piece) for reason, piece in _findings(known))


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
    return "".join(sign if not _hides(sign) else f"\\u{{{ord(sign):X}}}" for sign in text)


def _findings(text: str) -> Iterator[tuple[str, str]]:
    """Reason and piece of all that is suspicious."""
    lines = text.split("\n")
    for line in lines:
        bare = _bare(line)
        if hidden := sorted(_hidden_in(bare)):
            yield f"hidden characters {', '.join(hidden[:5])}", bare
        for reason in _reasons(bare):
            yield reason, bare
    if len(lines) > 1:  # an instruction broken over lines is one all the same
        own = {reason for line in lines for reason in _reasons(_bare(line))}
        for reason in _reasons(" ".join(lines)):
            if reason not in own:
                yield reason, " ".join(text.split())
    yield from _spans(text, _read(text))


def _spans(text: str, read: str) -> Iterator[tuple[str, str]]:
    """What is suspicious in a text as it is written, and as it is read, where that is something else."""
    seen = set()
    forms = [piece for whole in dict.fromkeys((text, read, unquoted(joined(read)))) for piece in pieces(whole)]
    for form, end in forms:
        spared = _Spared(form)
        for rule in (SPAN_RULES[number] for number in SPANS.found_in(View(form))):
            for match in rule.pattern.finditer(form):
                if match.start() >= end or (rule.reason == COMMAND and match in spared):
                    continue
                piece = " ".join(match[0].split())
                if piece and (rule.reason, piece) not in seen and not is_harmless(rule.reason, form, match):
                    seen.add((rule.reason, piece))
                    yield rule.reason, piece
    for piece in encoded_in_pieces(text):
        yield "encoded text", piece


class _Spared:
    """The pieces of a text in which a dangerous command seems to stand; looked for when one is found."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __contains__(self, match: re.Match[str]) -> bool:
        return any(a <= match.start() and match.end() <= z for a, z in self._spans)

    @cached_property
    def _spans(self) -> list[tuple[int, int]]:
        return [match.span() for match in HARMLESS_COMMANDS.finditer(self._text)]


def _reasons(text: str) -> tuple[str, ...]:
    """Why a line is none for a skill, as it is or as its reader would take it: without accents and look-alikes."""
    if len(text) <= PIECE:
        return _reasons_of(text)
    return tuple(dict.fromkeys(reason for piece, _ in pieces(text) for reason in _reasons_of(piece)))


@lru_cache(maxsize=4096)
def _reasons_of(text: str) -> tuple[str, ...]:
    seen = MARKS.sub("", _visible(text))
    plain = _folded(seen)
    forms = dict.fromkeys(
        " ".join(form.split())
        for form in (seen, plain, joined(plain), spelt(plain), INNER_DOT.sub(" ", seen), INNER_DOT.sub(" ", plain))
    )
    found = [LINE_RULES[number][0] for number in sorted({n for form in forms for n in LINES.found_in(View(form))})]
    read = (reason for form in forms for read in (orders_in, effects_in, disregards_in) for reason in read(form))
    return tuple(dict.fromkeys((*found, *read)))


def _read(text: str) -> str:
    """A text as its reader takes it: what hides is gone, and a letter is the one it looks like."""
    return _folded(_visible(text))


def _visible(text: str) -> str:
    """A text without the signs that show nothing. Most texts have none, which is seen at once."""
    if text.isascii() and text.replace("\n", "").replace("\t", "").isprintable():
        return text
    return "".join(sign for sign in text if not _hides(sign))


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
        if _hides(sign) and not (sign == EMOJI_FORM and unicodedata.category(before) in ("So", "Sm", "Po", "Nd", "Sk"))
    }


def _bare(line: str) -> str:
    """A line without the marks of a list, so that a lesson and the line written from it are the same."""
    return line.strip().lstrip("-*+> ").strip()


def _hides(sign: str) -> bool:
    if sign in "\n\t":
        return False
    return (
        unicodedata.category(sign) in ("Cf", "Co", "Cs", "Cc", "Cn", "Zl", "Zp")
        or sign in INVISIBLE
        or "\ufe00" <= sign <= "\ufe0f"
        or "\U000e0100" <= sign <= "\U000e01ef"
    )
