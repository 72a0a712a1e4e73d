"""The file that a reader of logs is given."""

import hashlib
import itertools
import re
import tempfile
from collections.abc import Iterator
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import ijson

from trace2skill.core.foreign_json import LONGEST_LINE, WHOLE_DOCUMENT, parse, parse_start, scrub, without_line
from trace2skill.traces.notes import Notes as Notes
from trace2skill.traces.notes import ReadProblem as ReadProblem
from trace2skill.traces.packed import first_bytes, is_packed, unpack
from trace2skill.traces.values import walk

HEAD_BYTES = 256 * 1024
HEAD_LINES = 400
AFTER_LONG = 40
LOOKED_AT = 50
PART = 12 * 1024 * 1024
OBJECT_LINE = re.compile(rb"\n\{")  # three times as fast as `in`, where most lines are short
_NOT_READ: Any = object()


class Source:
    """One file, opened for reading only, with a name that does not depend on where the folder lies."""

    def __init__(self, path: Path, name: str | None = None) -> None:
        self.path = path
        self.name = name or path.name
        self.reached = [0]
        """Bytes of the file that are read, where the reader goes through it line by line or item by item."""
        self._parsed: dict[int, Any] = {}  # lines of the head, by number: nothing is parsed twice
        self._all_parsed = False  # is every line of the file among these?
        self._unfolded: tempfile._TemporaryFileWrapper[bytes] | None = None

    @property
    def place(self) -> str:
        """What a reading remembers it by."""
        return str(self.path.absolute())

    def state(self) -> tuple[int, int]:
        """Size, and when it was changed (ns since 1970; 0 where that says nothing)."""
        state = self.path.stat()
        return state.st_size, state.st_mtime_ns

    def sha256(self) -> str:
        """Of its bytes, in hexadecimal."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    @cached_property
    def stem(self) -> str:
        """The file's name without its endings."""
        return self.path.name.split(".")[0] or self.path.name

    @cached_property
    def plain(self) -> Path:
        """Where the bytes to read are: the file itself, or what a packed one unfolds to, as UTF-8.

        Raises:
            ValueError: it is packed in a way that cannot be read, or unfolds into too much.
        """
        if not is_packed(self._raw_head):
            return self.path
        self._unfolded = unpack(self.path)  # deleted with this source
        return Path(self._unfolded.name)

    @cached_property
    def head(self) -> bytes:
        """The first bytes of the file.

        Raises:
            ValueError: see `plain`.
        """
        if not is_packed(self._raw_head):
            return self._raw_head
        with self._open() as file:
            return file.read(HEAD_BYTES)

    @cached_property
    def _raw_head(self) -> bytes:
        return first_bytes(self.path, HEAD_BYTES)

    @cached_property
    def first_values(self) -> list[Any]:
        """The first lines that are JSON values by themselves; empty for a document over many lines.

        A line that is cut off or very long says nothing of the others.
        """
        if not self._is_text:
            return []
        failed = number = 0
        for number, line in self._first_lines():
            if line[:1] in (b"{", b"["):
                if number == 1 and len(line) < LOOKED_AT and line.strip() in (b"{", b"["):
                    return []  # a document over many lines
                try:
                    self._parsed[number] = parse(line)
                    continue
                except ValueError:
                    pass
            failed += bool(line.strip())
            if failed > AFTER_LONG and not self._parsed:
                break
        self._all_parsed = not failed and number < HEAD_LINES and len(self.head) < HEAD_BYTES
        if 1 not in self._parsed and len(self._parsed) < failed:  # lines of a document that happen to be values
            self._parsed.clear()
        return list(self._parsed.values())

    @cached_property
    def first_objects(self) -> list[dict[str, Any]]:
        """The objects among the first lines, or the start of the document: what a reader knows a format by.

        Of those that have the same fields and type there is one: a reader looks through few of them.
        """
        kinds: dict[object, dict[str, Any]] = {}
        for value in self.first_values or [self.start]:
            if isinstance(value, dict):
                told = value.get("type")
                if not isinstance(told, (dict, list)):
                    kinds.setdefault((told, *value), value)
        return list(kinds.values())

    @cached_property
    def fields(self) -> frozenset[str]:
        """The names of fields of the first lines or of the document, and of the objects of a list among these."""
        found: set[str] = set()
        for value in self.first_values or [self.start]:
            if isinstance(value, dict):
                found.update(value)
            elif isinstance(value, list):
                found.update(*(item for item in value[:LOOKED_AT] if isinstance(item, dict)))
        return frozenset(found)

    def _first_lines(self) -> Iterator[tuple[int, bytes]]:
        """Number and bytes of the lines of the head. A first line longer than the head is passed over."""
        cut = len(self.head) == HEAD_BYTES
        if cut and b"\n" not in self.head:
            with self._open() as file:
                file.readline(LONGEST_LINE)
                for number in range(2, AFTER_LONG):
                    line = file.readline(HEAD_BYTES)
                    if not line or (not line.endswith(b"\n") and len(line) == HEAD_BYTES):
                        return
                    yield number, line
            return
        for number, line in enumerate(itertools.islice(BytesIO(self.head), HEAD_LINES), start=1):
            if not cut or line.endswith(b"\n"):
                yield number, _without_mark(line) if number == 1 else line

    @cached_property
    def start(self) -> Any:
        """The start of the file read as one JSON document."""
        if not self._is_text or _without_mark(self.head[:100]).lstrip()[:1] not in (b"{", b"["):
            return None
        if len(self.first_values) > 1 and 1 in self._parsed:  # lines, each of them a value by itself
            return None
        return parse_start(_without_mark(self.head)) if self._whole is _NOT_READ else self._whole

    @property
    def _is_text(self) -> bool:
        """Is it text, and not a zip, a picture or a database? NUL stands only where a program broke off."""
        return not self.head.startswith(b"PK\3\4") and b"\0" not in self.head[:100]

    @cached_property
    def _whole(self) -> Any:
        """The value of a document that may be held whole, so that it is parsed once."""
        cut = len(self.head) == HEAD_BYTES
        lines = not self.head.startswith(b"{\n") and OBJECT_LINE.search(self.head)
        if lines or (cut and (self.is_later_part or self._size > WHOLE_DOCUMENT)):
            return _NOT_READ  # many lines, or longer
        if not cut and self.first_values and self.head.find(b"\n", 0, -2) < 0:  # one line
            return self.first_values[0]
        if cut and self.head[:LOOKED_AT].split(b"\n")[0].strip() not in (b"[", b"{"):  # one line, or lines of objects
            return _NOT_READ
        try:
            if not cut:
                return parse(_without_mark(self.head))
            with self._open() as file:
                return parse(_without_mark(file.read()))
        except ValueError:
            return _NOT_READ

    @property
    def is_later_part(self) -> bool:
        """Does it begin in the middle of a file?"""
        return False

    @property
    def is_jsonl(self) -> bool:
        """Does it look like one JSON object a line?"""
        return len(self.first_values) > 1 or (
            len(self.first_values) == 1
            and (1 not in self._parsed or (self.head.count(b"\n") <= 1 and ".jsonl" in self.path.suffixes))
        )

    def records(self, notes: Notes) -> Iterator[tuple[int, dict[str, Any]]]:
        """Number and object of every line. A line that is no JSON object is noted and costs itself alone."""
        for number, value in self.values(notes):
            if isinstance(value, dict):
                if isinstance(value.get("type"), (dict, list)):  # no reader expects that, and it costs this line alone
                    notes.problem(self, number, "its type is no text")
                    continue
                yield number, value
            else:
                notes.problem(self, number, "not a JSON object")

    def values(self, notes: Notes) -> Iterator[tuple[int, Any]]:
        """Number and JSON value of every line. A line that holds none is noted and costs itself alone."""
        if self._all_parsed:  # most files are so small
            yield from self._parsed.items()
            self.reached[0] = len(self.head)
            return
        for number, raw in self._lines(notes):
            value = self._parsed.get(number)
            if value is None:
                try:
                    value = parse(raw)
                except ValueError as error:
                    notes.problem(self, number, f"not JSON: {without_line(error)}")
                    continue
            yield number, value

    def document(self) -> Any:
        """The file as one JSON value.

        Raises:
            ValueError: it is none, or it is larger than a single document may be.
        """
        size = self._size
        if self._whole is not _NOT_READ:
            return self._whole
        if size > LONGEST_LINE:
            raise ValueError(f"one document of {size} bytes; more than {LONGEST_LINE} are read only item by item")
        with self._open() as file:
            return parse(_without_mark(file.read()))

    def items(self, prefix: str) -> Iterator[Any]:
        """The items of one list of the document, e.g. `item` or `simulations.item`; a large file is never held whole.

        Raises:
            ValueError: the document breaks off. What came before has been given.
        """
        if self._size <= WHOLE_DOCUMENT:
            document, keep = self.document(), self._whole is not _NOT_READ and prefix != "item"
            if prefix == "item":  # all of the document: each is gone once it was given, who asks again has it parsed
                self._parsed, self._all_parsed = {}, False
                for name in ("first_values", "first_objects", "start", "_whole"):
                    self.__dict__.pop(name, None)
            yield from walk(document, prefix.split("."), keep=keep)
            return
        with self._open() as file:
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
            part = _Part(self, number=number, place=place, line=line, header_lines=header_lines)
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
                elif line[:1] == b"\0" and not (line := line.strip(b"\0 \r\n\t")):
                    notes.counts["padding"] += 1  # what a crash of the machine leaves at the end of a file
                elif line.strip():
                    yield number, _without_mark(line) if number == 1 else line
                self.reached[0] = place
                self._passed(place, number)

    def _opened(self) -> IO[bytes]:
        return BytesIO(self.head) if len(self.head) < HEAD_BYTES else self._open()

    def _open(self) -> IO[bytes]:
        return self.plain.open("rb")

    @cached_property
    def _size(self) -> int:
        return len(self.head) if len(self.head) < HEAD_BYTES else self.plain.stat().st_size

    def _passed(self, place: int, line: int) -> None:
        """A line was read to its end."""


class _Part(Source):
    """Some of the lines of a large file."""

    def __init__(self, whole: Source, *, number: int, place: int, line: int, header_lines: int) -> None:
        super().__init__(whole.path, whole.name)
        self.plain, self.reached = whole.plain, whole.reached
        self.number = number
        self.end, self.last_line = place, line
        self._place, self._line, self._header_lines = place, line, header_lines

    @property
    def is_later_part(self) -> bool:
        return self._place > 0

    def _lines(self, notes: Notes) -> Iterator[tuple[int, bytes]]:
        if self._place and self._header_lines:
            header = self._lines_from(Notes(), 0, 0, HEAD_BYTES)
            yield from (line for line, _ in zip(header, range(self._header_lines), strict=False))
        yield from self._lines_from(notes, self._place, self._line, PART)

    def _passed(self, place: int, line: int) -> None:
        if place > self.end:
            self.end, self.last_line = place, line


def _without_mark(raw: bytes) -> bytes:
    return raw.removeprefix(b"\xef\xbb\xbf")
