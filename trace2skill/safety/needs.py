"""What a text must have for a regular expression to match in it, read off the expression.

Most patterns for keys start at no fixed letter, so Python's engine tries them at every character of a text. Yet each
has a part that is spelt out, or a long run of letters and digits, and to see that a text lacks those is many times
faster. What is needed is worked out of the parsed expression and not written by hand, so that it holds for whatever
pattern a newer detect-secrets brings: of a part that is not understood nothing is demanded.
"""

import re
from collections.abc import Iterable
from itertools import product
from os.path import commonprefix
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any, NamedTuple

from trace2skill.safety.view import BITS, FOLDED, KEY_RUN, RUN, RUNS, SIGNS, View

MOST_SPELLINGS = 64
MOST_REPEATED = 3
TELLING_START = 3
LONGEST = 100
"""A length that is enough for every pattern: of a longer one no more is demanded."""
REPEATS = (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT)

LIKE_ASCII = frozenset(ord(sign) for sign, _ in FOLDED)

Spellings = frozenset[str]
EMPTY: Spellings = frozenset({""})
NOTHING: Spellings = frozenset()


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
    beyond_ascii: bool = False
    """Each match has a letter that no ASCII text has."""

    def met_by(self, view: View) -> bool:
        """May the pattern match in this text?"""
        signs = view.signs if self.signs or self.either else 0
        return (
            self.shortest <= len(view.text)
            and not (self.beyond_ascii and view.text.isascii())
            and self.signs & ~signs == 0
            and (not self.run or self.run <= view.run)
            and all(some & signs for some in self.either)
            and self._spelt_in(view)
        )

    def _spelt_in(self, view: View) -> bool:
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
        beyond_ascii=_beyond_ascii(parsed),
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


def _beyond_ascii(items: Any) -> bool:
    """Has each match of a sequence a letter that no ASCII text has?"""
    return any(_item_beyond_ascii(kind, given) for kind, given in items)


def _item_beyond_ascii(kind: Any, given: Any) -> bool:
    if kind is op.LITERAL:
        return int(given) > 127 and given not in LIKE_ASCII
    if kind is op.IN:
        return all(inner is op.LITERAL and _item_beyond_ascii(inner, code) for inner, code in given)
    if kind is op.SUBPATTERN:
        return _beyond_ascii(given[3])
    if kind is op.BRANCH:
        return all(_beyond_ascii(branch) for branch in given[1])
    if kind in (op.MAX_REPEAT, op.MIN_REPEAT):
        return given[0] > 0 and _beyond_ascii(given[2])
    return False
