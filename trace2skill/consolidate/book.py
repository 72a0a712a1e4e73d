"""The rule book: canonical rules that cite the rules they stand for, induced by a reduction of bounded nodes.

Trajectories lie in a binary trie over a hash of each alone, so that the set decides and not the order. A leaf is the
largest part of the trie whose rules fit `Bounds.leaf_room`; a node unites the largest part whose canonical rules fit.
One more trajectory changes its leaf and the nodes above it, and those only where the words of a leaf's rules changed:
prompts hold texts, never counts.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from trace2skill.consolidate.bounded import Asker, Bounds, answered, ids, lines, tokens
from trace2skill.consolidate.cut import Rule, plain_words
from trace2skill.core.digest import digest_of
from trace2skill.core.record import Record

PROMPT = "book_induce"
MOST_SAID = 400  # characters of one canonical rule
MOST_CITED = 6  # canonical rules that one rule may be cited by: it says several things at most
T = TypeVar("T")


class InducedRule(BaseModel):
    """A group of the answer. Without `says` it keeps the words of the first rule it cites."""

    model_config = ConfigDict(extra="ignore")
    cites: list[str] = Field(min_length=1)
    says: str = ""


class Induced(BaseModel):
    """What the inducer answers."""

    model_config = ConfigDict(extra="ignore")
    rules: list[InducedRule]
    no_rule: list[str] = Field(default_factory=list)


class Group(Record):
    """Texts that say one thing, by number, and that thing in words."""

    says: str
    texts: tuple[int, ...]


class Grouping(Record, form="Grouping", version=1):
    """What a node makes of its texts: a function of the texts alone. Every text is in a group or in `no_rule`."""

    groups: tuple[Group, ...]
    no_rule: tuple[int, ...] = ()
    by_program: tuple[int, ...] = Field(default=(), description="Texts that no usable answer came for.")


@dataclass(frozen=True, slots=True)
class Canonical:
    """A canonical rule with the rules it was induced from.

    Args:
        says: the rule.
        rules: ids of rules, sorted.
        trajectories: who says them, sorted.
        path: the nodes that united it, from the leaves up.
    """

    says: str
    rules: tuple[str, ...]
    trajectories: tuple[str, ...]
    path: tuple[str, ...] = ()

    @property
    def strength(self) -> tuple[int, str]:
        """For an order that depends on each alone: the most supported first."""
        return (-len(self.trajectories), digest_of(self.says))


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the book: canonical rules, what waits for the finished book, and what holds no rule.

    `no_rule` and `by_program`, those that only the program has read, are ids of rules.
    """

    canonicals: tuple[Canonical, ...] = ()
    waiting: tuple[Canonical, ...] = ()
    no_rule: tuple[str, ...] = ()
    by_program: tuple[str, ...] = ()


class Bucket(NamedTuple):
    """What lies under a prefix of the trie."""

    prefix: str
    trajectories: tuple[str, ...]


def induce(ask: Asker, texts: Sequence[str], bounds: Bounds) -> Grouping:
    """Group distinct texts by meaning. Bounded; what cannot be answered in rule is grouped by program.

    Raises:
        InfrastructureFault, ModelUnusable, BudgetReached: as `Client.complete`.
    """

    def once(items: Sequence[int], said: Sequence[str]) -> Induced:
        return ask(PROMPT, Induced, {"rules": lines([texts[i] for i in items], "r")}, said)

    groups: list[Group] = []
    none: list[int] = []
    unread: list[int] = []
    for items, answer in answered(
        range(len(texts)), lambda some: tokens([texts[i] for i in some]) <= bounds.room, once, _broken
    ):
        if answer is None:
            unread += items
            groups += [Group(says=texts[i], texts=(i,)) for i in items]
            continue
        number = dict(zip(ids(items, "r"), items, strict=True))
        none += [number[id] for id in answer.no_rule]
        for rule in answer.rules:
            cited = [number[id] for id in dict.fromkeys(rule.cites)]
            groups.append(Group(says=" ".join(rule.says.split()) or texts[cited[0]], texts=tuple(sorted(cited))))
    return Grouping(groups=tuple(_united(groups)), no_rule=tuple(sorted(none)), by_program=tuple(sorted(unread)))


