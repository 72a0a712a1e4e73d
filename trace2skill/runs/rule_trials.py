"""What became of the candidates that a rule was in, read out of the runs that a store holds.

A candidate's verdict is the gate's own answer. Which held-out tasks turned is not looked at here.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from operator import not_
from typing import NamedTuple

from pydantic import Field

from trace2skill.consolidate.cut import MARK, plain_words
from trace2skill.consolidate.groups import EditGroup
from trace2skill.consolidate.settle import BookRule
from trace2skill.core.record import Record
from trace2skill.evaluation.ablation import GroupEffect
from trace2skill.runs.past import Past
from trace2skill.runs.summary import RunSummary
from trace2skill.runs.turned import Turned

Key = tuple[str, str]
"""Who said it, and in which words."""
SURE = 0.05
"""Chance of so bad a result by luck alone, below which a candidate or a rule counts as one that harms."""


class RuleTrial(Record):
    """A candidate that a rule was in, and what became of it."""

    run_id: str
    candidate: str = Field(description="Digest of the candidate skill.")
    outcome: str = Field(description="As events name it: promoted, staged, rejected, not_enough_evidence, unfinished.")
    lift: float | None = Field(default=None, description="Of the candidate as a whole, on held-out tasks.")
    ablation: str = Field(default="", exclude_if=not_, description="keep, prune or unknown, where it was measured.")
    effect: float | None = Field(default=None, exclude_if=not_, description="Of the rule alone, where it was measured.")
    gained: int = Field(default=0, exclude_if=not_, description="Tasks that asked for it and passed with it, only.")
    lost: int = Field(default=0, exclude_if=not_, description="Tasks that asked for it and failed with it, only.")

    @property
    def won(self) -> bool:
        """Did the gate let the candidate through?"""
        return self.outcome in ("promoted", "staged")

    @property
    def in_words(self) -> str:
        """For a reader."""
        lift = f", lift {self.lift:+.1%}" if self.lift is not None else ""
        alone = f", alone {self.effect:+.1%} ({self.ablation})" if self.effect is not None else ""
        asked = (
            f", turned {self.gained} of its tasks to pass and {self.lost} to fail" if self.gained + self.lost else ""
        )
        return f"{self.outcome.replace('_', ' ')} in {self.run_id}{lift}{alone}{asked}"


class Line(NamedTuple):
    """A line of a candidate and the rules of a book that it stands for, none where the book has lost it."""

    rules: frozenset[str]
    trial: RuleTrial
    effect: GroupEffect | None


class Tried(NamedTuple):
    """A run's candidate and its lines; `at` is the place of the run, `measured_at` that of the candidate's ablation.

    `pruned_won`: the gate has let the skill through that was left of it.
    """

    at: int
    measured_at: int
    pruned_won: bool
    summary: RunSummary
    lines: tuple[Line, ...]

    @property
    def harms(self) -> bool:
        """Is the candidate surely worse, says the gate? Its whole interval is below 0, and so is chance's share."""
        found = self.summary.decision.comparison
        sure = found is not None and found.lift.high < 0 and found.p_worse <= SURE
        return self.summary.decision.verdict == "reject" and sure


class RulesByWords:
    """Finds the rules of a book that a line stands for."""

    def __init__(self, rules: Sequence[BookRule]) -> None:
        self._by_key: dict[Key, set[str]] = {}
        self._by_plain: dict[str, set[str]] = {}
        for rule in rules:
            self._by_plain.setdefault(plain_words(rule.says), set()).add(rule.id)
            for said in rule.said:
                self._by_key.setdefault((said.rule.trajectory_id, said.rule.text), set()).add(rule.id)

    def of(self, line: EditGroup) -> frozenset[str]:
        """Their ids: those for which most of what was said for the line was said, and those with its very words."""
        met = Counter(id for saying in line.said for id in self._by_key.get((saying.trajectory_id, saying.text), ()))
        most = max(met.values(), default=0)
        said = {id for id, count in met.items() if count * 2 > len(line.said) or count == most}
        words = {id for edit in line.edits for id in self._by_plain.get(plain_words(MARK.sub("", edit.content)), ())}
        return frozenset(said | words)


def candidates_of(past: Past, rules: Sequence[BookRule]) -> list[Tried]:
    """The candidates of the runs of the past, in their order, with the rules that their lines are.

    A line is a rule's where most of what was said for the line was said for the rule; where its words have since gone
    to several rules, it is of those that have most of them, and of one that has the very words.
    """
    known = RulesByWords(rules)
    found: list[Tried] = []
    for at, summary in past.runs:
        if not summary.learned:
            continue
        measured = past.measured.get(summary.candidate.skill)
        effects = {item.group: item for item in measured.ablation.effects} if measured else {}
        lines = []
        for group in summary.candidate.applied:
            effect = effects.get(group.id)
            for line in group.inner or (group,):
                trial = _trial(summary, line, effect)
                lines.append(Line(known.of(line), trial, None if group.inner else effect))
        found.append(
            Tried(
                at=at,
                measured_at=measured.at if measured else at,
                pruned_won=measured is not None and measured.won,
                summary=summary,
                lines=tuple(lines),
            )
        )
    return found


def trials_of(tried: Sequence[Tried]) -> Mapping[str, tuple[RuleTrial, ...]]:
    """The trials of each rule, by its id, oldest first; a candidate that came again counts once."""
    found: dict[str, dict[str, RuleTrial]] = {}
    for one in tried:
        for line in one.lines:
            for id in line.rules:
                found.setdefault(id, {})[line.trial.candidate] = line.trial
    return {id: tuple(trials.values()) for id, trials in found.items()}


def _trial(summary: RunSummary, line: EditGroup, effect: GroupEffect | None) -> RuleTrial:
    asked = {saying.task_id for saying in line.said}
    turned = summary.turned or Turned()
    return RuleTrial(
        run_id=summary.run_id,
        candidate=summary.candidate.skill,
        outcome=summary.outcome,
        lift=summary.decision.lift if summary.decision.comparison else None,
        ablation=effect.verdict if effect else "",
        effect=effect.effect.mean if effect else None,
        gained=len(asked.intersection(turned.gained)),
        lost=len(asked.intersection(turned.lost)),
    )
