"""The domain of logs alone: it has no tasks, so that nothing is rolled out, graded or held out."""

from collections.abc import Mapping
from pathlib import Path

from trace2skill.core.errors import BadInput
from trace2skill.domains.base import Audit, Grade
from trace2skill.types.task import Task

NO_TASKS = "logs hold no tasks that could be worked on or graded: score a skill with the data set of a domain (--data)"


class Logs:
    """Work that was done already."""

    name = "logs"
    version = "1"
    about = "What agents did, as their logs tell it."
    fix_contract = ""

    def load(self, data: Path) -> list[Task]:
        """None."""
        del data
        return []

    def lay_out(self, task: Task, workspace: Path) -> None:
        """See `Domain`."""
        raise BadInput(NO_TASKS)

    def describe(self, task: Task) -> str:
        """See `Domain`."""
        raise BadInput(NO_TASKS)

    def collect(self, task: Task, workspace: Path) -> dict[str, bytes]:
        """See `Domain`."""
        raise BadInput(NO_TASKS)

    def grade(self, task: Task, outputs: Mapping[str, bytes]) -> Grade:
        """See `Domain`."""
        raise BadInput(NO_TASKS)

    def audit(self, task: Task) -> Audit:
        """See `Domain`."""
        raise BadInput(NO_TASKS)

    def gold_only(self, task: Task) -> frozenset[str]:
        """See `Domain`."""
        raise BadInput(NO_TASKS)

    def lay_out_emptied(self, task: Task, workspace: Path) -> None:
        """See `Domain`."""
        raise BadInput(NO_TASKS)

    def carried(self, task: Task, outputs: Mapping[str, bytes]) -> list[str]:
        """See `Domain`."""
        raise BadInput(NO_TASKS)

    def fix_command(self, task: Task) -> str | None:
        """See `Domain`."""
        raise BadInput(NO_TASKS)
