"""The progress of a reading of logs that keeps nothing."""

from collections.abc import Callable

from trace2skill.core.progress import watcher
from trace2skill.traces import ReadFile
from trace2skill.traces.answered import Answered
from trace2skill.traces.stores import Page, TraceStoreAddress


class ReadingProgress:
    """Tells whoever watches how far a reading is: all of a `Taker` but what it takes."""

    stage = "read"

    def expect(self, units: int) -> None:
        """See `Taker`."""
        self._begin("read", units)

    def pulling(self, what: str, traces: int) -> None:
        """See `Taker`."""
        self._begin(what, traces)

    def pulled(self, address: TraceStoreAddress, page: Page) -> None:
        """See `Taker`: nothing is remembered."""

    def _begin(self, stage: str, total: int) -> None:
        self.stage = stage
        watcher().begin(stage, total)

    def hide(self, trajectory_id: str, gold: frozenset[str]) -> None:
        """See `Taker`: nothing is shown of it."""

    def answered(self, trajectory_id: str, found: Callable[[], Answered]) -> None:
        """See `Taker`: only who mines tasks reads it."""

    def moved(self, name: str) -> None:
        """See `Taker`."""
        watcher().item(self.stage, name, "done")

    def ended(self, file: ReadFile | None, name: str, units: int) -> None:
        """See `Taker`."""
        for _ in range(units):
            watcher().item(self.stage, name, "done" if file is not None else "skipped")
