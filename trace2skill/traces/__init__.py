"""Traces in: what agents did already, read from the logs of many tools into trajectories."""

from trace2skill.traces.base import Notes, ReadProblem, Source
from trace2skill.traces.folder import read_paths
from trace2skill.traces.formats import READERS, detect, read_source
from trace2skill.traces.reader import Reader
from trace2skill.traces.reading import Memory, ReadFile, Readings

__all__ = [
    "READERS",
    "Memory",
    "Notes",
    "ReadFile",
    "ReadProblem",
    "Reader",
    "Readings",
    "Source",
    "detect",
    "read_paths",
    "read_source",
]
