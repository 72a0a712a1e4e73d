"""How a round of an evolution run did, for the summary."""

from operator import not_

from pydantic import Field

from trace2skill.core.record import Record


class RoundScore(Record):
    """One round: what it learned from, its candidate, and what that scored on the evolve tasks, 0 to 1."""

    evolution: int = Field(default=0, exclude_if=not_, description="Which of several evolution runs, from 0.")
    number: int = Field(description="Counted from 1.")
    skill: str = Field(description="Digest of the round's candidate.")
    trajectories: int = Field(description="What it learned from: runs of S0, or later runs of the candidate before.")
    lessons: int
    rules: int = Field(description="Rules in the book's reach, those of the rounds before among them.")
    before: float | None = Field(default=None, description="Mean hard score of the skill that it learned from.")
    hard: float | None = Field(default=None, description="That of its candidate; none where it was not rolled out.")
    chosen: bool = False
    ended: str = Field(default="", description="Why the search ended with it, '' where it went on.")

    @property
    def in_words(self) -> str:
        """For a reader."""
        which = f"candidate {self.evolution + 1}, round {self.number}" if self.evolution else f"round {self.number}"
        scores = ""
        if self.hard is not None and self.before is not None:
            scores = f"; evolve tasks passed {self.before:.1%} before and {self.hard:.1%} with its candidate"
        chosen, ended = " (chosen)" if self.chosen else "", f"; the search ended: {self.ended}" if self.ended else ""
        return f"{which}{chosen}: {self.lessons} lessons from {self.trajectories} trajectories{scores}{ended}"
