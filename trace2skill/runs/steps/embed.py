"""Step `embed`: the vectors of the lessons of one extraction."""

from trace2skill.baselines.bank import text_of
from trace2skill.core.step_label import StepLabel
from trace2skill.llm import EmbeddingRequest, ModelSettings
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.steps.asks import Asks
from trace2skill.runs.steps.step import RunStep
from trace2skill.runs.steps.stored import lessons_of
from trace2skill.types.references import Embedded, Extracted


def _parts(rt: Runtime, extracted: Extracted, model: ModelSettings) -> tuple[object, ...]:
    return extracted.content, model.name, model.api_base


def embed(rt: Runtime, extracted: Extracted, model: ModelSettings) -> Embedded:
    """Embed the lessons of one extraction, in one call."""
    texts = tuple(text_of(lesson) for lesson in lessons_of(rt, [extracted]))
    found = rt.client.embed(EmbeddingRequest(settings=model, texts=texts), step=StepLabel("embed", extracted.name))
    return Embedded(extraction=extracted.content, vectors=found.vectors)


EMBED = RunStep(
    name="embed",
    version=1,
    parts=_parts,
    do=embed,
    gives=Embedded,
    shown="embed: {extracted.name}",
    asks=(Asks("embed", "embedding", (400, 0)),),
)
