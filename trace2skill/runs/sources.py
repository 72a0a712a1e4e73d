"""`Sources`: which logs a run learns from besides its own rollouts, and how. A part of `RunSettings`."""

from operator import not_
from pathlib import Path
from typing import Literal

from pydantic import Field

from trace2skill.core.record import Record
from trace2skill.traces.stores import LogsAddress


class Sources(Record):
    """Logs of agents."""

    paths: tuple[LogsAddress, ...] = Field(
        min_length=1,
        description="Log files, folders of logs, and trace stores: langfuse+https://HOST?since=30d, "
        "langsmith+, mlflow+, phoenix+, braintrust+https://HOST?project=NAME.",
    )
    format: str | None = Field(
        default=None,
        description="Read every file as this format, or by a mapping or reader of your own (FILE.yaml, FILE.py:Class); "
        "none detects it.",
    )
    labels: Path | None = Field(default=None, description="JSON or CSV: id of a trajectory, task or session to score.")
    analyst: Literal["rules", "model"] = Field(
        default="model", description="'model' asks the analyst's model for evidence; 'rules' needs no model."
    )
    judge: bool = Field(
        default=False, description="Ask the analyst's model how a trajectory ended where nothing else says so."
    )
    redaction_map: bool = Field(
        default=True, description="Keep what was redacted in a file beside the store, readable by its owner alone."
    )
    name: str = Field(
        default="learned-from-traces",
        pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$",
        description="Of the skill that logs alone start.",
    )
    hold_out: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        exclude_if=not_,
        description="Share of the groups of sessions from which nothing is learned, for `trace2skill audit`.",
    )
    alone: bool = Field(
        default=False,
        exclude_if=not_,
        description="Learn from these logs alone: tasks are held out, and none is rolled out to learn from.",
    )
    ungated: str = Field(
        default="", exclude_if=not_, description="Filled in by the command: why no held-out task was asked, in words."
    )
    content: str = Field(default="", description="Filled in by the run: digest of what was read.")
