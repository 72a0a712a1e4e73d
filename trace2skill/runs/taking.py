"""Taking trajectories in: each is cut into segments, labelled, cleaned, and put into the store with its watermark."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from pydantic import BaseModel

from trace2skill.core.progress import ItemState, watcher
from trace2skill.runs.pulls import PulledPage
from trace2skill.runs.sources import Sources
from trace2skill.runs.watermarks import Known, Taken, Watermark, Withheld, mark_id
from trace2skill.safety.redaction import Redactor, redacted
from trace2skill.safety.redaction_map import RedactionMap
from trace2skill.store import RecordKind, Store
from trace2skill.traces import ReadFile
from trace2skill.traces.answered import Answered
from trace2skill.traces.outcomes import labelled
from trace2skill.traces.reading import TOLD_APART
from trace2skill.traces.segments import segmented
from trace2skill.traces.stores import Page, TraceStoreAddress
from trace2skill.traces.verdicts import Verdicts, keys_of
from trace2skill.types.trajectory import Trajectory

STEPS_AT_ONCE = 400
RECORDS_AT_ONCE = 200
A_PART = 500
"""So many trajectories of a file are remembered at a time."""


class Taking:
    """Where each trajectory of a reading is cut, labelled, cleaned and put into the store with what is remembered."""

    def __init__(
        self, store: Store, sources: Sources, verdicts: Verdicts, known: Known, secrets: RedactionMap | None
    ) -> None:
        self.store, self.sources, self.verdicts, self.known, self.secrets = store, sources, verdicts, known, secrets
        self.progress, self.stage = watcher(), "read"
        self.found: dict[str, list[Taken]] = {}
        self.redacted: Counter[str] = Counter()
        self._waiting: list[tuple[RecordKind, str, BaseModel]] = []
        self._waiting_steps = 0
        self._gold: dict[str, frozenset[str]] = {}
        self._part = _Part()

    def expect(self, units: int) -> None:
        """See `Taker`."""
        self._begin("read", units)

    def pulling(self, what: str, traces: int) -> None:
        """See `Taker`."""
        self._begin(what, traces)

    def pulled(self, address: TraceStoreAddress, page: Page) -> None:
        """Remember what is settled, in one transaction with what was taken of it."""
        chain = self.known.pages
        number = chain.get(address.pulled, 0)
        chain[address.pulled] = number + 1
        made = PulledPage(address=address.pulled, number=number, listed=page.listed, through=page.through)
        self._waiting.append(("pull", made.id, made))
        self._flush()

    def moved(self, name: str) -> None:
        """See `Taker`."""
        self.progress.item(self.stage, name, "done")

    def hide(self, trajectory_id: str, gold: frozenset[str]) -> None:
        """Take note of what a log says of the expected answer of the trajectory that comes next."""
        self._gold[trajectory_id] = gold

    def answered(self, trajectory_id: str, found: Callable[[], Answered]) -> None:
        """See `Taker`: what is accepted is kept out of the store."""

    def take(self, trajectory: Trajectory, file: ReadFile, number: int) -> None:
        """Keep one trajectory, in its segments."""
        parts, part = segmented(trajectory), self._part
        part.names[trajectory.id] = trajectory.digest[:TOLD_APART]
        part.asked.update(keys_of(trajectory, file.path))
        if len(parts) > 1:  # the whole, to which the segments point
            self._put("trajectory", trajectory.id, self._clean(trajectory))
        gold = gold_only(trajectory, self._gold.pop(trajectory.id, frozenset()))
        for segment in parts:
            part.asked.add(segment.id)
            clean = self._clean(labelled(segment, self.verdicts, file.path))
            self._put("trajectory", clean.id, clean)
            if gold:
                hidden = tuple(sorted(Redactor().text(value) for value in gold))
                self._put("withheld", clean.id, Withheld(gold=hidden))
            part.taken.append(Taken.of(clean))
        self._waiting_steps += len(trajectory.steps)
        if len(part.names) >= A_PART:
            self._mark(file, number, more=True)
        if self._waiting_steps > STEPS_AT_ONCE:
            self._flush()

    def ended(self, file: ReadFile | None, name: str, units: int) -> None:
        """Remember a file that is done, with the last of its trajectories."""
        if file is not None and file.state == "read":
            self._mark(file, file.trajectories, more=False)
        elif file is not None and file.memory is not None:  # how it is now, so that its bytes are not looked at again
            chain = self.known.marks.get(file.path, [])
            if chain and chain[-1].memory != file.memory:
                id = mark_id(self.sources, file.path, len(chain) - 1)
                if (last := self.store.get("source", id, Watermark)) is not None:
                    self._put("source", id, last.model_copy(update={"memory": file.memory}))
        self._part = _Part()
        lost: ItemState = "skipped" if self.stage == "read" else "failed"
        state: ItemState = lost if file is None else "cached" if file.state == "unchanged" else "done"
        for _ in range(units):
            self.progress.item(self.stage, name, state)

    def taken_of(self, file: ReadFile) -> list[Taken]:
        """What came of a file, in this reading and before."""
        before = self.known.marks.get(file.path, []) if file.state != "read" or file.went_on else []
        return [*(item for mark in before for item in mark.taken), *self.found.get(file.path, ())]

    def lost_before(self, file: ReadFile) -> tuple[int, list[str]]:
        """How many lines of an unchanged file could not be read when it was, and the first of them in words."""
        marks = self.known.marks.get(file.path, []) if file.state == "unchanged" else []
        count, words = sum(mark.problems for mark in marks), [said for mark in marks for said in mark.first_problems]
        if count > len(words):
            words.append(f"{file.name}: {count - len(words)} {'more ' if words else ''}in an earlier reading of it")
        return count, words

    def close(self) -> None:
        """Write what waits, and what was redacted to its file."""
        self._flush()
        if self.secrets:
            self.secrets.close()

    def _begin(self, stage: str, total: int) -> None:
        self.stage = stage
        self.progress.begin(stage, total)

    def _mark(self, file: ReadFile, read: int, *, more: bool) -> None:
        """Remember the part of a file that is read, with what came of it."""
        part = self._part
        if part.number is None:
            part.number = len(self.known.marks.get(file.path, ())) if file.went_on else 0
        if file.memory is not None:
            asked = tuple(sorted(part.asked))
            made = Watermark(
                memory=file.memory,
                taken=tuple(part.taken),
                problems=file.problems,
                first_problems=tuple(Redactor().text(problem) for problem in file.first_problems),
                read=read,
                more=more,
                names=part.names,
                asked=asked,
                heard=self.verdicts.heard(asked),
                copy_of=file.copy_of,
            )
            self._put("source", mark_id(self.sources, file.path, part.number), made)
        self.found.setdefault(file.path, []).extend(part.taken)
        self._part = _Part(number=part.number + 1)

    def _put(self, kind: RecordKind, id: str, record: BaseModel) -> None:
        self._waiting.append((kind, id, record))
        if len(self._waiting) >= RECORDS_AT_ONCE and kind == "source":
            self._flush()

    def _flush(self) -> None:
        waiting, self._waiting, self._waiting_steps = self._waiting, [], 0
        self.store.put_all(waiting)

    def _clean(self, trajectory: Trajectory) -> Trajectory:
        clean, redactor = redacted(trajectory)
        self.redacted.update(redactor.counts)
        if self.secrets:
            self.secrets.add(clean.id, redactor.replaced)
        return clean


@dataclass
class _Part:
    """The part of a file that is read and not yet remembered."""

    number: int | None = None
    taken: list[Taken] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)


def gold_only(trajectory: Trajectory, gold: frozenset[str]) -> frozenset[str]:
    """The values of the answer that stand nowhere in the trajectory: whoever writes one down has seen the answer."""
    if not gold:
        return gold
    said = trajectory.model_dump_json()
    return frozenset(value for value in gold if value not in said)
