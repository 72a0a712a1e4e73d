"""The steps of the baselines, with their keys. See `trace2skill.steps` for what a step promises."""

from collections.abc import Sequence

from pydantic import Field

from trace2skill.baselines.bank import Bank, BankSettings, Vector, closest, in_prompt, text_of
from trace2skill.baselines.padding import SENTENCES, padded
from trace2skill.baselines.rewrite import Rewritten, rewrite, rewrite_identity
from trace2skill.core.digest import digest_of
from trace2skill.core.errors import BadInput
from trace2skill.core.noun import Noun
from trace2skill.llm import EmbeddingRequest, ModelSettings
from trace2skill.runs.runtime import Runtime
from trace2skill.skills.skill import Skill
from trace2skill.types.lesson import Extraction, Lesson
from trace2skill.types.references import Extracted, RolloutJob


class Embedded(Noun, form="Embedded", version=1):
    """The vectors of the lessons of one extraction."""

    extraction: str
    vectors: tuple[Vector, ...]


class Banked(Noun, form="Banked", version=1):
    """A bank that is in the store."""

    content: str
    lessons: int
    tokens: int = Field(default=0, description="Tokens of all its lessons, four characters each.")


def embed_key(rt: Runtime, extracted: Extracted, model: ModelSettings) -> str:
    """Key of `embed`."""
    return "embed/" + digest_of("embed 1", extracted.content, model.name, model.api_base)


def embed(rt: Runtime, extracted: Extracted, model: ModelSettings) -> Embedded:
    """Embed the lessons of one extraction, in one call."""
    texts = tuple(text_of(lesson) for lesson in lessons_of(rt, [extracted]))
    found = rt.door.embed(EmbeddingRequest(settings=model, texts=texts), step=f"embed: {extracted.name}")
    return Embedded(extraction=extracted.content, vectors=found.vectors)


def bank_key(rt: Runtime, analysed: Sequence[Extracted], embedded: Sequence[Embedded], settings: BankSettings) -> str:
    """Key of `bank`."""
    return "bank/" + digest_of("bank 1", [item.content for item in analysed], list(embedded), settings.identity)


def bank(rt: Runtime, analysed: Sequence[Extracted], embedded: Sequence[Embedded], settings: BankSettings) -> Banked:
    """Put the lessons of all analyses into a bank, and keep it. Those whose vectors are missing are not in it."""
    vectors = {item.extraction: item.vectors for item in embedded}
    kept = [item for item in analysed if item.lessons and (settings.embedding is None or item.content in vectors)]
    found = Bank(
        settings=settings,
        lessons=tuple(lessons_of(rt, kept)),
        vectors=tuple(vector for item in kept for vector in vectors.get(item.content, ())),
    )
    rt.store.put("bank", found.digest, found)
    tokens = sum(len(text_of(lesson)) for lesson in found.lessons) // 4
    return Banked(content=found.digest, lessons=len(found.lessons), tokens=tokens)


def recall(rt: Runtime, job: RolloutJob) -> tuple[Lesson, ...]:
    """The lessons of the job's bank that are closest to its task; none without a bank.

    Raises:
        BadInput: the store has lost the bank.
        InfrastructureFault, ModelUnusable, BudgetReached: as `Door.embed`.
    """
    if not job.bank:
        return ()
    found = rt.store.get("bank", job.bank, Bank)
    if found is None:
        raise BadInput(f"the store {rt.settings.operation.store} has no bank {job.bank[:12]}: was it pruned? run again")
    model = found.settings.embedding

    def vector(text: str) -> Vector:
        if model is None:
            raise BadInput("a bank with vectors names its embedding model")
        return rt.door.embed(EmbeddingRequest(settings=model, texts=(text,)), step=f"recall: {job.name}").vectors[0]

    return closest(found, rt.domain.describe(rt.task(job.task_id)), vector)


def memory_of(lessons: Sequence[Lesson]) -> str:
    """What the agent reads of recalled lessons."""
    return in_prompt(lessons)


def rewrite_key(rt: Runtime, analysed: Sequence[Extracted], base: str) -> str:
    """Key of `rewrite_skill`: all lessons at once, S0, and the model."""
    identity = rewrite_identity(rt.settings.models.merger, rt.settings.learning.limits)
    return "rewrite/" + digest_of("rewrite 1", identity, [item.content for item in analysed], base)


def rewrite_skill(rt: Runtime, analysed: Sequence[Extracted], base: str) -> Rewritten:
    """Have one call write S0 anew from the lessons of all analyses; S0 itself where there is no lesson."""
    before, lessons = _skill(rt, base), lessons_of(rt, analysed)
    if not lessons:
        return Rewritten(skill=base, lessons=0)
    skill, seen = rewrite(
        rt.door, rt.settings.models.merger, before, lessons, rt.settings.learning.limits, step="rewrite"
    )
    rt.store.put("skill", skill.digest, skill)
    return Rewritten(skill=skill.digest, lessons=seen, left_out=len(lessons) - seen)


def pad_key(base: str, like: str) -> str:
    """Key of `pad`."""
    return "pad/" + digest_of("pad 1", SENTENCES, base, like)


def pad(rt: Runtime, base: str, like: str) -> Rewritten:
    """Pad S0 to the length of another skill, and keep the result."""
    skill = padded(_skill(rt, base), _skill(rt, like))
    rt.store.put("skill", skill.digest, skill)
    return Rewritten(skill=skill.digest, lessons=0)


def lessons_of(rt: Runtime, analysed: Sequence[Extracted]) -> list[Lesson]:
    """The lessons of analyses, in their order.

    Raises:
        BadInput: the store has lost one, or it is of a held-out task.
    """
    found: list[Lesson] = []
    for item in analysed:
        rt.evolve_task(item.task_id)
        extraction = rt.store.get("extraction", item.content, Extraction)
        if extraction is None:
            raise BadInput(f"the store {rt.settings.operation.store} has no extraction {item.content[:12]}: run again")
        found += extraction.lessons
    return found


def _skill(rt: Runtime, digest: str) -> Skill:
    skill = rt.skill(digest)
    if skill is None:
        raise BadInput("this step needs a skill")
    return skill
