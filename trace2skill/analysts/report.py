"""What the analysts answer, and how it becomes lessons."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from trace2skill.types.lesson import DroppedLesson, Evidence, Lesson, LessonKind, Proof
from trace2skill.types.trajectory import Trajectory

MOST_LESSONS = 3


class LessonDraft(BaseModel):
    """A lesson as an analyst words it."""

    model_config = ConfigDict(extra="ignore")
    title: str = Field(min_length=1, max_length=120, description="The rule in a few words.")
    description: str = Field(min_length=1, max_length=400, description="When it applies and what it prevents.")
    content: str = Field(min_length=1, max_length=1500, description="What to do, in the imperative.")
    steps: list[int] = Field(default_factory=list, description="Numbers of the steps that show it.")


class LessonReport(BaseModel):
    """What the success analyst and the contrast analyst answer."""

    model_config = ConfigDict(extra="ignore")
    lessons: list[LessonDraft] = Field(max_length=MOST_LESSONS)


class CauseReport(LessonReport):
    """What the one-call error analyst answers: a cause that nobody checks."""

    surface: str = Field(min_length=1, max_length=2000, description="What is wrong in the output.")
    cause: str = Field(min_length=1, max_length=2000, description="The decision or code that caused it.")
    cause_steps: list[int] = Field(default_factory=list, description="Numbers of the steps that show the cause.")


class ErrorReport(BaseModel):
    """What the error analyst hands in."""

    model_config = ConfigDict(extra="ignore")
    surface: str = Field(min_length=1, max_length=2000, description="What is wrong in the output.")
    cause: str = Field(min_length=1, max_length=2000, description="The decision or code that caused it.")
    cause_steps: list[int] = Field(default_factory=list, description="Numbers of the steps that show the cause.")
    fix: str = Field(min_length=1, max_length=20_000, description="The source of the fix program.")
    lessons: list[LessonDraft] = Field(default_factory=list, max_length=MOST_LESSONS)


def lessons_of(
    drafts: list[LessonDraft],
    trajectory: Trajectory,
    kind: LessonKind,
    proof: Proof,
    default_steps: list[int],
    *,
    weak_label: str = "",
) -> tuple[Lesson, ...]:
    """Lessons with evidence: the steps a draft names that exist in the trajectory, else `default_steps` that do."""
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
        )
        lessons[lesson.id] = lesson
    return tuple(lessons.values())


def dropped_of(broken: Sequence[tuple[LessonDraft, str]]) -> tuple[DroppedLesson, ...]:
    """The record of lessons that broke a rule."""
    return tuple(DroppedLesson(title=item.title, content=item.content, reason=reason) for item, reason in broken)


def _ranges(numbers: list[int]) -> tuple[Evidence, ...]:
    ranges: list[list[int]] = []
    for number in sorted(set(numbers)):
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return tuple(Evidence(first=first, last=last) for first, last in ranges)
