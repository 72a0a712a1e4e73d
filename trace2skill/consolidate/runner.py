"""Answering jobs in threads: what the bench and single processes use. Prefect maps the same jobs as tasks."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from trace2skill.consolidate.assign import Coding, assign
from trace2skill.consolidate.book import Grouping, induce
from trace2skill.consolidate.bounded import Asker, Bounds
from trace2skill.consolidate.reading import AssignJob, InduceJob, WriteJob
from trace2skill.consolidate.write import USUAL, Limit, SheetWording, write
from trace2skill.core.step_label import StepLabel

J = TypeVar("J")
R = TypeVar("R")


class ThreadRunner:
    """Answers the jobs of a round in up to `workers` threads.

    `asker` makes an asker for a job. Results do not depend on the number of threads.
    """

    def __init__(
        self, asker: Callable[[StepLabel], Asker], bounds: Bounds, limit: Limit = USUAL, *, workers: int = 8
    ) -> None:
        self._asker, self._bounds, self._limit, self._workers = asker, bounds, limit, workers

    def induce(self, jobs: Sequence[InduceJob]) -> list[Grouping]:
        """See `Runner`."""
        return self._all(jobs, lambda job: induce(self._asker(StepLabel("induce", job.name)), job.texts, self._bounds))

    def assign(self, jobs: Sequence[AssignJob]) -> list[Coding]:
        """See `Runner`."""
        return self._all(
            jobs,
            lambda job: assign(
                self._asker(StepLabel("assign", job.name)), job.book, job.texts, self._bounds, again=job.again
            ),
        )

    def write(self, jobs: Sequence[WriteJob]) -> list[SheetWording]:
        """See `Runner`."""
        return self._all(
            jobs, lambda job: write(self._asker(StepLabel("write", job.name)), job.sheet, self._bounds, self._limit)
        )

    def _all(self, jobs: Sequence[J], answer: Callable[[J], R]) -> list[R]:
        with ThreadPoolExecutor(self._workers) as pool:
            return list(pool.map(answer, jobs))
