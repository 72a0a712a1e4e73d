"""The proposer: one call turns the lessons of one trajectory into a patch against the frozen skill S0."""

from pydantic import BaseModel, ConfigDict, Field

from trace2skill.lesson import Extraction, Lesson
from trace2skill.llm import Door, ModelSettings, Request, ask
from trace2skill.markdown import outline
from trace2skill.patch import Edit, EditOp, Patch
from trace2skill.prompts import prompt_digest, render
from trace2skill.skill import Skill

PROMPTS = ("proposer", "proposer_task")


class EditDraft(BaseModel):
    """An edit as the proposer writes it."""

    model_config = ConfigDict(extra="ignore")
    op: EditOp
    file: str = "SKILL.md"
    section: list[str] = Field(default_factory=list, description="Path of headings from the outermost in.")
    anchor: str = Field(default="", description="Text the edit holds on to, word for word.")
    title: str = Field(default="", description="Heading of a new section.")
    content: str = ""
    lessons: list[str] = Field(default_factory=list, description="Ids of the lessons it writes down.")


class PatchDraft(BaseModel):
    """What the proposer answers."""

    model_config = ConfigDict(extra="ignore")
    reasoning: str = ""
    edits: list[EditDraft]
    changelog: list[str] = Field(default_factory=list)


def propose_identity(model: ModelSettings) -> dict[str, object]:
    """What a patch's key holds of the proposer."""
    return {"propose": 1, "model": model.identity, "prompts": prompt_digest(*PROMPTS)}


def propose(door: Door, model: ModelSettings, extraction: Extraction, base: Skill, *, step: str) -> Patch:
    """Write the lessons of one extraction into a patch of `base`. An edit keeps only lesson ids that were given.

    Raises:
        BadAnswer: the answer stayed malformed.
        InfrastructureFault, ModelUnusable, BudgetReached: as `Door.complete`.
    """
    task = render(
        "proposer_task",
        skill_name=base.name,
        outline=_outlines(base),
        skill_text=base.text("SKILL.md"),
        lessons=extraction.lessons,
    )
    messages = ({"role": "system", "content": render("proposer")}, {"role": "user", "content": task})
    request = Request(role="analyst", settings=model, messages=messages)
    draft = ask(door, request, PatchDraft, step=step)
    return Patch(
        trajectory_id=extraction.trajectory_id,
        task_id=extraction.task_id,
        base=base.digest,
        reasoning=draft.reasoning,
        edits=tuple(_edit(item, extraction.lessons) for item in draft.edits),
        changelog=tuple(draft.changelog),
    )


def _edit(draft: EditDraft, lessons: tuple[Lesson, ...]) -> Edit:
    given = {lesson.id for lesson in lessons}
    named = tuple(sorted(given & set(draft.lessons))) or tuple(sorted(given))
    values = draft.model_dump(exclude={"lessons", "section"})
    return Edit(**values, section=tuple(draft.section), lessons=named)


def _outlines(base: Skill) -> str:
    documents = [file for file in base.files if file.path.endswith(".md")]
    return "\n\n".join(f"{file.path}\n{outline(base.text(file.path) or '')}" for file in documents)
