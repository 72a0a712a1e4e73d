"""The proposer: one call turns the lessons of one trajectory into a patch against the frozen skill S0.

An edit that finds no place may be re-anchored by one translation call, which may move it and never reword it.
"""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from trace2skill.core.errors import BadAnswer
from trace2skill.core.step_label import StepLabel
from trace2skill.llm import Client, ModelSettings, Request, ask
from trace2skill.prompts import prompt_digest, render
from trace2skill.prompts.refuted import with_refuted
from trace2skill.skills.form import in_form, notes
from trace2skill.skills.markdown import line_of
from trace2skill.skills.place import EditPolicy, place
from trace2skill.skills.relevant import outlines, relevant_sections
from trace2skill.skills.skill import Skill
from trace2skill.types.lesson import Extraction, Lesson
from trace2skill.types.patch import Confirmation, Edit, EditOp, Patch, Unplaced

PROMPTS = ("proposer", "proposer_task", "translator", "translator_task")
ANCHORED = ("insert_after", "insert_before", "append_to_section", "replace_in_section", "add_section")


class EditDraft(BaseModel):
    """An edit as the proposer writes it."""

    model_config = ConfigDict(extra="ignore")
    op: EditOp = Field(description="One of those that the instructions list.")
    file: str = "SKILL.md"
    section: list[str] = Field(default_factory=list, description="Path of headings from the outermost in.")
    anchor: str = Field(default="", description="Text the edit holds on to, word for word.")
    title: str = Field(default="", description="Heading of a new section.")
    content: str = ""
    lessons: list[str] = Field(default_factory=list, description="Ids of the lessons it writes down.")


class Stated(BaseModel):
    """A lesson that the proposer finds in the skill, and the line that says it."""

    model_config = ConfigDict(extra="ignore")
    lesson: str
    file: str = "SKILL.md"
    text: str


class PatchDraft(BaseModel):
    """What the proposer answers."""

    model_config = ConfigDict(extra="ignore")
    reasoning: str = Field(default="", description="Why so, in a sentence or two, for people who read the patch.")
    edits: list[EditDraft]
    already: list[Stated] = Field(default_factory=list, description="Lessons the skill states already, and where.")
    changelog: list[str] = Field(default_factory=list, description="Each change in a few words, for people.")


class NewPlace(BaseModel):
    """Where the translator puts one edit: section and anchor, and nothing else."""

    model_config = ConfigDict(extra="ignore")
    id: str
    section: list[str] = Field(default_factory=list)
    anchor: str = ""


class Translation(BaseModel):
    """What the translator answers."""

    model_config = ConfigDict(extra="ignore")
    places: list[NewPlace]


def propose_identity(model: ModelSettings, policy: EditPolicy) -> dict[str, object]:
    """What a patch's key holds of the proposer."""
    return {"propose": 4, "model": model.identity, "policy": policy, "prompts": prompt_digest(*PROMPTS)}


def propose(
    client: Client,
    model: ModelSettings,
    extraction: Extraction,
    base: Skill,
    policy: EditPolicy,
    *,
    step: StepLabel,
    refuted: Sequence[str] = (),
) -> Patch:
    """Write the lessons of one extraction into a patch of `base`. An answer that stays malformed is a typed outcome.

    `refuted` are rules that were tried in it and refuted: the proposer is shown them in a block of their own.

    Raises:
        InfrastructureFault, ModelUnusable, BudgetReached: as `Client.complete`.
    """
    common = {"trajectory_id": extraction.trajectory_id, "task_id": extraction.task_id, "base": base.digest}
    texts = [f"{lesson.title} {lesson.description} {lesson.content}" for lesson in extraction.lessons]
    task = render(
        "proposer_task",
        skill_name=base.name,
        outline=outlines(base),
        skill_text=relevant_sections(base, texts),
        lessons=extraction.lessons,
    )
    task += with_refuted(refuted)
    try:
        draft = ask(client, _request(model, render("proposer", policy=policy), task), PatchDraft, step=step)
    except BadAnswer as error:
        return Patch(**common, verdict="bad_answer", reason=str(error), raw=error.raw)
    asked = [_edit(item, extraction.lessons) for item in draft.edits]
    edits, unplaced = _sort_out(asked, base, policy)
    movable = [item.edit for item in unplaced if item.edit.op in ANCHORED and base.text(item.edit.file) is not None]
    if movable:
        moved = _translate(client, model, base, [item for item in unplaced if item.edit in movable], step)
        found, still = _sort_out([moved.get(edit.id, edit) for edit in movable], base, policy, invent=True)
        edits += found
        unplaced = [item for item in unplaced if item.edit not in movable] + still
    return Patch(
        **common,
        reasoning=draft.reasoning,
        verdict="patch" if edits else "nothing_to_add",
        edits=tuple(edits),
        unplaced=tuple(unplaced),
        confirms=_confirmations(draft.already, extraction.lessons, base),
        changelog=tuple(draft.changelog),
        read_as=tuple(dict.fromkeys(note for edit in asked for note in notes(base, edit))),
        reason="" if edits else "the skill says it already" if not unplaced else "no edit found its place",
    )


def _translate(
    client: Client, model: ModelSettings, base: Skill, lost: Sequence[Unplaced], step: StepLabel
) -> dict[str, Edit]:
    """The lost edits at the places the translator names, by id. What it does not place stays lost."""
    sections = relevant_sections(base, [item.edit.anchor + " " + item.edit.content for item in lost])
    task = render("translator_task", outline=outlines(base), skill_text=sections, lost=lost)
    try:
        answer = ask(client, _request(model, render("translator"), task), Translation, step=step)
    except BadAnswer:
        return {}
    edits = {item.edit.id: item.edit for item in lost}
    return {
        new.id: edits[new.id].model_copy(update={"section": tuple(new.section), "anchor": new.anchor})
        for new in answer.places
        if new.id in edits
    }


def _sort_out(
    edits: Sequence[Edit], base: Skill, policy: EditPolicy, *, invent: bool = False
) -> tuple[list[Edit], list[Unplaced]]:
    formed = [piece.edit for edit in edits for piece in in_form(base, edit, invent=invent)]
    found = [place(base, edit, policy) for edit in {edit.id: edit for edit in formed}.values()]
    placed = [item.edit for item in found if not isinstance(item, Unplaced)]
    return placed, [item for item in found if isinstance(item, Unplaced)]


def _confirmations(stated: Sequence[Stated], lessons: Sequence[Lesson], base: Skill) -> tuple[Confirmation, ...]:
    """What can be counted as a vote: a lesson that was given, and a line that stands in the skill word for word."""
    given = {lesson.id for lesson in lessons}
    found = {
        (item.lesson, item.file): Confirmation(lesson=item.lesson, file=item.file, text=item.text.strip())
        for item in stated
        if item.lesson in given and line_of(base.text(item.file) or "", item.text) is not None
    }
    return tuple(found[key] for key in sorted(found))


def _request(model: ModelSettings, system: str, user: str) -> Request:
    messages = ({"role": "system", "content": system}, {"role": "user", "content": user})
    return Request(role="analyst", settings=model, messages=messages)


def _edit(draft: EditDraft, lessons: tuple[Lesson, ...]) -> Edit:
    """An edit keeps only lesson ids that were given; one that names none writes them all down."""
    given = {lesson.id for lesson in lessons}
    named = tuple(sorted(given & set(draft.lessons))) or tuple(sorted(given))
    values = draft.model_dump(exclude={"lessons", "section"})
    return Edit(**values, section=tuple(draft.section), lessons=named)
