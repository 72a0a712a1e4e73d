"""The miner as an analyst: lessons from many trajectories by rules alone, without a model.

It works on all sessions together (`trace2skill.analysts.mining`): what one session shows alone is no rule. Rules are of
three kinds: signs that go with failure or success, by an exact test over tasks with known outcomes; recoveries that
worked in the same way in several tasks; and what the environment lacks. Where there is none of these, there is no rule.

The proof is `observed`: the steps show it, and nobody ran a fix.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from trace2skill.analysts.mining import Mining, extractions, mining, signs_of
from trace2skill.analysts.strategy import Case, Means, Stage
from trace2skill.skills.skill import Skill
from trace2skill.types.lesson import Extraction
from trace2skill.types.patch import Edit, Patch
from trace2skill.types.trajectory import OutcomeKind, Trajectory

VERSION = "rules 5"
SECTION = "Learned from traces"


class RulesMiner:
    """The rules as an analyst of imported trajectories: it asks no model, and takes all of them at once."""

    name: ClassVar[str] = "rules"
    stage: ClassVar[Stage] = "observe"
    signal: ClassVar[str] = ""
    way: ClassVar[str] = "rules"
    outcomes: ClassVar[tuple[OutcomeKind, ...]] = ("passed", "failed", "unknown")
    leaves_pairs: ClassVar[bool] = False
    runs_commands: ClassVar[bool] = False
    tokens: ClassVar[tuple[int, int]] = (0, 0)
    calls: ClassVar[int] = 0

    def __init__(self, means: Means) -> None:
        del means

    @property
    def identity(self) -> str:
        """What an extraction's key holds of the rules."""
        return VERSION

    def examine(self, case: Case) -> list[Extraction]:
        """What one session shows by itself; that is nothing, for a rule takes several."""
        return mine([case.trajectory], {case.trajectory.id: case.gold})


def mine(trajectories: Iterable[Trajectory], gold: Mapping[str, Sequence[str]] | None = None) -> list[Extraction]:
    """The rules of these trajectories as lessons of those that show them; none where nothing distinguishes.

    `gold` is what their logs say of the expected answers, by trajectory.
    """
    return mined(trajectories, gold)[0]


def mined(
    trajectories: Iterable[Trajectory], gold: Mapping[str, Sequence[str]] | None = None
) -> tuple[list[Extraction], Mining]:
    """The same, with the rules, their numbers, and what was looked at."""
    known = {item.id: item for item in trajectories}
    signs = [signs_of(known[id]) for id in sorted(known)]
    return extractions(mining(lambda: signs), lambda id: (known[id], (gold or {}).get(id, ())))


def patch_of(extraction: Extraction, base: Skill) -> Patch:
    """The lessons of an extraction as a patch of `base`, written by program: a bullet each."""
    edits = tuple(
        Edit(op="add_section", title=SECTION, content=f"- {lesson.content}", lessons=(lesson.id,))
        for lesson in extraction.lessons
        if lesson.content not in base.body
    )
    return Patch(
        trajectory_id=extraction.trajectory_id,
        task_id=extraction.task_id,
        base=base.digest,
        verdict="patch" if edits else "nothing_to_add",
        edits=edits,
        reason="" if edits else "the skill says it already",
    )
