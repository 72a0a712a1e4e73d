"""Readers of installed packages, by the entry point group `trace2skill.readers`: asked after ours, by name."""

import inspect
import logging
from collections.abc import Iterator
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from trace2skill.core.errors import BadInput
from trace2skill.traces.reader import Reader

GROUP = "trace2skill.readers"
MEMBERS = ("name", "claims", "read")
log = logging.getLogger(__name__)


def as_reader(cls: Any, where: str) -> Reader:
    """A reader of that class.

    Raises:
        BadInput: it is no class of a reader; says what it lacks.
    """
    missing = [name for name in MEMBERS if not hasattr(cls, name)]
    if not inspect.isclass(cls) or missing:
        raise BadInput(f"{where} is no reader: it lacks {', '.join(missing) or 'a class'}; see docs/traces.md")
    made: Any = cls()
    found: Reader = made
    return found


def installed_names() -> list[str]:
    """The names under which packages register readers, whether they can be loaded or not."""
    return sorted(_points())


def installed_reader(name: str) -> Reader:
    """The reader that is registered under that name.

    Raises:
        BadInput: it cannot be imported, or is no reader.
        KeyError: none is registered under it.
    """
    point = _points()[name]
    try:
        cls = point.load()
    except Exception as error:  # whatever a package of somebody's own raises
        raise BadInput(f"the reader '{name}' cannot be imported: {type(error).__name__}: {error}") from error
    return as_reader(cls, f"{point.value} (the reader '{name}')")


def installed_version(name: str) -> str:
    """The package that registers a reader, with its version: what a reading by it depends on; '' where none does."""
    point = _points().get(name)
    return f"{point.dist.name} {point.dist.version}" if point is not None and point.dist is not None else ""


@cache
def installed_readers() -> tuple[Reader, ...]:
    """Those that can be loaded; of another the log says why not."""
    return tuple(_loaded())


def forget_installed() -> None:
    """Look anew what is installed the next time: it is looked up once a process."""
    installed_readers.cache_clear()
    _points.cache_clear()


def _loaded() -> Iterator[Reader]:
    for name in installed_names():
        try:
            yield installed_reader(name)
        except BadInput as error:
            log.warning("%s: it is left out", error)


@cache
def _points() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}
