"""Files of text with other values in them: tables, JSON, lists, logs and settings. See `safety.change`.

Programs and what is no text stay as they are.
"""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from trace2skill.safety.change import WORD, Variation

DELIMITERS = ",;\t|"
LARGEST, DEEPEST = 2**20, 100
PROSE = 8
KEY = re.compile(r"^\s*(?:[\"']?[A-Za-z_][\w.\-]*(?: [\w.\-]+){0,2}[\"']?\s*[=:](?!//)|\[[^\]]*\]\s*$)")
PROGRAMS = re.compile(
    r"\.(?:sql|py|sh|bash|m?js|[jt]sx?|ts|rb|pl|php|r|jl|go|rs|c|h|cc|[ch]pp|cs|java|kt|scala|swift|lua|awk|sed|ps1|bat"
    r"|m|tf|jq|dockerfile|rego|cypher|sparql|graphql|vba|bas)"
)
"""Endings of files that are programs: text-to-SQL has `.sql` for a result."""
BEGINS_A_PROGRAM = re.compile(
    r"\s*(?:#!|(?:select|with|insert|update|create|merge)\s[^;]*\b(?:from|as|set|into)\b)", re.IGNORECASE
)


def is_program(path: str, content: bytes) -> bool:
    """Is a file a program, by its ending or its beginning? A query of a database is one under any name."""
    head = content[:2000].decode("utf-8", "replace")
    suffix = PurePosixPath(path).suffix.lower()
    return PROGRAMS.fullmatch(suffix) is not None or BEGINS_A_PROGRAM.match(head) is not None


def changed_files(files: Mapping[str, bytes], change: Variation) -> dict[str, bytes]:
    """The files with other values, by the same paths."""
    read = {path: _read(path, content) for path, content in sorted(files.items())}
    for form in read.values():
        if form is not None:
            change.learn(form.values())
    return {path: files[path] if form is None else form.changed(change).encode() for path, form in read.items()}


def rows_of(path: str, text: str) -> list[list[str]] | None:
    """The rows of a table; None of a text that is none."""
    delimiter = _delimiter(text, PurePosixPath(path).suffix.lower())
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)) if delimiter else None
    except csv.Error:
        return None


class _Table:
    """Lines with the same number of delimiters."""

    def __init__(self, text: str, delimiter: str) -> None:
        self._text, self._delimiter = text, delimiter
        self._rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))

    def values(self) -> Iterator[object]:
        return (cell for row in self._rows for cell in row)

    def changed(self, change: Variation) -> str:
        out = io.StringIO(newline="")
        end = "\r\n" if "\r\n" in self._text else "\n"
        csv.writer(out, delimiter=self._delimiter, lineterminator=end).writerows(change.rows(self._rows))
        return out.getvalue() if self._text.endswith("\n") else out.getvalue().removesuffix(end)


class _Json:
    """One JSON value, or one a line. Keys stay."""

    def __init__(self, parsed: list[Any], lines: bool, text: str) -> None:
        self._parsed, self._lines, self._text = parsed, lines, text

    def values(self) -> Iterator[object]:
        waiting: list[Any] = list(self._parsed)
        while waiting:
            item = waiting.pop()
            if isinstance(item, dict):
                waiting += [*item.keys(), *item.values()]
            elif isinstance(item, list):
                waiting += item
            else:
                yield item

    def changed(self, change: Variation) -> str:
        made = [self._walk(item, change) for item in self._parsed]
        end = "\n" if self._text.endswith("\n") else ""
        if self._lines:
            return "\n".join(json.dumps(item, ensure_ascii=False) for item in change.some(made)) + end
        indent = 2 if "\n" in self._text.strip() else None
        return json.dumps(made[0], ensure_ascii=False, indent=indent) + end

    def _walk(self, item: Any, change: Variation) -> Any:
        if isinstance(item, dict):
            return {change.kept(key): self._walk(value, change) for key, value in item.items()}
        if isinstance(item, list):
            return change.some([self._walk(value, change) for value in item])
        return change.value(item)


class _Lines:
    """Any other text: what stands before `=` or `:`, and words of many lines, are kept as its form."""

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines(keepends=True)
        found = Counter(word.lower() for line in self._lines for word in set(WORD.findall(line)))
        often = max(3, len(self._lines) // 3)
        self._form = {word for word, times in found.items() if times >= often}

    def values(self) -> Iterator[object]:
        return iter(self._lines)

    def changed(self, change: Variation) -> str:
        made = []
        text = "".join(self._lines)
        change.counts |= {len(text.split()), len(text), len(text.encode())}
        for line in self._lines:
            key = KEY.match(line)
            head = change.kept(key[0]) if key else ""
            parts = re.split(r"([^\W\d_]{3,})", line[len(head) :])
            done = []
            for part in parts:
                done.append(change.kept(part) if part.lower() in self._form else change.value(part) if part else part)
            made.append(head + _shorter("".join(done), change))
        return "".join(change.some(made))


def _shorter(text: str, change: Variation) -> str:
    """A line of prose without some of its words, where fewer of everything are asked for."""
    words = text.split()
    if (
        not change.fewer
        or len(words) < PROSE
        or sum(word.strip(".,;:!?").isalpha() for word in words) < 0.8 * len(words)
    ):
        return text
    return " ".join(change.some(words)) + text[len(text.rstrip()) :]


def _read(path: str, content: bytes) -> "_Table | _Json | _Lines | None":
    """The form of a file; None where it is to stay as it is."""
    if len(content) > LARGEST or not content.strip() or is_program(path, content) or b"\0" in content:
        return None
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return None
    suffix = PurePosixPath(path).suffix.lower()
    if suffix in (".json", ".jsonl", ".ndjson"):
        parsed = _parsed(text, suffix != ".json")
        return _Json(parsed, suffix != ".json", text) if parsed else None
    delimiter = _delimiter(text, suffix)
    try:
        return _Table(text, delimiter) if delimiter else _Lines(text)
    except csv.Error:
        return _Lines(text)


def _parsed(text: str, lines: bool) -> list[Any] | None:
    try:
        found = [json.loads(line) for line in text.splitlines() if line.strip()] if lines else [json.loads(text)]
    except (ValueError, RecursionError):
        return None
    return None if _too_deep(found) else found


def _too_deep(parsed: list[Any]) -> bool:
    """Is it nested so that nothing which calls itself can walk it?"""
    level: list[Any] = parsed
    for _ in range(DEEPEST):
        inside = [list(item.values()) if isinstance(item, dict) else item for item in level]
        level = [item for items in inside if isinstance(items, list) for item in items]
    return bool(level)


def _delimiter(text: str, suffix: str) -> str:
    """What parts the fields of a table, '' where a text is none."""
    lines = [line for line in text.splitlines() if line.strip()]
    for delimiter in "\t" if suffix == ".tsv" else DELIMITERS:
        if len(lines) >= 2 and lines[0].count(delimiter) and len({line.count(delimiter) for line in lines}) == 1:
            return delimiter
    return ("\t" if suffix == ".tsv" else ",") if suffix in (".csv", ".tsv") else ""
