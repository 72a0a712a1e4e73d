"""The one-shot rewrite: one call sees the skill and all lessons at once, and writes the skill anew.

It takes the place of proposals, merges and application. What went before, the trajectories and their analyses, is the
same (docs/baselines.md says what "equal budget" means).
"""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from trace2skill.consolidate.limits import SizeLimits, over_limits
from trace2skill.core.digest import digest_of
from trace2skill.core.errors import SkillInvalid
from trace2skill.core.record import Record
from trace2skill.core.step_label import StepLabel
from trace2skill.llm import Client, ModelSettings, Request, ask
from trace2skill.llm.answers import BYTES_PER_TOKEN
from trace2skill.llm.transport import context_tokens, request_bytes
from trace2skill.prompts import prompt_digest, render
from trace2skill.skills.skill import Skill, problems
from trace2skill.types.lesson import Lesson

PROMPTS = ("rewriter", "rewriter_task")
RE_ASKS = 2
ROOM = 0.9
"""Share of the context that the prompt may fill, by an estimate of four bytes a token; the answer has its own share."""


class ReferenceDraft(BaseModel):
    """A reference file as the rewriter writes it."""

    model_config = ConfigDict(extra="ignore")
    path: str = Field(pattern=r"^references/[\w.-]+\.md$")
    content: str = Field(min_length=1)


class SkillRewrite(BaseModel):
    """What the rewriter answers."""

    model_config = ConfigDict(extra="ignore")
    body: str = Field(min_length=1, description="SKILL.md without its front matter.")
    references: list[ReferenceDraft] = Field(default_factory=list)


class Rewritten(Record, form="Rewritten", version=1):
    """A rewrite that is in the store: the skill, and how many lessons the one call saw."""

    skill: str
    lessons: int
    left_out: int = Field(default=0, description="Lessons for which the model's context had no room.")


def rewrite_identity(model: ModelSettings, limits: SizeLimits) -> dict[str, object]:
    """What a rewrite's key holds of the rewriter."""
    return {"rewrite": 1, "model": model.identity, "limits": limits, "prompts": prompt_digest(*PROMPTS)}


def rewrite(
    client: Client, model: ModelSettings, base: Skill, lessons: Sequence[Lesson], limits: SizeLimits, *, step: StepLabel
) -> tuple[Skill, int]:
    """Write a skill anew from all lessons. Returns it, and how many lessons the call could see.

    Raises:
        SkillInvalid: the answer stayed no valid skill, or larger than the limits.
        BadAnswer, InfrastructureFault, ModelUnusable, BudgetReached: as `ask`.
    """
    request, seen = _fitting(model, base, lessons, limits)
    found: list[str] = []
    for _ in range(1 + RE_ASKS):
        answer = ask(client, request, SkillRewrite, step=step)
        skill = _skill_of(base, answer)
        found = problems(skill, base) + [
            f"{path} is larger than the limits" for path in over_limits(base, skill, limits)
        ]
        if not found:
            return skill, seen
        again = f"The skill is not valid: {'; '.join(found)}\nAnswer again, with the whole skill, mended."
        said = {"role": "assistant", "content": answer.model_dump_json()}
        request = request.model_copy(update={"messages": (*request.messages, said, {"role": "user", "content": again})})
    raise SkillInvalid("the rewritten skill", found)


def _fitting(model: ModelSettings, base: Skill, lessons: Sequence[Lesson], limits: SizeLimits) -> tuple[Request, int]:
    """The request with as many lessons as the context holds; which are left out is drawn by their ids."""
    context = context_tokens(model)
    room = (context * ROOM - model.max_tokens) * BYTES_PER_TOKEN if context else None
    ranked = sorted(lessons, key=lambda lesson: digest_of("rewrite", lesson.id))
    count = len(ranked)
    while True:
        kept = {lesson.id for lesson in ranked[:count]}
        request = _request(model, base, [lesson for lesson in lessons if lesson.id in kept], limits)
        if room is None or request_bytes(request) <= room or count == 0:
            return request, count
        count = count * 3 // 4


def _request(model: ModelSettings, base: Skill, lessons: Sequence[Lesson], limits: SizeLimits) -> Request:
    documents = [(file.path, base.text(file.path) or "") for file in base.files if file.path.endswith(".md")]
    task = render("rewriter_task", skill_name=base.name, documents=documents, lessons=lessons)
    messages = ({"role": "system", "content": render("rewriter", limits=limits)}, {"role": "user", "content": task})
    return Request(role="merger", settings=model, messages=messages)


def _skill_of(base: Skill, answer: SkillRewrite) -> Skill:
    """The answer as a skill: name, description, scripts and assets stay as they are."""
    text = base.text("SKILL.md") or ""
    head = text[: len(text) - len(base.body)].rstrip()
    changes: dict[str, bytes | None] = {
        file.path: None for file in base.files if file.path.startswith("references/") and file.path.endswith(".md")
    }
    changes |= {item.path: (item.content.rstrip() + "\n").encode() for item in answer.references}
    changes["SKILL.md"] = f"{head}\n\n{answer.body.strip()}\n".encode()
    return base.with_files(changes)
