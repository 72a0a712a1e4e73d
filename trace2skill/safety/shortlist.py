"""Of many patterns those that may match in a text, found in one pass over the text, however many they are.

Each pattern needs words (`trace2skill.safety.needs`): of some sets one word each. The words of all patterns are looked
for together (Aho and Corasick), and each names, by the bits of a number, the patterns and the sets that it is of. Most
texts have no word of any pattern, and are done with then.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

import ahocorasick

from trace2skill.safety.needs import LONGEST, Needs
from trace2skill.safety.view import BITS, RUNS, View, in_lower_case

RARE = "@$"
"""Signs that tell as much as words do."""
KEPT = 20_000
"""Of a text of so many characters the places of all words are kept; each takes a hundred bytes."""
FEW = 3
"""Words of fewer letters stand in many texts: a set that has one is not the first that is asked for."""


class Shortlist:
    """Patterns by what they need, in an order of their own."""

    def __init__(self, needs: Sequence[Needs]) -> None:
        self._needs = needs
        self._sets = [0] * len(needs)
        """Of each pattern the sets of which a text has a word."""
        self._marks: list[tuple[int, re.Pattern[str]] | None] = [None] * len(needs)
        """Of a pattern the set of which a word stands before something, and what."""
        self._long_enough = [_bits(each.shortest <= length for each in needs) for length in range(LONGEST + 1)]
        """The patterns for which a text of a length is."""
        self._run_enough = {run: _bits(each.run <= run for each in needs) for run in (0, *map(len, RUNS))}
        self._ascii = _bits(not each.beyond_ascii for each in needs)
        self._without = [(sign, _bits(not each.signs & bit for each in needs)) for sign, bit in BITS.items()]
        """The patterns that do without a sign."""
        self._wordless = _bits(not _sets_of(each) for each in needs)
        words = self._named()
        self._words = _automaton(words) if words else None
        self._rest = [self._unsaid(number) for number in range(len(needs))]

    def of(self, view: View) -> list[int]:
        """The numbers of the patterns that may match in a text, in their order."""
        lower, found = view.lower, self._wordless
        places = self._words.iter(lower) if self._words else ()
        kept = list(places) if len(lower) <= KEPT else None
        for _, bits in places if kept is None else kept:
            found |= bits
        some = found & self._long_enough[min(len(lower), LONGEST)]
        return self._of(some, found, kept, view) if some else []

    def _of(self, some: int, found: int, places: list[tuple[int, int]] | None, view: View) -> list[int]:
        """Those of some that have all their sets among what was found, and the rest of what they need."""
        rest = self._needs if places is None else self._rest
        if view.text.isascii():
            some &= self._ascii
        for sign, bits in self._without:
            if sign not in view.text:
                some &= bits
        if some & ~self._run_enough[0]:
            some &= self._run_enough[view.run]
        numbers = []
        while some:
            number = (some & -some).bit_length() - 1
            some &= some - 1
            if self._sets[number] & ~found:
                continue
            mark = self._marks[number]
            if mark and places is not None and not _stands(mark, places, view.lower):
                continue
            if rest[number].met_by(view):
                numbers.append(number)
        return numbers

    def _named(self) -> dict[str, int]:
        """Each word with a bit for each pattern whose first set it is of, and behind these one for each other set."""
        words: dict[str, int] = defaultdict(int)
        places: dict[frozenset[str], int] = {}
        for number, each in enumerate(self._needs):
            for rank, some in enumerate(_sets_of(each)):
                place = places.setdefault(some, len(self._needs) + len(places)) if rank else number
                self._sets[number] |= 1 << place
                if each.any_case and each.mark and some == frozenset(each.mark.words):
                    self._marks[number] = (1 << place, each.mark.behind)
                for word in some:
                    words[word] |= 1 << place
        return words

    def _unsaid(self, number: int) -> Needs:
        """What `of` has not seen to when it comes to a pattern."""
        needs = self._needs[number]
        known = [] if needs.near_key else _sets_of(needs)
        sets = [
            some
            for some in needs.one_of_each
            if frozenset(map(in_lower_case, some)) not in known or (not needs.any_case and any(map(_has_letters, some)))
        ]
        mark = None if self._marks[number] else needs.mark
        return needs._replace(one_of_each=tuple(sets), mark=mark, run=0, shortest=0, signs=0)


def _sets_of(needs: Needs) -> list[frozenset[str]]:
    """The sets of words that are looked for together, in lower case: what tells most comes first."""
    every = [*needs.one_of_each, *([needs.mark.words] if needs.mark else [])]
    sets = [frozenset(map(in_lower_case, some)) for some in every if all(map(_tells, some))]
    return sorted(dict.fromkeys(sets), key=lambda some: min(map(len, some)) < FEW)


def _tells(word: str) -> bool:
    """Is a word worth being looked for? Beyond ASCII a capital may have another small letter elsewhere."""
    tells = len(word) >= FEW or word in RARE or (len(word) > 1 and any(map(str.isalnum, word)))
    return tells and (word.isascii() or word == word.lower())


def _stands(mark: tuple[int, re.Pattern[str]], places: list[tuple[int, int]], text: str) -> bool:
    """Does behind one of a set's words stand what must stand there?"""
    bit, behind = mark
    return any(bits & bit and behind.match(text, end + 1) for end, bits in places)


def _has_letters(word: str) -> bool:
    return word.lower() != word.upper()


def _bits(some: Iterable[bool]) -> int:
    return sum(1 << place for place, yes in enumerate(some) if yes)


def _automaton(words: dict[str, int]) -> ahocorasick.Automaton:
    made = ahocorasick.Automaton()
    for word, bits in words.items():
        made.add_word(word, bits)
    made.make_automaton()
    return made
