"""The progress of a reading of logs that keeps nothing."""

from trace2skill.core.progress import watcher
from trace2skill.traces import ReadFile


class ReadingProgress:
    """Tells whoever watches how far a reading is: all of a `Taker` but what it takes."""

    def expect(self, units: int) -> None:
        """See `Taker`."""
        watcher().begin("read", units)

    def hide(self, trajectory_id: str, gold: frozenset[str]) -> None:
        """See `Taker`: nothing is shown of it."""

    def moved(self, name: str) -> None:
        """See `Taker`."""
        watcher().item("read", name, "done")

    def ended(self, file: ReadFile | None, name: str, units: int) -> None:
        """See `Taker`."""
        for _ in range(units):
            watcher().item("read", name, "done" if file is not None else "skipped")
