"""Learning from logs: read them, keep them clean, mine each, and make a candidate skill. Nothing is promoted.

Needs no domain, no data set and no model. What was read of a file is remembered, and that memory is written only when
a run has succeeded: a run that dies reads the same files again.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field

from trace2skill.analysts.rules import VERSION, mine_one, patch_of
from trace2skill.consolidate import Groups, cut_into_groups
from trace2skill.consolidate.candidate import Candidate, build_candidate
from trace2skill.consolidate.groups import EditGroup
from trace2skill.consolidate.ledger import SupportLedger, build_ledger, united_ledgers
from trace2skill.consolidate.limits import SizeLimits
from trace2skill.consolidate.route import Thresholds
from trace2skill.digest import digest_of
from trace2skill.draft import empty_skill
from trace2skill.errors import BadInput
from trace2skill.failures import Failure
from trace2skill.ingest_summary import IngestSummary, Quarantined
from trace2skill.lesson import Extraction, Lesson
from trace2skill.noun import Noun
from trace2skill.safety.redaction import Redactor, redacted
from trace2skill.safety.screening import screened
from trace2skill.skill import Skill, read_skill, write_skill
from trace2skill.store import RunRow, Store, open_store
from trace2skill.store.address import StoreAddress, default_address
from trace2skill.traces import Memory, ReadFile, Readings, read_paths
from trace2skill.traces.formats import reader_named
from trace2skill.traces.outcomes import Labels, labelled, read_labels
from trace2skill.traces.segments import segmented
from trace2skill.trajectory import Trajectory

SHOWN_PROBLEMS = 50


class IngestSettings(Noun):
    """Settings of an ingestion. Shown as the form of the flow in the Prefect UI."""

    paths: tuple[Path, ...] = Field(min_length=1, description="Log files and folders of logs.")
    format: str | None = Field(default=None, description="Read every file as this format; none detects it.")
    labels: Path | None = Field(default=None, description="JSON or CSV: id of a trajectory, task or session to score.")
    skill: Path | None = Field(default=None, description="Skill directory to deepen; none starts an empty one.")
    name: str = Field(default="learned-from-traces", pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", description="Of a new skill.")
    analyst: Literal["rules"] = Field(default="rules", description="'rules' needs no model.")
    thresholds: Thresholds = Thresholds()
    limits: SizeLimits = SizeLimits()
    workers: int = Field(default=8, ge=1, le=256, description="Trajectories under way at once.")
    max_failed_share: float = Field(default=0.1, ge=0, le=1, description="Share of the trajectories that may fail.")
    store: StoreAddress = Field(
        default_factory=default_address, description="Where what was done is kept: a DuckDB file or postgresql://..."
    )
    output: Path = Field(default=Path(".trace2skill/runs"), description="Where run directories are written.")


class Taken(Noun):
    """A trajectory that is in the store: its id, the digest of its content, and what a person reads."""

    id: str
    content: str
    task_id: str
    outcome: str
    source: str


class Watermark(Noun):
    """What is remembered of a log file: how it was, and which trajectories came of it."""

    memory: Memory
    taken: tuple[Taken, ...]


class Intake(Noun):
    """What was read, and what is to be mined."""

    run_id: str
    base: str
    readings: Readings
    taken: tuple[Taken, ...]
    fresh: int
    redacted: dict[str, int]
    marks: dict[str, Watermark]


class Mined(Noun):
    """The lessons of one trajectory, in the store."""

    trajectory_id: str
    task_id: str
    extractions: tuple[str, ...]
    lessons: int


def start(settings: IngestSettings) -> Intake:
    """Read what is new, clean it and keep it; what is unchanged is taken from the store.

    Raises:
        BadInput: a path, the labels, the format or the skill is not what it should be, or nothing could be read.
    """
    store = open_store(settings.store)
    labels = _labels(settings)
    reader = reader_named(settings.format) if settings.format else None
    base = read_skill(settings.skill) if settings.skill else empty_skill(settings.name)
    store.put("skill", base.digest, base)
    known = _known(store, settings)
    found: dict[str, list[Taken]] = {}
    counts: Counter[str] = Counter()

    def take(trajectory: Trajectory, file: ReadFile) -> None:
        parts = segmented(trajectory)
        if len(parts) > 1:  # the whole, to which the segments point
            store.put("trajectory", trajectory.id, redacted(trajectory)[0])
        for part in parts:
            clean, replaced = redacted(labelled(part, labels))
            counts.update(replaced)
            store.put("trajectory", clean.id, clean)
            found.setdefault(file.path, []).append(_taken(clean))

    readings = read_paths(
        settings.paths, take, reader=reader, known={path: mark.memory for path, mark in known.items()}
    )
    marks = {
        file.path: Watermark(memory=file.memory, taken=tuple(found.get(file.path, ())))
        if file.state == "read"
        else known[file.path].model_copy(update={"memory": file.memory})
        for file in readings.files
        if file.memory is not None
    }
    taken = {item.id: item for mark in marks.values() for item in mark.taken}
    if not taken:
        first = f": {readings.problems[0]}" if readings.problems else ""
        raise BadInput(f"no trajectory was found in {', '.join(map(str, settings.paths))}{first}")
    run_id = "ingest-" + digest_of(VERSION, base.digest, sorted(taken.values(), key=lambda item: item.id))[:10]
    store.start_run(RunRow(id=run_id, kind="ingest", settings=settings.model_dump_json()))
    return Intake(
        run_id=run_id,
        base=base.digest,
        readings=readings,
        taken=tuple(taken[id] for id in sorted(taken)),
        fresh=sum(len(items) for items in found.values()),
        redacted=dict(sorted(counts.items())),
        marks=marks,
    )


def mine_key(item: Taken) -> str:
    """Key of `mine_taken`: the rules and the trajectory."""
    return f"mine/{digest_of(VERSION, item.id, item.content)}"


def mine_taken(settings: IngestSettings, item: Taken) -> Mined:
    """Mine one trajectory and keep its lessons.

    Raises:
        BadInput: the store does not hold the trajectory any more.
    """
    store = open_store(settings.store)
    trajectory = store.get("trajectory", item.id, Trajectory)
    if trajectory is None:
        raise BadInput(f"the store {settings.store} has no trajectory {item.id}: was it pruned? run again")
    made = mine_one(trajectory)
    for extraction in made:
        for lesson in extraction.lessons:
            store.put("lesson", lesson.id, lesson)
        store.put("extraction", extraction.digest, extraction)
    return Mined(
        trajectory_id=item.id,
        task_id=item.task_id,
        extractions=tuple(extraction.digest for extraction in made),
        lessons=sum(len(extraction.lessons) for extraction in made),
    )


def finish(
    settings: IngestSettings, intake: Intake, mined: Sequence[Mined], failures: Sequence[Failure] = ()
) -> IngestSummary:
    """Build the candidate with its ledger, write the run's directory, and only then move the watermarks.

    Raises:
        SkillInvalid: the result breaks a rule of a skill; nothing is written.
    """
    store = open_store(settings.store)
    base = store.get("skill", intake.base, Skill)
    if base is None:
        raise BadInput(f"the store {settings.store} has no skill {intake.base[:12]}: was it pruned? run again")
    groups, quarantined = _groups(store, base, mined)
    tasks = len({item.task_id for item in intake.taken})
    skill, candidate = build_candidate(base, Groups.of(groups), settings.thresholds, tasks, limits=settings.limits)
    _keep(store, base, skill, candidate)
    directory = settings.output / intake.run_id
    target = directory / "skill" / skill.name
    write_skill(skill, target)
    summary = _summary(intake, mined, failures, candidate, quarantined, target)
    (directory / "summary.json").write_text(summary.model_dump_json(indent=2) + "\n", encoding="utf-8")
    (directory / "skill.diff").write_text(candidate.diff, encoding="utf-8")
    failed, labels = {failure.name for failure in failures}, _labels(settings)
    for path, mark in intake.marks.items():
        if not failed & {item.id for item in mark.taken}:
            store.put("source", _mark_id(settings, labels, path), mark)
    store.finish_run(intake.run_id, "completed", "")
    return summary


def _groups(store: Store, base: Skill, mined: Sequence[Mined]) -> tuple[list[EditGroup], tuple[Quarantined, ...]]:
    """The edit groups of all extractions, without what the screening withholds."""
    groups: list[EditGroup] = []
    for item in mined:
        for digest in item.extractions:
            extraction = store.get("extraction", digest, Extraction)
            if extraction is not None and extraction.lessons:
                patch = patch_of(extraction, base)
                store.put("patch", patch.digest, patch)
                groups += cut_into_groups(patch, extraction.kind)
    kept, aside = [], []
    for group in Groups.of(groups).groups:
        reason = screened(group.text)
        if reason:
            aside.append(Quarantined(text=group.text[:500], reason=reason, trajectories=group.support.trajectories))
        else:
            kept.append(group)
    return kept, tuple(aside)


def _keep(store: Store, base: Skill, skill: Skill, candidate: Candidate) -> None:
    store.put("skill", skill.digest, skill)
    if skill.digest == base.digest:
        return
    parent = store.get("support", base.digest, SupportLedger)
    ledger = build_ledger(base, skill, candidate, lambda id: store.get("lesson", id, Lesson), parent)
    store.put("support", skill.digest, united_ledgers(store.get("support", skill.digest, SupportLedger), ledger))


def _summary(
    intake: Intake,
    mined: Sequence[Mined],
    failures: Sequence[Failure],
    candidate: Candidate,
    quarantined: tuple[Quarantined, ...],
    target: Path,
) -> IngestSummary:
    readings = intake.readings
    return IngestSummary(
        run_id=intake.run_id,
        files=len(readings.files),
        unchanged=sum(file.state == "unchanged" for file in readings.files),
        trajectories=len(intake.taken),
        fresh=intake.fresh,
        outcomes=dict(sorted(Counter(item.outcome for item in intake.taken).items())),
        labels=dict(sorted(Counter(item.source for item in intake.taken).items())),
        redacted=intake.redacted,
        lessons=sum(item.lessons for item in mined),
        written=len(candidate.applied),
        dropped=len(candidate.dropped),
        quarantined=quarantined,
        problems=readings.counts.get("problem", 0),
        first_problems=tuple(Redactor().text(str(problem)) for problem in readings.problems[:SHOWN_PROBLEMS]),
        failures=tuple(failures),
        candidate=candidate,
        candidate_directory=target,
    )


def _taken(trajectory: Trajectory) -> Taken:
    return Taken(
        id=trajectory.id,
        content=trajectory.digest,
        task_id=trajectory.task_id,
        outcome=trajectory.outcome.kind,
        source=trajectory.outcome.source,
    )


def _known(store: Store, settings: IngestSettings) -> dict[str, Watermark]:
    """What is remembered of the files below the paths, where the store still holds all that came of them."""
    found = {}
    labels = _labels(settings)
    for given in settings.paths:
        for path in sorted(given.rglob("*")) if given.is_dir() else [given]:
            mark = store.get("source", _mark_id(settings, labels, str(path.absolute())), Watermark)
            if mark and all(store.get("trajectory", item.id, Trajectory) is not None for item in mark.taken[:1]):
                found[str(path.absolute())] = mark
    return found


def _labels(settings: IngestSettings) -> Labels | None:
    return read_labels(settings.labels) if settings.labels else None


def _mark_id(settings: IngestSettings, labels: Labels | None, path: str) -> str:
    """A file read with other labels or as another format is another source."""
    return digest_of("source", path, settings.format, labels)
