"""What a reader of logs is, the file it is given, and the notes in which it says what it could not read."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import ijson

from trace2skill.noun import Noun
from trace2skill.safety.leaks import canonical
from trace2skill.traces.raw import DEEPEST, LONGEST_LINE, WHOLE_DOCUMENT, parse, parse_start, scrub
from trace2skill.trajectory import Trajectory

HEAD_BYTES = 256 * 1024
HEAD_LINES = 40
PART = 12 * 1024 * 1024
PROBLEMS_KEPT = 1000


class Problem(Noun):
    """What could not be read: file and line (0 for the file as a whole), and why."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}" if self.line else f"{self.file}: {self.message}"


@dataclass
class Notes:
    """Gathers what readers could not use. All of it is counted; the first thousand problems keep their place."""

    problems: list[Problem] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    gold: dict[str, frozenset[str]] = field(default_factory=dict)

    def hide(self, trajectory_id: str, *values: object) -> None:
        """Keep what the log says of the expected answer of a trajectory: apart, for leak checks and nothing else."""
        found = frozenset(_leaves(values))
        if found:
            self.gold[trajectory_id] = self.gold.get(trajectory_id, frozenset()) | found

    def problem(self, source: "Source", line: int, message: str) -> None:
        """Note something that was not read."""
        self.counts["problem"] += 1
        if len(self.problems) < PROBLEMS_KEPT:
            self.problems.append(Problem(file=source.name, line=line, message=message[:300]))

    def unknown(self, source: "Source", line: int, kind: object) -> None:
        """Note a line of a kind that the reader does not know."""
        self.problem(source, line, f"unknown kind of line: {str(kind)[:80]!r}")


