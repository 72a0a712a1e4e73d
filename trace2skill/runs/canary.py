"""A canary: two versions of a skill served to real sessions, and their ends counted from logs until it is sure.

The folder that agents are served from holds both versions and says which session gets which; it needs no store. What
was counted is in the store: each session once, with the first end that was known of it, in the order in which these
became known, so that looking again and again changes nothing of the test (`trace2skill.evaluation.canary`).
"""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import Field, ValidationError

from trace2skill.core import clock
from trace2skill.core.digest import digest_of
from trace2skill.core.errors import BadInput
from trace2skill.core.record import Record
from trace2skill.core.swap import swap_in
from trace2skill.evaluation.canary import CanaryEnd, CanaryTest, has_candidate, skewed, weighed
from trace2skill.runs.reading_progress import ReadingProgress
from trace2skill.runs.skill_usage import whole_of
from trace2skill.runs.sources import Sources
from trace2skill.skills.skill import Skill, write_skill
from trace2skill.store import Store
from trace2skill.traces import ReadFile, read_paths
from trace2skill.traces.outcomes import labelled, read_labels
from trace2skill.traces.own_format import reader_for
from trace2skill.traces.segments import segmented
from trace2skill.traces.values import instant
from trace2skill.traces.verdicts import Verdicts, verdicts_for
from trace2skill.types.trajectory import Trajectory

ABOUT, SERVED = "canary.json", "served.jsonl"
Ended = Literal["", "better", "worse", "undecided", "stopped"]


class Canary(Record, form="Canary", version=1):
    """Two versions side by side, and the sessions that were counted."""

    id: str
    skill_name: str
    champion: str = Field(description="Digest of the version in use when it began.")
    candidate: str = Field(description="Digest of the other.")
    skill: str = Field(description="Where the champion is used from.")
    share: float = Field(gt=0, lt=1, description="Of the sessions, those that get the candidate.")
    level: float = Field(gt=0, lt=1, description="Chance of an end between versions that are equally good.")
    most: int = Field(ge=1, description="Sessions with a known end, after which it ends undecided.")
    started: str = Field(description="When (ISO 8601).")
    seen: tuple[CanaryEnd, ...] = Field(default=(), description="In the order in which their ends became known.")
    ended: Ended = Field(default="", description="How it ended; '' while it goes on.")
    why: str = Field(default="", description="How it came to that, in words.")


class Serving(Record):
    """What the folder says that agents are served from."""

    id: str
    share: float
    champion: str = Field(description="The directory of the champion, in the folder.")
    candidate: str
    serves: Literal["both", "champion", "candidate"] = "both"


class CanaryLook(Record):
    """What one look at the logs found."""

    canary: Canary
    test: CanaryTest
    new: int = Field(description="Sessions whose end this look learned.")
    unknown: tuple[int, int] = Field(description="Sessions without a known end: with the champion, the candidate.")
    not_served: int = Field(description="Sessions in the logs that the canary did not serve.")
    uneven: float | None = Field(default=None, description="Chance of so uneven a split, where that is no chance.")
    by_time: bool = Field(description="Nobody noted what was served: sessions that began since the start count.")

    @property
    def in_words(self) -> str:
        """For a reader."""
        told = [self.test.in_words]
        if self.uneven is not None:
            told.append(
                f"the split of the sessions is no chance (p = {self.uneven:.1g}): sessions of one version are missing "
                "in the logs, and nothing is decided"
            )
        if any(self.unknown):
            told.append(
                "{} sessions with the champion and {} with the candidate have no known end".format(*self.unknown)
            )
        if self.not_served:
            told.append(f"{self.not_served} sessions in the logs were not served")
        if self.by_time:
            told.append("no session was noted when it was served: all that began since the start count, by their names")
        return "; ".join(told)


def begin(store: Store, folder: Path, canary: Canary, champion: Skill, candidate: Skill) -> None:
    """Write the folder that agents are served from, and keep the canary.

    Raises:
        BadInput: the folder is there and no canary's, or one goes on in it; or it cannot be written.
    """
    if folder.exists():
        if (served := _serving(folder)) is None and any(folder.iterdir()):
            raise BadInput(f"{folder} is there and no canary's, and would be lost: name another folder")
        before = store.get("canary", served.id, Canary) if served else None
        if before is not None and not before.ended:
            raise BadInput(f"a canary goes on in {folder}: end it first with `trace2skill canary stop {folder}`")
    places = {side: f"{side}/{canary.skill_name}" for side in ("champion", "candidate")}
    serving = Serving(id=canary.id, share=canary.share, **places)

    def write(beside: Path) -> None:
        write_skill(champion, beside / serving.champion)
        write_skill(candidate, beside / serving.candidate)
        (beside / ABOUT).write_text(serving.model_dump_json(indent=2) + "\n")

    try:
        swap_in(folder, write)
    except OSError as error:
        raise BadInput(f"{folder} cannot be written: {error.strerror}") from error
    store.put("canary", canary.id, canary)


def canary_id(champion: str, candidate: str, started: str) -> str:
    """A name for it: two canaries of the same versions split sessions in different ways."""
    return "C" + digest_of("canary", champion, candidate, started)[:12]


class Served(NamedTuple):
    """What a session gets."""

    directory: Path
    noted: bool
    """Was it written down? Where the folder cannot be written, a look goes by the times of the sessions."""


