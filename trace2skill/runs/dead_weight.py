"""What of a skill may go, and on what evidence: parts without a measured effect, unused files, what is said twice.

Unknown is not zero: a part of which no rollout tells, or too few, stays. What people wrote is counted and stays, unless
it is asked for. What is proposed here is proven by nobody: the gate has to let the smaller skill through.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from trace2skill.consolidate.cut import MARK, plain_words
from trace2skill.consolidate.groups import EditGroup, Support
from trace2skill.consolidate.ledger import SupportLedger, SupportRow
from trace2skill.consolidate.limits import CHARS_PER_TOKEN
from trace2skill.consolidate.lines import LineRange
from trace2skill.consolidate.settle import BookRule, RuleBook, saying_of
from trace2skill.consolidate.standing import standing_in
from trace2skill.evaluation.attribution import RuleEffect
from trace2skill.runs.rule_effects import is_missed
from trace2skill.runs.shrunk import ShrunkPart, Why
from trace2skill.skills.markdown import split_lines
from trace2skill.skills.skill import Skill
from trace2skill.types.patch import Edit

FEWER_THAN = 0.5
"""Of the tasks that asked for a rule: it surely helps fewer than this share of them, or too little is known of it."""
LEAST_RUNS = 20
"""Runs with calls of tools in which nobody opened a file, from which it counts as unused."""
ORDER: tuple[Why, ...] = ("harms", "doubled", "explained", "unused", "no_effect", "shortened")


class SkillPart(NamedTuple):
    """Lines of a skill that go together, and the rules of the book that they state."""

    places: tuple[LineRange, ...]
    text: str
    rules: tuple[BookRule, ...]
    rows: tuple[SupportRow, ...]

    @property
    def id(self) -> LineRange:
        """Where it begins: no two pieces begin at the same place."""
        return self.places[0]

    @property
    def by_people(self) -> bool:
        """Did people write any of it?"""
        return not self.rows or any(not row.group for row in self.rows)

    @property
    def tokens(self) -> int:
        """Four characters each."""
        return -(-len(self.text) // CHARS_PER_TOKEN)

    @property
    def asked_by(self) -> tuple[str, ...]:
        """The tasks that ask for any of its rules."""
        return tuple(sorted({task for rule in self.rules for task in rule.support.tasks}))

    def as_part(self, why: Why, reason: str, says: str = "") -> ShrunkPart:
        """It as what is to go, or to be said in other words."""
        file, first, _ = self.id
        said = tuple(saying for row in self.rows for saying in row.said)
        support = [row.support for row in self.rows] or [rule.support for rule in self.rules]
        group = EditGroup(
            edits=(Edit(op="append_to_section", file=file, content=self.text.rstrip("\r\n")),),
            support=Support.union(support),
            said=said or tuple(saying_of(one) for rule in self.rules for one in rule.said),
        )
        return ShrunkPart(group=group, place=f"{file}:{first}", why=why, reason=reason, tokens=self.tokens, says=says)


class Goes(NamedTuple):
    """A piece that may go."""

    piece: SkillPart
    why: Why
    reason: str
    high: float = 0.0
    """What it adds at most, where that is measured."""
    says: str = ""
    """The shorter line that takes its place, '' where it goes."""

    @property
    def what(self) -> str:
        """What would change, in the skill's own words: two of the same are the same."""
        return change_of(self.piece.text, self.says)


def pieces_of(skill: Skill, ledger: SupportLedger | None, book: RuleBook) -> list[SkillPart]:
    """The parts of a skill of which somebody said something, in the order of their lines."""
    standing = standing_in(skill, ledger, book)
    rules: dict[LineRange, list[BookRule]] = {}
    for item in standing.values():
        rules.setdefault((item.file, item.first, item.last), []).append(item.rule)
    rows: dict[LineRange, list[SupportRow]] = {}
    for row in ledger.rows if ledger else ():
        rows.setdefault((row.file, row.first, row.last), []).append(row)
    return [
        SkillPart((place,), _text(skill, place), tuple(rules.get(place, ())), tuple(rows.get(place, ())))
        for place in sorted({*rules, *rows}, key=lambda place: (place[0] != "SKILL.md", place))
    ]


