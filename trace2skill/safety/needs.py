"""What a text must have for a regular expression to match in it, read off the expression.

Most patterns for keys start at no fixed letter, so Python's engine tries them at every character of a text. Yet each
has a part that is spelt out, or a long run of letters and digits, and to see that a text lacks those is many times
faster. What is needed is worked out of the parsed expression and not written by hand, so that it holds for whatever
pattern a newer detect-secrets brings: of a part that is not understood nothing is demanded.
"""

import re
import string
from collections.abc import Iterable
from itertools import product
from os.path import commonprefix
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any, NamedTuple

MOST_SPELLINGS = 64
MOST_REPEATED = 3
TELLING_START = 3
FOLDED = (("\u0130", "i"), ("\u0131", "i"), ("\u017f", "s"), ("\u212a", "k"))
"""The characters that a pattern without regard to case takes for an ASCII letter, besides the letter's two cases."""
LONGEST = 100
"""A length that is enough for every pattern: of a longer one no more is demanded."""
RUN = frozenset(string.ascii_letters + string.digits + "_-")
RUNS = tuple(b"x" * length for length in range(4, 65, 4))
"""The lengths of runs that are told apart; a longer one counts as the last of these."""
REPEATS = (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT)
MASK = bytes(ord("x" if chr(code) in RUN else " ") for code in range(256))

Spellings = frozenset[str]
EMPTY: Spellings = frozenset({""})
NOTHING: Spellings = frozenset()


SIGNS = "@\\<?=JKP_/:-'\". "
"""Signs by which most patterns are ruled out at once: which a text has is found out for all patterns together.

The rarest come first. Letters count for patterns with regard to case."""
BITS = {sign: 1 << place for place, sign in enumerate(SIGNS)}
BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")
WORDS = re.compile(r"[a-z0-9]+")
KEY_RUN, BEFORE_KEY = 20, 20
"""A run that is as long may be a key; what stands so far before it may be the beginning of it."""


class View:
    """A text as needs are looked up in it: as it is, in lower case, how long its longest run is, and which signs."""

    __slots__ = ("_masked", "_words", "keys", "lower", "run", "signs", "text")

    def __init__(self, text: str) -> None:
        self.text = lower = text
        if not text.isascii():
            for sign, letter in FOLDED:
                lower = lower.replace(sign, letter)
        self.lower = lower.lower()
        self.signs = sum([bit for sign, bit in BITS.items() if sign in text])
        plain = text if text.isascii() else BEYOND_ASCII.sub(lambda found: "x" * len(found[0]), text)
        self._masked = masked = plain.encode().translate(MASK)
        self.keys: str | None = None
        self._words: frozenset[str] | None = None
        self.run = 0
        for run in RUNS:
            if run not in masked:
                break
            self.run = len(run)

    def words(self) -> frozenset[str]:
        """The words of the text: runs of small letters and digits in lower case."""
        if self._words is None:
            self._words = frozenset(WORDS.findall(self.lower))
        return self._words

    def around_keys(self) -> str:
        """The pieces of the text in which a key of `KEY_RUN` signs can stand, with what stands before them."""
        if self.keys is None:
            masked, pieces = self._masked, []
            place = masked.find(LONG_RUN)
            while place >= 0:
                end = masked.find(b" ", place)
                end = end if end >= 0 else len(masked)
                start = masked.rfind(b" ", 0, place) + 1
                pieces.append(self.text[max(0, start - BEFORE_KEY) : end])
                place = masked.find(LONG_RUN, end)
            self.keys = " ".join(pieces)
        return self.keys


LONG_RUN = b"x" * KEY_RUN


class Mark(NamedTuple):
    """Words, and a pattern for what must stand right behind one of them."""

    words: tuple[str, ...]
    behind: re.Pattern[str]

    def is_in(self, text: str) -> bool:
        """Is one of the words there, with the rest behind it?"""
        for word in self.words:
            place = text.find(word)
            while place >= 0:
                if self.behind.match(text, place + len(word)):
                    return True
                place = text.find(word, place + 1)
        return False


class Gate(NamedTuple):
    """What a text needs for any of many patterns: one of these parts of words anywhere, or one of these whole words."""

    parts: tuple[str, ...]
    words: frozenset[str]

    def is_open(self, view: View) -> bool:
        """May one of the patterns match?"""
        lower = view.lower
        for part in self.parts:
            if part in lower:
                return True
        return not self.words.isdisjoint(view.words())


