"""Who says what, settled by program from two independent readings, and further ones where they differ.

A rule counts for a canonical rule when two readings say so: the one that induced the book, and the one that coded the
rule against it. Where they differ the rule is read once more with the book beside it. One vote a trajectory.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from pydantic import Field

from trace2skill.consolidate.assign import Code
from trace2skill.consolidate.book import Canonical, Part
from trace2skill.consolidate.cut import Rule, plain_words
from trace2skill.consolidate.doubles import doubles, moved
from trace2skill.consolidate.groups import Saying, Support
from trace2skill.core.digest import digest_of
from trace2skill.core.record import Record

How = Literal["same", "narrower"]
NO_RULE = "it holds no rule"
DISAGREED = "its readers disagree on what it says"


class Statement(Record):
    """A rule that states a canonical rule, as widely or for a narrower case."""

    rule: Rule
    how: How = "same"


def saying_of(said: Statement) -> Saying:
    """A statement as the ledger keeps it."""
    rule = said.rule
    author = {"trajectory_id": rule.trajectory_id, "task_id": rule.task_id}
    return Saying(**author, text=rule.text, how=said.how, lessons=rule.lessons)


class BookRule(Record, form="BookRule", version=1):
    """A rule of the finished book: who says it in which words, and who says the opposite."""

    says: str
    said: tuple[Statement, ...]
    against: tuple[Rule, ...] = Field(default=(), description="Rules that oppose it.")
    path: tuple[str, ...] = Field(default=(), description="The nodes that united it.")

    @cached_property
    def id(self) -> str:
        """Short content id over its words: support may grow, the rule stays the same."""
        return "K" + digest_of(self.says)[:12]

    @cached_property
    def support(self) -> Support:
        """The exact set of those whose own words say it."""
        return Support.union(said.rule.support for said in self.said)

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The distinct wordings of its supporters, in an order that depends on each alone."""
        if len(self.said) == 1:  # as most rules have it
            return (self.said[0].rule.text,)
        by_plain = {said.rule.order: said.rule.text for said in sorted(self.said, key=lambda said: said.rule.text)}
        return tuple(by_plain[order] for order in sorted(by_plain))


class Opposition(Record):
    """Two rules of the book that cannot both hold, by id, and the tasks that show it."""

    first: str
    second: str
    tasks: tuple[str, ...]


class LeftRule(Record):
    """A rule that counts for nothing in the book, and why."""

    rule: Rule
    reason: str


class RuleBook(Record, form="RuleBook", version=1):
    """The finished book of one skill and one set of trajectories. Every rule is said, or left out with a reason."""

    rules: tuple[BookRule, ...] = ()
    opposed: tuple[Opposition, ...] = ()
    left_out: tuple[LeftRule, ...] = ()


@dataclass(frozen=True)
class TwoReadings:
    """The frozen book and what two readings made of every rule, by the numbers of canonical rules.

    Args:
        book: the canonical rules.
        induced: by rule: what it was induced into.
        assigned: by rule: its code; one without a usable answer is missing.
        no_rule: rules that were said to be none.
        into: a canonical rule that turned out to be another one -> that one, by number.
    """

    book: tuple[Canonical, ...]
    induced: Mapping[str, frozenset[int]]
    assigned: Mapping[str, Code]
    no_rule: frozenset[str]
    into: Mapping[int, int]

    @property
    def agreed(self) -> frozenset[str]:
        """Rules of which both readings say the same. The others are to be read again."""
        return frozenset(id for id in self.induced if self._agree(id))

    def _agree(self, id: str) -> bool:
        code = self.assigned.get(id)
        if code is None:
            return False
        return code.says == self.induced[id] and bool(code.says or id in self.no_rule)


def frozen(root: Part) -> tuple[Canonical, ...]:
    """The book to code against: what two trajectories say. A rule of one alone has no one else to be found."""
    every = [item for item in (*root.canonicals, *root.waiting) if len(item.trajectories) > 1]
    by_says: dict[str, list[Canonical]] = defaultdict(list)
    for item in every:
        by_says[item.says].append(item)
    return tuple(_one(by_says[says]) for says in sorted(by_says))


