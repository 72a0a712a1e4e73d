"""From rules to the finished book, round by round: induce, unite, assign, again. Pure but for the runner.

Each round is a list of jobs that do not need each other; a runner answers them, in threads or as mapped tasks. A job
holds texts alone, so that what did not change is not asked again.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Protocol

from trace2skill.consolidate.assign import Code, Coding
from trace2skill.consolidate.book import (
    Bucket,
    Canonical,
    Grouping,
    Part,
    distinct_texts,
    leaf_part,
    leaves_of,
    next_nodes,
    node_part,
    shown_texts,
    shown_to,
)
from trace2skill.consolidate.bounded import Bounds
from trace2skill.consolidate.cut import Rule
from trace2skill.consolidate.settle import RuleBook, by_words, disputed, frozen, readings, settle
from trace2skill.consolidate.write import Sheet, SheetWording
from trace2skill.core.digest import digest_of
from trace2skill.core.record import Record


class InduceJob(Record):
    """Group these distinct texts by meaning. `level` 0 reads authors' words, higher ones canonical rules."""

    name: str
    level: int
    texts: tuple[str, ...]

    @cached_property
    def asks(self) -> str:
        """Digest of what the answer depends on."""
        return digest_of("induce", self.texts)


class AssignJob(Record):
    """Code these distinct texts against the book; `again` lets what fits nothing form new groups."""

    name: str
    book: tuple[str, ...]
    texts: tuple[str, ...]
    again: bool = False

    @cached_property
    def asks(self) -> str:
        """Digest of what the answer depends on."""
        return digest_of("again" if self.again else "assign", self.book, self.texts)


class WriteJob(Record):
    """Word the rules of one sheet."""

    name: str
    sheet: Sheet

    @cached_property
    def asks(self) -> str:
        """Digest of what the answer depends on."""
        return digest_of("write", self.sheet)


class Runner(Protocol):
    """Answers the jobs of one round, in their order. A fault that is no answer is raised."""

    def induce(self, jobs: Sequence[InduceJob]) -> Sequence[Grouping]:
        """See `book.induce`."""

    def assign(self, jobs: Sequence[AssignJob]) -> Sequence[Coding]:
        """See `assign.assign`."""

    def write(self, jobs: Sequence[WriteJob]) -> Sequence[SheetWording]:
        """See `write.write`."""


def read_book(rules: Iterable[Rule], runner: Runner, bounds: Bounds) -> RuleBook:
    """The finished book of a set of rules. Their order does not count.

    Raises:
        InfrastructureFault, ModelUnusable, BudgetReached: as the runner; what was answered is kept.
    """
    by_id = {rule.id: rule for rule in sorted(rules, key=lambda rule: rule.id)}
    alone = len({rule.trajectory_id for rule in by_id.values()}) < 2
    if alone or len({rule.plain for rule in by_id.values()}) < 2:
        return by_words(by_id.values())  # nobody else could say the same, or all use the same words
    buckets = _by_trajectory(by_id.values())
    root = _induced(buckets, runner, bounds)
    book = frozen(root)
    codes = _assigned(book, buckets, runner, bounds) if book else {}
    seen = readings(root, book, by_id.values(), codes)
    agreed = seen.agreed
    open_rules = [rule for id, rule in by_id.items() if id not in agreed]
    third, new = _read_again(book, open_rules, runner, bounds)
    still = disputed(seen, third)
    fourth, more = _read_again(book, [by_id[id] for id in sorted(still)], runner, bounds)
    return settle(seen, by_id, [third, fourth], [*new, *more])


def _by_trajectory(rules: Iterable[Rule]) -> dict[str, list[Rule]]:
    found: dict[str, list[Rule]] = {}
    for rule in rules:
        found.setdefault(rule.trajectory_id, []).append(rule)
    return found


def _texts_of(leaves: Iterable[Bucket], buckets: Mapping[str, Sequence[Rule]]) -> list[dict[str, list[Rule]]]:
    """The distinct texts of each leaf."""
    return [distinct_texts(rule for id in leaf.trajectories for rule in buckets[id]) for leaf in leaves]