def _broken(answer: Induced, items: Sequence[int]) -> list[str]:
    """Which rules an answer breaks, in words for the re-ask."""
    given = ids(items, "r")
    cited = Counter(id for rule in answer.rules for id in dict.fromkeys(rule.cites))
    none = set(answer.no_rule)
    used = cited.keys() | none
    found = [f"{id} was not given" for id in sorted(used - set(given))]
    found += [f"{id} is neither cited nor listed under no_rule" for id in given if id not in used]
    found += [f"{id} is cited and listed under no_rule" for id in given if id in cited and id in none]
    found += [f"{id} is cited more than {MOST_CITED} times" for id in given if cited[id] > MOST_CITED]
    found += [
        f"the rule citing {rule.cites[0]} has {len(rule.says)} characters, more than {MOST_SAID}"
        for rule in answer.rules
        if len(rule.says) > MOST_SAID
    ]
    return found


def _united(groups: Iterable[Group]) -> list[Group]:
    """Groups whose words are equal but for case and marks are one. Linear; nothing else is ever united by program."""
    found: dict[str, Group] = {}
    for group in groups:
        key = plain_words(group.says)
        before = found.get(key)
        found[key] = (
            group
            if before is None
            else before.model_copy(update={"texts": tuple(sorted({*before.texts, *group.texts}))})
        )
    return sorted(found.values(), key=lambda group: (group.texts, group.says))


def distinct_texts(rules: Iterable[Rule]) -> dict[str, list[Rule]]:
    """Rules by what they say: texts that differ in case and marks only are one, in the words that come first."""
    by_plain: dict[str, list[Rule]] = {}
    for rule in rules:
        by_plain.setdefault(rule.plain, []).append(rule)
    named = {min(rule.text for rule in same): same for same in by_plain.values()}
    return {text: named[text] for text in sorted(named)}


def leaf_part(rules: Sequence[Rule], texts: Mapping[str, list[Rule]], grouping: Grouping, node: str) -> Part:
    """The part of the book that a leaf's grouping comes to."""
    order = list(texts.values())
    canonicals = [
        _canonical(group.says, [rule for i in group.texts for rule in order[i]], node) for group in grouping.groups
    ]
    return Part(
        canonicals=tuple(sorted(canonicals, key=lambda item: item.says)),
        no_rule=tuple(sorted(rule.id for i in grouping.no_rule for rule in order[i])),
        by_program=tuple(sorted(rule.id for i in grouping.by_program for rule in order[i])),
    )


def node_part(parts: Sequence[Part], shown: Sequence[Canonical], grouping: Grouping, node: str) -> Part:
    """The part of the book that a node's grouping comes to: lineage is followed through what its groups cite.

    What a node calls no rule keeps waiting: a leaf that read the author's words thought otherwise.
    """
    by_text = _by_says(shown)
    texts = list(by_text)
    made: dict[str, Canonical] = {}
    for group in grouping.groups:
        inner = [item for i in group.texts for item in by_text[texts[i]]]
        one = inner[0] if len(inner) == 1 and inner[0].says == group.says else _joined(group.says, inner, node)
        made[one.says] = one
    ids_shown = {id(item) for item in shown}
    left = [item for part in parts for item in part.canonicals if id(item) not in ids_shown]
    left += [item for i in grouping.no_rule for item in by_text[texts[i]]]
    return Part(
        canonicals=tuple(made[says] for says in sorted(made)),
        waiting=_in_order([*left, *(item for part in parts for item in part.waiting)]),
        no_rule=tuple(sorted({id for part in parts for id in part.no_rule})),
        by_program=tuple(sorted({id for part in parts for id in part.by_program})),
    )


def shown_texts(shown: Sequence[Canonical]) -> tuple[str, ...]:
    """The texts a node is asked about, in the order of `node_part`."""
    return tuple(_by_says(shown))