def readings(root: Part, book: Sequence[Canonical], rules: Iterable[Rule], codes: Mapping[str, Code]) -> TwoReadings:
    """Both readings side by side, with canonical rules that are one found out and united.

    Two canonical rules are one where only the induction kept them apart: most rules that were induced into the first
    were coded as the second instead, and hardly any as the first; or each has many that were coded as the other.
    Rules of equal words are one here: they were read once, and one mistaken answer is not to unite what many say.
    """
    words = {rule.id: rule.plain for rule in rules}
    induced: dict[str, set[int]] = {id: set() for id in words}
    for number, item in enumerate(book):
        for id in item.rules:
            induced[id].add(number)
    into = doubles(book, induced, codes, words)
    return TwoReadings(
        book=tuple(book),
        induced={id: frozenset(into.get(n, n) for n in numbers) for id, numbers in induced.items()},
        assigned={id: moved(code, into) for id, code in codes.items()},
        no_rule=frozenset(root.no_rule),
        into=into,
    )


def disputed(seen: TwoReadings, later: Mapping[str, Code]) -> frozenset[str]:
    """Rules that some reading found in the book, though no two found the same: worth one reading more."""
    found = set()
    for id, code in later.items():
        named = seen.induced[id] | (seen.assigned[id].says if id in seen.assigned else frozenset()) | code.says
        if named and not _stated(seen, id, [later]):
            found.add(id)
    return frozenset(found)


def settle(
    seen: TwoReadings,
    rules: Mapping[str, Rule],
    later: Sequence[Mapping[str, Code]],
    new: Sequence[tuple[str, Sequence[str]]],
) -> RuleBook:
    """The finished book.

    Args:
        seen: the two readings.
        rules: every rule by its id.
        later: further readings of the rules that the two do not agree on; one without a usable answer is missing.
        new: canonical rules that a later reading adds: their words and the ids of their rules.
    """
    said: dict[int, list[Statement]] = defaultdict(list)
    for id, rule in rules.items():
        for number in sorted(_stated(seen, id, later)):
            code = _last(seen, id, later) or Code()
            narrower = number in code.narrower and number not in code.same
            said[number].append(Statement(rule=rule, how="narrower" if narrower else "same"))
    made = [BookRule(says=seen.book[n].says, said=_sorted(said[n]), path=seen.book[n].path) for n in sorted(said)]
    credited = {one.rule.id for some in said.values() for one in some}
    made += _added(new, rules, credited)
    credited |= {one.rule.id for rule in made for one in rule.said}
    left, alone = _rest(seen, rules, later, credited)
    made = _distinct([*made, *alone])
    against = _votes_against(seen, later)
    placed = [_with_against(rule, against, rules) for rule in made]
    return RuleBook(
        rules=tuple(sorted(placed, key=lambda rule: (-rule.support.weight, rule.id))),
        opposed=_oppositions(placed),
        left_out=tuple(left),
    )


def by_words(rules: Iterable[Rule]) -> RuleBook:
    """The book without a reader: rules whose words are equal but for case and marks are one. Linear."""
    alone = [BookRule(says=rule.text, said=(Statement(rule=rule),)) for rule in sorted(rules, key=lambda rule: rule.id)]
    return RuleBook(rules=tuple(sorted(_distinct(alone), key=lambda rule: (-rule.support.weight, rule.id))))


def _stated(seen: TwoReadings, id: str, later: Sequence[Mapping[str, Code]]) -> frozenset[int]:
    """The canonical rules a rule states: those that two of its readings name; with one reading, those of that one."""
    again = [moved(reading[id], seen.into) for reading in later if id in reading]
    if not again and id in seen.assigned:  # as of most: those that both name
        return seen.induced[id] & seen.assigned[id].says
    votes: Counter[int] = Counter(seen.induced[id])
    read = 1
    for code in (seen.assigned.get(id), *again):
        if code is not None:
            votes.update(code.says)
            read += 1
    return frozenset(n for n, count in votes.items() if count >= min(2, read))


def _last(seen: TwoReadings, id: str, later: Sequence[Mapping[str, Code]]) -> Code | None:
    """The code that the last reading gave a rule, None where none gave any."""
    for reading in reversed(later):
        if id in reading:
            return moved(reading[id], seen.into)
    return seen.assigned.get(id)


