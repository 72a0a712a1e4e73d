"""Signs that go with failure or with success, by an exact test over tasks with known outcomes.

Where a third of the sessions and more are of tasks that were both passed and failed, a sign is compared within each
task: what makes a task hard is then the same on both sides. Else a task counts once, as most of its sessions went. A
sign is compared among those sessions only in which it could have shown: a flag among those that used the program.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from trace2skill.analysts.events import WRITES
from trace2skill.analysts.mining.corpus import LEAST_SESSIONS, Corpus, numbers
from trace2skill.analysts.mining.exact import Table, Tested, fisher, level, odds_ratio, stratified
from trace2skill.analysts.mining.signs import SEP

ALPHA = 0.05
"""The rate of false discoveries."""
LEAST_ODDS = 3.0
LEAST_LIFT = 0.2
MOST_STRATA = 200
SAME = 0.8
SHELL_CHANGES = re.compile(
    r"(?:sed|patch|tee|mv|cp|rm|git (?:commit|push|merge|apply)|\w (?:push|publish|apply|deploy|release|install))\Z"
)
EXPLAINED = 0.05
RANK = {"answer": 0, "value": 1, "flag": 1, "before": 2, "after": 2, "use": 3, "error": 4, "stuck": 4, "repeat": 5}
"""Of signs that are nearly the same, the one that says best what to do comes first."""


@dataclass(frozen=True)
class Sign:
    """Something that a session shows or does not, and the sessions in which it could."""

    kind: str
    words: tuple[str, ...]
    shown: int
    eligible: int


class Distinction(NamedTuple):
    """A sign that distinguishes, with the numbers behind it."""

    sign: Sign
    table: Table
    tested: Tested

    @property
    def with_failure(self) -> bool:
        """Does it go with failure? Else with success."""
        return odds_ratio(self.table) > 1


@dataclass(frozen=True)
class Looked:
    """What the test found, and what it looked at."""

    found: tuple[Distinction, ...]
    signs: int
    shared: int
    level: float
    within: bool
    nearest: Distinction | None


def associations(corpus: Corpus) -> Looked:
    """The signs that distinguish failed from passed tasks, each once, the surest first."""
    within = _within(corpus)
    known = corpus.known
    if not corpus.failed or not corpus.passed:
        return Looked((), 0, 0, ALPHA, within, None)
    tested = []
    for sign in _once(_signs(corpus)):
        table = _table(corpus, sign.shown & known, sign.eligible & known, within)
        tested.append(Distinction(sign, table, _test(corpus, sign.shown & known, sign.eligible & known, within)))
    below, shared = level([item.tested for item in tested], ALPHA)
    surest = sorted(tested, key=lambda item: (item.tested.p, RANK[item.sign.kind], item.sign.words))
    good = [item for item in surest if item.tested.p <= below and _strong(item.table) and _tells(item)]
    nearest = surest[0] if surest and not good else None
    return Looked(tuple(_distinct(corpus, good, within)), len(tested), shared, below, within, nearest)


def _within(corpus: Corpus) -> bool:
    mixed = [item for item in corpus.tasks.values() if _is_mixed(corpus, item)]
    return 3 * sum(map(len, mixed)) >= max(1, corpus.known.bit_count()) and len(mixed) >= 5


def _is_mixed(corpus: Corpus, sessions: list[int]) -> bool:
    return 0 < sum(corpus.sessions[number].outcome == "failed" for number in sessions) < len(sessions)


def _signs(corpus: Corpus) -> Iterator[Sign]:
    known = corpus.known
    for mark, shown in sorted(corpus.marks.items()):
        kind, *words = mark.split(SEP)
        if kind == "arg":
            given = _gave(corpus, words[0], words[1])
            yield Sign("value", tuple(words), shown, given)
        else:
            yield Sign(kind, tuple(words), shown, corpus.used.get(words[0], known))
    for tool in corpus.tools:
        yield Sign("use", (tool,), corpus.used[tool], known)
    for tool in corpus.paired:
        for other in corpus.paired:
            if tool != other:
                yield Sign("before", (tool, other), corpus.before(tool, other), corpus.used[tool])
                yield Sign("after", (tool, other), corpus.after(tool, other), corpus.used[tool])
    for (mark, tool), shown in sorted(corpus.after_error.items()):
        _, *words = mark.split(SEP)
        yield Sign("answer", (*words, tool), shown, corpus.marks[mark])


def _gave(corpus: Corpus, tool: str, name: str) -> int:
    """The sessions that gave an argument any of the values that are told apart."""
    start, found = SEP.join(("arg", tool, name, "")), 0
    for mark, shown in corpus.marks.items():
        if mark.startswith(start):
            found |= shown
    return found


def _once(signs: Iterator[Sign]) -> list[Sign]:
    """Signs that some sessions show and some do not; of those that are the same sessions the one that says most."""
    best: dict[tuple[int, int], Sign] = {}
    for sign in signs:
        shown = (sign.shown & sign.eligible).bit_count()
        if min(shown, sign.eligible.bit_count() - shown) < LEAST_SESSIONS:
            continue
        key = (sign.shown & sign.eligible, sign.eligible)
        if key not in best or _order(sign) < _order(best[key]):
            best[key] = sign
    return list(best.values())


def _order(sign: Sign) -> tuple[float, tuple[str, ...]]:
    """Of the same sessions the sign that says most: an order matters around what changes something."""
    idle = sign.kind in ("before", "after") and not (WRITES.match(sign.words[0]) or SHELL_CHANGES.match(sign.words[0]))
    return RANK[sign.kind] + 1.5 * idle, sign.words


def _table(corpus: Corpus, shown: int, eligible: int, within: bool) -> Table:
    """Sessions of tasks that were both passed and failed, or all tasks once each."""
    total = [0, 0, 0, 0]
    for table in _tables(corpus, shown, eligible, within, most=len(corpus.tasks)):
        for cell in range(4):
            total[cell] += table[cell]
    return total[0], total[1], total[2], total[3]


def _test(corpus: Corpus, shown: int, eligible: int, within: bool) -> Tested:
    if within:
        return stratified(_tables(corpus, shown, eligible, within, most=MOST_STRATA))
    return fisher(_table(corpus, shown, eligible, within))


def _tables(corpus: Corpus, shown: int, eligible: int, within: bool, most: int) -> list[Table]:
    """One table a task; of very many tasks, so many evenly over them."""
    made: list[Table] = []
    has_sign, counts, has_passed = (_members(corpus, item) for item in (shown, eligible, corpus.passed))
    for sessions in corpus.tasks.values():
        cells = [0, 0, 0, 0]
        for number in sessions:
            if counts[number]:
                cells[2 * (not has_sign[number]) + has_passed[number]] += 1
        failed, passed, signs = cells[0] + cells[2], cells[1] + cells[3], cells[0] + cells[1]
        if within:
            if failed and passed and 0 < signs < failed + passed:
                made.append((cells[0], cells[1], cells[2], cells[3]))
        elif failed != passed:  # the task as most of its sessions went
            place = 2 * (2 * signs < failed + passed) + (passed > failed)
            made.append(tuple(int(place == cell) for cell in range(4)))  # type: ignore[arg-type]
    return made if len(made) <= most else [made[at * len(made) // most] for at in range(most)]


def _members(corpus: Corpus, of: int) -> list[bool]:
    """For each session whether it is in the set."""
    found = [False] * len(corpus.sessions)
    for number in numbers(of):
        found[number] = True
    return found


def _tells(item: Distinction) -> bool:
    """Does it say what to do? That failures call something earlier or later than others says nothing of the kind."""
    return not (item.with_failure and item.sign.kind in ("before", "after"))


def _strong(table: Table) -> bool:
    """Is the difference one that matters, whatever its p value is?"""
    odds = odds_ratio(table)
    failed_with, passed_with, failed_without, passed_without = table
    some, others = failed_with + passed_with, failed_without + passed_without
    if not some or not others:
        return False
    lift = abs(failed_with / some - failed_without / others)
    return max(odds, 1 / odds) >= LEAST_ODDS and lift >= LEAST_LIFT


def _distinct(corpus: Corpus, good: list[Distinction], within: bool) -> Iterator[Distinction]:
    """One sign of each cause: those nearly of the same sessions are one, and one that nothing is left of is none."""
    explained_failures = explained_passes = 0
    left = list(good)
    while left:
        best = left[0]
        group = [item for item in left if _same(corpus, best, item)]
        chosen = min(group, key=lambda item: (_order(item.sign)[0], item.tested.p, item.sign.words))
        yield chosen
        for item in (best, chosen):
            bad = _side(item)
            explained_failures |= bad & corpus.failed
            explained_passes |= item.sign.eligible & ~bad & corpus.passed if not item.with_failure else 0
        left = [item for item in left if item not in group and _still(corpus, item, explained_failures, within)]


def _side(item: Distinction) -> int:
    """The sessions on the side of failure: those that show a bad sign, or lack a good one."""
    sign = item.sign
    return sign.shown & sign.eligible if item.with_failure else sign.eligible & ~sign.shown


def _same(corpus: Corpus, one: Distinction, other: Distinction) -> bool:
    """Are they the same failures, seen in two ways?"""
    first, second = _side(one) & corpus.failed, _side(other) & corpus.failed
    both, fewer = (first & second).bit_count(), min(first.bit_count(), second.bit_count())
    return one is other or (both >= SAME * fewer > 0 and 2 * both >= (first | second).bit_count())


def _still(corpus: Corpus, item: Distinction, explained: int, within: bool) -> bool:
    """Does a sign distinguish without the failures that are explained already?"""
    known = corpus.known & ~explained
    shown, eligible = item.sign.shown & known, item.sign.eligible & known
    test = _test(corpus, shown, eligible, within)
    table = _table(corpus, shown, eligible, within)
    return test.p <= EXPLAINED and _strong(table) and (odds_ratio(table) > 1) == item.with_failure
