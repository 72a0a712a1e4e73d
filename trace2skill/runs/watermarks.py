"""What is remembered of log files: how they were, how far they were read, and which trajectories came of them.

It is written together with these trajectories, so that a run that dies goes on where it stopped.
"""

from collections.abc import Mapping
from operator import not_

from pydantic import Field

from trace2skill.core.digest import digest_of
from trace2skill.core.record import Record
from trace2skill.runs.sources import Sources
from trace2skill.store import Store
from trace2skill.traces import Memory
from trace2skill.traces.folder import Before
from trace2skill.traces.verdicts import Verdicts
from trace2skill.types.trajectory import Trajectory

VERSION = "intake 3"


class Taken(Record, form="Taken", version=1):
    """A trajectory that is in the store: its id, the digest of its content, and what a person reads."""

    id: str
    content: str
    task_id: str
    outcome: str
    source: str

    @classmethod
    def of(cls, trajectory: Trajectory) -> "Taken":
        """What is handed on of a trajectory."""
        outcome = trajectory.outcome
        return cls(
            id=trajectory.id,
            content=trajectory.digest,
            task_id=trajectory.task_id,
            outcome=outcome.kind,
            source=outcome.source,
        )


class Withheld(Record, form="Withheld", version=1):
    """What a log says of the expected answer. Kept apart: no analyst sees it, and no lesson may quote it."""

    gold: tuple[str, ...]


class Watermark(Record, form="Watermark", version=1):
    """What is remembered of a log file, or of a part of it: how it was, and which trajectories came of it.

    It is written with these trajectories, in one transaction: what is remembered is in the store. A large file has
    several, one after the other; a reading that is broken off goes on after the last.
    """

    memory: Memory
    taken: tuple[Taken, ...]
    problems: int = 0
    read: int = Field(default=0, exclude_if=not_, description="Trajectories of the file up to here, copies among them.")
    more: bool = Field(default=False, exclude_if=not_, description="The file goes on after this part.")
    names: dict[str, str] = Field(
        default_factory=dict, exclude_if=not_, description="Ids of what was read, with the start of its digest."
    )
    asked: tuple[str, ...] = Field(default=(), exclude_if=not_, description="Ids under which a verdict may stand.")
    heard: str = Field(default="", exclude_if=not_, description="Digest of the verdicts that stood under them.")


class Known:
    """What is remembered of the files below the paths, where the store still holds all that came of them."""

    def __init__(self, marks: dict[str, list[Watermark]]) -> None:
        self.marks = marks

    @classmethod
    def of(cls, store: Store, sources: Sources, verdicts: Verdicts) -> "Known":
        """What the store remembers. A file whose verdicts are others now is not known."""
        every = dict(store.entries("source", Watermark))
        there = store.ids_of("trajectory") if every else set()
        found: dict[str, list[Watermark]] = {}
        for given in sources.paths if every else ():
            for path in [given] if given.is_file() else given.rglob("*"):
                name = str(path.absolute())
                chain = _chain(every, sources, name)
                if all(item.id in there for mark in chain for item in mark.taken) and all(
                    verdicts.heard(mark.asked) == mark.heard for mark in chain
                ):
                    found[name] = chain
                    for mark in chain:
                        verdicts.note(mark.asked)
        return cls({name: chain for name, chain in found.items() if chain})

    def before(self) -> Before:
        """The same, as a reading asks for it."""
        ended = {name: chain for name, chain in self.marks.items() if not chain[-1].more}
        return Before(
            whole={name: chain[-1].memory for name, chain in ended.items()},
            part={name: (chain[-1].memory, chain[-1].read) for name, chain in self.marks.items() if name not in ended},
            names={
                name: {id: digest for mark in chain for id, digest in mark.names.items()}
                for name, chain in self.marks.items()
            },
        )


def _chain(every: Mapping[str, Watermark], sources: Sources, path: str) -> list[Watermark]:
    """The marks of a file, part after part; those that an older state of the file has left behind do not count."""
    chain: list[Watermark] = []
    while (mark := every.get(mark_id(sources, path, len(chain)))) is not None:
        if chain and mark.memory.sha256 != chain[0].memory.sha256:
            break
        chain.append(mark)
        if not mark.more:
            break
    return chain


def mark_id(sources: Sources, path: str, number: int = 0) -> str:
    """A file read as another format or by other rules of reading is another source; so is each of its parts."""
    return digest_of("source", VERSION, path, sources.format, *([number] if number else []))
