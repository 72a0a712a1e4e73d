"""The clock of the product in the hands of a test: nights follow each other without anybody waiting for one."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from trace2skill.core import clock
from trace2skill.store import database


class Clock:
    """What time it is for the product: for its days and months, for what its store writes down, and for its nights.

    A store still tells apart what was written one after the other: its time goes on from where it was opened.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, first: datetime) -> None:
        import flows.refresh

        self.time = first
        attempt = database._attempt

        def opened(*where: Any) -> Any:
            connection = attempt(*where)
            if not isinstance(connection, str):  # else that is who has it
                since = connection.execute("SELECT get_current_timestamp()::TIMESTAMPTZ::TEXT").fetchall()[0][0]
                connection.execute(
                    f"CREATE OR REPLACE MACRO now() AS (TIMESTAMPTZ '{self.time.isoformat()}' "
                    f"+ (get_current_timestamp() - TIMESTAMPTZ '{since}'))"
                )
            return connection

        monkeypatch.setattr(clock, "now", lambda: self.time)
        monkeypatch.setattr(database, "_attempt", opened)
        monkeypatch.setattr(flows.refresh, "planned_day", lambda: self.time.date().isoformat())

    def next_night(self) -> None:
        """A day later."""
        self.time += timedelta(days=1)
