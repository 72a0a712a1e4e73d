"""OpenCode's own database, `opencode.db`: since version 1.2 sessions stand there, and no longer in files.

Tables `session`, `message` and `part`; the last two hold their record as JSON in `data`.
"""

from collections.abc import Iterator
from typing import Any

from trace2skill.core.foreign_json import parse
from trace2skill.traces.base import Notes, Source
from trace2skill.traces.readers.opencode import read_session
from trace2skill.traces.values import label, mapping
from trace2skill.types.trajectory import Trajectory

MAGIC = b"SQLite format 3\0"
SESSION = ("id", "project_id", "parent_id", "directory", "title", "version", "revert", "time_created", "time_updated")
MESSAGE = ("id", "session_id", "time_created", "data")
PART = ("id", "message_id", "data")


class OpenCodeDatabase:
    """Reader of OpenCode's database."""

    name = "opencode_db"
    turn = 15

    def claims(self, source: Source) -> bool:
        """A file of SQLite with OpenCode's tables."""
        if not source.head.startswith(MAGIC):
            return False
        from trace2skill.store.foreign import sqlite_file  # only here: the store is slow to import

        try:
            with sqlite_file(source.plain) as database:
                return all(database.columns(name) for name in ("session", "message", "part"))
        except ValueError:
            return False

    def read(self, source: Source, notes: Notes) -> Iterator[Trajectory]:
        """One trajectory a session, and one for what was taken back in it.

        Raises:
            ValueError: the database cannot be read (further).
        """
        from trace2skill.store.foreign import sqlite_file

        with sqlite_file(source.plain) as database:
            for row in database.rows("session", SESSION, order=("time_created", "id")):
                messages = []
                found = database.where("message", MESSAGE, "session_id", row["id"])
                for message in sorted(found, key=lambda item: (item["time_created"] or 0, str(item["id"]))):
                    told = _data(message, source, notes)
                    told.setdefault("time", {"created": message["time_created"]})
                    parts = database.where("part", PART, "message_id", message["id"])
                    given = [_data(part, source, notes) for part in sorted(parts, key=lambda item: str(item["id"]))]
                    messages.append((told, given))
                info = {
                    "id": row["id"],
                    "projectID": row["project_id"],
                    "parentID": row["parent_id"],
                    "directory": row["directory"],
                    "title": row["title"],
                    "version": row["version"],
                    "revert": _json(row["revert"]),
                    "time": {"created": row["time_created"], "updated": row["time_updated"]},
                }
                yield from read_session(info, messages, source, notes)


def _data(row: dict[str, Any], source: Source, notes: Notes) -> dict[str, Any]:
    told = mapping(_json(row["data"]))
    if not told:
        notes.problem(source, 0, f"row {label(row['id'])} holds no JSON object")
    return {"id": row["id"], **told}


def _json(value: Any) -> Any:
    if not isinstance(value, (str, bytes)):
        return value
    try:
        return parse(value.encode("utf-8", "replace") if isinstance(value, str) else value)
    except ValueError:
        return None
