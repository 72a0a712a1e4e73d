"""Signs that go with failure or with success, by an exact test over tasks with known outcomes.

Where a third of the sessions and more are of tasks that were both passed and failed, a sign is compared within each
task: what makes a task hard is then the same on both sides. Else a task counts once, as most of its sessions went.
Once some signs are found, the others are tested again, with the sessions that show a found one apart from the rest: a
second cause shows better where the failures of the first do not stand beside it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from trace2skill.analysts.mining.candidates import Sign, candidates
from trace2skill.analysts.mining.corpus import Corpus, bits, numbers
from trace2skill.analysts.mining.exact import Table, Tested, level, odds_ratio, stratified

ALPHA = 0.05
"""The rate of false discoveries of each round."""
ROUNDS = 4
LEAST_ODDS = 3.0
LEAST_LIFT = 0.2
MOST_STRATA = 200
SAME = 0.8
EXPLAINED = 0.05
TOLD_OF_SUCCESS = ("before", "after")
"""Kinds of signs that say what to do only where they go with success."""


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
    if not corpus.failed or not corpus.passed:
        return Looked((), 0, 0, ALPHA, within, None)
    signs = candidates(corpus)
    first, below, shared = _round(corpus, signs, (), within)
    good = [item for item in first if _good(item, below)]
    found = list(_distinct(corpus, good, within))
    for _ in range(ROUNDS - 1):
        more = _more(corpus, signs, found, within) if found else []
        if not more:
            break
        found += more
    nearest = first[0] if first and not good else None
    return Looked(tuple(found), len(signs), shared, below, within, nearest)


def _round(
    corpus: Corpus, signs: Sequence[Sign], found: Sequence[Distinction], within: bool
) -> tuple[list[Distinction], float, int]:
    """All signs tested beside those that are found, the surest first; with the level, and how many could reach it."""
    known, apart = corpus.known, 0
    for item in found:
        apart |= _side(item)
    apart = _whole_tasks(corpus, apart, within)
    tested = []
    for sign in signs:
        shown, eligible = sign.shown & known, sign.eligible & known
        if found:
            test = _test(corpus, sign, shown, (eligible & ~apart, eligible & apart), within)
            table = _table(corpus, shown, eligible & ~apart, within)
        else:
            test, table = _test(corpus, sign, shown, (eligible,), within), _table(corpus, shown, eligible, within)
        tested.append(Distinction(sign, table, test))
    below, shared = level([item.tested for item in tested], ALPHA)
    tested.sort(key=lambda item: (item.tested.p, item.sign.order[0], item.sign.words))
    return tested, below, shared


def _more(corpus: Corpus, signs: Sequence[Sign], found: Sequence[Distinction], within: bool) -> list[Distinction]:
    """What distinguishes besides the signs that are found, with the numbers of all sessions."""
    tested, below, _ = _round(corpus, signs, found, within)
    good = [item for item in tested if _good(item, below) and not any(_same(corpus, one, item) for one in found)]
    known = corpus.known
    return [
        item._replace(table=_table(corpus, item.sign.shown & known, item.sign.eligible & known, within))
        for item in _distinct(corpus, good, within, found)
    ]


def _good(item: Distinction, below: float) -> bool:
    return item.tested.p <= below and _strong(item.table) and _tells(item)


def _whole_tasks(corpus: Corpus, of: int, within: bool) -> int:
    """Where tasks count once: all sessions of the tasks of these."""
    if within or not of:
        return of
    names = {corpus.sessions[number].task for number in numbers(of)}
    return bits(number for name in names for number in corpus.tasks[name])


def _within(corpus: Corpus) -> bool:
    mixed = [item for item in corpus.tasks.values() if _is_mixed(corpus, item)]
    return 3 * sum(map(len, mixed)) >= max(1, corpus.known.bit_count()) and len(mixed) >= 5


def _is_mixed(corpus: Corpus, sessions: list[int]) -> bool:
    return 0 < sum(corpus.sessions[number].outcome == "failed" for number in sessions) < len(sessions)


def _table(corpus: Corpus, shown: int, eligible: int, within: bool) -> Table:
    """Sessions of tasks that were both passed and failed, or all tasks once each."""
    total = [0, 0, 0, 0]
    for table in _tables(corpus, shown, eligible, within, most=len(corpus.tasks)):
        for cell in range(4):
            total[cell] += table[cell]
    return total[0], total[1], total[2], total[3]


def _test(corpus: Corpus, sign: Sign, shown: int, parts: Sequence[int], within: bool) -> Tested:
    """Over sessions that are eligible, in parts that are not compared with each other.

    A sign that tells what to do in one direction only is looked at in that direction only.
    """
    fewer = sign.kind in TOLD_OF_SUCCESS
    if within:
        most = MOST_STRATA // len(parts)
        tables = (table for part in parts for table in _tables(corpus, shown, part, within, most))
        return stratified(tables, fewer=fewer)
    return stratified((_table(corpus, shown, part, within) for part in parts), fewer=fewer)


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
    return not (item.with_failure and item.sign.kind in TOLD_OF_SUCCESS)


def _strong(table: Table) -> bool:
    """Is the difference one that matters, whatever its p value is?"""
    odds = odds_ratio(table)
    failed_with, passed_with, failed_without, passed_without = table
    some, others = failed_with + passed_with, failed_without + passed_without
    if not some or not others:
        return False
    lift = abs(failed_with / some - failed_without / others)
    return max(odds, 1 / odds) >= LEAST_ODDS and lift >= LEAST_LIFT


def _distinct(
    corpus: Corpus, good: list[Distinction], within: bool, found: Sequence[Distinction] = ()
) -> Iterator[Distinction]:
    """One sign of each cause: those nearly of the same sessions are one, and one that nothing is left of is none."""
    explained = 0
    for item in found:
        explained |= _side(item) & corpus.failed
    left = [item for item in good if not found or _still(corpus, item, explained, within)]
    while left:
        best = left[0]
        group = [item for item in left if _same(corpus, best, item)]
        chosen = min(group, key=lambda item: (item.sign.order[0], item.tested.p, item.sign.words))
        yield chosen
        explained |= (_side(best) | _side(chosen)) & corpus.failed
        left = [item for item in left if item not in group and _still(corpus, item, explained, within)]


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
    test = _test(corpus, item.sign, shown, (eligible,), within)
    table = _table(corpus, shown, eligible, within)
    return test.p <= EXPLAINED and _strong(table) and (odds_ratio(table) > 1) == item.with_failure