def shown_to(parts: Sequence[Part], bounds: Bounds) -> list[Canonical]:
    """The canonical rules of parts that one node can be shown: all that fit, the most supported first."""
    every = [item for part in parts for item in part.canonicals]
    if tokens([item.says for item in every]) <= bounds.room:
        return every
    room, shown = bounds.room, []
    for item in sorted(every, key=lambda item: item.strength):
        cost = tokens([item.says])
        if cost <= room:
            shown.append(item)
            room -= cost
    return shown


def leaves_of(rules: Mapping[str, Sequence[Rule]], room: int) -> list[Bucket]:
    """The trajectories in buckets of the trie, each the largest part whose rules fit.

    Args:
        rules: the rules of each trajectory.
        room: most tokens of one bucket; a trajectory that has more is a bucket of its own.
    """
    costs = {id: tokens([rule.text for rule in some]) for id, some in rules.items() if some}
    keys = {id: _bits(id) for id in costs}
    return _buckets("", sorted(costs, key=keys.__getitem__), keys, lambda ids: sum(costs[id] for id in ids) <= room)


def next_nodes(nodes: Sequence[tuple[str, Part]], bounds: Bounds) -> list[tuple[str, tuple[int, ...]]]:
    """The nodes of the next level: (prefix, numbers of the nodes it unites). One number alone passes as it is.

    A part counts at most its share of a prompt, since it can leave its least supported rules out: so at least `fan_in`
    parts fit, and the depth is small whatever the parts hold.
    """
    share = bounds.room // bounds.fan_in
    cost = [min(share, tokens([item.says for item in part.canonicals])) for _, part in nodes]

    def within(numbers: Sequence[int]) -> bool:
        return len(numbers) <= bounds.fan_in and sum(cost[n] for n in numbers) <= bounds.room

    found: list[tuple[str, tuple[int, ...]]] = []

    def descend(prefix: str, numbers: Sequence[int]) -> None:
        if not numbers:
            return
        if within(numbers):
            found.append((nodes[numbers[0]][0] if len(numbers) == 1 else prefix, tuple(numbers)))
            return
        for bit in "01":
            descend(prefix + bit, [n for n in numbers if nodes[n][0].startswith(prefix + bit)])

    descend("", range(len(nodes)))
    return found


def _buckets(
    prefix: str, ids: Sequence[str], keys: Mapping[str, str], fit: Callable[[Sequence[str]], bool]
) -> list[Bucket]:
    if not ids:
        return []
    if len(ids) == 1 or fit(ids) or len(prefix) >= 128:
        return [Bucket(prefix=prefix, trajectories=tuple(ids))]
    return [
        bucket
        for bit in "01"
        for bucket in _buckets(prefix + bit, [id for id in ids if keys[id].startswith(prefix + bit)], keys, fit)
    ]


def _bits(trajectory: str) -> str:
    """The key of a trajectory: 256 bits that depend on it alone."""
    return f"{int(hashlib.sha256(trajectory.encode('utf-8', 'surrogatepass')).hexdigest(), 16):0256b}"


def _canonical(says: str, rules: Iterable[Rule], node: str) -> Canonical:
    given = {rule.id: rule for rule in rules}
    return Canonical(
        says=says,
        rules=tuple(sorted(given)),
        trajectories=tuple(sorted({rule.trajectory_id for rule in given.values()})),
        path=(node,),
    )


def _joined(says: str, inner: Sequence[Canonical], node: str) -> Canonical:
    return Canonical(
        says=says,
        rules=tuple(sorted({id for item in inner for id in item.rules})),
        trajectories=tuple(sorted({id for item in inner for id in item.trajectories})),
        path=(*dict.fromkeys(step for item in inner for step in item.path), node),
    )


def _by_says(shown: Sequence[Canonical]) -> dict[str, list[Canonical]]:
    found: dict[str, list[Canonical]] = {}
    for item in shown:
        found.setdefault(item.says, []).append(item)
    return {says: found[says] for says in sorted(found)}


def _in_order(items: Iterable[Canonical]) -> tuple[Canonical, ...]:
    return tuple(sorted(items, key=lambda item: (item.says, item.rules)))
