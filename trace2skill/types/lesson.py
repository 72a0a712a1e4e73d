"""`Lesson`: what one trajectory teaches, with the steps that show it."""

from operator import not_
from typing import Literal

from pydantic import Field, model_validator

from trace2skill.core.digest import digest_of
from trace2skill.core.record import Record

LessonKind = Literal["error", "success", "unknown"]
"""Of what a lesson is: a failure, a success, or an imported session of which nobody knows how it ended."""
KIND_OF: dict[str, LessonKind] = {"failed": "error", "passed": "success"}
"""By the outcome of the trajectory; any other is unknown."""
Proof = Literal["verified", "ungated", "observed"]
Fault = Literal["logic", "form", "environment", "reference"]
"""Of what kind the cause of a failure is: what was worked out is wrong; or it is right, and its type, place, layout or
the way it is stored is not; or something was missing where it ran; or the expected result contradicts the request."""
Certainty = Literal["shown", "inferred"]
Stands = Literal["new", "stated", "stated_not_followed", "stated_wrong", "extends"]
"""How a lesson stands to the skill that the agent had. 'stated': a line says it, and the agent followed it."""
MOST_LESSONS = 5
"""Of one trajectory, each with evidence of its own."""


class Evidence(Record):
    """A range of steps of the lesson's trajectory, first and last included, numbered from 1."""

    first: int = Field(ge=1)
    last: int = Field(ge=1)


class Lesson(Record, form="Lesson", version=1):
    """A generalizable lesson (the paper's memory item, section 3.2): title, description, content."""

    trajectory_id: str
    task_id: str
    kind: LessonKind
    proof: Proof = Field(
        description="'verified': the harness ran the fix and it passed. 'observed': the steps of a log show it. "
        "'ungated': nobody checked."
    )
    title: str = Field(min_length=1, max_length=120)
    description: str = Field(min_length=1, max_length=400)
    content: str = Field(min_length=1, max_length=1500)
    evidence: tuple[Evidence, ...] = ()
    weak_label: str = Field(
        default="", exclude_if=not_, description="Source of a weak outcome that the lesson rests on; '' for none."
    )
    certainty: Certainty | None = Field(
        default=None, exclude_if=not_, description="None where nobody said, as in lessons of earlier versions."
    )
    proved_by: str = Field(
        default="",
        exclude_if=not_,
        max_length=400,
        description="What proves it: a part of the fix, or the mistake that was avoided.",
    )
    stands: Stands | None = Field(
        default=None, exclude_if=not_, description="To the skill that the agent had; None where that is not known."
    )
    line: str = Field(default="", exclude_if=not_, description="The line of that skill which it is about.")
    note: str = Field(
        default="",
        exclude_if=not_,
        max_length=400,
        description="Why that line was not followed, what is wrong with it, or what it lacks.",
    )

    @model_validator(mode="after")
    def _weak_is_not_verified(self) -> "Lesson":
        if self.weak_label and self.proof == "verified":
            raise ValueError(f"a lesson that rests on a weak label ({self.weak_label}) cannot be verified")
        return self

    @property
    def counts_half(self) -> bool:
        """Does it rest on a weak outcome, or on a conclusion that no step shows?"""
        return bool(self.weak_label) or self.certainty == "inferred"

    @property
    def id(self) -> str:
        """Short content id, unique within a run."""
        return "L" + digest_of(self.trajectory_id, self.title, self.content)[:12]


class DroppedLesson(Record):
    """A lesson that broke a rule of lessons and was not mended when asked again."""

    title: str
    content: str
    reason: str


class Extraction(Record, form="Extraction", version=1):
    """What an analyst made of one trajectory: lessons, or a typed reason why there are none.

    The verdict 'reference' says that the expected result contradicts the request: a person should look at the task.
    """

    trajectory_id: str
    task_id: str
    kind: LessonKind
    verdict: Literal["lessons", "nothing_learned", "unverified", "bad_answer", "reference"]
    lessons: tuple[Lesson, ...] = Field(default=(), max_length=MOST_LESSONS)
    dropped: tuple[DroppedLesson, ...] = ()
    against: str = Field(default="", description="The failed trajectory a success was compared with (contrast).")
    reason: str = Field(default="", description="Why there are no lessons, in words.")
    fault: Fault | None = Field(
        default=None, exclude_if=not_, description="Of what kind the cause is (error analysts)."
    )
    surface: str = Field(default="", description="What is wrong in the output (error analyst).")
    cause: str = Field(default="", description="The decision or step that caused it (error analyst).")
    fix: str = Field(default="", description="The minimal fix the harness ran (error analyst).")
    refused: str = Field(
        default="",
        exclude_if=not_,
        description="Recoveries found by program that the log analyst took for none.",
    )
    raw: str = Field(default="", description="The raw answer, where it could not be used.")
