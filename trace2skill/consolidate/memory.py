"""What a store remembers of the rules of one skill, over all runs and whatever became of their candidates.

The rules are kept and not the book: the book of a set of rules depends on the set alone, and what did not change of it
is in the store, so that a night pays for what is new.
"""

from collections.abc import Iterable

from pydantic import Field

from trace2skill.consolidate.cut import Rule
from trace2skill.core.record import Record


class RuleMemory(Record, form="RuleMemory", version=1):
    """Rules in the order in which they were learned, and the tasks that were analysed for them."""

    skill: str = Field(description="Name of the skill.")
    rules: tuple[Rule, ...] = ()
    tasks: tuple[str, ...] = Field(default=(), description="All that were analysed, those without a lesson among them.")
    seen: dict[str, str] = Field(default_factory=dict, description="Day (ISO 8601) a trajectory was read.")

    def until(self, mark: "MemoryMark") -> "RuleMemory":
        """The memory as it was."""
        return self.model_copy(update={"rules": self.rules[: mark.rules], "tasks": self.tasks[: mark.tasks]})

    def with_more(self, rules: Iterable[Rule], tasks: Iterable[str], day: str) -> "RuleMemory":
        """The memory with what a run adds. What it knows already stays as it is."""
        known, old = {rule.id for rule in self.rules}, set(self.tasks)
        new = {rule.id: rule for rule in rules if rule.id not in known}
        seen = {rule.trajectory_id: day for rule in new.values()}
        return self.model_copy(
            update={
                "rules": (*self.rules, *(new[id] for id in sorted(new))),
                "tasks": (*self.tasks, *sorted(set(tasks) - old)),
                "seen": {**seen, **self.seen},
            }
        )


class MemoryMark(Record, form="MemoryMark", version=1):
    """How far the memory reached when a run began: it goes on from there however often it is tried again."""

    rules: int = 0
    tasks: int = 0
