"""Canonical rules that turn out to be one, once every rule has been coded against the book."""

from collections import Counter
from collections.abc import Mapping, Sequence

from trace2skill.consolidate.assign import Code
from trace2skill.consolidate.book import Canonical


def doubles(
    book: Sequence[Canonical], induced: Mapping[str, set[int]], codes: Mapping[str, Code], words: Mapping[str, str]
) -> dict[int, int]:
    """Number of a canonical rule that is another one -> number of that one.

    Args:
        book: the canonical rules.
        induced: by rule: the numbers of what it was induced into.
        codes: by rule: as what it was coded against the book.
        words: by rule: its plain words. Rules of equal words are one reading.
    """
    coded = Counter(number for _, number in {(words[id], n) for id, code in codes.items() for n in code.says})
    sizes = [len({words[id] for id in item.rules}) for item in book]
    # words that were induced into the first, coded as the second, and not as both
    apart = {
        (words[id], a, b)
        for id, numbers in induced.items()
        if id in codes and numbers != codes[id].says  # most agree
        for a in numbers - codes[id].says
        for b in codes[id].says - numbers
    }
    instead = Counter((a, b) for _, a, b in apart)
    into = {number: number for number in range(len(book))}
    for (a, b), count in sorted(instead.items()):
        if (coded[a], book[a].says) > (coded[b], book[b].says) or count < 2:
            continue
        most = count * 2 > sizes[a] and coded[a] * 5 <= count
        mixed = instead[b, a] >= 2 and min(count, instead[b, a]) * 4 >= min(sizes[a], sizes[b])
        if (most or mixed) and into[a] == a:
            into[a] = b
    for number in into:
        while into[into[number]] != into[number]:
            into[number] = into[into[number]]
    return {number: other for number, other in into.items() if number != other}


def moved(code: Code, into: Mapping[int, int]) -> Code:
    """A code by the numbers of the canonical rules that are left. `into` names those that are another one now."""
    if not into or not any(n in into for n in (*code.same, *code.narrower, *code.opposed)):
        return code
    same = {into.get(n, n) for n in code.same}
    says = same | {into.get(n, n) for n in code.narrower}
    return Code(
        same=tuple(sorted(same)),
        narrower=tuple(sorted(says - same)),
        opposed=tuple(sorted({into.get(n, n) for n in code.opposed} - says)),
    )
