"""The notes in which readers say what they could not use, and what a log says of the expected answer."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from trace2skill.core.record import Record
from trace2skill.safety.leaks import canonical
from trace2skill.traces.answered import Answered

PROBLEMS_KEPT = 1000
MOST_CHARS = 700
"""Of what is said of a problem: all formats by their names are as long."""
NAMED_OF_A_FILE = 10


class Named(Protocol):
    """What a problem is noted of: a file with a name."""

    name: str


class ReadProblem(Record):
    """What could not be read: file and line (0 for the file as a whole), and why."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}" if self.line else f"{self.file}: {self.message}"


@dataclass
class Notes:
    """Gathers what readers could not use. All of it is counted; the first thousand problems keep their place."""

    problems: list[ReadProblem] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    _gold: dict[str, list[object]] = field(default_factory=dict)
    _answered: dict[str, Callable[[], Answered]] = field(default_factory=dict)

    def hide(self, trajectory_id: str, *values: object) -> None:
        """Keep what the log says of the expected answer of a trajectory: apart, for leak checks and nothing else."""
        self._gold.setdefault(trajectory_id, []).extend(values)

    def gold_of(self, trajectory_id: str) -> frozenset[str]:
        """What was hidden of a trajectory, text by text; given once and then forgotten."""
        return frozenset(_leaves(self._gold.pop(trajectory_id, [])))

    def answered(self, trajectory_id: str, found: Callable[[], Answered]) -> None:
        """Keep what says the question of a trajectory: apart, for whoever mines tasks; nobody else has it looked up."""
        self._answered[trajectory_id] = found

    def answered_of(self, trajectory_id: str) -> Callable[[], Answered] | None:
        """What was kept of a trajectory's question; given once and then forgotten."""
        return self._answered.pop(trajectory_id, None)

    def so_far(self) -> tuple[int, int]:
        """How many problems are noted, and how many of them in words."""
        return self.counts["problem"], len(self.problems)

    def since(self, before: tuple[int, int]) -> dict[str, Any]:
        """The problems since then, as the fields of a `ReadFile`: how many, and the first of them in words."""
        words = self.problems[before[1] :][:NAMED_OF_A_FILE]
        return {"problems": self.counts["problem"] - before[0], "first_problems": tuple(map(str, words))}

    def problem(self, source: Named, line: int, message: str) -> None:
        """Note something that was not read."""
        self.counts["problem"] += 1
        if len(self.problems) < PROBLEMS_KEPT:
            self.problems.append(ReadProblem(file=source.name, line=line, message=message[:MOST_CHARS]))

    def unknown(self, source: Named, line: int, kind: object) -> None:
        """Note a line of a kind that the reader does not know."""
        self.problem(source, line, f"unknown kind of line: {str(kind)[:80]!r}")


def _leaves(value: Any) -> Iterator[str]:
    """The texts and numbers inside a value, each as text."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            if found := " ".join(value.split()):
                yield found
        elif isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, (list, tuple)):
            waiting.extend(value)
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            yield canonical(value)
