"""`RuleVerdict`: that a rule was refuted, on what evidence, and what has come since."""

from operator import not_
from typing import Literal

from pydantic import Field

from trace2skill.core.record import Record

Evidence = Literal["gate", "ablation", "flips", "replay", "shrinking", "reviewer"]


class Refutation(Record):
    """That a rule was refuted: in which candidate, and by what."""

    run_id: str
    night: int | None = Field(default=None, exclude_if=not_, description="The run's night, where nights are counted.")
    candidate: str = Field(description="Digest of the candidate skill.")
    by: Evidence
    reason: str

    @property
    def in_words(self) -> str:
        """For a reader."""
        night = f" (night {self.night})" if self.night else ""
        who = {"gate": "the gate", "flips": "the tasks that asked for it"}.get(self.by, self.by)
        if self.by == "shrinking":
            return f"taken out by shrinking in {self.run_id}{night}: {self.reason}"
        if self.by == "reviewer":
            return f"rejected in the pull request of {self.run_id}{night}: {self.reason}"
        return f"refuted by {who} in {self.run_id}{night}: {self.reason}"


class RuleVerdict(Record):
    """A rule that was refuted, and what has come since."""

    rule: str = Field(description="Its id in the book.")
    says: str
    refuted: tuple[Refutation, ...] = Field(description="Since it last won, oldest first.")
    tasks: float = Field(description="Tasks whose trajectories ask for it and came later; weak ones count half.")
    needed: int = Field(description="So many bring it back.")

    @property
    def waits(self) -> bool:
        """Is it kept out of candidates?"""
        return self.tasks < self.needed

    @property
    def harms(self) -> bool:
        """Did the work go worse with it? What shrinking or a reviewer took out had no effect that was measured."""
        return self.refuted[-1].by not in ("shrinking", "reviewer")

    @property
    def in_words(self) -> str:
        """For a reader."""
        times = f" (and {len(self.refuted) - 1} times before)" if len(self.refuted) > 1 else ""
        since = (
            f"waiting for evidence ({self.tasks:g} of {self.needed} new tasks)"
            if self.waits
            else f"returned with {self.tasks:g} new tasks"
        )
        return f"{self.refuted[-1].in_words}{times}; {since}"