def serve(folder: Path, session: str) -> Served:
    """The directory of the version that a session gets, and note that it did.

    Raises:
        BadInput: the folder is no canary's, or the session has no name.
    """
    serving = serving_in(folder)
    if not session.strip():
        raise BadInput("the session has no name: which version it gets is drawn by its name")
    if serving.serves != "both":
        return Served(folder / getattr(serving, serving.serves), noted=True)
    candidate = has_candidate(serving.id, session, serving.share)
    line = json.dumps({"session": session, "candidate": candidate, "time": clock.now().isoformat()})
    noted = False
    with suppress(OSError), open(folder / SERVED, "a", encoding="utf-8") as file:
        file.write(f"{line}\n")
        noted = True
    return Served(folder / (serving.candidate if candidate else serving.champion), noted)


def serving_in(folder: Path) -> Serving:
    """What a canary's folder says.

    Raises:
        BadInput: it is none.
    """
    found = _serving(folder)
    if found is None:
        raise BadInput(f"{folder} is no canary's folder: `trace2skill canary start` makes one")
    return found


def end(store: Store, folder: Path, canary: Canary, ended: Ended, why: str) -> Canary:
    """End it: from now on every session gets the champion, or the candidate where it was better."""
    over = canary.model_copy(update={"ended": ended, "why": why})
    store.put("canary", canary.id, over)
    serves = "candidate" if ended == "better" else "champion"
    serving = serving_in(folder).model_copy(update={"serves": serves})
    beside = folder / f".{ABOUT}.new"
    beside.write_text(serving.model_dump_json(indent=2) + "\n")
    os.replace(beside, folder / ABOUT)
    return over


def look(store: Store, folder: Path, canary: Canary, sources: Sources) -> CanaryLook:
    """Count the sessions in logs whose end is new, and test. The canary is kept with what it has seen, not ended.

    Raises:
        BadInput: a path, the labels or the format is not what it should be.
    """
    served = _noted(folder)
    found = _ends(sources)
    mine = {name: item for name, item in found.items() if _is_mine(name, item, served, canary)}
    known = {one.session for one in canary.seen}
    fresh = [(item.began, name, item.score) for name, item in mine.items() if name not in known]
    seen = [
        CanaryEnd(name, has_candidate(canary.id, name, canary.share), score)
        for _, name, score in sorted(fresh, key=lambda one: one[:2])
        if score is not None
    ]
    canary = canary.model_copy(update={"seen": (*canary.seen, *seen)})
    store.put("canary", canary.id, canary)
    open_ = [name for name, item in mine.items() if item.score is None and name not in known]
    sides = [has_candidate(canary.id, name, canary.share) for name in open_]
    every = [one.candidate for one in canary.seen] + sides
    return CanaryLook(
        canary=canary,
        test=weighed(canary.seen, canary.share, canary.level),
        new=len(seen),
        unknown=(len(sides) - sum(sides), sum(sides)),
        not_served=len(found) - len(mine),
        uneven=skewed(len(every), sum(every), canary.share),
        by_time=not served,
    )


@dataclass
class _Session:
    outcomes: set[str] = field(default_factory=set)
    began: float = float("inf")

    @property
    def score(self) -> float | None:
        """0 where any part of it failed, 1 where one passed and none failed, none where nobody says."""
        return 0.0 if "failed" in self.outcomes else 1.0 if "passed" in self.outcomes else None


@dataclass
class _Ends(ReadingProgress):
    verdicts: Verdicts
    names: dict[str, str] = field(default_factory=dict)
    sessions: dict[str, _Session] = field(default_factory=dict)

    def take(self, trajectory: Trajectory, file: ReadFile, number: int) -> None:
        """See `Taker`."""
        del number
        whole, apart = whole_of(trajectory)
        if apart:
            return
        name = self.names.setdefault(whole, trajectory.session or whole)
        session = self.sessions.setdefault(name, _Session())
        session.outcomes |= {labelled(part, self.verdicts, file.path).outcome.kind for part in segmented(trajectory)}
        session.began = min([session.began, *(instant(step.timestamp) for step in trajectory.steps if step.timestamp)])


def _ends(sources: Sources) -> Mapping[str, _Session]:
    verdicts = verdicts_for(sources.paths, read_labels(sources.labels) if sources.labels else None)
    reader = reader_for(sources.format) if sources.format else None
    counting = _Ends(verdicts)
    read_paths(sources.paths, counting, reader=reader, aside=verdicts.files)
    return counting.sessions


def _is_mine(name: str, session: _Session, served: frozenset[str], canary: Canary) -> bool:
    return name in served if served else session.began >= instant(canary.started)


def _noted(folder: Path) -> frozenset[str]:
    """The sessions that were served. A line that a crash cut off names none."""
    found = set()
    with suppress(FileNotFoundError), open(folder / SERVED, encoding="utf-8", errors="replace") as file:
        for line in file:
            with suppress(ValueError):
                told: Any = json.loads(line)
                if isinstance(told, dict) and isinstance(told.get("session"), str):
                    found.add(told["session"])
    return frozenset(found)


def _serving(folder: Path) -> Serving | None:
    try:
        return Serving.model_validate_json((folder / ABOUT).read_bytes())
    except (OSError, ValidationError):
        return None
