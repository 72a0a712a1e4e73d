"""Logs of earlier runs that share a skill's name with this run and nothing else: their rules are in its book."""

import re
from collections.abc import Iterable
from pathlib import Path

from trace2skill.core.forms import from_text_or_none
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.summary import RunSummary
from trace2skill.store import Store
from trace2skill.traces.stores import LogsPath

NUMBERS = re.compile(r"\d+")


def other_logs(store: Store, settings: RunSettings, name: str) -> tuple[str, ...]:
    """The logs that earlier runs of logs have learned a skill of that name from, where none of them is of this run.

    Args:
        store: where the runs are.
        settings: of this run. One that deepens a skill means that skill, whatever its logs.
        name: of the skill.

    Returns:
        Places of logs as their run was given them, each once, those of the newest run first.
    """
    sources = settings.data.sources
    if sources is None or settings.data.skill is not None or not settings.of_logs:
        return ()
    found: dict[str, None] = {}
    for row in store.runs(newest_first=True):
        if row.kind != "ingest" or not row.summary:
            continue
        earlier = from_text_or_none(row.settings, RunSettings)
        if earlier is None or earlier.data.sources is None or _share(sources.paths, earlier.data.sources.paths):
            continue
        summary = from_text_or_none(row.summary, RunSummary)
        if summary is not None and summary.skill_name == name and summary.lessons:
            found |= dict.fromkeys(map(str, earlier.data.sources.paths))
    return tuple(found)


def _share(ours: Iterable[LogsPath], theirs: Iterable[LogsPath]) -> bool:
    """Is a place of one among those of the other, or above or below one of them?"""
    return any(_same(one, other) for one in ours for other in theirs)


def _same(one: LogsPath, other: LogsPath) -> bool:
    if isinstance(one, Path) and isinstance(other, Path):
        here, there = one.absolute(), other.absolute()
        dated = NUMBERS.sub("0", str(here)) == NUMBERS.sub("0", str(there))  # a folder a night
        return dated or here.is_relative_to(there) or there.is_relative_to(here)
    return not isinstance(one, Path) and not isinstance(other, Path) and one.place == other.place