@dataclass
class DeadWeight:
    """What is known of the parts of one skill.

    Args:
        skill: the champion.
        pieces: its parts.
        book: the rules that are known.
        effects: of the rules, measured beside the others (`effects_beside`).
        opened: in how many runs each file other than SKILL.md was opened or run, of runs with calls of tools.
        watched: how many of these runs there are.
    """

    skill: Skill
    pieces: Sequence[SkillPart]
    book: RuleBook
    effects: Mapping[str, RuleEffect]
    opened: Mapping[str, int]
    watched: int

    def goes(self) -> list[Goes]:
        """What may go, the surest first."""
        found = [*self._said_twice(), *self._unused(), *self._without_effect()]
        first = {item.piece.id: item for item in reversed(found)}
        taken = {place for item in first.values() if item.why == "unused" for place in item.piece.places}
        kept = [item for item in first.values() if item.why == "unused" or not taken & set(item.piece.places)]
        return sorted(kept, key=lambda item: (ORDER.index(item.why), item.high, item.piece.id))

    def open(self) -> list[SkillPart]:
        """What rollouts may tell more of: it is not surely missed, and not known to be without effect."""
        out = {item.piece.id for item in self.goes()}
        return [piece for piece in self.pieces if piece.rules and piece.id not in out and not self._is_missed(piece)]

    def _is_missed(self, piece: SkillPart) -> bool:
        return any(rule.id in self.effects and is_missed(self.effects[rule.id]) for rule in piece.rules)

    def _without_effect(self) -> Iterator[Goes]:
        for piece in self.pieces:
            known = [self.effects[rule.id] for rule in piece.rules if rule.id in self.effects]
            asking = [found.on_asking for found in known if found.on_asking is not None]
            if not piece.rules or len(asking) < len(piece.rules) or self._is_missed(piece):
                continue
            high = max(found.high for found in asking)
            seen = "; ".join(found.in_words for found in known)
            if all(found.effect.high < 0 for found in known) or high < 0:
                yield Goes(piece, "harms", seen, high)
            elif high < FEWER_THAN:
                on_tasks = f"on the tasks that asked for it {asking[0].low:+.0%} to {asking[0].high:+.0%}"
                yield Goes(piece, "no_effect", f"no measured effect: {on_tasks}; {seen}", high)

    def _said_twice(self) -> Iterator[Goes]:
        """Lines in the words of another, and lines most of whose supporters say a rule that stands elsewhere."""
        by_words: dict[str, list[SkillPart]] = {}
        for piece in self.pieces:
            by_words.setdefault(plain_words(MARK.sub("", piece.text)), []).append(piece)
        for same in by_words.values():
            stays = min(same, key=lambda piece: (not piece.by_people, not piece.rules, piece.id))
            for piece in same:
                if piece is not stays and not piece.rules:
                    yield Goes(piece, "doubled", f"it says what {_where(stays)} says, in the same words")
        homes = {rule.id: piece for piece in self.pieces for rule in piece.rules}
        for piece in self.pieces:
            said = {(saying.trajectory_id, saying.text) for row in piece.rows for saying in row.said}
            if piece.rules or not said:
                continue
            for rule in self.book.rules:
                home = homes.get(rule.id)
                of_rule = {(one.rule.trajectory_id, one.rule.text): one.how for one in rule.said}
                met = [of_rule[key] for key in said if key in of_rule]
                if home is not None and 2 * len(met) > len(said):
                    narrower = Counter(met)["narrower"] == len(met)
                    why: Why = "explained" if narrower else "doubled"
                    how = "a narrower case of" if narrower else "the same as"
                    yield Goes(piece, why, f"it says {how} what {_where(home)} says, by {len(met)} of its supporters")
                    break

    def _unused(self) -> Iterator[Goes]:
        """Files that nobody opened where it would be on record, with the lines that lead there."""
        for file in self.skill.files if self.watched >= LEAST_RUNS else ():
            path = file.path
            inside = [piece for piece in self.pieces if piece.id[0] == path]
            if path == "SKILL.md" or self.opened.get(path) or not inside or not _is_all(self.skill, path, inside):
                continue
            there = [piece for piece in self.pieces if piece.id[0] != path and _names(piece.text, path)]
            whole = [*inside, *there]
            if any(map(self._is_missed, whole)):
                continue
            piece = SkillPart(
                tuple(place for one in whole for place in one.places),
                "".join(one.text for one in whole),
                tuple(rule for one in whole for rule in one.rules),
                tuple(row for one in whole for row in one.rows),
            )
            yield Goes(piece, "unused", f"in none of {self.watched} runs with calls of tools was {path} opened")


