"""The flat form that settings had before they were nested: deployments, runs in stores and files of it are still read.

A field's name is in one section only, so that the section follows from the name. Three names have changed: `data` is
`data.path`, `roles` is `models`, and the rules below `gate` stand in it beside what is scored.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trace2skill.core.record import Record

log = logging.getLogger(__name__)
RENAMED = {"data": "data.path", "roles": "models"}
_said: set[frozenset[str]] = set()


def places(sections: Mapping[str, type[Record]]) -> dict[str, str]:
    """Flat name of every field: the path it has now, such as `workers`: `operation.workers`."""
    homes = {field: f"{name}.{field}" for name, section in sections.items() for field in section.model_fields}
    del homes["path"]
    return homes | RENAMED


def is_flat(name: str, value: Any, homes: Mapping[str, str]) -> bool:
    """Is it a setting of the flat form? `data` is one where it is a path and not a section."""
    return name in homes and not (name == "data" and not isinstance(value, (str, Path)))


def nested(given: Mapping[str, Any], homes: Mapping[str, str], *, quiet: bool = False) -> dict[str, Any]:
    """The nested form of settings, flat names moved to their places; unknown names stay where they are.

    One warning names all that were moved, once in a process; none where `quiet`, for what a program has written down.
    """
    moved = [name for name, value in given.items() if is_flat(name, value, homes)]
    if not moved:
        return dict(given)
    made: dict[str, Any] = {name: _open(value) for name, value in given.items() if name not in moved}
    for name in moved:
        section, _, field = homes[name].partition(".")
        if field:
            made.setdefault(section, {})[field] = given[name]
        else:
            made.setdefault(section, given[name])
    if not quiet:
        _warn(moved, homes)
    return made


def _open(value: Any) -> Any:
    """A section to which fields can be added: what is set of a model, or a copy."""
    if isinstance(value, Record):
        return {name: getattr(value, name) for name in type(value).model_fields}
    return dict(value) if isinstance(value, Mapping) else value


def _warn(moved: list[str], homes: Mapping[str, str]) -> None:
    if frozenset(moved) in _said:
        return
    _said.add(frozenset(moved))
    said = ", ".join(f"'{name}' is '{homes[name]}'" for name in moved)
    log.warning("settings are nested now; the old names are still read: %s", said)
