"""Which skills of a library the sessions of a run used: each by itself, and two in one session."""

from collections import Counter
from collections.abc import Collection, Iterable
from itertools import combinations
from operator import not_

from pydantic import Field

from trace2skill.core.record import Record
from trace2skill.runs.intake import above
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

    sessions: int = Field(
        default=0,
        description="Sessions that were looked at: those with a call of any tool. Parts and forks of one count once.",
    )
    used: dict[str, int] = Field(default_factory=dict, description="By skill the sessions that opened or ran it.")
    together: tuple[UsedTogether, ...] = ()
    had: dict[str, int] = Field(
        default_factory=dict,
        exclude_if=not_,
        description="By skill the sessions that had it, over several runs: it may have come later than others.",
    )

    def sessions_with(self, name: str) -> int:
        """Sessions that could have used a skill: those since it is in the library."""
        return self.had.get(name, 0) if self.had else self.sessions if name in self.used else 0

    def of(self, names: Collection[str]) -> "LibraryUse":
        """The use of these skills alone."""
        used, had = ({name: counts[name] for name in counts if name in names} for counts in (self.used, self.had))
        return self.model_copy(update={"used": used, "had": had})

    def __add__(self, other: "LibraryUse") -> "LibraryUse":
        both = Counter({(item.first, item.second): item.sessions for item in self.together})
        both.update({(item.first, item.second): item.sessions for item in other.together})
        return LibraryUse(
            sessions=self.sessions + other.sessions,
            used=dict(sorted(sum_of(self.used, other.used).items())),
            together=_pairs(both),
            had={
                name: self.sessions_with(name) + other.sessions_with(name) for name in sorted({*self.used, *other.used})
            },
        )


def sum_of(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    """Two counts as one; what was counted as nothing stays in it."""
    return {name: one.get(name, 0) + other.get(name, 0) for name in {**one, **other}}


def use_of(rt: Runtime, trajectory_ids: Iterable[str]) -> LibraryUse:
    """The use of the library of a run in the sessions of these trajectories. What the store has lost is not counted."""
    names = {skill.name for skill in rt.library.values()}
    used, both = dict.fromkeys(sorted(names), 0), Counter[tuple[str, str]]()
    parents, found = dict[str, str](), dict[str, set[str]]()
    for id in dict.fromkeys(trajectory_ids):
        trajectory = rt.store.get("trajectory", id, Trajectory)
        if trajectory is None:
            continue
        parents[id] = trajectory.parent
        if not any(step.tool_calls for step in trajectory.steps):
            continue
        found[id] = {use.skill for use in skill_uses(trajectory, names)} & names
    sessions: dict[str, set[str]] = {}
    for id, here in found.items():
        sessions.setdefault((above(id, parents) or [id])[-1], set()).update(here)
    for here in sessions.values():
        used.update({name: used[name] + 1 for name in here})
        both.update(combinations(sorted(here), 2))
    return LibraryUse(sessions=len(sessions), used=used, together=_pairs(both))


def _pairs(counts: Counter[tuple[str, str]]) -> tuple[UsedTogether, ...]:
    return tuple(UsedTogether(first=a, second=b, sessions=n) for (a, b), n in sorted(counts.items()))
