"""The rows that callers write and read."""

from typing import Any, Literal

from pydantic import Field

from trace2skill.core.record import Record

CallOutcome = Literal[
    "answered",
    "from_memory",
    "rate_limited",
    "server_error",
    "timeout",
    "connection",
    "bad_request",
    "authentication",
    "quota",
    "not_found",
    "context_length",
    "refused",
    "budget",
    "agent_failed",
]


class LedgerRow(Record):
    """One call of a model: who asked, what was sent, what it took. Cost in US dollars, latency in seconds."""

    run_id: str
    step: str
    stage: str = Field(description="The stage that asked, as a run has it.")
    part: str = Field(default="", description="What of the stage: an analyst, what an editor was asked for.")
    unit: str = Field(default="", description="Tells items of equal names in `step` apart.")
    role: str
    model: str
    params: dict[str, Any] = Field(description="The parameters as they were sent.")
    seed: int | None = None
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int | None = Field(default=None, description="None where nobody said.")
    cost: float = 0.0
    latency_seconds: float = 0.0
    attempts: int = 0
    outcome: CallOutcome
    call_key: str


class LedgerTotal(Record):
    """Sums over ledger rows. `calls` were answered by a model, `from_memory` by the store, `failed` by nobody."""

    calls: int = 0
    from_memory: int = 0
    failed: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0
    cost: float = 0.0


class RunHead(Record):
    """A run without what it was told and what it came to, which can be large."""

    id: str
    kind: str
    state: str = "running"
    attempts: int = 0
    told: bool = Field(default=False, description="Is there a summary?")


class RunRow(Record):
    """A run. `settings` and `summary` are JSON texts."""

    id: str
    kind: str
    settings: str = "{}"
    state: str = "running"
    summary: str = ""
    attempts: int = 0
