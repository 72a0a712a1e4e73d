"""A session in its segments: what each asks, what was done in it, and why it is no task, as far as that can be seen."""

import re
from collections.abc import Mapping, Sequence

from trace2skill.core.record import Record
from trace2skill.mined.base import INSTALLS
from trace2skill.mined.begin_tree import BeginTree
from trace2skill.mined.replay import does_something
from trace2skill.mined.requests import request_of, why_not
from trace2skill.mined.start import inside, placed, root_of
from trace2skill.mined.task import MinedSegment
from trace2skill.mined.work import Operation, work_of
from trace2skill.traces.segments import segmented
from trace2skill.types.trajectory import Outcome, Trajectory

MOST_SEGMENTS = 40
"""So many segments of a session are done again: each may take a minute."""
INSTANCE = re.compile(r"[\w.-]{1,60}__[\w.-]{1,60}-\d{1,9}")
"""A task of SWE-bench: its repository stands in no log."""
IN_A_REPOSITORY = re.compile(r"(?:\A|[\s;&|(])git (?:status|diff|log|add|commit|checkout|clone|stash|show|branch)\b")


class NeededRepository(Record):
    """What a log says of the repository it worked in."""

    there: bool = False
    commit: str = ""


class Parts:
    """The segments of a session, each by its number from 0: `about`, `requests`, `whys`, and what was done."""

    def __init__(self, trajectory: Trajectory, outcomes: Mapping[str, Outcome], at: BeginTree | None = None) -> None:
        self.segments = segmented(trajectory)
        self.at = at
        work = work_of(trajectory)
        begins = [part.extra["segment"]["first"] if len(self.segments) > 1 else 1 for part in self.segments]
        self._bounds = list(zip(begins, [*begins[1:], len(trajectory.steps) + 1], strict=True))
        self.work, shares = work, self._shared(work)
        self.root = root_of(trajectory, work) if at is None else at.top
        self.repository = _repository_of(trajectory, work)
        self.about = abouts(trajectory, outcomes)
        if at is not None:
            told: dict[str, object] = {"repository": at.repository, "commit": at.commit, "commit_by": at.source}
            told |= {"redacted": at.known.redacted}
            self.about = [item.model_copy(update=told) for item in self.about]
        self.requests = [request_of(part, self.root) for part in self.segments]
        self.whys = [
            why_not(trajectory, part, request, share, number, self.segments)
            for number, (part, request, share) in enumerate(zip(self.segments, self.requests, shares, strict=True))
        ]
        for number in range(MOST_SEGMENTS, len(self.whys)):
            self.whys[number] = self.whys[number] or "it comes after too many others"
        self._last = max((number for number, why in enumerate(self.whys) if not why), default=-1)
        tried = [item for share in shares[: max(self._last, 0) + 1] for item in share]
        self.there, odd = placed(tried, self.root, at.inside if at else "")
        self.here, _ = placed([item for item in work if item.kind == "run" or inside(item.path, self.root)], self.root)
        self.whys = [why or odd for why in self.whys]

    @property
    def all(self) -> list[list[Operation]]:
        """What was done, by segment, whatever became of it."""
        return self._shared(self.here)

    @property
    def again(self) -> list[list[Operation]]:
        """What is to be done again, by segment, up to the last that may become a task."""
        shares = self._shared([item for item in self.there if does_something(item) and not self._installs(item)])
        return shares[: self._last + 1] if not all(self.whys) else []

    def _installs(self, item: Operation) -> bool:
        """In a repository, is it to come from the environment?"""
        return self.at is not None and bool(INSTALLS.fullmatch(" ".join(item.command.split())))

    def _shared(self, work: Sequence[Operation]) -> list[list[Operation]]:
        return [[item for item in work if first <= item.step < last] for first, last in self._bounds]


def abouts(whole: Trajectory, outcomes: Mapping[str, Outcome]) -> list[MinedSegment]:
    """What is said of each segment of a session before anything is known of it."""
    return [
        MinedSegment(
            id=part.id,
            session=whole.id,
            task_id=whole.task_id,
            parent=whole.parent,
            outcome=outcomes.get(part.id, part.outcome).kind,
            source=outcomes.get(part.id, part.outcome).source,
        )
        for part in segmented(whole)
    ]


def _repository_of(trajectory: Trajectory, work: Sequence[Operation]) -> NeededRepository:
    told = trajectory.extra.get("git")
    commit = str(told.get("commit_hash") or "") if isinstance(told, dict) else ""
    there = bool(told or trajectory.extra.get("gitBranch"))
    there = there or any(IN_A_REPOSITORY.search(item.command) for item in work)
    there = there or bool(INSTANCE.fullmatch(trajectory.task_id))
    return NeededRepository(there=there, commit=commit if re.fullmatch(r"[0-9a-f]{7,40}", commit) else "")
