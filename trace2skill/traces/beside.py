"""Files beside the one that is read, in formats that spread a session over a folder."""

import re
from pathlib import Path
from typing import Any

from trace2skill.core.foreign_json import LONGEST_LINE, parse
from trace2skill.traces.base import Notes, Source

NUMBERED = re.compile(r"[0-9]{1,9}\.json")
BESIDE_EVENTS = ("metadata.json", "init.json", "agent_state.pkl")
PAGES = "event_cache"
"""Where OpenHands keeps its events again, in pages."""


def is_stored_event(path: Path) -> bool:
    """Is it an event in a file of its own, as OpenHands stores them?"""
    return path.parent.name == "events" and NUMBERED.fullmatch(path.name) is not None


def part_of_stored_events(path: Path) -> bool:
    """Is it read with another file: an event before the last, the same events again, what stands beside them?

    What a crash left empty is no event.
    """
    if is_stored_event(path):
        after = path.with_name(f"{int(path.stem) + 1}.json")
        return after.exists() and after.stat().st_size > 0
    if path.parent.name == PAGES:
        return (path.parent.parent / "events").is_dir()
    return path.name in BESIDE_EVENTS and (path.parent / "events" / "0.json").exists()


def load_within(path: Path, folder: Path, source: Source, notes: Notes) -> Any:
    """The JSON value of a file below a folder; None, and noted, where there is none or a link leads out."""
    try:
        if not path.resolve().is_relative_to(folder) or path.stat().st_size > LONGEST_LINE:
            raise ValueError("leads out of the storage, or is too large")
        return parse(path.read_bytes())
    except (OSError, ValueError) as error:
        notes.problem(source, 0, f"{path.relative_to(folder)}: {error}")
        return None
