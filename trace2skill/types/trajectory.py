"""`Trajectory`: what an agent did on one task, step by step, and how it ended.

The steps follow the Agent Trajectory Interchange Format 1.7 (https://harborframework.com/docs/agents/trajectory-format):
a step has a source, a message, optional reasoning, tool calls, and one observation per tool call. Ours adds a typed
`Outcome`, the seed and the digests that name the run exactly.

What only imported logs carry (times, sub-agents, fields that nobody here reads) is left out of a dump where it is
empty, so that a trajectory without it has the digest it always had.
"""

from operator import not_
from typing import Any, Literal

from pydantic import Field

from trace2skill.core.record import Record

OutcomeKind = Literal["passed", "failed", "infrastructure_error", "unknown"]
STRONG = frozenset({"grader", "labels", "log", "report"})
"""Sources of an outcome that measured it, or were asked for it."""
CallState = Literal["worked", "failed", "not_run"]
StopReason = Literal[
    "answered",
    "turn_limit",
    "token_limit",
    "cost_limit",
    "time_limit",
    "space_limit",
    "context_limit",
    "refused",
    "output_limit",
    "reasoning_only",
    "empty",
]
"""Why the work ended. `output_limit` is an answer cut off at the most tokens of one, `reasoning_only` one that says
nothing but its reasoning, `empty` one that says nothing at all, `refused` one that the model or a filter withheld."""


class Outcome(Record):
    """How a trajectory was scored. `infrastructure_error` is neither a score of 0 nor a lesson.

    `unknown` is for imported logs that nobody has labelled; `source` says who labelled the others.
    """

    kind: OutcomeKind
    hard: float = Field(default=0.0, ge=0, le=1, description="1 when every test case passed, else 0.")
    soft: float = Field(default=0.0, ge=0, le=1, description="Share of test cases passed.")
    reason: str = Field(default="", description="In words: what was wrong, or what broke.")
    source: str = Field(default="grader", description="Who said so: 'grader', or a label's origin for imported logs.")
    confidence: float | None = Field(
        default=None, ge=0, le=1, exclude_if=not_, description="How sure a judge model was of its verdict."
    )

    @property
    def weak(self) -> bool:
        """Does it rest on no more than a guess: signs, a person's words in the session, a judge model, or nobody?"""
        return self.source not in STRONG


class ToolCall(Record):
    """One call of a tool by the agent."""

    id: str
    name: str
    arguments: dict[str, Any] = Field(default_factory=dict)
    extra: dict[str, Any] = Field(default_factory=dict, exclude_if=not_)


class Observation(Record):
    """What one tool call answered, as the agent saw it (cut head and tail where it was long)."""

    call_id: str
    content: str
    exit_code: int | None = None
    error: bool = Field(default=False, exclude_if=not_, description="The log marks it as an error.")
    not_run: str = Field(
        default="",
        exclude_if=not_,
        description="Who stopped the call, where it did not run or was broken off: 'user', 'rule' (a permission that "
        "was set before), 'hook', 'sibling' (a parallel call that failed) or 'program'.",
    )
    harmless: str = Field(
        default="", exclude_if=not_, description="Why an exit code other than 0 is no failure: 'grep: no match'."
    )
    extra: dict[str, Any] = Field(default_factory=dict, exclude_if=not_)

    @property
    def state(self) -> CallState:
        """What became of the call. One that did not run neither failed nor worked: it is evidence of nothing."""
        if self.not_run:
            return "not_run"
        if self.error or (self.exit_code not in (None, 0) and not self.harmless):
            return "failed"
        return "worked"


class Usage(Record):
    """Tokens and money. `cached` tokens are part of `prompt`. Cost in US dollars."""

    prompt: int = 0
    completion: int = 0
    cached: int = 0
    cost: float = 0.0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            prompt=self.prompt + other.prompt,
            completion=self.completion + other.completion,
            cached=self.cached + other.cached,
            cost=self.cost + other.cost,
        )


class Step(Record):
    """One turn. Numbered from 1 in the trajectory."""

    number: int = Field(ge=1)
    source: Literal["system", "user", "agent"]
    message: str = ""
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    observations: tuple[Observation, ...] = ()
    timestamp: str = Field(default="", exclude_if=not_, description="ISO 8601, as the log has it.")
    model: str = Field(default="", exclude_if=not_, description="The model of this step, where the log names one.")
    usage: Usage | None = Field(default=None, exclude_if=not_)
    identity: str = Field(
        default="",
        exclude_if=not_,
        pattern="^([0-9a-f]{16})?$",
        description="Names the response of the model behind the step, from the ids in the log: a copy of it in another "
        "file has the same.",
    )
    extra: dict[str, Any] = Field(default_factory=dict, exclude_if=not_, description="What the log says besides.")


class Trajectory(Record, form="Trajectory", version=1):
    """Everything one agent did on one task with one skill and one seed."""

    id: str
    task_id: str
    seed: int
    model: str
    skill: str | None = Field(default=None, description="Digest of the skill in the prompt; none without a skill.")
    steps: tuple[Step, ...] = ()
    outcome: Outcome
    stop: StopReason = "answered"
    usage: Usage = Usage()
    skill_files_opened: tuple[str, ...] = ()
    skill_scripts_run: tuple[str, ...] = ()
    outputs: dict[str, bytes] = Field(default_factory=dict, description="Final files of the agent, by relative path.")
    session: str = Field(default="", exclude_if=not_, description="The log's own name of the session.")
    agent: str = Field(default="", exclude_if=not_, description="The program that ran the agent.")
    agent_version: str = Field(default="", exclude_if=not_)
    parent: str = Field(default="", exclude_if=not_, description="Id of the trajectory it is a part or sub-agent of.")
    extra: dict[str, Any] = Field(default_factory=dict, exclude_if=not_, description="What the log says besides.")

    @property
    def turns(self) -> int:
        """How often the agent spoke."""
        return sum(step.source == "agent" for step in self.steps)


class Timing(Record, form="Timing", version=1):
    """How long a trajectory took when it was made. Kept apart: a trajectory names what was done, not how fast."""

    seconds: float
