"""`Shrunk`: what a pass over a skill proposed to take out, why, and what the gate said of what is left."""

from operator import not_
from typing import Literal

from pydantic import Field

from trace2skill.consolidate.groups import EditGroup
from trace2skill.consolidate.lines import LineRange
from trace2skill.core.record import Record
from trace2skill.runs.spread import SkillScores
from trace2skill.safety.code_spans import code_span
from trace2skill.types.decision import Decision

Why = Literal["harms", "doubled", "explained", "unused", "no_effect", "shortened"]
"""Why a part may go, the surest first; last what says the same in fewer words."""


class ShrunkPart(Record):
    """Lines of the skill, and why they may go."""

    group: EditGroup = Field(description="The lines, with who asks for them and in which words.")
    place: str = Field(description="File and first line in the skill as it was.")
    why: Why
    reason: str
    tokens: int
    says: str = Field(default="", exclude_if=not_, description="The shorter line that takes their place, if one does.")

    @property
    def lines(self) -> LineRange:
        """The lines, where they stand together."""
        file, _, first = self.place.rpartition(":")
        return file, int(first), int(first) + self.group.text.count("\n")

    @property
    def is_out_of_use(self) -> bool:
        """Is what it says said nowhere else, so that it must not come back without evidence?"""
        return self.why in ("harms", "unused", "no_effect")


class Shrunk(Record, form="Shrunk", version=1):
    """One pass over a skill. Skills are digests."""

    run_id: str
    skill_name: str
    night: int | None = Field(default=None, exclude_if=not_, description="The run's night, where nights are counted.")
    base: str = Field(description="The champion that was to become smaller.")
    skill: str = Field(description="What is left of it; itself where nothing was proposed.")
    tokens: int = Field(description="Of the base: its Markdown, four characters each.")
    left: int = Field(description="Of what is left.")
    parts: tuple[ShrunkPart, ...] = Field(default=(), description="What is to go, the surest first.")
    unknown: int = Field(default=0, description="Parts of which too little is known: they stay.")
    not_shortened: tuple[str, ...] = Field(
        default=(), exclude_if=not_, description="Shorter lines that were not taken, and why."
    )
    people: int = Field(default=0, description="Parts of which as much is known and which people wrote: they stay.")
    needed: tuple[str, ...] = Field(
        default=(), exclude_if=not_, description="Places that could go, and stay as the skill is not valid without."
    )
    scores: tuple[SkillScores, ...] = Field(
        default=(), exclude_if=not_, description="How the champion and a trial skill did on evolve tasks, for this."
    )
    seeds: tuple[int, ...] = Field(default=(), exclude_if=not_, description="Of that, where seeds move by night.")
    decision: Decision | None = Field(default=None, description="None where nothing was scored.")
    promoted: bool = False
    diff: str = ""
    why_not: str = Field(default="", exclude_if=not_, description="Why nothing was scored.")

    @property
    def won(self) -> bool:
        """Did the gate let it through?"""
        return self.decision is not None and self.decision.verdict == "promote"

    def was_refused(self, tasks: int, margin: float) -> bool:
        """Would the gate say no to the same again? Not where it could not see enough: runs that failed, or fewer tasks
        or a smaller margin than now.

        Args:
            tasks: held-out tasks that there are now.
            margin: the loss that counts as none now.
        """
        if self.decision is None or self.decision.verdict != "not_enough_evidence":
            return self.decision is not None and self.decision.verdict == "reject"
        found = self.decision.comparison
        if found is None or found.no_worse is None or self.decision.look is None or self.decision.missing:
            return False
        return (found.tasks, found.no_worse.margin) == (tasks, margin)

    @property
    def in_words(self) -> str:
        """For a reader."""
        short = sum(bool(part.says) for part in self.parts)
        gone = f"{len(self.parts) - short} parts may go" if len(self.parts) > short or not short else ""
        said = ", ".join(filter(None, [gone, f"{short} may be said in fewer words" if short else ""]))
        size = f"{said}, {self.tokens} to {self.left} tokens" if self.parts else "no part may go"
        rest = [f"{self.unknown} are not known well enough"] * bool(self.unknown)
        rest += [f"{self.people} are people's"] * bool(self.people)
        rest += [f"without {', '.join(self.needed)} the skill would not be valid"] * bool(self.needed)
        stays = f" ({', '.join(rest)}: they stay)" if rest else ""
        if self.decision is None:
            return f"shrinking: {size}{stays}; {self.why_not}"
        outcome = "promoted" if self.promoted else "staged" if self.won else self.decision.verdict.replace("_", " ")
        return f"shrinking: {size}{stays}; {outcome}: {self.decision.reason}"

    def as_markdown(self) -> str:
        """A section of a page."""
        listed = "\n".join(f"- {line}" for line in self.as_lines())
        return f"## Shrinking\n\n{self.in_words}.\n\n{listed}".rstrip()

    def as_lines(self) -> list[str]:
        """What went or was to go, a line each."""
        gone, short = ("taken out", "shortened") if self.promoted else ("would go", "would be shortened")
        found = [
            f"{short}: {_one_line(part.says)} ({part.place}), from: {_one_line(part.group.text)}"
            if part.says
            else f"{gone}: {_one_line(part.group.text)} ({part.place}): {part.reason}"
            for part in self.parts
        ]
        return found + [
            f"not shortened: {code_span(said, 160)}" for said in self.not_shortened
        ]  # nothing has let it in


def _one_line(text: str) -> str:
    line = " ".join(text.split()).removeprefix("- ").replace("|", "\\|")
    return line if len(line) <= 160 else line[:159] + "…"
