"""What is said of a segment of a session: the task it became, or why it became none."""

from operator import not_
from typing import Literal

from pydantic import Field

from trace2skill.core.record import Record

Replayable = Literal["self-contained", "needs-repository", "not-replayable"]
CheckKind = Literal["tests", "command", "state"]


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
    commit: str = Field(default="", exclude_if=not_, description="Of the repository it needs, where the log says it.")
    why: str = Field(default="", description="Why it became no task.")
    check: CheckKind | Literal[""] = ""
    check_passes: bool | None = Field(
        default=None,
        exclude_if=lambda passes: passes is None,
        description="What a check that fails at the start said of the end; none without.",
    )
    task: str = ""
