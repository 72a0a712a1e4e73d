"""Creation mode: S0 is drafted by the model from the domain's description alone (the paper's parametric baseline)."""

from pydantic import BaseModel, ConfigDict, Field

from trace2skill.core.errors import SkillInvalid
from trace2skill.core.step_label import StepLabel
from trace2skill.llm import Client, ModelSettings, Request, ask
from trace2skill.prompts import prompt_digest, render
from trace2skill.skills.skill import Skill, SkillFile, problems

PROMPTS = ("draft_skill", "draft_task")


class SkillDraft(BaseModel):
    """What the drafter answers."""

    model_config = ConfigDict(extra="ignore")
    name: str = Field(min_length=1, max_length=64, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    description: str = Field(min_length=1, max_length=1024)
    body: str = Field(min_length=1)


def draft_identity(model: ModelSettings) -> dict[str, object]:
    """What a drafted skill's key holds of the drafter."""
    return {"draft": 1, "model": model.identity, "prompts": prompt_digest(*PROMPTS)}


def draft_skill(client: Client, model: ModelSettings, about: str, *, seed: int, step: StepLabel) -> Skill:
    """Draft S0 from a description of the domain.

    Raises:
        BadAnswer: the answer stayed malformed.
        SkillInvalid: the draft breaks the layout of a skill.
        InfrastructureFault, ModelUnusable, BudgetReached: as `Client.complete`.
    """
    messages = (
        {"role": "system", "content": render("draft_skill")},
        {"role": "user", "content": render("draft_task", about=about)},
    )
    draft = ask(client, Request(role="analyst", settings=model, messages=messages, seed=seed), SkillDraft, step=step)
    description = " ".join(draft.description.split()).replace('"', "'")
    text = f'---\nname: {draft.name}\ndescription: "{description}"\n---\n\n{draft.body.strip()}\n'
    skill = Skill(files=(SkillFile(path="SKILL.md", content=text.encode()),))
    if found := problems(skill):
        raise SkillInvalid("the drafted skill", found)
    return skill


def empty_skill(name: str) -> Skill:
    """A skill that says nothing yet."""
    text = (
        f"---\nname: {name}\ndescription: Rules learned from logs of agents at work. Use for the tools and the kind of "
        f"work the rules name.\n---\n\n# {name.replace('-', ' ').capitalize()}\n\nEach rule below was seen in several "
        "sessions.\n"
    )
    return Skill(files=(SkillFile(path="SKILL.md", content=text.encode()),))
