"""What became of the candidates that a rule was in: the memory of verdicts, read out of the runs that a store holds.

It is for people. No model is shown it: what validation tasks say of a rule would else find its way into skills.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from operator import not_

from pydantic import Field

from trace2skill.consolidate.groups import EditGroup
from trace2skill.consolidate.settle import BookRule
from trace2skill.core.forms import from_text_or_none
from trace2skill.core.record import Record
from trace2skill.evaluation.ablation import Ablation
from trace2skill.runs.summary import RunSummary
from trace2skill.store import Store

Key = tuple[str, str]
"""Who said it, and in which words."""


class RuleTrial(Record):
    """A candidate that a rule was in, and what became of it."""

    run_id: str
    candidate: str = Field(description="Digest of the candidate skill.")
    outcome: str = Field(description="As events name it: promoted, staged, rejected, not_enough_evidence, unfinished.")
    lift: float | None = Field(default=None, description="Of the candidate as a whole, on held-out tasks.")
    ablation: str = Field(default="", exclude_if=not_, description="keep, prune or unknown, where it was measured.")
    effect: float | None = Field(default=None, exclude_if=not_, description="Of the rule alone, where it was measured.")

    @property
    def in_words(self) -> str:
        """For a reader."""
        lift = f", lift {self.lift:+.1%}" if self.lift is not None else ""
        alone = f", alone {self.effect:+.1%} ({self.ablation})" if self.effect is not None else ""
        return f"{self.outcome.replace('_', ' ')} in {self.run_id}{lift}{alone}"


def trials_of(store: Store, skill: str, rules: tuple[BookRule, ...]) -> Mapping[str, tuple[RuleTrial, ...]]:
    """The trials of the rules of a book, by their ids, oldest first; a candidate that came again counts once.

    A line of a candidate is a rule's where most of what was said for the line was said for the rule.
    """
    by_key: dict[Key, set[str]] = {}
    for rule in rules:
        for said in rule.said:
            by_key.setdefault((said.rule.trajectory_id, said.rule.text), set()).add(rule.id)
    found: dict[str, dict[str, RuleTrial]] = {}
    for summary in _summaries(store, skill):
        measured = store.get("ablation", summary.candidate.skill, Ablation)
        effects = {item.group: item for item in measured.effects} if measured else {}
        for group, line in _lines(summary):
            met = Counter(id for saying in line.said for id in by_key.get((saying.trajectory_id, saying.text), ()))
            effect = effects.get(group.id)
            for id in (id for id, count in met.items() if count * 2 > len(line.said)):
                found.setdefault(id, {})[summary.candidate.skill] = RuleTrial(
                    run_id=summary.run_id,
                    candidate=summary.candidate.skill,
                    outcome=summary.outcome,
                    lift=summary.decision.lift if summary.decision.comparison else None,
                    ablation=effect.verdict if effect else "",
                    effect=effect.effect.mean if effect else None,
                )
    return {id: tuple(trials.values()) for id, trials in found.items()}


def _summaries(store: Store, skill: str) -> Iterator[RunSummary]:
    for row in store.runs():
        found = from_text_or_none(row.summary, RunSummary) if row.kind == "run" and row.summary else None
        if found is not None and found.skill_name == skill and found.learned:
            yield found


def _lines(summary: RunSummary) -> Iterator[tuple[EditGroup, EditGroup]]:
    """Groups that were written, each with its rules: of a file of many rules, those."""
    for group in summary.candidate.applied:
        for line in group.inner or (group,):
            yield group, line
