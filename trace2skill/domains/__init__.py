"""Domains: kinds of task. `load_domain` finds one by name."""

from trace2skill.domains.base import Domain
from trace2skill.domains.logs import Logs
from trace2skill.domains.spreadsheet import Spreadsheet
from trace2skill.domains.spreadsheet.recalculate import Mode
from trace2skill.errors import BadInput


def load_domain(name: str, *, recalculate: Mode = "auto") -> Domain:
    """The domain of that name.

    Raises:
        BadInput: there is none.
    """
    if name == Logs.name:
        return Logs()
    if name != "spreadsheet":
        raise BadInput(f"unknown domain '{name}': there is spreadsheet")
    return Spreadsheet(recalculate)


__all__ = ["Domain", "load_domain"]
