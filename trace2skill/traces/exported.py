"""Exports of trace stores: rows a line, a list of rows, or a document that holds the list under one name."""

from collections.abc import Iterable
from typing import Any

from trace2skill.core.foreign_json import parse_text
from trace2skill.traces.base import Notes, Source
from trace2skill.traces.values import mapping, objects

FIRST = 50


def first_rows(source: Source, name: str = "") -> list[dict[str, Any]]:
    """The first rows of an export: what a reader knows it by.

    Args:
        source: the file.
        name: of the list in a document; '' where none has one.
    """
    lists_ = [value for value in source.first_values[:1] or [source.start] if isinstance(value, list)]
    firsts: list[Any] = [*source.first_objects, *lists_]
    return [row for first in firsts for row in _rows_of(first, name)][:FIRST]


def rows_of(source: Source, notes: Notes, name: str = "") -> Iterable[tuple[int, Any]]:
    """Line or place, and row. What is no row is given as it is: the reader says so.

    Args:
        source: the file; a large list is never held whole.
        notes: of lines that hold no object.
        name: of the list in a document, or in a line; '' where none has one.

    Raises:
        ValueError: the document breaks off, or is too large to be held. What came before has been given.
    """
    if source.first_values and not isinstance(source.first_values[0], list):
        for line, record in source.records(notes):
            for row in _rows_of(record, name):
                yield line, row
    elif isinstance(source.start, list):
        yield from enumerate(source.items("item"), start=1)
    elif name and name in mapping(source.start):
        yield from enumerate(source.items(f"{name}.item"), start=1)
    else:
        yield 1, source.document()


def opened(value: Any) -> Any:
    """An object, list, text or null that stands as JSON in a string; anything else as it is ('1.50' is no number)."""
    if not isinstance(value, str) or not (value[:1] in ("{", "[", '"') or value == "null"):
        return value
    try:
        return parse_text(value)
    except ValueError:
        return value


def _rows_of(value: Any, name: str) -> list[dict[str, Any]]:
    if isinstance(value, list):
        return objects(value)
    return (objects(mapping(value).get(name)) if name else []) or [mapping(value)]
