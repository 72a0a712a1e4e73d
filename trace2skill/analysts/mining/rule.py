"""A mined rule: its words, who shows it, and the numbers behind it."""

from operator import not_
from typing import Literal

from pydantic import Field

from trace2skill.core.record import Record

RuleKind = Literal["association", "recovery", "fact"]


class Witness(Record):
    """A session that shows a rule, and the steps in which it does."""

    id: str
    first: int
    last: int


class MinedRule(Record):
    """What the miner found. The words are the same for all witnesses."""

    kind: RuleKind
    title: str
    content: str
    evidence: str = Field(description="The numbers in words.")
    witnesses: tuple[Witness, ...]
    sessions: int = Field(description="Sessions that show it, witnesses or not.")
    tasks: int
    table: tuple[int, int, int, int] | None = Field(
        default=None,
        exclude_if=not_,
        description="Failed with it, passed with it, failed without, passed without; of tasks, or within them.",
    )
    odds: float | None = Field(default=None, exclude_if=not_, description="Odds of failing with it over those without.")
    p: float | None = Field(default=None, exclude_if=not_, description="Two-sided, exact.")
    installs: tuple[str, ...] = Field(
        default=(), exclude_if=not_, description="Commands in its words that several sessions ran, and they worked."
    )


class Mining(Record, form="Mining", version=1):
    """What the miner looked at, and the rules it found."""

    sessions: int = 0
    outcomes: dict[str, int] = Field(default_factory=dict)
    tasks: int = 0
    tested_sessions: int = 0
    within: bool = False
    signs: int = 0
    shared: int = 0
    level: float = 0.0
    nearest: str = ""
    failures: int = Field(default=0, description="Calls that failed and were put right soon after.")
    changes: int = Field(default=0, description="Different ways in which that was done.")
    rules: tuple[MinedRule, ...] = ()
    given_up: int = Field(default=0, description="Rules whose words would name somebody, an answer or a task.")

    def as_lines(self) -> list[str]:
        """What was looked at and why nothing more came, in words."""
        known = self.outcomes.get("passed", 0) + self.outcomes.get("failed", 0)
        kinds = {kind: sum(rule.kind == kind for rule in self.rules) for kind in ("association", "recovery", "fact")}
        lines = [
            f"{self.sessions} sessions of {self.tasks} tasks: {self.outcomes.get('failed', 0)} failed, "
            f"{self.outcomes.get('passed', 0)} passed, {self.outcomes.get('unknown', 0)} unknown",
        ]
        if not self.outcomes.get("failed") or not self.outcomes.get("passed"):
            lines.append(
                "no sign was held against outcomes: that takes tasks that failed and tasks that passed"
                + ("" if known else " (give --labels, or let a model judge with --judge)")
            )
        else:
            how = "within tasks that were both passed and failed" if self.within else "over tasks"
            lines.append(
                f"{self.signs} signs were held against {self.tested_sessions} known outcomes {how}: "
                f"{kinds['association']} distinguish (exact test, p below {self.level:.2g} for each)"
            )
            if self.nearest:
                lines.append(f"the nearest was {self.nearest}")
        lines.append(
            f"{self.failures} failed calls were put right, in {self.changes} ways; {kinds['recovery']} of these ways "
            f"were the same in several tasks; {kinds['fact']} facts about the environment"
        )
        if self.given_up:
            lines.append(f"{self.given_up} rules were given up: their words would have given something of a log away")
        if not self.rules:
            lines.append("no rule came of these logs")
        return lines
