"""Assertions as a YAML file that people edit: a list of segments, each with its assertions.

A segment has `segment` (its id) and `assertions`, a list of `says`, `steps` and `recorded`: whether it holds of the
session as it was (`holds` or `does_not_hold`). Whatever else stands there is a note.
"""

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from trace2skill.core.errors import BadInput
from trace2skill.evaluation.assertions import Assertion
from trace2skill.evaluation.trigger_file import UNREADABLE
from trace2skill.evaluation.trigger_queries import whole_of
from trace2skill.proposals.trigger_queries import cleaned

HEAD = """\
# Assertions by which a skill is audited: trace2skill audit SKILL LOGS --from THIS_FILE
# Edit it, and take out what you would not stand for. `recorded` says whether it holds of the session as it was.
"""


MOST_ROWS, LONGEST_ROW = 40, 1_000
"""Assertions of a segment, and characters of one, that a file may have."""


class WrittenSegment(NamedTuple):
    """A segment as it is written into a file."""

    id: str
    notes: Mapping[str, str]
    assertions: Sequence[Assertion]
    dropped: Sequence[tuple[str, str]] = ()
    """(what was said, why it does not count): comments."""


def read_assertions(path: Path) -> dict[str, tuple[Assertion, ...]]:
    """The assertions of a file by the id of their segment.

    Raises:
        BadInput: it cannot be read, holds something else, a segment twice, or more than can be judged; says where.
    """
    found = _assertions_in(path, whole_of(path))
    if not any(found.values()):
        raise BadInput(f"{path} holds no assertion: have some written (--write-assertions FILE), see docs/audit.md")
    return found


def assertions_there(path: Path) -> dict[str, tuple[Assertion, ...]]:
    """The same of a file that is to be added to, nothing where there is none; that it can be written has been tried.

    Raises:
        BadInput: it holds something else, or cannot be written.
    """
    found = _assertions_in(path, whole_of(path) if path.exists() else None)
    try:
        path.resolve().parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.resolve().parent, prefix=f".{path.name}."):
            pass
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror or error}") from error
    return found


def add_assertions(path: Path, new: Sequence[WrittenSegment]) -> None:
    """Write segments behind those of a file, or begin one: at once, or not at all. What stands there stays as it is.

    Raises:
        BadInput: it cannot be written, or what stands there takes nothing behind it.
    """
    path = path.resolve()  # a link stays one
    text = path.read_text(encoding="utf-8") if path.exists() else HEAD
    before = assertions_there(path)
    new = [item for item in new if item.id not in before]  # another audit may have written it by now
    made = (text if text.endswith("\n") or not text else f"{text}\n") + "".join(map(_item, new))
    beside = path.with_name(f".{path.name}.new")
    try:
        beside.write_text(made, encoding="utf-8")
        if assertions_there(beside).keys() != before.keys() | {item.id for item in new}:
            raise BadInput(f"{path} takes no list behind what stands there: name another file")
        os.replace(beside, path)
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        beside.unlink(missing_ok=True)


def _assertions_in(path: Path, whole: Any) -> dict[str, tuple[Assertion, ...]]:
    if whole is not None and not isinstance(whole, list):
        raise BadInput(f"{path} holds no list of segments with assertions: name another file")
    found: dict[str, tuple[Assertion, ...]] = {}
    for number, item in enumerate(whole or (), start=1):
        id, rows = _segment(path, number, item)
        if id in found:
            raise BadInput(f"{path}: segment {number} is {id!r}, which stands there already: take one of both out")
        found[id] = rows
    return found


def _segment(path: Path, number: int, item: Any) -> tuple[str, tuple[Assertion, ...]]:
    where = f"{path}: segment {number}"
    id = item.get("segment") if isinstance(item, Mapping) else None
    rows = item.get("assertions") if isinstance(item, Mapping) else None
    if not isinstance(id, str) or not isinstance(rows, list | None):
        raise BadInput(f"{where} needs `segment`, the id of a segment, and `assertions`, a list")
    if rows and len(rows) > MOST_ROWS:
        raise BadInput(f"{where} has {len(rows)} assertions, and a judge is shown {MOST_ROWS} at most: take some out")
    found = []
    for place, row in enumerate(rows or (), start=1):
        said = row.get("says") if isinstance(row, Mapping) else None
        if not isinstance(said, str) or not (text := cleaned(said)):
            raise BadInput(f"{where}, assertion {place} has no text under `says`")
        if len(said) > LONGEST_ROW:
            raise BadInput(
                f"{where}, assertion {place} has more than {LONGEST_ROW} characters: cut it, or make it several"
            )
        known = {name: row[name] for name in ("says", "steps", "recorded") if row.get(name) is not None}
        try:
            found.append(Assertion(**{**known, "says": text}))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise BadInput(f"{where}, assertion {place}: {first['loc'][0]}: {first['msg']}") from error
    return id, tuple(found)


def _item(new: WrittenSegment) -> str:
    """A segment as an item of a YAML list; a JSON string is one in YAML."""
    lines = [f"- segment: {json.dumps(new.id)}"]
    lines += [f"  {name}: {_quoted(value)}" for name, value in new.notes.items() if value]
    lines.append("  assertions:" if new.assertions else "  assertions: []")
    for item in new.assertions:
        steps = ", ".join(map(str, item.steps))
        lines += [f"    - says: {_quoted(item.says)}", f"      steps: [{steps}]", f"      recorded: {item.recorded}"]
    lines += [f"    # not taken, {why}: {_quoted(says)}" for says, why in new.dropped]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return json.dumps(UNREADABLE.sub(" ", " ".join(text.split())), ensure_ascii=False)
