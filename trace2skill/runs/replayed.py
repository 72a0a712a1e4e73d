"""`Replayed`: which rules of a candidate were tried before the gate, and which were taken out."""

from operator import not_

from pydantic import Field

from trace2skill.consolidate.groups import EditGroup
from trace2skill.core.record import Record
from trace2skill.runs.spread import SkillScores


class ReplayedRule(Record):
    """A rule that breaks tasks. Tasks are of the evolve split."""

    group: EditGroup
    out: bool = Field(description="Was it taken out? It stays where as many of its own tasks need it as it breaks.")
    broken: tuple[str, ...] = Field(description="Tasks that failed where it was in and passed where it was not.")
    needed: int = Field(default=0, exclude_if=not_, description="Of the tasks that asked for it, those that need it.")
    chance: float = Field(description="Of blaming any rule so by luck.")
    beside: tuple[str, ...] = Field(
        default=(), exclude_if=not_, description="Rules that went with it: no trial told them apart."
    )

    @property
    def fate(self) -> str:
        """What became of it, for a reader."""
        return "taken out" if self.out else "stays"

    @property
    def reason(self) -> str:
        """For a reader."""
        tasks = f"{len(self.broken)} tasks failed with it and passed without it (chance {self.chance:.2g} at most)"
        needs = f"; {self.needed} of its own tasks need it" if self.needed else ""
        told = f"; not told from {len(self.beside)} more" if self.beside else ""
        return f"{tasks}{needs}{told}"


class Replayed(Record):
    """The trials of one candidate. Skills are digests."""

    evolution: int = Field(default=0, exclude_if=not_, description="Which of several evolution runs, from 0.")
    skill: str = Field(description="The candidate as it was built.")
    left: str = Field(description="What is left of it.")
    parts: int = Field(description="Rules that could be taken out one by one.")
    batches: int = Field(default=0, description="Trial skills that were rolled out for this alone.")
    runs: int = Field(default=0, description="Rollouts of these, paid for or in the store.")
    lost: int = Field(default=0, description="Tasks that passed with S0 and failed with the candidate.")
    unexplained: int = Field(default=0, description="Of these, those that no rule was blamed for.")
    rules: tuple[ReplayedRule, ...] = Field(default=(), exclude_if=not_, description="Those that were blamed.")
    scores: tuple[SkillScores, ...] = Field(
        default=(), exclude_if=not_, description="How the candidate and each trial skill did on what was rolled out."
    )

    @property
    def out(self) -> tuple[ReplayedRule, ...]:
        """The rules that were taken out."""
        return tuple(item for item in self.rules if item.out)

    @property
    def in_words(self) -> str:
        """For a reader."""
        which = f"candidate {self.evolution + 1}, " if self.evolution else ""
        paid = f"{self.batches} trials, {self.runs} runs" if self.batches else "nothing more was tried"
        stay = len(self.rules) - len(self.out)
        kept = f", {stay} that break tasks stay for what they help" if stay else ""
        open_ = f"; no rule is to blame for {self.unexplained} of these" if self.unexplained else ""
        return (
            f"{which}replay of {self.parts} rules: {self.lost} tasks failed that passed with S0; {paid}; "
            f"{len(self.out)} rules taken out{kept}{open_}"
        )
