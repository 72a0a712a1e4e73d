"""Reading rows of tasks: errors name the line, and a few odd rows do not cost the others."""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from trace2skill.core.errors import BadInput
from trace2skill.types.task import Task

log = logging.getLogger(__name__)
RowT = TypeVar("RowT", bound=BaseModel)
MOST_ODD, NAMED = 0.05, 5
"""The share of rows that may be left out, and how many of them are named."""


def read_rows(path: Path, *needed: str) -> list[dict[str, Any]]:
    """The objects of a JSONL file, in order. Empty lines are skipped, and a few malformed ones, with a warning.

    Args:
        path: the file.
        needed: names that every object must hold, with a value.

    Raises:
        BadInput: the file cannot be read, or a line is no object or lacks something, and there are many of them;
            names file and line.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read: {error}") from error
    rows, odd = [], OddRows()
    for number, line in enumerate(lines, 1):
        if line.strip():
            with odd.tolerated():
                rows.append(_row(path, number, line, needed))
    odd.settle(len(rows))
    if not rows:
        raise BadInput(f"{path} holds no task")
    return rows


def _row(path: Path, number: int, line: str, needed: tuple[str, ...]) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise BadInput(f"{path}:{number}: not JSON: {error.msg}") from error
    if not isinstance(row, dict):
        raise BadInput(f"{path}:{number}: not an object")
    if missing := [name for name in needed if row.get(name) in (None, "")]:
        raise BadInput(f"{path}:{number}: it lacks {', '.join(missing)}")
    return row


def rows_as(path: Path, task_of: Callable[[str, str], Task]) -> list[Task]:
    """The tasks of a JSONL file's lines, in order. Empty lines are skipped, and a few malformed ones, with a warning.

    Args:
        path: the file.
        task_of: makes a task of a place (file and line) and the line.

    Raises:
        BadInput: the file cannot be read or holds no task, two tasks have one id, or many lines are none.
    """
    tasks, odd = dict[str, Task](), OddRows()
    for number, line in enumerate(text_in(path).split("\n"), 1):
        task = None
        if line.strip():
            with odd.tolerated():
                task = task_of(f"{path}:{number}", line)
        if task is not None and task.id in tasks:
            raise BadInput(f"{path}:{number}: two tasks have the id '{task.id}': rename one")
        if task is not None:
            tasks[task.id] = task
    odd.settle(len(tasks))
    if not tasks:
        raise BadInput(f"{path} holds no task")
    return list(tasks.values())


def validated(where: str, line: str, row: type[RowT]) -> RowT:
    """A line as a row of a kind.

    Raises:
        BadInput: it is none; names the place, what is wrong, and what a row has.
    """
    try:
        found = json.loads(line)
    except json.JSONDecodeError as error:
        raise BadInput(f"{where}: not JSON: {error.msg}") from error
    except RecursionError as error:
        raise BadInput(f"{where}: it is nested too deeply") from error
    except ValueError as error:  # Python reads no number of more than 4,300 digits
        raise BadInput(f"{where}: a number has too many digits: write it as a text") from error
    try:
        return row.model_validate(found)
    except RecursionError as error:
        raise BadInput(f"{where}: it is nested too deeply") from error
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()[:5])
        raise BadInput(f"{where}: {said}; a task has {', '.join(row.model_fields)}") from error


def only_jsonl(data: Path, usual: str) -> Path | None:
    """The JSONL file of a directory: the one of the usual name where there are several; None where there is none.

    Raises:
        BadInput: there are several, and none has that name.
    """
    found = sorted(data.glob("*.jsonl"))
    if len(found) > 1 and data / usual not in found:
        raise BadInput(f"{data} holds several JSONL files ({', '.join(item.name for item in found)}): name one of them")
    return next((item for item in found if item.name == usual), found[0] if found else None)


def beside(path: Path, name: str, where: str) -> Path:
    """A file that a row names, beside the file of rows.

    Raises:
        BadInput: it is not there, or lies elsewhere.
    """
    found = path.parent / name
    if "\0" in name or not is_text(name):
        raise BadInput(f"{where}: no file can have the name {name!r}")
    if not found.resolve().is_relative_to(path.parent.resolve()) or not found.is_file():
        raise BadInput(f"{where}: there is no file {name} beside {path.name}")
    return found


def is_text(text: str) -> bool:
    """Can a text be written? JSON may hold halves of signs (lone surrogates), which no file can."""
    return text.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in text)


def text_in(path: Path) -> str:
    """The text of a file.

    Raises:
        BadInput: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read as text: {error}") from error


def skills_of(row: Mapping[str, Any], where: str) -> tuple[str, ...]:
    """The names of the skills that a row says its task exercises, none where it says nothing.

    Raises:
        BadInput: `skills` is no list of names; names the place.
    """
    found = row.get("skills")
    if found is None:
        return ()
    if not isinstance(found, list) or not all(isinstance(name, str) and name.strip() for name in found):
        raise BadInput(f"{where}: 'skills' is no list of names of skills, such as [\"csv-files\"]")
    return tuple(dict.fromkeys(name.strip() for name in found))


class OddRows:
    """Rows of a data set that are no tasks. A few are left out, and named; many mean that the file is another one."""

    def __init__(self) -> None:
        self._odd: list[BadInput] = []

    @contextmanager
    def tolerated(self) -> Iterator[None]:
        """Take note of what is wrong with a row, and go on with the next one."""
        try:
            yield
        except BadInput as error:
            self._odd.append(error)

    def settle(self, kept: int) -> None:
        """Say what is left out.

        Raises:
            BadInput: it is more than a few of all; what is wrong with the first of them.
        """
        if not self._odd:
            return
        if len(self._odd) > MOST_ODD * (kept + len(self._odd)):
            raise self._odd[0]
        named = "; ".join(str(error) for error in self._odd[:NAMED])
        more = f"; and {len(self._odd) - NAMED} more" if len(self._odd) > NAMED else ""
        log.warning("%d of %d rows are left out: %s%s", len(self._odd), kept + len(self._odd), named, more)
