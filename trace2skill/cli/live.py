"""The live display of a run: a line per stage with done, cached and failed items, and the cost so far."""

import sys
import time
from collections import Counter
from collections.abc import Callable
from types import TracebackType

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from trace2skill.cli.console import Console, plain
from trace2skill.core.progress import ItemState
from trace2skill.safety.shown import shown

SAID_EVERY = 15.0
"""Seconds after which a stage that goes on says how far it is, off a terminal."""
ENOUGH_SECONDS = 2.0
"""So long a stage must have gone on before its rate says anything."""


class LiveProgress:
    """Shows the stages on a terminal; elsewhere prints a line as each stage ends."""

    def __init__(
        self, console: Console, cost: Callable[[], float], *, quiet: bool = False, united: bool = False
    ) -> None:
        """`united`: stages of the same name are one line, and off a terminal each arm of an experiment is a line."""
        self._united = united
        self._console = console
        self._cost = cost
        self._quiet = quiet
        self._counts: dict[str, Counter[str]] = {}
        self._totals: dict[str, int] = {}
        self._bars: dict[str, TaskID] = {}
        self._began: dict[str, float] = {}
        self._said: dict[str, float] = {}
        self._display = Progress(
            SpinnerColumn(finished_text="[green]✓[/green]"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[counts]}"),
            TimeElapsedColumn(),
            console=console,
            disable=quiet or not console.is_terminal,
        )

    def __enter__(self) -> "LiveProgress":
        self._display.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._display.stop()

    def begin(self, stage: str, total: int) -> None:
        """See `Progress`."""
        if self._united and stage in self._bars:
            self._totals[stage] += total
            self._display.update(self._bars[stage], total=self._totals[stage])
            return
        self._counts[stage], self._totals[stage] = Counter(), total
        self._began[stage] = self._said[stage] = time.monotonic()
        self._bars[stage] = self._display.add_task(stage, total=total, counts="")
        if total == 0:
            self._ended(stage)

    def item(self, stage: str, name: str, state: ItemState) -> None:
        """See `Progress`."""
        counts = self._counts[stage]
        counts[state] += 1
        if self._display.disable:  # then nobody sees the counts, and the cost is a question to the store
            self._display.advance(self._bars[stage])
        else:
            self._display.update(self._bars[stage], advance=1, counts=self._in_words(stage))
        if state == "failed" and not self._quiet:
            self._console.print(f"[red]failed[/red] {stage}: {plain(name)}", highlight=False)
        if self._united and not self._quiet and not self._console.is_terminal:
            if stage in ("arms", "evaluate") and (stage == "arms" or counts.total() % 50 == 0):
                self._say(f"{stage}: {counts.total()} of {self._totals[stage]}: {name}: {state}")
            return
        if counts.total() == self._totals[stage]:
            self._ended(stage)
        elif time.monotonic() - self._said[stage] > SAID_EVERY and not self._quiet and not self._console.is_terminal:
            self._said[stage] = time.monotonic()
            self._say(f"{stage}: {counts.total()} of {self._totals[stage]}{self._pace(stage)}")

    def _ended(self, stage: str) -> None:
        if self._quiet or self._console.is_terminal:
            return
        total = self._totals[stage]
        self._say(f"{stage}: {total} of {total}, {self._in_words(stage)}")

    def _say(self, line: str) -> None:
        print(shown(line), file=sys.stderr, flush=True)  # noqa: T201

    def _in_words(self, stage: str) -> str:
        counts = self._counts[stage]
        words = [f"{counts[state]} {state}" for state in ("done", "cached", "failed", "skipped") if counts[state]]
        return ", ".join([*words, f"${self._cost():.4f} so far"]) + self._pace(stage)

    def _pace(self, stage: str) -> str:
        """The rate, and the time that is left at it; '' where nothing can be said yet."""
        ended, total, seconds = self._counts[stage].total(), self._totals[stage], time.monotonic() - self._began[stage]
        if seconds < ENOUGH_SECONDS or not ended or ended >= total:
            return ""
        return f", {ended / seconds:.3g} a second, about {in_time((total - ended) * seconds / ended)} left"


def in_time(seconds: float) -> str:
    """A duration for a person: `40 s`, `12 min`, `3.5 h`."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