def _induced(buckets: Mapping[str, Sequence[Rule]], runner: Runner, bounds: Bounds) -> Part:
    """The root of the reduction."""
    leaves = leaves_of(buckets, bounds.leaf_room)
    texts = _texts_of(leaves, buckets)
    jobs = [
        InduceJob(name=f"leaf {leaf.prefix or '-'}", level=0, texts=tuple(some))
        for leaf, some in zip(leaves, texts, strict=True)
    ]
    made = runner.induce(jobs)
    nodes: list[tuple[str, Part]] = [
        (leaf.prefix, leaf_part([], some, grouping, _node_id(job)))
        for leaf, some, job, grouping in zip(leaves, texts, jobs, made, strict=True)
    ]
    level = 0
    while len(nodes) > 1:
        level += 1
        nodes = _one_level(nodes, level, runner, bounds)
    return nodes[0][1]


def _one_level(nodes: list[tuple[str, Part]], level: int, runner: Runner, bounds: Bounds) -> list[tuple[str, Part]]:
    plan = next_nodes(nodes, bounds)
    jobs: list[InduceJob] = []
    asked: list[tuple[int, list[Part], list[Canonical]]] = []
    now: list[tuple[str, Part]] = []
    for prefix, numbers in plan:
        parts = [nodes[n][1] for n in numbers]
        now.append((prefix, parts[0]))
        if len(parts) > 1:
            shown = shown_to(parts, bounds)
            asked.append((len(now) - 1, parts, shown))
            jobs.append(InduceJob(name=f"node {prefix or 'root'}", level=level, texts=shown_texts(shown)))
    for job, (at, parts, shown), grouping in zip(jobs, asked, runner.induce(jobs), strict=True):
        now[at] = (now[at][0], node_part(parts, shown, grouping, _node_id(job)))
    return now


def _node_id(job: InduceJob) -> str:
    return "N" + job.asks[:12]


def _assigned(
    book: Sequence[Canonical], buckets: Mapping[str, Sequence[Rule]], runner: Runner, bounds: Bounds
) -> dict[str, Code]:
    """Every rule's code; one that nobody could give is missing."""
    says = tuple(item.says for item in book)
    texts = _texts_of(leaves_of(buckets, bounds.room_beside(says)), buckets)
    jobs = [AssignJob(name=f"batch {n}", book=says, texts=tuple(some)) for n, some in enumerate(texts, 1)]
    codes: dict[str, Code] = {}
    for some, coding in zip(texts, runner.assign(jobs), strict=True):
        for same, code in zip(some.values(), coding.codes, strict=True):
            if code is not None:
                codes.update(dict.fromkeys((rule.id for rule in same), code))
    return codes


def _read_again(
    book: Sequence[Canonical], rules: Sequence[Rule], runner: Runner, bounds: Bounds
) -> tuple[dict[str, Code], list[tuple[str, list[str]]]]:
    """One more reading of some rules, with the book beside them: their codes, and what they add to the book."""
    if not rules:
        return {}, []
    says = tuple(item.says for item in book)
    buckets = _by_trajectory(rules)
    texts = _texts_of(leaves_of(buckets, bounds.room_beside(says)), buckets)
    jobs = [AssignJob(name=f"again {n}", book=says, texts=tuple(some), again=True) for n, some in enumerate(texts, 1)]
    codes: dict[str, Code] = {}
    new: list[tuple[str, list[str]]] = []
    for some, coding in zip(texts, runner.assign(jobs), strict=True):
        order = list(some.values())
        for same, code in zip(order, coding.codes, strict=True):
            if code is not None:
                codes.update(dict.fromkeys((rule.id for rule in same), code))
        for group in coding.new:
            cited = [rule.id for n in group.texts if not _known(coding.codes[n]) for rule in order[n]]
            if cited:
                new.append((group.says, cited))
    return codes, new


def _known(code: Code | None) -> bool:
    """Was a text found in the book after all? Then it is no new rule."""
    return code is not None and bool(code.says)
