"""What is kept of a batch, so that it is sent once whatever happens: before it is sent, with its id, and at its end."""

from typing import Any, Literal

from pydantic import Field

from trace2skill.core.record import Record
from trace2skill.core.step_label import StepLabel
from trace2skill.llm.batch.prices import batch_bound
from trace2skill.llm.request import Request
from trace2skill.llm.settings import ModelSettings, Role
from trace2skill.llm.transport import expected_tokens, parameters

PREFIX = "call/"


class BatchedCall(Record):
    """A call of a batch, and all that its answer and its row in the ledger are made of besides what comes back."""

    key: str
    label: tuple[str, str, str, str] = Field(description="Stage, item, part and unit of the step that asks.")
    role: Role
    params: dict[str, Any]
    seed: int | None
    prompt: int = Field(description="Tokens of the prompt, by its length.")
    bound: float = Field(description="The most it may cost at the price of batches, in US dollars.")

    @classmethod
    def of(cls, request: Request, step: StepLabel) -> "BatchedCall":
        """The call of a request."""
        return cls(
            key=request.key,
            label=(step.stage, step.item, step.part, step.unit),
            role=request.role,
            params=parameters(request),
            seed=request.seed,
            prompt=expected_tokens(request),
            bound=batch_bound(request),
        )

    @property
    def id(self) -> str:
        """Its name in the batch: 64 hex digits, which every provider takes."""
        return self.key.removeprefix(PREFIX)

    @property
    def step(self) -> StepLabel:
        """The step that asks."""
        return StepLabel(*self.label)


class ProviderBatch(Record, form="ProviderBatch", version=1):
    """A batch at a provider. It is written down before it is sent, under a name that the provider is told, too."""

    name: str
    run_id: str = Field(description="The run that pays.")
    model: ModelSettings
    calls: tuple[BatchedCall, ...] = Field(description="None any more once it is settled.")
    state: Literal["intended", "sent", "settled"] = "intended"
    id: str = Field(default="", description="The provider's id, where it is known.")
    intended: float = Field(default=0.0, description="When it was written down, in seconds since 1970; 0: unknown.")

    @property
    def bound(self) -> float:
        """The most it may cost, in US dollars."""
        return sum(call.bound for call in self.calls)
