"""Does a program carry its result or compute it? Told by what it gives for the input and for changed ones.

What does not change with the input is form or content. Form is what says nothing of the data: titles, a closing line,
labels, what the task's own words give. Content is a number that tells, or a word of the data, that the changed input
does not hold: a program can only have it from somewhere else.
"""

import ast
import itertools
import re
from collections import defaultdict
from collections.abc import Mapping

from trace2skill.core.here_documents import here_documents
from trace2skill.core.program import parse_program
from trace2skill.safety.change import Variation, tokens, whole
from trace2skill.safety.leaks import canonical, is_number, tells

Values = Mapping[str, object]
"""What stands at each place of a result, by the place's name: a cell, or a file and in quotes a word anywhere in it."""

TOO_COMMON = frozenset({"", "0", "1"})
MANY, LONG, SHORT = 4, 5, 2
FINGERPRINTS = re.compile(
    r"\bhashlib\b|\bzlib\.(?:crc32|adler32)|\bbinascii\.crc|(?<![\w.])hash\(|\b(?:md5|sha\d{1,3}|b2)sum\b|\bcksum\b"
    r"|\bgetsize\b|\bst_size\b|\bst_mtime\b|\bgetmtime\b"
)
SPEAKS_OF_THEM = re.compile(r"hash|checksum|digest|\bsha|md5|crc|size|bytes|modified|finger|integrity", re.I)
COMPARED = re.compile(r"(?:[=!]=|-eq|-ne)\s*[\"']?(\d[\d.]*)|(?<![\w.])(\d[\d.]*)[\"']?\s*(?:[=!]=|-eq|-ne)")


class Stays:
    """What one changed run showed.

    `carried` places; `open` ones, which a run with fewer rows must clear; and `counts`, numbers that a count may be and
    that no count of rows or cells divides: they must change where rows are drawn anew.
    """

    def __init__(self) -> None:
        self.carried: list[str] = []
        self.open: list[str] = []
        self.counts: list[str] = []


def contents(values: Values, given: set[str]) -> dict[str, object]:
    """The places whose value the task's words do not give away, and that are not empty, 0 or 1."""
    return {
        place: value
        for place, value in values.items()
        if canonical(value) not in TOO_COMMON and not (tokens(value) and tokens(value) <= given)
    }


def empty(real: Values, other: Values, given: set[str]) -> bool:
    """Is there nothing at all where the real run has a result?"""
    return bool(contents(real, given)) and not contents(other, given)


def compared(real: Values, other: Values, change: Variation, given: set[str], asked_for: str = "") -> Stays:
    """What of a result is the same though every value of the input is another one.

    A program that names every other row of the input, in `asked_for`, looks its labels up in a list of its own.
    """
    listed = tokens(asked_for) - given
    verdict, wanted, may_meet = Stays(), contents(real, given), list[str]()
    stays = {place: value for place, value in wanted.items() if _same(value, other.get(place))}
    for place, value in stays.items():
        said = tokens(value) - given
        telling = {token for token in said if token not in change.after and _is_content(token, change)}
        counts = {token for token in telling if _may_be_count(token, change)}
        text = whole(value)
        of_data = len(text) > SHORT and text in change.whole_before and text not in change.whole_after
        if telling - counts or (of_data and not is_number(text)):
            (may_meet if place.endswith("'") else verdict.carried).append(place)
        elif counts or any(_is_content(token, change) for token in said):
            verdict.open.append(place)
        if counts and not any(_of_shape(token, change) for token in counts):
            verdict.counts.append(place)
    # a word anywhere in a file may be there by chance, unless all of them are
    everything = all(place in stays for place in wanted if place.endswith("'") and any(map(tells, tokens(real[place]))))
    (verdict.carried if everything else verdict.open).extend(may_meet)
    for places in _groups(real).values():
        if all(_at(place, real, other) for place in places):
            (verdict.carried if 2 * len(listed & change.before) >= len(places) else verdict.open).append(places[0])
    if not verdict.carried and len(stays) == len(wanted):
        verdict.open += list(wanted)
        numbers = {place: canonical(value) for place, value in wanted.items() if is_number(canonical(value))}
        verdict.counts += [place for place, number in numbers.items() if not _of_shape(number, change)]
    if not verdict.carried and _made_of_nothing(real, other, change, given):
        verdict.carried.append("what it gives for a changed input is not made of that input")
    return verdict