def to_try(
    open_pieces: Iterable[SkillPart], effects: Mapping[str, RuleEffect], tasks: Collection[str], most: int, parts: int
) -> tuple[list[SkillPart], list[str]]:
    """The parts to leave out of a trial, and the tasks to roll it out on: those that asked for these parts.

    First come those with the fewest runs so far, then those that the fewest tasks ask for. A part is tried on all of
    its tasks or not at all, unless it alone has too many.

    Args:
        open_pieces: of which more is to be known.
        effects: what is known of the rules.
        tasks: the evolve tasks there are.
        most: tasks, at most.
        parts: to leave out, at most: where too much is missing, a task says little of any of it.
    """

    def rank(piece: SkillPart) -> tuple[int, int, LineRange]:
        runs = min((effects[rule.id].runs if rule.id in effects else 0 for rule in piece.rules), default=0)
        return runs, len(piece.asked_by), piece.id

    chosen: list[SkillPart] = []
    found: dict[str, None] = {}
    for piece in sorted(open_pieces, key=rank):
        if len(chosen) == parts:
            break
        own = [task for task in piece.asked_by if task in tasks]
        more = [task for task in own if task not in found]
        if not own or (found and len(found) + len(more) > most):
            continue
        chosen.append(piece)
        found.update(dict.fromkeys(own[:most]))
    return chosen, list(found)


def not_yet_refused(goes: Sequence[Goes], refused: Sequence[frozenset[str]]) -> list[Goes]:
    """What to propose of what may go: without what was refused alone, and of the rest the surest half, the other half,
    and so on with halves of these, until it is nothing that holds all of what was refused together.

    Args:
        goes: what may go, the surest first.
        refused: what was proposed together (`Goes.what`) and not let go.
    """
    alone = frozenset[str]().union(*(before for before in refused if len(before) == 1))
    waiting = [[item for item in goes if item.what not in alone]]
    for some in waiting:  # it grows
        if not any(before <= {item.what for item in some} for before in refused):
            return some
        half = len(some) // 2
        waiting += [some[:half], some[half:]] if half else []
    return []


def change_of(text: str, says: str) -> str:
    """What would change in a skill: a text that goes, or is said in other words."""
    return f"{text.strip()}\0{says.strip()}" if says else text.strip()


def _is_all(skill: Skill, path: str, inside: Sequence[SkillPart]) -> bool:
    """Are all lines of a file but headings and empty ones in these parts?"""
    known = {line for piece in inside for _, first, last in piece.places for line in range(first, last + 1)}
    lines = enumerate(split_lines(skill.text(path) or ""), start=1)
    return all(number in known or not line.strip() or line.startswith("#") for number, line in lines)


def _names(text: str, path: str) -> bool:
    """Does it name this path, and not one that only ends or begins so?"""
    return re.search(rf"(?<![\w./-])(?:\./)?{re.escape(path)}(?![\w/-]|\.\w)", text) is not None


def _where(piece: SkillPart) -> str:
    return f"{piece.id[0]}:{piece.id[1]}"


def _text(skill: Skill, place: LineRange) -> str:
    file, first, last = place
    return "".join(split_lines(skill.text(file) or "")[first - 1 : last])
