"""What is said of a segment of a session: the task it became, or why it became none."""

from operator import not_
from typing import Literal

from pydantic import Field

from trace2skill.core.record import Record

Replayable = Literal["self-contained", "in-repository", "needs-repository", "needs-environment", "not-replayable"]
CheckKind = Literal["tests", "command", "state", "answer"]


class MinedCheck(Record):
    """A check, and what it said when it was tried.

    It is believed where it failed on the files that the segment began with and passed on those it ended with.
    """

    kind: CheckKind
    what: str = Field(description="What it does, in words.")
    script: str
    files: tuple[str, ...] = Field(default=(), description="Of a state, the files that it compares.")
    fails_at_start: bool | None = Field(default=None, description="None where it was not tried.")
    passes_at_end: bool | None = None

    @property
    def believed(self) -> bool:
        """Was it seen to fail and to pass?"""
        return bool(self.fails_at_start and self.passes_at_end)


class MinedSegment(Record):
    """One segment of a session. `task` is the id of the task that it became, '' where it became none."""

    id: str = Field(description="Of the segment, as a trajectory.")
    session: str = Field(description="Id of the trajectory it is a part of.")
    task_id: str = Field(description="The task of the log.")
    parent: str = Field(default="", exclude_if=not_, description="What the session was forked from, or is a part of.")
    format: str = ""
    file: str = ""
    outcome: str = Field(default="unknown", description="How the log, its verdict file or its labels say it ended.")
    source: str = "none"
    replayable: Replayable = "not-replayable"
    commit: str = Field(
        default="", exclude_if=not_, description="At which it began, where that was found or the log says it."
    )
    repository: str = Field(
        default="", exclude_if=not_, description="The repository in which it began, if one was named."
    )
    commit_by: Literal["", "log", "branch", "files"] = Field(
        default="",
        exclude_if=not_,
        description="Who says the commit: the log, its branch and time, or the files that it shows.",
    )
    redacted: tuple[str, ...] = Field(
        default=(), exclude_if=not_, description="Files of that tree from which secrets were taken out."
    )
    why: str = Field(default="", description="Why it became no task.")
    check: CheckKind | Literal[""] = ""
    check_passes: bool | None = Field(
        default=None,
        exclude_if=lambda passes: passes is None,
        description="What a check that fails at the start said of the end; none without.",
    )
    task: str = ""
