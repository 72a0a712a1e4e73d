"""What a harness is: whatever lets an agent work on a task with a skill, and says afterwards how it went.

The built-in one is the ReAct agent. `CommandSettings` are those of any agent's command line tool, `PythonSettings` of a
function of one's own.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Protocol

from pydantic import Field, field_validator

from trace2skill.agents.loop import Conversation
from trace2skill.core.record import Record
from trace2skill.core.step_label import StepLabel
from trace2skill.llm import Client
from trace2skill.safety.redaction import Redactor
from trace2skill.sandbox import Limits
from trace2skill.skills.skill import Skill
from trace2skill.types.picture import Picture
from trace2skill.types.trajectory import StopReason

VARIABLES = ("prompt_file", "prompt", "skill_dir", "skill_name", "model", "model_id", "seed", "max_turns", "max_cost")
VARIABLE = re.compile(r"(?<!\$)\{([a-z_]+)\}")
ROOMY = Limits(
    wall_seconds=1800,
    cpu_seconds=1800,
    memory_mb=2**20,  # Node and Bun reserve far more addresses than they use
    processes=512,
    file_mb=1024,
    workspace_mb=1024,
)
HOW_NOT_WHAT = {"price_per_rollout"}


@dataclass(frozen=True)
class Assignment:
    """One task for an agent, in a laid-out workspace."""

    description: str
    workspace: Path
    skill: Skill | None
    seed: int
    step: StepLabel
    """The step's name, for the ledger."""
    scope: str
    """The rollout's key: what the agent's tools answered is replayed only within it."""
    memory: str = ""
    """Lessons recalled for the task, as text that stands behind the skill."""
    pictures: tuple[Picture, ...] = ()
    """What the task shows besides its files, to agents that take pictures."""
    library: tuple[Skill, ...] = ()
    """Skills that lie where the agent looks for them, in the place of `skill`; it is told of none, only its request."""

    @property
    def prompt(self) -> str:
        """The task in words, behind what was recalled for it: for agents that take one text."""
        return f"{self.memory}\n\n{self.description}" if self.memory else self.description


class Harness(Protocol):
    """Lets an agent work. One for a run, used from many threads."""

    @property
    def agent(self) -> str:
        """Its name; '' for the built-in agent."""

    @property
    def version(self) -> str:
        """What it says of its version, '' where it says nothing."""

    @property
    def identity(self) -> dict[str, object]:
        """What a rollout's key holds of it: all that can change what the agent does."""

    def work(self, client: Client, assignment: Assignment) -> Conversation:
        """Let the agent work until it ends or a limit ends it. The workspace then holds what the grader reads.

        Raises:
            InfrastructureFault: something broke that may hold next time; nothing is scored.
            BadInput, ModelUnusable: it cannot work until a person changes something.
            BudgetReached: it could pass the cap of the run.
        """


class _Outside(Record):
    """What agents have in common that are not ours."""

    name: str = Field(default="", max_length=60, description="How the agent is called in reports.")
    env: tuple[str, ...] = Field(
        default=(),
        description="Names of environment variables it is given; 'NAME?' where it may be unset. Values are never kept.",
    )
    price_per_rollout: float | None = Field(
        default=None,
        ge=0,
        description="US dollars each rollout counts for, whatever its log says; 0 where it costs you nothing.",
    )
    limits: Limits = Field(default=ROOMY, description="Of the whole process tree. At wall_seconds the work is scored.")

    @field_validator("env")
    @classmethod
    def _names_alone(cls, env: tuple[str, ...]) -> tuple[str, ...]:
        for name in env:
            if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*\??", name):
                raise ValueError("env holds names of variables, such as ANTHROPIC_API_KEY, and never values")
        return env


