"""Taking logs in: read what is new, cut it into segments, label it, clean it, keep it, and remember the files.

What was read of a file is remembered together with what came of it: a run that dies goes on where it stopped. What was
analysed is in the store under the content of each segment, so that only new or changed segments are analysed, and what
failed is analysed again.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from trace2skill.core.digest import digest_of
from trace2skill.core.errors import BadInput
from trace2skill.core.record import Record
from trace2skill.mined.asked_texts import told_in
from trace2skill.mined.requests import alike, request_alone
from trace2skill.runs.samples import left_out_of_samples
from trace2skill.runs.session_groups import kept_from_learning
from trace2skill.runs.sources import Sources
from trace2skill.runs.sources_read import SourcesRead
from trace2skill.runs.taking import Taking
from trace2skill.runs.watermarks import Known, Taken
from trace2skill.safety.redaction import Redactor
from trace2skill.safety.redaction_map import RedactionMap
from trace2skill.store import Store
from trace2skill.traces import Readings, read_paths
from trace2skill.traces.outcomes import read_labels
from trace2skill.traces.own_format import identity_of, reader_for
from trace2skill.traces.stores import files_of
from trace2skill.traces.stores.pull import GIVEN_UP
from trace2skill.traces.verdicts import Verdicts, verdicts_for
from trace2skill.types.trajectory import Trajectory

SHOWN_PROBLEMS = 50
SHOWN_LABELS = 10
AT_ONCE = 100
TELLING = 40
"""So many characters of a held-out task's text, anywhere in a log, make it one of that task; fewer are all of it."""


class Intake(Record):
    """What was read, and what is to be analysed."""

    read: SourcesRead
    taken: tuple[Taken, ...]

    @property
    def content(self) -> str:
        """Names what is to be analysed."""
        return digest_of(sorted((item.id, item.content) for item in self.taken))


NOTHING_READ = Intake(
    read=SourcesRead(files=0, unchanged=0, trajectories=0, fresh=0, outcomes={}, labels={}, redacted={}, problems=0),
    taken=(),
)
"""The intake of a run without sources."""


def asks_nothing(_: str) -> bool:
    """Of no text: no question is held out."""
    return False


def take_in(
    store: Store,
    sources: Sources,
    held_out: Iterable[str] = (),
    telling: Iterable[str] = (),
    asks: Callable[[str], bool] = asks_nothing,
) -> Intake:
    """Read what is new, clean it and keep it; what is unchanged is taken from the store.

    What was read is remembered as it goes on: a run that dies goes on where it stopped. Trajectories of held-out tasks
    are left out: nothing may be learned from them. They are known by the ids of such tasks, or of the logs that these
    were made of, by instructions that only such tasks have, and by what `asks` says of what they were told; forks and
    parts of them go with them.

    Raises:
        BadInput: a path, the labels or the format is not what it should be, or nothing could be read.
    """
    verdicts = verdicts_for(files_of(sources.paths), read_labels(sources.labels) if sources.labels else None)
    reader = reader_for(sources.format) if sources.format else None
    sources = sources.model_copy(update={"format": identity_of(sources.format)})  # another mapping reads other things
    known = Known.of(store, sources, verdicts)
    taking = Taking(store, sources, verdicts, known, RedactionMap(store.beside) if sources.redaction_map else None)
    try:
        readings = read_paths(sources.paths, taking, reader=reader, before=known.before(), aside=verdicts.files)
    finally:
        taking.close()
    by_file = {file.path: taking.taken_of(file) for file in readings.files}
    unsampled = left_out_of_samples(
        sources.paths, {path: [x.outcome for x in items] for path, items in by_file.items()}
    )
    taken = {item.id: item for path, items in by_file.items() if path not in unsampled for item in items}
    if not taken and not unsampled:
        first = f": {readings.problems[0]}" if readings.problems else ""
        raise BadInput(f"no trajectory was found in {', '.join(map(str, sources.paths[:5]))}{first}")
    if verdicts.labels and len(verdicts.unmatched) == len(verdicts.labels):
        raise BadInput(_no_label_matches(sources, verdicts, taken))
    out = of_held_out(store, {id: item.task_id for id, item in taken.items()}, set(held_out), telling, asks)
    kept = kept_from_learning(store, {id: item.task_id for id, item in taken.items()}, sources.hold_out) - out
    usable = tuple(taken[id] for id in sorted(taken) if id not in out | kept)
    if kept and not usable:
        raise BadInput(f"all {len(kept)} segments that could be learned from are held out: lower --hold-out")
    read = _report(readings, taking, usable, len(out))
    return Intake(read=read.model_copy(update={"unsampled": len(unsampled), "kept_back": len(kept)}), taken=usable)


