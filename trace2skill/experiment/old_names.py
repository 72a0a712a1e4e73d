"""Experiment files of before their settings stood in the sections of a run's settings: they are still read."""

from collections.abc import Mapping
from typing import Any

from trace2skill.runs.flat_settings import nested

HOMES = {
    "max_cost": "money.max_cost",
    "max_failed_share": "operation.max_failed_share",
    "workers": "operation.workers",
    "limits": "learning",
}
MOVED = {"size": "limits"}
"""What `limits` held under another name than `learning` does."""


def in_sections(given: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a file with old names moved to their sections; one warning says the new names.

    What cannot be read so, such as `limits` that is no mapping, is left for whoever checks it.
    """
    old = given.get("limits")
    made = nested(given, HOMES)
    if not isinstance(old, Mapping):
        return made
    learning = {MOVED.get(name, name): value for name, value in old.items() if name != "recalculate"}
    made["learning"] = {**learning, **given["learning"]} if isinstance(given.get("learning"), Mapping) else learning
    if "recalculate" in old and isinstance(made.get("learn", {}), Mapping):
        made["learn"] = {"recalculate": old["recalculate"], **made.get("learn", {})}
    return made
