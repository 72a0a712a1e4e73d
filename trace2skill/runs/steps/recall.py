"""What a rollout recalls from a bank of lessons. No step of its own: it is part of the rollout and of its key."""

from trace2skill.baselines.bank import Bank, Vector, closest
from trace2skill.core.errors import BadInput
from trace2skill.core.step_label import StepLabel
from trace2skill.llm import EmbeddingRequest
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.steps.asks import Asks
from trace2skill.runs.steps.stored import stored
from trace2skill.types.lesson import Lesson
from trace2skill.types.references import RolloutJob

RECALL = Asks("recall", "embedding", (300, 0))


def recall(rt: Runtime, job: RolloutJob) -> tuple[Lesson, ...]:
    """The lessons of the job's bank that are closest to its task; none without a bank.

    Raises:
        BadInput: the store has lost the bank.
        InfrastructureFault, ModelUnusable, BudgetReached: as `Client.embed`.
    """
    if not job.bank:
        return ()
    found = stored(rt, "bank", job.bank, Bank)
    model = found.settings.embedding

    step = StepLabel(RECALL.stage, job.name, unit=job.bank)

    def vector(text: str) -> Vector:
        if model is None:
            raise BadInput("a bank with vectors names its embedding model")
        return rt.client.embed(EmbeddingRequest(settings=model, texts=(text,)), step=step).vectors[0]

    return closest(found, rt.domain.describe(rt.task(job.task_id)), vector)
