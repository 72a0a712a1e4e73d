"""Which skill of a library a model takes up for a request: all descriptions in one prompt, one call a request."""

import json
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from trace2skill.core.errors import BadAnswer
from trace2skill.core.step_label import StepLabel
from trace2skill.llm import Client, ModelSettings, Request, ask
from trace2skill.prompts import render
from trace2skill.skills.skill import Skill

UNREADABLE = None
"""What is said where no usable answer came, or one that names a skill which is none."""


class ChosenSkill(BaseModel):
    """What the chooser answers."""

    model_config = ConfigDict(extra="ignore")
    skill: str = ""


def choose_skill(
    client: Client, model: ModelSettings, library: Sequence[Skill], query: str, *, seed: int, step: StepLabel
) -> str | None:
    """The name of the skill that is taken up for a request, '' for none, None where the answer cannot be used.

    Raises:
        InfrastructureFault, ModelUnusable, BudgetReached: as `Client.complete`.
    """
    skills = "\n".join(
        json.dumps({"name": one.name, "description": one.description}, ensure_ascii=False) for one in library
    )
    messages = (
        {"role": "system", "content": render("trigger_chooser")},
        {"role": "user", "content": render("trigger_chooser_task", skills=skills, query=query)},
    )
    try:
        said = ask(client, Request(role="agent", settings=model, messages=messages, seed=seed), ChosenSkill, step=step)
    except BadAnswer:
        return UNREADABLE
    name = said.skill.strip()
    return name if name in {"", *(one.name for one in library)} else UNREADABLE
