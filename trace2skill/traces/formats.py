"""The formats, and which one a file has. The first reader that claims a file reads it.

Readers are found by their folder: `readers/` holds a file for each format. Those of installed packages come after them.
"""

from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from pkgutil import iter_modules

from pydantic import ValidationError

from trace2skill.core.errors import BadInput
from trace2skill.core.garbage import few_collections
from trace2skill.traces import readers
from trace2skill.traces.base import Notes, Source
from trace2skill.traces.installed import installed_names, installed_reader, installed_readers
from trace2skill.traces.reader import Reader
from trace2skill.traces.session import trajectory_id
from trace2skill.types.trajectory import Trajectory


def _found() -> tuple[Reader, ...]:
    """A reader of each class in `readers/` that says its turn, in the order of turns."""
    modules = [import_module(f"{readers.__name__}.{item.name}") for item in iter_modules(readers.__path__)]
    classes = [
        item
        for module in modules
        for item in vars(module).values()
        if isinstance(item, type) and item.__module__ == module.__name__ and hasattr(item, "turn")
    ]
    return tuple(sorted((item() for item in classes), key=lambda reader: (reader.turn, reader.name)))


READERS = _found()
"""In the order of asking: what names itself first, bare chat messages last."""


def reader_named(name: str, readers: Sequence[Reader] = READERS) -> Reader:
    """The reader of that name: one of ours, or one that an installed package registers.

    Raises:
        BadInput: there is none; names those there are. Or it cannot be loaded.
    """
    found = next((reader for reader in readers if reader.name == name), None)
    if found is None and name in installed_names():
        return installed_reader(name)
    if found is None:
        raise BadInput(f"no format '{name}': use one of {_named(readers)}")
    return found


def detect(source: Source, readers: Sequence[Reader] = READERS) -> Reader | None:
    """The reader for a file by its content, None where none knows it.

    Raises:
        ValueError: it is packed, and cannot be unfolded.
        OSError: it cannot be opened.
    """
    if not source.head:  # what cannot be opened is no question of its format
        return None
    return _first_that_claims(readers, source) or _first_that_claims(installed_readers(), source)


def _first_that_claims(readers: Iterable[Reader], source: Source) -> Reader | None:
    """A reader of whose fields the file has none is not asked."""
    for reader in readers:
        needed = getattr(reader, "fields", None)
        if (needed is None or not needed.isdisjoint(source.fields)) and _claims(reader, source):
            return reader
    return None


def _claims(reader: Reader, source: Source) -> bool:
    """A reader that stumbles over a file does not know it."""
    try:
        return reader.claims(source)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        return False


def unknown_format(source: Source) -> str:
    """Why no reader takes a file, and what to do."""
    head = source.head
    if head.startswith(b"SQLite format 3\0"):
        return "no format that is known: a database whose tables are none of ours; export its sessions from its program"
    if head.startswith(b"PK\3\4"):
        return "no format that is known: a zip that is no log of inspect_ai; unpack it"
    if not head.strip():
        return "it is empty"
    if not source.first_values and source.start is None:
        return "no format that is known: neither JSON nor lines of JSON"
    fields = sorted({key for value in source.first_objects for key in value})[:8]
    told = f" (its fields: {', '.join(str(name)[:24] for name in fields)})" if fields else ""
    return f"no format that is known{told}; --format forces one of {_named()}"


def _named(readers: Sequence[Reader] = READERS) -> str:
    """All that `--format` takes, for people."""
    names = sorted({*(reader.name for reader in readers), *installed_names()})
    return f"{', '.join(names)}, rows, or a mapping or reader of your own (FILE.yaml, FILE.py:Class)"


def _says_something(trajectory: Trajectory) -> bool:
    """Is there a word, a call or a result in it? A reader that claims what it cannot read finds none."""
    graded = trajectory.outcome.source == "grader"  # a rollout of our own may be empty
    return graded or any(
        step.tool_calls or step.observations or step.reasoning or (step.message and not step.message.isspace())
        for step in trajectory.steps
    )


def read_source(source: Source, notes: Notes, reader: Reader | None = None) -> Iterator[Trajectory]:
    """The trajectories of one file. A file that cannot be read (further) is noted, and what was read stays."""
    with few_collections():
        yield from _read(source, notes, reader)
        del source  # where nobody else holds it, what was parsed is gone before the collector looks again


def _read(source: Source, notes: Notes, reader: Reader | None) -> Iterator[Trajectory]:
    try:
        used = reader or detect(source)
    except (OSError, ValueError, RecursionError) as error:
        notes.problem(source, 0, f"cannot be read: {error}")
        return
    if used is None:
        notes.problem(source, 0, unknown_format(source))
        return
    for place, part in enumerate(source.parts(getattr(used, "header_lines", 0)), start=1):
        for trajectory in _guarded(used.read(part, notes), source, notes):
            if not _says_something(trajectory):
                notes.problem(source, 0, f"read as '{used.name}', and no step of {trajectory.id} says anything")
                continue
            yield trajectory if place == 1 else _continued(trajectory, place)


def _continued(trajectory: Trajectory, part: int) -> Trajectory:
    """A trajectory of a later part of a large file: it may be the same session, and links to where that began."""
    whole = {"of": trajectory.id, "number": part}
    made = {"id": trajectory_id(trajectory.id, "part", part), "parent": trajectory.parent or trajectory.id}
    return trajectory.model_copy(update={**made, "extra": {**trajectory.extra, "part": whole}})


def _guarded(found: Iterable[Trajectory], source: Source, notes: Notes) -> Iterator[Trajectory]:
    """What a hostile file can still break ends that file, not the run."""
    walk = iter(found)
    while True:
        try:
            trajectory = next(walk)
        except StopIteration:
            return
        except (
            ValueError,
            OSError,
            RecursionError,
            ValidationError,
            KeyError,
            TypeError,
            AttributeError,
            IndexError,
        ) as error:
            notes.problem(source, 0, f"cannot be read further: {' '.join(str(error).split())[:200]}")
            return
        yield trajectory