def of_held_out(
    store: Store,
    task_ids: Mapping[str, str],
    ids: set[str],
    telling: Iterable[str],
    asks: Callable[[str], bool] = asks_nothing,
) -> set[str]:
    """Of imported trajectories, given with the id of the task of each, those from which nothing may be learned.

    Args:
        store: where they are.
        task_ids: task ids by trajectory ids.
        ids: of held-out tasks, and of the logs that these were made of.
        telling: instructions that only held-out tasks have.
        asks: says of what a session was told whether it asks a held-out question.
    """
    texts = {short: len(text) >= TELLING for text in sorted(telling) if (short := alike(text))}
    # Readers put a file's name before an id.
    named = {id for id, task in task_ids.items() if ids & {id, task, task.partition(":")[2]}}
    asked = [id for id in sorted(task_ids) if id not in named] if ids else []
    parents, known = dict[str, str](), {*task_ids}
    while asked:
        for start in range(0, len(asked), AT_ONCE):
            found = store.several("trajectory", asked[start : start + AT_ONCE], Trajectory)
            named |= {id for id, trajectory in found.items() if texts and _tells(trajectory, texts)}
            named |= {id for id, trajectory in found.items() if id not in named and asks(told_in(trajectory))}
            parents |= {id: trajectory.parent for id, trajectory in found.items() if trajectory.parent}
        asked = sorted({*parents.values()} - known)  # a part may be here without the whole
        known |= {*asked}
    return {id for id in task_ids if id in named or (ids | named) & {*above(id, parents)}}


def above(id: str, parents: Mapping[str, str]) -> list[str]:
    """What a trajectory was forked from or is a part of, and so on."""
    found: list[str] = []
    while (id := parents.get(id, "")) and id not in found:
        found.append(id)
    return found


def _tells(trajectory: Trajectory, texts: Mapping[str, bool]) -> bool:
    """Was it asked what only a held-out task asks: as the whole of its request, or in words that are long enough?"""
    whole = alike(request_alone(trajectory))
    asked = [whole, *(alike(step.message) for step in trajectory.steps if step.source != "agent")]
    return whole in texts or any(text in said for text, is_long in texts.items() if is_long for said in asked)


def _no_label_matches(sources: Sources, verdicts: Verdicts, taken: Mapping[str, Taken]) -> str:
    ids = ", ".join(dict.fromkeys(item.task_id for item in list(taken.values())[:3]))
    labels = ", ".join(verdicts.unmatched[:3])
    return (
        f"none of the {len(verdicts.labels)} labels of {sources.labels} ({labels}...) is the id of a session that was "
        f"read, such as {ids}: `trace2skill ingest --dry-run` shows the ids that a label may name"
    )


def _report(readings: Readings, taking: Taking, usable: tuple[Taken, ...], left_out: int) -> SourcesRead:
    known = [taking.lost_before(file) for file in readings.files]
    words = [Redactor().text(str(problem)) for problem in readings.problems[:SHOWN_PROBLEMS]]
    words += [said for _, told in known for said in told]
    before = sum(count for count, _ in known)
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
        problems=readings.counts.get("problem", 0) + before,
        problems_before=before,
        first_problems=tuple(words[:SHOWN_PROBLEMS]),
        duplicates=readings.counts.get("duplicate", 0),
        given_up=readings.counts.get(GIVEN_UP, 0),
        unmatched=len(taking.verdicts.unmatched),
        first_unmatched=tuple(taking.verdicts.unmatched[:SHOWN_LABELS]),
    )
