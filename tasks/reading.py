"""The jobs of the consolidation as mapped tasks: each round is submitted whole and gathered in order."""

from collections.abc import Sequence
from typing import Any, TypeVar

from tasks.gather import gather
from tasks.runner import mapped
from tasks.steps import task_of
from trace2skill.analysts.script_trial import TriedScript
from trace2skill.consolidate.assign import Coding
from trace2skill.consolidate.book import Grouping
from trace2skill.consolidate.reading import AssignJob, InduceJob, WriteJob
from trace2skill.consolidate.shorten import LongSection, ShortenedSection
from trace2skill.consolidate.write import SheetWording
from trace2skill.runs.batching import answered_ahead
from trace2skill.runs.runtime import runtime
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.steps.assign import ASSIGN
from trace2skill.runs.steps.induce import INDUCE
from trace2skill.runs.steps.script import SCRIPT, ScriptJob
from trace2skill.runs.steps.shorten import SHORTEN
from trace2skill.runs.steps.step import RunStep
from trace2skill.runs.steps.write import WRITE

R = TypeVar("R")


class MappedRunner:
    """A `Runner` over Prefect. A job that fails leaves its round to finish; then the stage fails with it named."""

    def __init__(self, settings: RunSettings) -> None:
        self._settings = settings

    def induce(self, jobs: Sequence[InduceJob]) -> list[Grouping]:
        """See `Runner`."""
        return self._all(INDUCE, jobs)

    def assign(self, jobs: Sequence[AssignJob]) -> list[Coding]:
        """See `Runner`."""
        return self._all(ASSIGN, jobs)

    def write(self, jobs: Sequence[WriteJob]) -> list[SheetWording]:
        """See `Runner`."""
        return self._all(WRITE, jobs)

    def script(self, jobs: Sequence[ScriptJob], base: str) -> list[TriedScript]:
        """See `RunRunner`."""
        return self._all(SCRIPT, jobs, base)

    def shorten(self, sections: Sequence[LongSection]) -> list[ShortenedSection]:
        """Lines of a champion in fewer words, a section at a time."""
        return self._all(SHORTEN, sections)

    def _all(self, step: RunStep[R], jobs: Sequence[Any], *rest: object) -> list[R]:
        if not jobs:
            return []
        answered_ahead(runtime(self._settings), [(step, jobs, rest)])
        futures = mapped(task_of(step), self._settings, jobs, *rest)
        names = [job.name for job in jobs]
        return gather(runtime(self._settings), step.name, futures, names, tolerated=0.0).results
