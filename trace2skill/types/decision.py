"""`Decision`: what the promotion test said of a candidate: a verdict, the reason in words, the numbers behind it."""

from operator import not_
from typing import Literal

from pydantic import Field

from trace2skill.core.record import Record
from trace2skill.types.comparison import Comparison

Verdict = Literal["promote", "reject", "not_enough_evidence", "unfinished"]
"""`unfinished`: what would decide are runs that a limit of ours or the model's server ended, and not the agent."""


class Look(Record):
    """One look at the held-out tasks on behalf of a candidate."""

    number: int = Field(ge=1, description="Counted from 1 over the looks at one champion.")
    level: float = Field(description="The level of this look's test.")
    remaining: float = Field(description="What is left of the whole level after it, unless it promotes.")
    key: str = Field(default="", exclude_if=not_, description="Names the evidence, as the store has it.")


class Decision(Record, form="Decision", version=1):
    """A verdict on a candidate, with the numbers behind it."""

    verdict: Verdict
    reason: str
    comparison: Comparison | None = None
    look: Look | None = None
    smallest_lift: float | None = Field(default=None, description="What these tasks could have shown, with power 0.8.")
    skill_tokens: int = 0
    missing: int = Field(default=0, description="Items of the run's stages that failed, without which it was made.")
    repeat: Comparison | None = Field(default=None, description="The A/A arm: S0 against itself with fresh seeds.")

    @property
    def lift(self) -> float:
        """Difference of the mean scores, 0 without a comparison."""
        return self.comparison.lift.mean if self.comparison else 0.0
