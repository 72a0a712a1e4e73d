"""`Task`: one piece of work for an agent, as a domain loaded it."""

from operator import not_
from pathlib import Path
from typing import Literal

from pydantic import Field

from trace2skill.core.record import Record

Split = Literal["evolve", "validation", "test"]


class TestCase(Record):
    """One input with its gold output. Paths are absolute, on the host; gold is read by the grader only."""

    __test__ = False  # the field's word, not a pytest class

    name: str = Field(description="Short name, unique in the task, e.g. '1'.")
    input: Path | None = Field(default=None, description="Input file copied into the workspace, if there is one.")
    gold: Path | None = Field(default=None, description="Gold output file, never mounted anywhere.")


class Task(Record):
    """One task. `content` names everything that can change what an agent does with it or how it is scored."""

    id: str = Field(min_length=1)
    domain: str
    kind: str = Field(default="", description="The data set's own type of task; splits are stratified by it.")
    instruction: str
    cases: tuple[TestCase, ...] = ()
    detail: dict[str, str] = Field(default_factory=dict, description="What the domain's grader needs besides gold.")
    skills: tuple[str, ...] = Field(
        default=(),
        exclude_if=not_,
        description="Names of the skills that it exercises, where its data say so; else any that the agent is given.",
    )
    content: str = Field(description="Digest of instruction, detail and the bytes of every input and gold file.")
    group: str = Field(default="", exclude_if=not_, description="Tasks of one group are never in two splits.")
    sessions: tuple[str, ...] = Field(
        default=(),
        exclude_if=not_,
        description="Ids of the logs that it was made of: where it is held out, nothing is learned from these.",
    )
