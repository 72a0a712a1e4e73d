"""The conditions of an experiment: ways to get from S0 and trajectories to what the agent is given."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from trace2skill.baselines.bank import BankSettings
from trace2skill.core.record import Record
from trace2skill.runs.sections import SIGNALS

Start = Literal["human", "parametric"]
Analysts = Annotated[str, Field(pattern=f"^{SIGNALS}$", description="Which trajectories teach: +error, +combined, ...")]
ErrorAnalyst = Annotated[
    Literal["agentic", "one_call"], Field(description="'one_call' is the paper's A-LLM: the log alone, nothing proven.")
]


class _Condition(Record):
    """What all conditions have."""

    name: str = Field(default="", description="What the tables call it; unique. A name is made unless one is given.")
    against: tuple[str, ...] | None = Field(
        default=None, description="Names of the conditions that deltas are against; S0's, unless given."
    )
    users: Literal["own", "all"] | None = Field(
        default=None, description="Whose agents use the skill: its author's alone, or every model's."
    )

    @property
    def own_name(self) -> str:
        """The name made where none is given."""
        raise NotImplementedError

    @property
    def label(self) -> str:
        """What the tables call it."""
        return self.name or self.own_name

    @property
    def authored(self) -> bool:
        """Does a model write it? Then there is one for each author."""
        return True


class NoSkill(_Condition):
    """The agent without any skill."""

    kind: Literal["no_skill"] = "no_skill"

    @property
    def own_name(self) -> str:
        """See `_Condition`."""
        return "no skill"

    @property
    def authored(self) -> bool:
        """See `_Condition`."""
        return False


class Human(_Condition):
    """The human-written skill, as `learn.skill` names it."""

    kind: Literal["human"] = "human"

    @property
    def own_name(self) -> str:
        """See `_Condition`."""
        return "human-written"

    @property
    def authored(self) -> bool:
        """See `_Condition`."""
        return False


class Parametric(_Condition):
    """A skill that the model drafts from the domain's description alone."""

    kind: Literal["parametric"] = "parametric"

    @property
    def own_name(self) -> str:
        """See `_Condition`."""
        return "parametric"


class _Learned(_Condition):
    """What is learned from trajectories of S0."""

    base: Start = Field(
        default="human", description="S0: 'human' is deepening, 'parametric' (the model's own draft) is creation."
    )
    analysts: Analysts = "+combined"
    error_analyst: ErrorAnalyst = "agentic"

    def named(self, first: str) -> str:
        """A name with what is not usual about the condition."""
        parts = [first]
        if self.analysts != "+combined":
            parts.append(self.analysts)
        if self.error_analyst == "one_call":
            parts.append("one-call analyst")
        if self.base == "parametric":
            parts.append("from parametric")
        return ", ".join(parts)


class Evolve(_Learned):
    """Trace2Skill: one analyst per trajectory, patches merged in parallel."""

    kind: Literal["evolve"] = "evolve"

    @property
    def own_name(self) -> str:
        """See `_Condition`."""
        mode = "deepening" if self.base == "human" else "creation"
        analyst = ", one-call analyst" if self.error_analyst == "one_call" else ""
        return f"{mode} {self.analysts}{analyst}"


class Sequential(_Learned):
    """The skill is changed after every few trajectories; the next ones are rolled out with the changed skill."""

    kind: Literal["sequential"] = "sequential"
    every: int = Field(ge=1, le=64, description="Trajectories between two changes: the paper's B, 1 or 4.")

    @property
    def own_name(self) -> str:
        """See `_Condition`."""
        return self.named(f"sequential {self.every}")


class Rewrite(_Learned):
    """One call sees all lessons at once and writes the skill."""

    kind: Literal["rewrite"] = "rewrite"

    @property
    def own_name(self) -> str:
        """See `_Condition`."""
        return self.named("one-shot rewrite")


class ReasoningBank(_Learned):
    """Lessons are recalled at inference, beside S0; no skill is written."""

    kind: Literal["reasoning_bank"] = "reasoning_bank"
    bank: BankSettings = BankSettings()

    @property
    def own_name(self) -> str:
        """See `_Condition`."""
        found = "" if self.bank.embedding else ", by words"
        return self.named(f"ReasoningBank top-{self.bank.top_k}{found}")


class Padded(_Condition):
    """S0 padded with neutral text to the length of another condition's skill."""

    kind: Literal["padded"] = "padded"
    like: str = Field(description="Name of the condition whose skill is as long.")

    @property
    def own_name(self) -> str:
        """See `_Condition`."""
        return f"S0 as long as {self.like}"


def _spelled_out(value: Any) -> Any:
    """`no_skill` alone stands for `{kind: no_skill}`."""
    return {"kind": value} if isinstance(value, str) else value


Condition = Annotated[
    Annotated[
        NoSkill | Human | Parametric | Evolve | Sequential | Rewrite | ReasoningBank | Padded,
        Field(discriminator="kind"),
    ],
    BeforeValidator(_spelled_out),
]
Learned = Evolve | Sequential | Rewrite | ReasoningBank