class Source:
    """One file, opened for reading only, with a name that does not depend on where the folder lies."""

    def __init__(self, path: Path, name: str | None = None) -> None:
        self.path = path
        self.name = name or path.name

    @property
    def stem(self) -> str:
        """The file's name without its endings."""
        return self.path.name.split(".")[0] or self.path.name

    @cached_property
    def head(self) -> bytes:
        """The first bytes of the file."""
        with self.path.open("rb") as file:
            return file.read(HEAD_BYTES)

    @cached_property
    def first_values(self) -> list[Any]:
        """The first lines that are JSON values by themselves; empty for a document over many lines."""
        lines = self.head.split(b"\n")[:HEAD_LINES]
        if len(self.head) == HEAD_BYTES and len(lines) < HEAD_LINES:
            lines = lines[:-1] or [self.head]  # the last one may be cut
        found = []
        for line in lines:
            if line.strip():
                try:
                    found.append(parse(_without_mark(line)))
                except ValueError:
                    if not found:
                        return []
        return found

    @cached_property
    def start(self) -> Any:
        """The start of the file read as one JSON document."""
        return parse_start(_without_mark(self.head))

    @property
    def is_jsonl(self) -> bool:
        """Does it look like one JSON object a line?"""
        return len(self.first_values) > 1 or (
            len(self.first_values) == 1 and self.head.count(b"\n") <= 1 and self.path.suffix == ".jsonl"
        )

    def records(self, notes: Notes) -> Iterator[tuple[int, dict[str, Any]]]:
        """Number and object of every line. A line that is no JSON object is noted and costs itself alone."""
        for number, raw in self._lines(notes):
            try:
                value = parse(raw)
            except ValueError as error:
                notes.problem(self, number, f"not JSON: {error}")
                continue
            if isinstance(value, dict):
                yield number, value
            else:
                notes.problem(self, number, "not a JSON object")

    def document(self) -> Any:
        """The file as one JSON value.

        Raises:
            ValueError: it is none, or it is larger than a single document may be.
        """
        size = self.path.stat().st_size
        if size > LONGEST_LINE:
            raise ValueError(f"one document of {size} bytes; more than {LONGEST_LINE} are read only item by item")
        return parse(_without_mark(self.path.read_bytes()))

    def items(self, prefix: str) -> Iterator[Any]:
        """The items of one list of the document, e.g. `item` or `simulations.item`; a large file is never held whole.

        Raises:
            ValueError: the document breaks off. What came before has been given.
        """
        if self.path.stat().st_size <= WHOLE_DOCUMENT:
            yield from _walk(self.document(), prefix.split("."))
            return
        with self.path.open("rb") as file:
            try:
                for item in ijson.items(file, prefix, use_float=True):
                    yield scrub(item)
            except (ijson.JSONError, RecursionError, OverflowError) as error:
                raise ValueError(f"not JSON: {error}") from error

    def parts(self, header_lines: int = 0) -> Iterator["Source"]:
        """The file itself, or a large one of lines in parts, so that no session is held in memory that does not fit.

        `header_lines` at the start are said again before each part.
        """
        size = self.path.stat().st_size
        if size <= 2 * PART or not self.is_jsonl:
            yield self
            return
        place, line, number = 0, 0, 0
        while place < size:
            number += 1
            part = _Part(self.path, self.name, number=number, place=place, line=line, header_lines=header_lines)
            yield part
            if part.end <= place:  # the reader did not look at its lines
                return
            place, line = part.end, part.last_line

    def _lines(self, notes: Notes) -> Iterator[tuple[int, bytes]]:
        yield from self._lines_from(notes, 0, 0, self.path.stat().st_size + LONGEST_LINE)

    def _lines_from(self, notes: Notes, place: int, number: int, enough: int) -> Iterator[tuple[int, bytes]]:
        """Lines from a place in the file on, until so many bytes are read."""
        with self.path.open("rb") as file:
            file.seek(place)
            while file.tell() - place < enough and (line := file.readline(LONGEST_LINE)):
                number += 1
                if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
                    while (rest := file.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
                        pass
                    notes.problem(self, number, f"a line of more than {LONGEST_LINE} bytes")
                elif line.strip():
                    yield number, _without_mark(line) if number == 1 else line
                self._passed(file.tell(), number)

    def _passed(self, place: int, line: int) -> None:
        """A line was read to its end."""


class _Part(Source):
    """Some of the lines of a large file."""

    def __init__(self, path: Path, name: str, *, number: int, place: int, line: int, header_lines: int) -> None:
        super().__init__(path, name)
        self.number = number
        self.end, self.last_line = place, line
        self._place, self._line, self._header_lines = place, line, header_lines

    def _lines(self, notes: Notes) -> Iterator[tuple[int, bytes]]:
        if self._place and self._header_lines:
            header = self._lines_from(Notes(), 0, 0, HEAD_BYTES)
            yield from (line for line, _ in zip(header, range(self._header_lines), strict=False))
        yield from self._lines_from(notes, self._place, self._line, PART)

    def _passed(self, place: int, line: int) -> None:
        if place > self.end:
            self.end, self.last_line = place, line


class Reader(Protocol):
    """Reads one format. Small and without state; a user's own may be passed where ours are."""

    name: str

    def claims(self, source: Source) -> bool:
        """Is the file of this format, judged by its content?"""
        ...

    def read(self, source: Source, notes: Notes) -> Iterable[Trajectory]:
        """The trajectories of a file, one by one; what cannot be read is noted.

        Raises:
            ValueError: the file as a whole cannot be read (further).
            OSError: it cannot be opened.
        """
        ...


def _leaves(value: Any, depth: int = 0) -> Iterator[str]:
    """The texts and numbers inside a value, each as text."""
    if depth > DEEPEST:
        return
    if isinstance(value, dict):
        for item in value.values():
            yield from _leaves(item, depth + 1)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _leaves(item, depth + 1)
    elif isinstance(value, str):
        if value.strip():
            yield " ".join(value.split())
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield canonical(value)


def _walk(value: Any, path: list[str]) -> Iterator[Any]:
    if not path:
        yield value
    elif path[0] == "item":
        for item in value if isinstance(value, list) else ():
            yield from _walk(item, path[1:])
    elif isinstance(value, dict) and path[0] in value:
        yield from _walk(value[path[0]], path[1:])


def _without_mark(raw: bytes) -> bytes:
    return raw.removeprefix(b"\xef\xbb\xbf")
