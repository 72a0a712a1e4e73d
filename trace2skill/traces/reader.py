"""What a reader of logs is."""

from collections.abc import Iterable
from typing import Protocol

from trace2skill.traces.base import Notes, Source
from trace2skill.types.trajectory import Trajectory


class Reader(Protocol):
    """Reads one format. Small and without state; a user's own may be passed where ours are.

    A class in `readers/` says besides in which `turn` it is asked, as a number: formats that name themselves early,
    those that are told by their looks alone late. One that says `fields` is asked only where a file has at least one of
    them (`Source.fields`): most files then are no question for most readers.
    """

    name: str

    def claims(self, source: Source) -> bool:
        """Is the file of this format, judged by its content?"""
        ...

    def read(self, source: Source, notes: Notes) -> Iterable[Trajectory]:
        """The trajectories of a file, one by one; what cannot be read is noted.

        Raises:
            ValueError: the file as a whole cannot be read (further).
            OSError: it cannot be opened.
        """
        ...
