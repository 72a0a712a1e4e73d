"""`Comparison`: what is known of two evaluations of the same tasks, as numbers."""

from operator import not_
from typing import Literal

from pydantic import Field

from trace2skill.core.record import Record

Score = Literal["hard", "soft"]


class Interval(Record):
    """A mean with a two-sided confidence interval of 95%."""

    mean: float
    low: float
    high: float


class Effect(Record):
    """What the second skill uses beside the first: means per run, and the ratio (1 is equal, None without a first)."""

    name: Literal["turns", "tokens", "cost"]
    before: float
    after: float
    change: Interval
    ratio: float | None


class NoWorse(Record):
    """Whether a smaller skill loses less than a margin: the p-value of the hypothesis that it loses that or more."""

    margin: float = Field(description="The loss of the mean score that counts as none, 0 to 1.")
    p_value: float
    test: str
    against: int = Field(default=1, description="How many skills it was compared with; the largest p-value counts.")


class Comparison(Record):
    """`after` against `before` over the tasks that both scored. Scores are means over tasks, 0 to 1."""

    before: str
    after: str
    score: Score
    tasks: int
    seeds: int = Field(description="Most seeds of one task.")
    before_score: Interval
    after_score: Interval
    lift: Interval
    test: str = Field(description="Name of the test that gave the p-value.")
    p_value: float = Field(description="One-sided: how likely so high a lift is if both were equally good.")
    p_worse: float = Field(description="One-sided, the other way: how likely so low a lift is.")
    better: tuple[str, ...] = ()
    worse: tuple[str, ...] = ()
    effects: tuple[Effect, ...] = ()
    coverage: float = 0.0
    no_worse: NoWorse | None = Field(
        default=None, exclude_if=not_, description="Of a skill that is to be smaller, and only no worse."
    )

    @property
    def discordance(self) -> float:
        """Share of tasks on which the two differ."""
        return (len(self.better) + len(self.worse)) / self.tasks if self.tasks else 0.0
