"""Logs as they are named, looked at before anything starts: what is mistyped is known at once."""

import os
from collections.abc import Sequence
from pathlib import Path

from trace2skill.core.errors import BadInput
from trace2skill.runs.sources import Sources
from trace2skill.traces.folder import check_there
from trace2skill.traces.outcomes import read_labels
from trace2skill.traces.own_format import reader_for
from trace2skill.traces.stores import check_samples, files_of, stores_of


def check_sources(sources: Sources | None) -> None:
    """Refuse logs that cannot be read by what is named; nothing of them is read, and no trace store is asked.

    Raises:
        BadInput: a path does not exist, no path holds a file, or the labels, the format or a sample cannot be.
    """
    if sources is None:
        return
    check_samples(sources.paths)
    if sources.format:
        reader_for(sources.format)
    if sources.labels:
        read_labels(sources.labels)
    paths = files_of(sources.paths)
    for path in paths:
        check_there(path)
    if paths and not stores_of(sources.paths) and not any(map(_holds_a_file, paths)):
        raise BadInput(f"there is no log in {_named(paths)}: no file at all, but for hidden ones; name where logs are")


def _holds_a_file(path: Path) -> bool:
    if path.is_file():
        return True
    unread: list[OSError] = []
    for _, folders, files in os.walk(path, onerror=unread.append):
        folders[:] = [name for name in folders if not name.startswith(".")]
        if any(not name.startswith(".") for name in files):
            return True
    return bool(unread)  # who knows; the reading says which cannot be read


def _named(paths: Sequence[Path]) -> str:
    more = f" and {len(paths) - 5} more" if len(paths) > 5 else ""
    return ", ".join(map(str, paths[:5])) + more
