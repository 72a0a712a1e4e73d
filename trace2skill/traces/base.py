"""What a reader of logs is, the file it is given, and the notes in which it says what it could not read."""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import IO, Any, Protocol

import ijson

from trace2skill.core.foreign_json import LONGEST_LINE, WHOLE_DOCUMENT, parse, parse_start, scrub
from trace2skill.core.record import Record
from trace2skill.safety.leaks import canonical
from trace2skill.types.trajectory import Trajectory

HEAD_BYTES = 256 * 1024
HEAD_LINES = 40
PART = 12 * 1024 * 1024
PROBLEMS_KEPT = 1000
_NOT_READ: Any = object()


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

    def hide(self, trajectory_id: str, *values: object) -> None:
        """Keep what the log says of the expected answer of a trajectory: apart, for leak checks and nothing else."""
        self._gold.setdefault(trajectory_id, []).extend(values)

    def gold_of(self, trajectory_id: str) -> frozenset[str]:
        """What was hidden of a trajectory, text by text; given once and then forgotten."""
        return frozenset(_leaves(self._gold.pop(trajectory_id, [])))

    def problem(self, source: "Source", line: int, message: str) -> None:
        """Note something that was not read."""
        self.counts["problem"] += 1
        if len(self.problems) < PROBLEMS_KEPT:
            self.problems.append(ReadProblem(file=source.name, line=line, message=message[:300]))

    def unknown(self, source: "Source", line: int, kind: object) -> None:
        """Note a line of a kind that the reader does not know."""
        self.problem(source, line, f"unknown kind of line: {str(kind)[:80]!r}")


class Source:
    """One file, opened for reading only, with a name that does not depend on where the folder lies."""

    def __init__(self, path: Path, name: str | None = None) -> None:
        self.path = path
        self.name = name or path.name
        self.reached = [0]
        """Bytes of the file that are read, where the reader goes through it line by line or item by item."""
        self._parsed: dict[int, Any] = {}  # lines of the head, by number: nothing is parsed twice

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
        if not self._is_text:
            return []
        lines, cut = BytesIO(self.head), len(self.head) == HEAD_BYTES
        for number, line in enumerate(itertools.islice(lines, HEAD_LINES), start=1):
            if cut and not line.endswith(b"\n"):
                break
            if line.strip():
                try:
                    self._parsed[number] = parse(_without_mark(line))
                except ValueError:
                    if not self._parsed:
                        return []
        return list(self._parsed.values())

    @cached_property
    def start(self) -> Any:
        """The start of the file read as one JSON document."""
        if not self._is_text:
            return None
        return parse_start(_without_mark(self.head)) if self._small is _NOT_READ else self._small

    @cached_property
    def _is_text(self) -> bool:
        """Does it begin like an object or a list of JSON, and not like a zip or a picture?"""
        return _without_mark(self.head[:100]).lstrip()[:1] in (b"{", b"[")

    @cached_property
    def _small(self) -> Any:
        """The value of a document that the head holds whole, so that it is parsed once."""
        if len(self.head) == HEAD_BYTES or b"\n{" in self.head:  # longer, or many lines
            return _NOT_READ
        if self.first_values and self.head.find(b"\n", 0, -2) < 0:  # one line
            return self.first_values[0]
        try:
            return parse(_without_mark(self.head))
        except ValueError:
            return _NOT_READ

    @property
    def is_jsonl(self) -> bool:
        """Does it look like one JSON object a line?"""
        return len(self.first_values) > 1 or (
            len(self.first_values) == 1 and self.head.count(b"\n") <= 1 and self.path.suffix == ".jsonl"
        )

    def records(self, notes: Notes) -> Iterator[tuple[int, dict[str, Any]]]:
        """Number and object of every line. A line that is no JSON object is noted and costs itself alone."""
        for number, raw in self._lines(notes):
            value = self._parsed.get(number)
            if value is None:
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
        size = self._size
        if self._small is not _NOT_READ:
            return self._small
        if size > LONGEST_LINE:
            raise ValueError(f"one document of {size} bytes; more than {LONGEST_LINE} are read only item by item")
        return parse(_without_mark(self.path.read_bytes()))

    def items(self, prefix: str) -> Iterator[Any]:
        """The items of one list of the document, e.g. `item` or `simulations.item`; a large file is never held whole.

        Raises:
            ValueError: the document breaks off. What came before has been given.
        """
        if self._size <= WHOLE_DOCUMENT:
            shared = self._small is not _NOT_READ
            yield from _walk(self.document(), prefix.split("."), keep=shared)
            return
        with self.path.open("rb") as file:
            try:
                for item in ijson.items(file, prefix, use_float=True):
                    self.reached[0] = file.tell()
                    yield scrub(item)
            except (ijson.JSONError, RecursionError, OverflowError) as error:
                raise ValueError(f"not JSON: {error}") from error

    def parts(self, header_lines: int = 0) -> Iterator["Source"]:
        """The file itself, or a large one of lines in parts, so that no session is held in memory that does not fit.

        `header_lines` at the start are said again before each part.
        """
        size = self._size
        if size <= 2 * PART or not self.is_jsonl:
            yield self
            return
        place, line, number = 0, 0, 0
        while place < size:
            number += 1
            part = _Part(self.path, self.name, number=number, place=place, line=line, header_lines=header_lines)
            part.reached = self.reached
            yield part
            if part.end <= place:  # the reader did not look at its lines
                return
            place, line = part.end, part.last_line

    def _lines(self, notes: Notes) -> Iterator[tuple[int, bytes]]:
        yield from self._lines_from(notes, 0, 0, self._size + LONGEST_LINE)

    def _lines_from(self, notes: Notes, place: int, number: int, enough: int) -> Iterator[tuple[int, bytes]]:
        """Lines from a place in the file on, until so many bytes are read."""
        with self._opened() as file:
            file.seek(place)
            end = place + enough
            while place < end and (line := file.readline(LONGEST_LINE)):
                number += 1
                place += len(line)
                if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
                    while (rest := file.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
                        place += len(rest)
                    place += len(rest)
                    notes.problem(self, number, f"a line of more than {LONGEST_LINE} bytes")
                elif line.strip():
                    yield number, _without_mark(line) if number == 1 else line
                self.reached[0] = place
                self._passed(place, number)

    def _opened(self) -> IO[bytes]:
        return BytesIO(self.head) if len(self.head) < HEAD_BYTES else self.path.open("rb")

    @cached_property
    def _size(self) -> int:
        return len(self.head) if len(self.head) < HEAD_BYTES else self.path.stat().st_size

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
    """Reads one format. Small and without state; a user's own may be passed where ours are.

    A class in `readers/` says besides in which `turn` it is asked, as a number: formats that name themselves early,
    those that are told by their looks alone late.
    """

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


def _walk(value: Any, path: list[str], *, keep: bool) -> Iterator[Any]:
    """The items at a path. Where the value need not be kept, each item is let go of once it was given."""
    if not path:
        yield value
    elif path[0] == "item":
        if isinstance(value, list):
            items = value[::-1]
            if not keep:
                value.clear()
            while items:
                yield from _walk(items.pop(), path[1:], keep=keep)
    elif isinstance(value, dict) and path[0] in value:
        yield from _walk(value[path[0]], path[1:], keep=keep)


def _without_mark(raw: bytes) -> bytes:
    return raw.removeprefix(b"\xef\xbb\xbf")
