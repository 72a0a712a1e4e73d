"""Taking logs in: read what is new, cut it into segments, label it, clean it, keep it, and remember the files.

What was read of a file is remembered, and that memory is written only when a run has succeeded: a run that dies reads
the same files again. What was analysed is in the store under the content of each segment, so that only new or changed
segments are analysed.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import BaseModel

from trace2skill.core.digest import digest_of
from trace2skill.core.errors import BadInput
from trace2skill.core.failures import Failure
from trace2skill.core.progress import watcher
from trace2skill.core.record import Record
from trace2skill.runs.sources import Sources
from trace2skill.runs.summary import SourcesRead
from trace2skill.safety.redaction import Redactor, redacted
from trace2skill.safety.redaction_map import RedactionMap
from trace2skill.store import RecordKind, Store
from trace2skill.traces import Memory, ReadFile, Readings, read_paths
from trace2skill.traces.formats import reader_named
from trace2skill.traces.outcomes import Labels, labelled, read_labels
from trace2skill.traces.segments import segmented
from trace2skill.types.trajectory import Trajectory

log = logging.getLogger(__name__)
VERSION = "intake 2"
SHOWN_PROBLEMS = 50
STEPS_AT_ONCE = 400
TELLING = 40
"""So many characters of a held-out task's text in a log make the log one of that task."""


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
    """What is remembered of a log file: how it was, and which trajectories came of it."""

    memory: Memory
    taken: tuple[Taken, ...]
    problems: int = 0


class Intake(Record):
    """What was read, and what is to be analysed."""

    read: SourcesRead
    taken: tuple[Taken, ...]
    marks: dict[str, Watermark]

    @property
    def content(self) -> str:
        """Names what is to be analysed."""
        return digest_of(sorted((item.id, item.content) for item in self.taken))


NOTHING_READ = Intake(
    read=SourcesRead(files=0, unchanged=0, trajectories=0, fresh=0, outcomes={}, labels={}, redacted={}, problems=0),
    taken=(),
    marks={},
)
"""The intake of a run without sources."""


def take_in(store: Store, sources: Sources, held_out: Iterable[str] = (), telling: Iterable[str] = ()) -> Intake:
    """Read what is new, clean it and keep it; what is unchanged is taken from the store.

    Trajectories of held-out tasks are left out: nothing may be learned from them. They are known by the ids of such
    tasks, and by instructions that only such tasks have.

    Raises:
        BadInput: a path, the labels or the format is not what it should be, or nothing could be read.
    """
    labels = read_labels(sources.labels) if sources.labels else None
    reader = reader_named(sources.format) if sources.format else None
    known = _known(store, sources, labels)
    taking = _Taking(store, labels, RedactionMap(store.beside) if sources.redaction_map else None)
    progress = watcher()
    readings = read_paths(
        sources.paths,
        taking.take,
        reader=reader,
        known={path: mark.memory for path, mark in known.items()},
        expect=lambda files: progress.begin("read", files),
        watch=lambda name, state: progress.item("read", name, "cached" if state == "unchanged" else "done"),
        hide=taking.hide,
    )
    taking.close()
    marks = {
        file.path: Watermark(memory=file.memory, taken=tuple(taking.found.get(file.path, ())), problems=file.problems)
        if file.state == "read"
        else known[file.path].model_copy(update={"memory": file.memory})
        for file in readings.files
        if file.memory is not None
    }
    taken = {item.id: item for mark in marks.values() for item in mark.taken}
    if not taken:
        first = f": {readings.problems[0]}" if readings.problems else ""
        raise BadInput(f"no trajectory was found in {', '.join(map(str, sources.paths))}{first}")
    _say_unused(labels, taking, known)
    usable, left_out = _without_held_out(store, taken, set(held_out), telling)
    return Intake(read=_report(readings, taking, usable, left_out), taken=usable, marks=marks)


def _say_unused(labels: Labels | None, taking: "_Taking", known: Mapping[str, Watermark]) -> None:
    """Warn of labels that name nothing that was read: a wrong kind of id leaves every outcome a guess."""
    if not labels or known:  # what is known is not read again, and neither are its sessions
        return
    unused = sorted(labels.keys() - taking.ids)
    if unused:
        log.warning(
            "%d of %d labels name no trajectory, session or task that was read: %s%s",
            *(len(unused), len(labels), ", ".join(unused[:5]), " and more" if len(unused) > 5 else ""),
        )


def move_marks(store: Store, sources: Sources, intake: Intake, failures: Iterable[Failure] = ()) -> None:
    """Remember the files of a run that has succeeded, without those of which an item failed."""
    failed = {failure.name.partition(" ")[0] for failure in failures}
    labels = read_labels(sources.labels) if sources.labels else None
    store.put_all(
        ("source", _mark_id(sources, labels, path), mark)
        for path, mark in intake.marks.items()
        if not failed & {item.id for item in mark.taken}
    )