class Needs(NamedTuple):
    """What a text must have for a pattern to match. That it has them does not mean that the pattern matches."""

    run: int
    shortest: int
    any_case: bool
    one_of_each: tuple[tuple[str, ...], ...]
    mark: Mark | None = None
    signs: int = 0
    near_key: bool = False
    either: tuple[int, ...] = ()
    """Of each of these sets of signs a text has one."""

    def met_by(self, view: View) -> bool:
        """May the pattern match in this text?"""
        return self.fit(len(view.text), view.run, view.signs) and self.spelt_in(view)

    def fit(self, length: int, run: int, signs: int) -> bool:
        """Is a text long enough, and its longest run, and has it the signs?"""
        return (
            self.shortest <= length
            and self.run <= run
            and self.signs & ~signs == 0
            and all(some & signs for some in self.either)
        )

    def spelt_in(self, view: View) -> bool:
        """Are the words in the text?"""
        text = view.around_keys() if self.near_key else view.lower if self.any_case else view.text
        for spellings in self.one_of_each:
            for spelling in spellings:
                if spelling in text:
                    break
            else:
                return False
        return self.mark is None or self.mark.is_in(text)


class _Part(NamedTuple):
    """Of a part of a pattern: all it can match where that is little, what a match has in it, and its longest run."""

    spelt: Spellings | None
    one_of_each: tuple[Spellings, ...] = ()
    run: int = 0


def needs_of(pattern: re.Pattern[str], mark: Mark | None = None, *, near_key: bool = False) -> Needs:
    """What a text needs for a pattern to match in it.

    `near_key`: what is spelt stands within a run of `KEY_RUN` signs, or right before one.

    `mark` is what somebody knows to be in each match, beyond what can be read off the pattern. It is looked for in
    lower case where the pattern has no regard to case.
    """
    parsed = _parser.parse(pattern.pattern, pattern.flags)
    return needs_in(parsed, pattern.flags, mark, near_key=near_key)


def needs_in(parsed: Any, flags: int, mark: Mark | None = None, *, near_key: bool = False) -> Needs:
    """`needs_of` an expression that is parsed already."""
    any_case = bool(flags & re.IGNORECASE)
    part = _sequence(parsed, any_case)
    clauses = {_least(clause) for clause in (*part.one_of_each, *([part.spelt] if part.spelt else []))}
    clauses |= {frozenset({start}) for start in map(commonprefix, map(tuple, clauses)) if len(start) >= TELLING_START}
    most = len(mark.words) if mark else MOST_SPELLINGS
    telling = [clause for clause in clauses if len(clause) <= (most if _shortest(clause) > 1 else _shortest(clause))]
    words = [clause for clause in telling if not (near_key and _shortest(clause) == 1)]
    signs, either = _signs(parsed, any_case)
    return Needs(
        run=max((len(run) for run in RUNS if len(run) <= max(part.run, near_key * KEY_RUN)), default=0),
        shortest=min(parsed.getwidth()[0], LONGEST),
        any_case=any_case,
        one_of_each=tuple(tuple(sorted(clause)) for clause in sorted(words, key=_cost)),
        mark=mark,
        signs=signs | _signs_in([*telling, *([frozenset(mark.words)] if mark else [])]),
        near_key=near_key,
        either=tuple(sorted(either)),
    )


def _signs(items: Iterable[tuple[Any, Any]], any_case: bool) -> tuple[int, frozenset[int]]:
    """The signs that each match of a sequence has, and sets of signs of which it has one. As bits."""
    signs, either = 0, frozenset[int]()
    for kind, given in items:
        more, one_of = _signs_of(kind, given, any_case)
        signs, either = signs | more, either | one_of
    return signs, frozenset(some for some in either if not some & signs)


def _signs_of(kind: Any, given: Any, any_case: bool) -> tuple[int, frozenset[int]]:
    if kind is op.LITERAL:
        return _bit(given, any_case), frozenset()
    if kind is op.IN:
        bits = [_bit(code, any_case) if inner is op.LITERAL else 0 for inner, code in given]
        return 0, frozenset({_joined_bits(bits)}) if all(bits) else frozenset()
    if kind is op.SUBPATTERN:
        return _signs(given[3], any_case or bool(given[1]))
    if kind is op.ATOMIC_GROUP:
        return _signs(given, any_case)
    if kind is op.ASSERT:
        return _signs(given[1], any_case)
    if kind in REPEATS and given[0]:
        return _signs(given[2], any_case)
    if kind is op.BRANCH:
        branches = [_signs(branch, any_case) for branch in given[1]]
        every = branches[0][0]
        for signs, _ in branches:
            every &= signs
        some = [signs & -signs or min(either, default=0) for signs, either in branches]  # the rarest, or a set
        return every, frozenset({_joined_bits(some)}) if all(some) and not every else frozenset()
    return 0, frozenset()


