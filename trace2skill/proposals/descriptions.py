"""Proposing another description for a skill, by what a model took it up for."""

import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from trace2skill.core.errors import BadAnswer
from trace2skill.core.step_label import StepLabel
from trace2skill.llm import Client, ModelSettings, Request, ask
from trace2skill.prompts import render
from trace2skill.safety.screening import Finding, screened
from trace2skill.skills.apply import apply_edits
from trace2skill.skills.place import EditPolicy
from trace2skill.skills.skill import Skill
from trace2skill.types.patch import Edit

LONGEST = 1024
"""Characters of a description, by the specification (https://agentskills.io/specification)."""
SHOWN_BODY = 8000
"""Characters of SKILL.md that the writer sees: what a skill is for stands at its beginning."""
MOST_REQUESTS = 80


class TriedRequest(NamedTuple):
    """A request, the skill that it is for, and the one that was taken up; '' for none."""

    query: str
    right: str
    taken: str


class ProposedDescription(BaseModel):
    """What the writer answers."""

    model_config = ConfigDict(extra="ignore")
    description: str


class Refused(NamedTuple):
    """A description that no skill may have, and why."""

    description: str
    why: str
    findings: tuple[Finding, ...] = ()


def propose_description(
    client: Client,
    model: ModelSettings,
    skill: Skill,
    others: Sequence[Skill],
    tried: Sequence[TriedRequest],
    *,
    seed: int,
    step: StepLabel,
) -> Skill | Refused:
    """The skill with another description, or why there is none.

    Args:
        others: the rest of the library.
        tried: requests to learn from; those that went wrong come first, and of very many the rest is left out.

    Raises:
        InfrastructureFault, ModelUnusable, BudgetReached: as `Client.complete`.
    """
    shown = sorted(tried, key=lambda item: (item.right == skill.name) == (item.taken == skill.name))[:MOST_REQUESTS]
    rows: Iterable[dict[str, object]] = (
        {"request": it.query, "for": it.right or "none", "taken": it.taken or "none"} for it in shown
    )
    messages = (
        {"role": "system", "content": render("trigger_writer", longest=LONGEST)},
        {
            "role": "user",
            "content": render(
                "trigger_writer_task",
                name=skill.name,
                description=skill.description,
                body=skill.body[:SHOWN_BODY],
                others=_lines({"name": one.name, "description": one.description} for one in others) or "none",
                requests=_lines(rows),
            ),
        },
    )
    request = Request(role="merger", settings=model, messages=messages, seed=seed)
    try:
        said = " ".join(ask(client, request, ProposedDescription, step=step).description.split())
    except BadAnswer:
        return Refused("", "no usable answer")
    return with_description(skill, said)


def with_description(skill: Skill, said: str) -> Skill | Refused:
    """The skill with a description that it may have, or why it may not."""
    if not said or len(said) > LONGEST:
        return Refused(said[:LONGEST], f"{len(said)} characters, and a description has 1 to {LONGEST}")
    if findings := screened(said, known=skill.description):
        return Refused(said, "; ".join(sorted({found.reason for found in findings})), findings)
    edit = Edit(op="set_description", content=said)
    done = apply_edits(skill, [edit], EditPolicy(allow_description=True))
    wrong = [item.reason for item in done.unplaced] or list(done.problems)
    return Refused(said, "; ".join(wrong)) if wrong else done.skill


def _lines(rows: Iterable[dict[str, object]]) -> str:
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