class _Taking:
    """Where each trajectory of a reading is cut, labelled, cleaned and put into the store."""

    def __init__(self, store: Store, labels: Labels | None, secrets: RedactionMap | None) -> None:
        self.store, self.labels, self.secrets = store, labels, secrets
        self._waiting: list[tuple[RecordKind, str, BaseModel]] = []
        self._waiting_steps = 0
        self.found: dict[str, list[Taken]] = {}
        self.ids: set[str] = set()
        self.redacted: Counter[str] = Counter()
        self._gold: dict[str, frozenset[str]] = {}

    def hide(self, trajectory_id: str, gold: frozenset[str]) -> None:
        """Take note of what a log says of the expected answer of the trajectory that comes next."""
        self._gold[trajectory_id] = gold

    def take(self, trajectory: Trajectory, file: ReadFile) -> None:
        """Keep one trajectory, in its segments."""
        parts = segmented(trajectory)
        if len(parts) > 1:  # the whole, to which the segments point
            self._put("trajectory", trajectory.id, self._clean(trajectory))
        gold = gold_only(trajectory, self._gold.pop(trajectory.id, frozenset()))
        for part in parts:
            self.ids |= {part.id, part.session, part.task_id}
            clean = self._clean(labelled(part, self.labels))
            self._put("trajectory", clean.id, clean)
            if gold:
                hidden = tuple(sorted(Redactor().text(value) for value in gold))
                self._put("withheld", clean.id, Withheld(gold=hidden))
            self.found.setdefault(file.path, []).append(Taken.of(clean))
        self._waiting_steps += len(trajectory.steps)
        if self._waiting_steps > STEPS_AT_ONCE:
            self._flush()

    def close(self) -> None:
        """Write what waits, and what was redacted to its file."""
        self._flush()
        if self.secrets:
            self.secrets.close()

    def _put(self, kind: RecordKind, id: str, record: BaseModel) -> None:
        self._waiting.append((kind, id, record))

    def _flush(self) -> None:
        self.store.put_all(self._waiting)
        self._waiting, self._waiting_steps = [], 0

    def _clean(self, trajectory: Trajectory) -> Trajectory:
        clean, redactor = redacted(trajectory)
        self.redacted.update(redactor.counts)
        if self.secrets:
            self.secrets.add(clean.id, redactor.replaced)
        return clean


def gold_only(trajectory: Trajectory, gold: frozenset[str]) -> frozenset[str]:
    """The values of the answer that stand nowhere in the trajectory: whoever writes one down has seen the answer."""
    if not gold:
        return gold
    said = trajectory.model_dump_json()
    return frozenset(value for value in gold if value not in said)


def _without_held_out(
    store: Store, taken: Mapping[str, Taken], ids: set[str], telling: Iterable[str]
) -> tuple[tuple[Taken, ...], int]:
    texts = [" ".join(text.split()) for text in telling if len(text) >= TELLING]

    def is_held_out(item: Taken) -> bool:
        if item.task_id in ids or item.task_id.partition(":")[2] in ids:  # readers put a file's name before an id
            return True
        found = store.get("trajectory", item.id, Trajectory) if texts else None
        asked = (" ".join(step.message.split()) for step in found.steps if step.source != "agent") if found else ()
        return any(text in said for said in asked for text in texts)

    kept = tuple(taken[id] for id in sorted(taken) if not is_held_out(taken[id]))
    return kept, len(taken) - len(kept)


def _report(readings: Readings, taking: _Taking, usable: tuple[Taken, ...], left_out: int) -> SourcesRead:
    return SourcesRead(
        files=len(readings.files),
        unchanged=sum(file.state == "unchanged" for file in readings.files),
        formats=dict(sorted(Counter(file.format for file in readings.files if file.format).items())),
        trajectories=len(usable),
        fresh=sum(len(items) for items in taking.found.values()),
        held_out=left_out,
        outcomes=dict(sorted(Counter(item.outcome for item in usable).items())),
        labels=dict(sorted(Counter(item.source for item in usable).items())),
        redacted=dict(sorted(taking.redacted.items())),
        problems=readings.counts.get("problem", 0),
        first_problems=tuple(Redactor().text(str(problem)) for problem in readings.problems[:SHOWN_PROBLEMS]),
        duplicates=readings.counts.get("duplicate", 0),
    )


def _known(store: Store, sources: Sources, labels: Labels | None) -> dict[str, Watermark]:
    """What is remembered of the files below the paths, where the store still holds all that came of them."""
    marks = dict(store.entries("source", Watermark))
    if not marks:
        return {}
    there = store.ids_of("trajectory")
    found = {}
    for given in sources.paths:
        for path in [given] if given.is_file() else given.rglob("*"):
            mark = marks.get(_mark_id(sources, labels, str(path.absolute())))
            if mark and all(item.id in there for item in mark.taken):
                found[str(path.absolute())] = mark
    return found


def _mark_id(sources: Sources, labels: Labels | None, path: str | Path) -> str:
    """A file read with other labels, as another format or by other rules of reading is another source."""
    return digest_of("source", VERSION, str(path), sources.format, labels)