def _bit(code: int, any_case: bool) -> int:
    sign = chr(code)
    return 0 if any_case and sign.isalpha() else BITS.get(sign, 0)


def _joined_bits(some: Iterable[int]) -> int:
    joined = 0
    for bits in some:
        joined |= bits
    return joined


def _signs_in(clauses: Iterable[Spellings]) -> int:
    """The signs that each match has: those in every spelling of one of its parts. As `BITS`."""
    found = {sign for clause in clauses for sign in SIGNS if clause and all(sign in spelling for spelling in clause)}
    return sum(bit for sign, bit in BITS.items() if sign in found)


def _sequence(items: Iterable[tuple[Any, Any]], any_case: bool) -> _Part:
    so_far, run, whole = EMPTY, 0, True
    clauses: list[Spellings] = []
    for kind, given in items:
        part = _item(kind, given, any_case)
        run = max(run, part.run)
        clauses += part.one_of_each
        joined = None if part.spelt is None else _joined(so_far, part.spelt)
        if joined is None:
            clauses.append(so_far)
            so_far, whole = part.spelt or EMPTY, False
        else:
            so_far = joined
    return _Part(so_far, (), run) if whole else _Part(None, (*clauses, so_far), run)


def _item(kind: Any, given: Any, any_case: bool) -> _Part:
    if kind is op.LITERAL:
        return _Part(_letters([given], any_case))
    if kind is op.IN:
        letters = [code for inner, code in given if inner is op.LITERAL]
        return _Part(_letters(letters, any_case) if len(letters) == len(given) else None)
    if kind in (op.AT, op.ASSERT, op.ASSERT_NOT):
        return _Part(EMPTY)
    if kind is op.SUBPATTERN:
        _, added, taken, inner = given
        return _Part(None) if added or taken else _sequence(inner, any_case)
    if kind is op.BRANCH:
        return _branches([_sequence(branch, any_case) for branch in given[1]])
    if kind is op.ATOMIC_GROUP:
        return _sequence(given, any_case)
    if kind in REPEATS:
        least, most, inner = given
        return _repeated(least, most, inner, any_case)
    return _Part(None)


def _letters(codes: Iterable[int], any_case: bool) -> Spellings | None:
    letters = frozenset(chr(code).lower() if any_case else chr(code) for code in codes)
    return letters if not any_case or all(letter.isascii() for letter in letters) else None


def _branches(parts: list[_Part]) -> _Part:
    run = min(part.run for part in parts)
    spelt = [part.spelt for part in parts if part.spelt is not None]
    if len(spelt) == len(parts) and sum(map(len, spelt)) <= MOST_SPELLINGS:
        return _Part(NOTHING.union(*spelt), (), run)
    best = [part.spelt or min(map(_least, part.one_of_each), key=_cost) for part in parts]
    return _Part(None, (NOTHING.union(*best),), run)


def _repeated(least: int, most: int, inner: Any, any_case: bool) -> _Part:
    part = _sequence(inner, any_case)
    if part.spelt is not None and most <= MOST_REPEATED:
        powers: list[Spellings | None] = [EMPTY]
        for _ in range(most):
            powers.append(None if powers[-1] is None else _joined(powers[-1], part.spelt))
        found = [power for power in powers[least:] if power is not None]
        if len(found) == most - least + 1:
            return _Part(NOTHING.union(*found), (), part.run if least else 0)
    if not least:
        return _Part(None)
    run = least if len(inner) == 1 and _all_in_run(*inner[0]) else part.run
    return _Part(None, part.one_of_each if part.spelt is None else (part.spelt,), run)


def _all_in_run(kind: Any, given: Any) -> bool:
    return kind is op.IN and all(
        (inner is op.LITERAL and chr(code) in RUN)
        or (inner is op.CATEGORY and code in (op.CATEGORY_DIGIT, op.CATEGORY_WORD))
        or (inner is op.RANGE and code[1] < 128 and all(chr(one) in RUN for one in range(code[0], code[1] + 1)))
        for inner, code in given
    )


def _joined(first: Spellings, second: Spellings) -> Spellings | None:
    if len(first) * len(second) > MOST_SPELLINGS:
        return None
    return frozenset(before + after for before, after in product(first, second))


def _least(clause: Spellings) -> Spellings:
    """The same demand without what another spelling already is a part of."""
    return frozenset(one for one in clause if not any(other in one for other in clause if other != one))


def _shortest(clause: Spellings) -> int:
    return min(map(len, clause))


def _cost(clause: Spellings) -> tuple[bool, int, int, list[str]]:
    """What is looked for first: what rules out most for the fewest looks."""
    return not _shortest(clause), len(clause), -_shortest(clause), sorted(clause)
