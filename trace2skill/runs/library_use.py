"""Which skills of a library the sessions of a run used: each by itself, and two in one session."""

from collections import Counter
from collections.abc import Iterable
from itertools import combinations

from pydantic import Field

from trace2skill.core.record import Record
from trace2skill.runs.runtime import Runtime
from trace2skill.traces.skill_use import skill_uses
from trace2skill.types.trajectory import Trajectory


class UsedTogether(Record):
    """Two skills, and how many sessions used both."""

    first: str
    second: str
    sessions: int


class LibraryUse(Record):
    """Use of the skills of a library, by the records of sessions."""

    sessions: int = Field(default=0, description="Sessions that were looked at: those with a call of any tool.")
    used: dict[str, int] = Field(default_factory=dict, description="By skill the sessions that opened or ran it.")
    together: tuple[UsedTogether, ...] = ()

    def __add__(self, other: "LibraryUse") -> "LibraryUse":
        both = Counter({(item.first, item.second): item.sessions for item in self.together})
        both.update({(item.first, item.second): item.sessions for item in other.together})
        return LibraryUse(
            sessions=self.sessions + other.sessions,
            used=dict(sorted(sum_of(self.used, other.used).items())),
            together=_pairs(both),
        )


def sum_of(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    """Two counts as one; what was counted as nothing stays in it."""
    return {name: one.get(name, 0) + other.get(name, 0) for name in {**one, **other}}


def use_of(rt: Runtime, trajectory_ids: Iterable[str]) -> LibraryUse:
    """The use of the library of a run in these trajectories. One that the store has lost is not counted."""
    names = {skill.name for skill in rt.library.values()}
    used, both, sessions = dict.fromkeys(sorted(names), 0), Counter[tuple[str, str]](), 0
    for id in dict.fromkeys(trajectory_ids):
        trajectory = rt.store.get("trajectory", id, Trajectory)
        if trajectory is None or not any(step.tool_calls for step in trajectory.steps):
            continue
        sessions += 1
        here = sorted({use.skill for use in skill_uses(trajectory, names)} & names)
        for name in here:
            used[name] += 1
        both.update(combinations(here, 2))
    return LibraryUse(sessions=sessions, used=used, together=_pairs(both))


def _pairs(counts: Counter[tuple[str, str]]) -> tuple[UsedTogether, ...]:
    return tuple(UsedTogether(first=a, second=b, sessions=n) for (a, b), n in sorted(counts.items()))
