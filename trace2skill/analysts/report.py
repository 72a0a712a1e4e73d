"""What the analysts answer, and how it becomes lessons."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from trace2skill.skills.markdown import line_of
from trace2skill.skills.skill import Skill
from trace2skill.types.lesson import (
    MOST_LESSONS,
    Certainty,
    DroppedLesson,
    Evidence,
    Fault,
    Lesson,
    LessonKind,
    Proof,
    Stands,
)
from trace2skill.types.trajectory import Trajectory


class LessonDraft(BaseModel):
    """A lesson as an analyst words it. The prompt `lesson_form` explains its fields."""

    model_config = ConfigDict(extra="ignore")
    title: str = Field(min_length=1, max_length=120, description="The rule in a few words.")
    description: str = Field(min_length=1, max_length=400, description="When it applies and what it prevents.")
    content: str = Field(min_length=1, max_length=1500, description="What to do, in the imperative.")
    steps: list[int] = Field(default_factory=list, description="Numbers of the steps that show it.")
    proved_by: str = Field(default="", max_length=400, description="What proves it.")
    certainty: Certainty = "inferred"


class SkilledDraft(LessonDraft):
    """A lesson of a trajectory whose agent had a skill that is known."""

    stands: Stands = "new"
    line: str = Field(default="", max_length=2000, description="The line of the skill, word for word; '' for new.")
    note: str = Field(default="", max_length=400, description="Why it was not followed, is wrong, or what it lacks.")


class LessonReport(BaseModel):
    """What the success analyst and the contrast analyst answer."""

    model_config = ConfigDict(extra="ignore")
    lessons: Sequence[LessonDraft] = Field(max_length=MOST_LESSONS)


class SkilledReport(LessonReport):
    """What the success analyst and the contrast analyst answer of an agent that had a skill."""

    lessons: list[SkilledDraft] = Field(max_length=MOST_LESSONS)


class CauseReport(SkilledReport):
    """What the one-call error analyst answers."""

    surface: str = Field(min_length=1, max_length=2000, description="What is wrong in the output.")
    cause: str = Field(min_length=1, max_length=2000, description="The decision or code that caused it.")
    cause_steps: list[int] = Field(default_factory=list, description="Numbers of the steps that show the cause.")
    kind: Fault = Field(description="Of which kind the cause is.")
    lessons: list[SkilledDraft] = Field(default_factory=list, max_length=MOST_LESSONS)


class ErrorReport(BaseModel):
    """What the error analyst hands in. A `reference` needs neither fix nor lessons."""

    model_config = ConfigDict(extra="ignore")
    surface: str = Field(min_length=1, max_length=2000, description="What is wrong in the output.")
    cause: str = Field(min_length=1, max_length=2000, description="The decision or code that caused it.")
    cause_steps: list[int] = Field(min_length=1, description="Numbers of the steps in which it happened.")
    kind: Fault = Field(description="Of which kind the cause is.")
    fix_file: str = Field(default="", max_length=200, description="The file of the fix, in the workspace.")
    lessons: list[SkilledDraft] = Field(default_factory=list, max_length=MOST_LESSONS)


def lessons_of(
    drafts: Sequence[LessonDraft],
    trajectory: Trajectory,
    kind: LessonKind,
    proof: Proof,
    default_steps: Sequence[int],
    *,
    weak_label: str = "",
    skill: Skill | None = None,
) -> tuple[Lesson, ...]:
    """Lessons with evidence: the steps a draft names that exist in the trajectory, else `default_steps` that do.

    How a lesson stands to a line of the skill counts only where that line stands in `skill`.
    """
    last = len(trajectory.steps)
    lessons = {}
    for draft in drafts:
        named = [n for n in draft.steps if 1 <= n <= last] or [n for n in default_steps if 1 <= n <= last]
        lesson = Lesson(
            trajectory_id=trajectory.id,
            task_id=trajectory.task_id,
            kind=kind,
            proof=proof,
            title=draft.title,
            description=draft.description,
            content=draft.content,
            evidence=_ranges(named),
            weak_label=weak_label,
            certainty=draft.certainty,
            proved_by=draft.proved_by.strip(),
            **_standing(draft, skill),
        )
        lessons[lesson.id] = lesson
    return tuple(lessons.values())


def stated_in(skill: Skill, line: str) -> bool:
    """Is that a line of the skill, white space and list marks aside?"""
    documents = (skill.text(file.path) for file in skill.files if file.path.endswith(".md"))
    return any(line_of(text or "", line) is not None for text in documents)


def _standing(draft: LessonDraft, skill: Skill | None) -> dict[str, Any]:
    if skill is None or not isinstance(draft, SkilledDraft):
        return {}
    if draft.stands == "new":
        return {"stands": "new"}
    if not stated_in(skill, draft.line):
        return {}
    return {"stands": draft.stands, "line": draft.line.strip(), "note": draft.note.strip()}


def dropped_of(broken: Sequence[tuple[LessonDraft, str]]) -> tuple[DroppedLesson, ...]:
    """The record of lessons that broke a rule."""
    return tuple(DroppedLesson(title=item.title, content=item.content, reason=reason) for item, reason in broken)


def _ranges(numbers: Sequence[int]) -> tuple[Evidence, ...]:
    ranges: list[list[int]] = []
    for number in sorted(set(numbers)):
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return tuple(Evidence(first=first, last=last) for first, last in ranges)
