"""Where each task has been placed: rows that are only ever added, so that a division stands when tasks come or go."""

from collections.abc import Sequence
from typing import NamedTuple

from trace2skill.store.base import Store

AT_ONCE = 250
"""Rows of one statement."""


class PlaceRow(NamedTuple):
    """A task's place under one plan of dividing: `mark` names its content, `name` its data set and its id there."""

    mark: str
    name: str
    split: str


class Divisions:
    """The places in one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def places(self, plan: str) -> list[PlaceRow]:
        """All places under a plan, by mark and name."""
        found = self._store.query("SELECT mark, name, split FROM place WHERE plan = ? ORDER BY mark, name", [plan])
        return [PlaceRow(*row) for row in found]

    def keep(self, plan: str, rows: Sequence[PlaceRow]) -> bool:
        """Write places down. A mark that has one keeps it: whoever was first is right, in all processes.

        Returns whether all rows stand as given; where another process was faster and they do not, nothing is written.
        """
        with self._store.together() as run:
            known = [PlaceRow(*row) for row in run("SELECT mark, name, split FROM place WHERE plan = ?", plan)]
            of_mark = {row.mark: row.split for row in known}
            if any(of_mark.get(row.mark, row.split) != row.split for row in rows):
                return False
            new = sorted(set(rows) - set(known))
            for at in range(0, len(new), AT_ONCE):
                part = new[at : at + AT_ONCE]
                places = ", ".join(["(?, ?, ?, ?, now()::TIMESTAMP)"] * len(part))
                run(f"INSERT INTO place VALUES {places}", *(value for row in part for value in (plan, *row)))
        return True