class CommandSettings(_Outside):
    """An agent's command line tool, run in the sandbox in each task's workspace."""

    kind: Literal["command"] = "command"
    command: str = Field(
        min_length=1,
        description="Shell command. Filled in, quoted: " + ", ".join(f"{{{name}}}" for name in VARIABLES) + ".",
    )
    version_command: str = Field(
        default="", description="Prints the tool's version, which then is part of every key; also an early check."
    )
    skill_at: str = Field(
        default=".claude/skills/{skill_name}", description="Where the skill is mounted read-only, below the workspace."
    )
    skill_text_at: str = Field(
        default="", description="File below the workspace that gets the body of SKILL.md, e.g. AGENTS.md."
    )
    skill_in_prompt: bool = Field(default=False, description="Put the body of SKILL.md before the task.")
    log: tuple[str, ...] = Field(
        default=("stdout",),
        description="Where the session's log is, the first that is found: 'stdout', 'home:GLOB', 'workspace:GLOB'.",
    )
    format: str = Field(default="", description="Format of the log (docs/traces.md), or 'text'; '' detects it.")
    cost_at: str = Field(
        default="", description="Regular expression over the output; its one group is the cost in US dollars."
    )
    network: bool = Field(default=False, description="Give it the host's network: it then can reach everything there.")
    home_files: tuple[str, ...] = Field(
        default=(), description="Files below your home that are copied into its private one, e.g. .codex/auth.json."
    )
    visible: tuple[Path, ...] = Field(
        default=(), description="Directories outside /usr that it needs, e.g. where it is installed. Read-only."
    )
    leftovers: tuple[str, ...] = Field(
        default=(), description="Globs below the workspace of what the tool leaves there for itself."
    )
    exit_stops: dict[int, StopReason] = Field(
        default_factory=dict,
        description='Exit codes other than 0 that are an end to be scored, e.g. {"53": "turn_limit"}.',
    )
    output_stops: dict[str, StopReason] = Field(
        default_factory=dict,
        description='The same by regular expressions over the output, e.g. {"error_max_turns": "turn_limit"}.',
    )
    faults: str = Field(
        default="", description="Regular expression: an output in which it is found is a fault, whatever the exit code."
    )
    unusable: str = Field(
        default=r"(?i)(invalid|incorrect|no) api key|unauthori[sz]ed|authentication|not logged in|/login|\b401\b",
        description="Regular expression: a failure in whose output it is found is not tried again.",
    )

    @field_validator("command")
    @classmethod
    def _can_be_filled_in(cls, command: str) -> str:
        unknown = sorted(set(VARIABLE.findall(command)) - set(VARIABLES))
        if unknown:
            raise ValueError(
                f"unknown {', '.join(f'{{{name}}}' for name in unknown)}: there are "
                f"{', '.join(f'{{{name}}}' for name in VARIABLES)}; braces of the shell's own take spaces inside"
            )
        return command

    @field_validator("command", "version_command")
    @classmethod
    def _holds_no_secret(cls, command: str) -> str:
        redactor = Redactor()
        redactor.text(command)
        if redactor.counts.keys() - {"home", "e-mail"}:
            raise ValueError("it holds what looks like a key: give keys by name, with env")
        return command

    @field_validator("skill_at", "skill_text_at")
    @classmethod
    def _below_the_workspace(cls, path: str) -> str:
        if Path(path).is_absolute() or ".." in Path(path).parts:
            raise ValueError("a path below the workspace is wanted")
        return path

    @field_validator("log")
    @classmethod
    def _can_be_found(cls, log: tuple[str, ...]) -> tuple[str, ...]:
        for place in log:
            if place != "stdout" and place.partition(":")[0] not in ("home", "workspace"):
                raise ValueError(f"'{place}' is no place of a log: 'stdout', 'home:GLOB' or 'workspace:GLOB'")
        return log

    @field_validator("cost_at", "faults", "unusable")
    @classmethod
    def _is_expression(cls, pattern: str) -> str:
        return _expression(pattern)

    @field_validator("output_stops")
    @classmethod
    def _are_expressions(cls, stops: dict[str, StopReason]) -> dict[str, StopReason]:
        for pattern in stops:
            _expression(pattern)
        return stops

    @property
    def label(self) -> str:
        """Its name in reports."""
        return self.name or "command"


class PythonSettings(_Outside):
    """A Python function, run in a process of its own, outside the sandbox: it is your program."""

    kind: Literal["python"] = "python"
    function: str = Field(
        pattern=r"^[^:]+:[A-Za-z_]\w*$",
        description="module:function or path/to/file.py:function, see docs/harnesses.md.",
    )
    version: str = Field(default="", description="Part of every key. The function's own file always is.")

    @property
    def label(self) -> str:
        """Its name in reports."""
        return self.name or self.function


OutsideSettings = Annotated[CommandSettings | PythonSettings, Field(discriminator="kind")]


def identity_of(settings: CommandSettings | PythonSettings, **more: object) -> Mapping[str, object]:
    """What a key holds of these settings."""
    return {"harness": f"{settings.kind} 1", "settings": settings.model_dump(mode="json", exclude=HOW_NOT_WHAT), **more}


def _expression(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"no regular expression: {error}") from error
    return pattern