def _added(new: Sequence[tuple[str, Sequence[str]]], rules: Mapping[str, Rule], credited: set[str]) -> list[BookRule]:
    """Canonical rules of a later reading, each with those of its rules that count for nothing else."""
    found = []
    for says, cited in new:
        left = [rules[id] for id in cited if id not in credited]
        if left:
            found.append(BookRule(says=says, said=_sorted(Statement(rule=rule) for rule in left), path=("again",)))
    return found


def _rest(
    seen: TwoReadings, rules: Mapping[str, Rule], later: Sequence[Mapping[str, Code]], credited: set[str]
) -> tuple[list[LeftRule], list[BookRule]]:
    """Rules that count for nothing so far: no rule, read differently each time, or said by one alone."""
    left, alone = [], []
    for id, rule in rules.items():
        if id in credited:
            continue
        named = seen.induced[id] | (seen.assigned[id].says if id in seen.assigned else frozenset())
        again = _last(seen, id, later) if any(id in reading for reading in later) else None
        if id in seen.no_rule and not (again and again.says):
            left.append(LeftRule(rule=rule, reason=NO_RULE))
        elif named and again and again.says:
            left.append(LeftRule(rule=rule, reason=DISAGREED))
        else:
            alone.append(BookRule(says=rule.text, said=(Statement(rule=rule),)))
    return left, alone


def _distinct(made: Iterable[BookRule]) -> list[BookRule]:
    """Rules of the book whose words are equal but for case and marks are one."""
    by_plain: dict[str, list[BookRule]] = defaultdict(list)
    for rule in made:
        by_plain[plain_words(rule.says)].append(rule)
    return [
        some[0]
        if len(some) == 1
        else some[0].model_copy(update={"said": _sorted(said for rule in some for said in rule.said)})
        for some in by_plain.values()
    ]


def _votes_against(seen: TwoReadings, later: Sequence[Mapping[str, Code]]) -> dict[str, set[str]]:
    """Words of a canonical rule -> ids of the rules that oppose it."""
    against: dict[str, set[str]] = defaultdict(set)
    for id in seen.induced:
        code = _last(seen, id, later)
        for number in code.opposed if code else ():
            against[seen.book[number].says].add(id)
    return against


def _with_against(rule: BookRule, against: Mapping[str, set[str]], rules: Mapping[str, Rule]) -> BookRule:
    own = {said.rule.id for said in rule.said}
    found = sorted(against.get(rule.says, set()) - own)
    return rule.model_copy(update={"against": tuple(rules[id] for id in found)}) if found else rule


def _oppositions(made: Sequence[BookRule]) -> tuple[Opposition, ...]:
    """Pairs of which enough rules of one side oppose the other: two tasks, and a third of the smaller side."""
    saying: dict[str, list[BookRule]] = defaultdict(list)
    for rule in made:
        for said in rule.said:
            saying[said.rule.id].append(rule)
    tasks: dict[tuple[str, str], set[str]] = defaultdict(set)
    sizes = {rule.id: len(rule.support.tasks) for rule in made}
    for rule in made:
        for other in rule.against:
            for side in saying[other.id]:
                if side.id != rule.id:
                    first, second = sorted((rule.id, side.id))
                    tasks[first, second].add(other.task_id)
    return tuple(
        Opposition(first=a, second=b, tasks=tuple(sorted(tasks[a, b])))
        for a, b in sorted(tasks)
        if len(tasks[a, b]) >= max(2, min(sizes[a], sizes[b]) / 3)
    )


def _one(same: Sequence[Canonical]) -> Canonical:
    if len(same) == 1:
        return same[0]
    return Canonical(
        says=same[0].says,
        rules=tuple(sorted({id for item in same for id in item.rules})),
        trajectories=tuple(sorted({id for item in same for id in item.trajectories})),
        path=tuple(dict.fromkeys(step for item in same for step in item.path)),
    )


def _sorted(said: Iterable[Statement]) -> tuple[Statement, ...]:
    by_id = {one.rule.id: one for one in said}
    return tuple(by_id[id] for id in sorted(by_id))