def confirmed(verdict: Stays, real: Values, other: Values, change: Variation, given: set[str]) -> list[str]:
    """The open places that stay the same on an input with other rows, too, where even what the program names is new."""
    wanted = contents(real, given)
    stays = {place for place, value in real.items() if _same(value, other.get(place))}
    if wanted.keys() <= stays and wanted:
        return sorted(wanted)
    groups = {places[0]: places for places in _groups(real).values()}
    found = []
    for place in verdict.open:
        if place in groups and place not in wanted:
            found += [place] if set(groups[place]) <= stays else []
        elif place in stays:
            said = tokens(real[place]) - given
            whole_group = place in groups and set(groups[place]) <= stays
            if whole_group or any(token not in change.after and _is_content(token, change) for token in said):
                found.append(place)
    return found


def drawn_alike(verdict: Stays, real: Values, other: Values) -> list[str]:
    """The counts that stay the same though the rows are others: nothing was counted."""
    return [place for place in verdict.counts if _same(real[place], other.get(place))]


def fingerprints(source: str, given: str, change: Variation) -> list[str]:
    """Where a program asks whether its input is this very one: by a digest, or by a number that only gold can tell.

    A digest is no sign where the task speaks of such things. Numbers of the task and of the input are none.
    """
    found = [] if SPEAKS_OF_THEM.search(given) else [match[0] for match in FINGERPRINTS.finditer(source)]
    known = change.before | tokens(given)
    return found + [number for number in _compared_with(source) if tells(number) and number not in known]


def _compared_with(source: str) -> list[str]:
    try:
        tree = parse_program(source)
    except SyntaxError:
        inside = [number for found in here_documents(source) for number in _compared_with(found.body)]
        return inside + [canonical(_float(one or other)) for one, other in COMPARED.findall(source)]
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            found += [number for key in node.keys for number in _numbers(key) if len(number.strip("0.")) >= LONG]
        elif isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            numbers = [number for side in sides for number in _numbers(side)]
            narrow = len(numbers) > 1 and max(map(float, numbers)) <= 1.02 * min(map(float, numbers))
            exactly = any(isinstance(way, (ast.Eq, ast.NotEq, ast.In)) for way in node.ops)
            if exactly or narrow or any(isinstance(part, ast.Sub) for side in sides for part in ast.walk(side)):
                found += numbers
    return found


def _numbers(node: ast.AST | None) -> list[str]:
    constants = (part.value for part in ast.walk(node) if isinstance(part, ast.Constant)) if node else ()
    return [canonical(abs(v)) for v in constants if isinstance(v, (int, float)) and not isinstance(v, bool)]


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _same(one: object, other: object) -> bool:
    return canonical(one) == canonical(other)


def _at(place: str, real: Values, other: Values) -> bool:
    return place in other and _same(real[place], other[place])


def _is_content(token: str, change: Variation) -> bool:
    """Does a token say something of the data: a number that tells, or a word that only data of the input have?"""
    if token[0].isdigit():
        return tells(token)
    return token in change.before


def _may_be_count(token: str, change: Variation) -> bool:
    """Counts stay where no row is left out, and so do shares of counts."""
    if not is_number(token):
        return False
    number = float(token)
    return number <= 100 or (number == int(number) and number <= change.size)


def _of_shape(token: str, change: Variation) -> bool:
    """Is a number a multiple of how many rows, items or filled cells there are?"""
    number = float(token)
    return any(count > 1 and number % count == 0 for count in change.counts)


def _groups(values: Values) -> dict[str, list[str]]:
    """Places by their column, where at least four of them hold at least two different values and are no sequence."""
    columns: dict[str, list[str]] = defaultdict(list)
    for place, value in values.items():
        column = place.rstrip("0123456789")
        digits = place[len(column) :]
        if digits and canonical(value):
            columns[column].append(place)
    return {
        column: places
        for column, places in columns.items()
        if len(places) >= MANY
        and len({canonical(values[place]) for place in places}) > 1
        and not _sequence([values[place] for place in places])
    }


def _sequence(values: list[object]) -> bool:
    numbers = [float(text) for text in map(canonical, values) if is_number(text)]
    steps = {round(later - sooner, 6) for sooner, later in itertools.pairwise(numbers)}
    return len(numbers) == len(values) and len(steps) == 1


def _made_of_nothing(real: Values, other: Values, change: Variation, given: set[str]) -> bool:
    """Is the real result made of words and numbers of the input's size, and the other one of neither?"""
    frame = {token for value in real.values() for token in tokens(value)} - change.before
    before = _share(real, change.before | given)
    after = _share(other, change.after | given | frame)
    if before > 0.5 and after < before / 4:
        return True
    largest = _largest(real)
    return largest > 0 and _largest(other) > 10_000 * (largest + 1)


def _share(values: Values, known: set[str]) -> float:
    """The share of words that are known."""
    words = [token for value in values.values() for token in tokens(value) if not token[0].isdigit()]
    return sum(word in known for word in words) / len(words) if words else 0.0


def _largest(values: Values) -> float:
    return max((abs(value) for value in values.values() if isinstance(value, (int, float))), default=0.0)
