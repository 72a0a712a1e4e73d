"""Which model plays which role, and with which parameters."""

import os
import re
from operator import not_
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from trace2skill.core.record import Record

Role = Literal["agent", "analyst", "merger"]
SIMULATED = "sim/"
BY_HAND = "handoff/"
REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
"""A variable of the environment in an address."""
WAIT = "?wait="
Price = Annotated[float, Field(ge=0, allow_inf_nan=False)]
HOW_NOT_WHAT = {
    "timeout_seconds",
    "attempts",
    "patience_seconds",
    "requests_per_minute",
    "tokens_per_minute",
    "price",
    "batch_price",
    "vision",
    "handoff_seconds",
}


class ModelSettings(Record):
    """One model. A parameter left at None is not sent, so that the provider's own default holds."""

    name: str = Field(
        description="LiteLLM model name, e.g. 'anthropic/claude-sonnet-4-5', 'ollama/qwen3', 'sim/office', or "
        "'handoff/DIR' for answers by hand."
    )
    temperature: float | None = Field(default=None, ge=0, le=2, description="Not sent where there is none.")
    top_p: float | None = Field(default=None, gt=0, le=1, description="Not sent where there is none.")
    max_tokens: int = Field(default=8192, ge=1, description="Most tokens one answer may have; bounds what it costs.")
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high"] | None = Field(
        default=None, description="Not sent where there is none."
    )
    api_base: str | None = Field(
        default=None,
        description="Address of an OpenAI-compatible or Ollama server; ${NAME} in it is a variable of the environment.",
    )
    context: int | None = Field(
        default=None, ge=512, exclude_if=not_, description="Most tokens of prompt and answer, where LiteLLM knows none."
    )
    timeout_seconds: float = Field(default=300, gt=0, description="Longest time of one try.")
    attempts: int = Field(default=5, ge=1, description="Tries of one call when what went wrong can pass.")
    patience_seconds: float = Field(
        default=1800, ge=0, description="How long one call may be put off by 'too many requests' before it fails."
    )
    requests_per_minute: float | None = Field(default=None, gt=0, description="Your quota, where you know it.")
    tokens_per_minute: float | None = Field(default=None, gt=0, description="Your quota, where you know it.")
    tools: Literal["auto", "native", "text"] = Field(
        default="auto", description="Native tool calls, or commands in fenced blocks; auto asks LiteLLM."
    )
    answers: Literal["auto", "schema", "text"] = Field(
        default="auto",
        exclude_if=lambda answers: answers == "auto",
        description="Structured answers under a JSON schema that the provider enforces, or as text; auto asks LiteLLM.",
    )
    vision: Literal["auto", "yes", "no"] = Field(
        default="auto",
        exclude_if=lambda value: value == "auto",
        description="Does the model see pictures? auto asks LiteLLM, which knows nothing of a server of your own.",
    )
    price: Annotated[
        tuple[Price, Price] | tuple[Price, Price, Price] | None,
        Field(
            description="US dollars per million tokens, in and out, and in from the provider's cache, where LiteLLM "
            "knows no price. Without the third, cached tokens cost as much as others."
        ),
    ] = None
    batch_price: Annotated[
        tuple[Price, Price] | tuple[Price, Price, Price] | None,
        Field(
            exclude_if=lambda price: price is None,
            description="The same for calls that go in batches, where LiteLLM knows no price of them. Without it they "
            "count as single ones.",
        ),
    ] = None

    handoff_seconds: float | None = Field(
        default=None,
        gt=0,
        exclude_if=lambda seconds: seconds is None,
        description="How long a request to handoff/DIR waits for its answer; none waits until it is there. "
        "handoff/DIR?wait=SECONDS says the same.",
    )

    @model_validator(mode="before")
    @classmethod
    def _wait_in_the_name(cls, given: Any) -> Any:
        """The wait is a setting and no part of the name: it changes no answer, so it changes no key."""
        name = given.get("name") if isinstance(given, dict) else None
        if not isinstance(name, str) or not name.strip().startswith(BY_HAND) or WAIT not in name:
            return given
        name, _, seconds = name.rpartition(WAIT)
        return {**given, "name": name, "handoff_seconds": seconds}

    @field_validator("name")
    @classmethod
    def _has_a_provider(cls, name: str) -> str:
        if not name.strip():
            raise ValueError("a model needs a name, such as anthropic/claude-sonnet-4-5, ollama/qwen3 or sim/office")
        if name.strip() == BY_HAND:
            raise ValueError("handoff/DIR needs the directory in which requests wait, such as handoff/questions")
        return name.strip()

    @property
    def address(self) -> str | None:
        """`api_base` with the variables of the environment that it names. Never to be written down."""
        return REFERENCE.sub(lambda found: os.environ.get(found[1], ""), self.api_base) if self.api_base else None

    @property
    def handoff(self) -> Path | None:
        """The folder in which requests wait for answers by hand; None for any other model."""
        return Path(self.name.removeprefix(BY_HAND)).expanduser() if self.name.startswith(BY_HAND) else None

    @property
    def simulated(self) -> bool:
        """Is this the embedded simulated model?"""
        return self.name.startswith(SIMULATED)

    @property
    def identity(self) -> dict[str, object]:
        """What can change the model's answers: all but time limits, tries, quotas and prices."""
        return self.model_dump(mode="json", exclude=HOW_NOT_WHAT)


class Roles(Record):
    """The model of each role. One model may play all of them (arXiv 2603.25158: no stronger teacher is needed)."""

    agent: ModelSettings = Field(description="Works on the tasks.")
    analyst: ModelSettings = Field(description="Examines trajectories, proposes edits and drafts a first skill.")
    merger: ModelSettings = Field(description="Unites edits, and words what is changed.")

    @classmethod
    def all_played_by(cls, settings: ModelSettings) -> "Roles":
        """The same model in every role."""
        return cls(agent=settings, analyst=settings, merger=settings)

    @property
    def simulated(self) -> bool:
        """Is any role played by the simulated model?"""
        return any(settings.simulated for settings in (self.agent, self.analyst, self.merger))

    @property
    def handoffs(self) -> tuple[Path, ...]:
        """The folders of the roles that are answered by hand, each once."""
        folders = (settings.handoff for settings in (self.agent, self.analyst, self.merger))
        return tuple(dict.fromkeys(folder for folder in folders if folder))

    @property
    def all_simulated(self) -> bool:
        """Is every role played by the simulated model?"""
        return all(settings.simulated for settings in (self.agent, self.analyst, self.merger))
