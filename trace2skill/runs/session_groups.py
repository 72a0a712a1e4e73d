"""Sessions of logs in groups of which one may show how the other is done, and which groups are kept from learning.

One group are parts, forks and sub-agents of one session, sessions of one task, and those that ask the same in the same
words: no division cuts through it.
"""

from collections.abc import Iterable, Mapping

from trace2skill.core.digest import digest_of
from trace2skill.mined.requests import SHORTEST, alike, request_alone
from trace2skill.runs.mined_twins import Families
from trace2skill.store import Store
from trace2skill.types.trajectory import Trajectory

AT_ONCE = 100


class SessionGroups:
    """Groups of trajectories, sessions and their segments alike."""

    def __init__(self) -> None:
        self.families = Families()
        self.asked: dict[str, str] = {}
        """By trajectory, the words of its request that tell it apart."""

    def add(self, trajectory: Trajectory) -> None:
        """Take a session, or a segment of one."""
        for other in filter(None, (trajectory.parent, f"task {trajectory.task_id}")):
            self.families.unite(trajectory.id, other)
        said = words_of(trajectory)
        if said:
            self.asked[trajectory.id] = said
            self.families.unite(trajectory.id, f"asked {digest_of(said)}")

    def of(self, id: str) -> str:
        """The name of the group of a trajectory."""
        return digest_of("group", self.families.of(id))[:12]


def words_of(trajectory: Trajectory) -> str:
    """The request of a trajectory by the words that tell it apart; '' where it is too short to tell anything."""
    said = alike(request_alone(trajectory))
    return said if len(said) >= SHORTEST else ""


def kept_from_learning(store: Store, task_ids: Mapping[str, str], share: float) -> set[str]:
    """Of imported trajectories, given with the id of the task of each, those that are held out for an audit.

    A group is in or out by its own name, whatever else is read: about this share of the groups is held out.

    Args:
        store: where they are.
        task_ids: task ids by trajectory ids.
        share: of the groups, 0 to 1.
    """
    if not share:
        return set()
    groups, seen, asked = SessionGroups(), {*task_ids}, {*task_ids}
    while asked:
        above = set[str]()
        for trajectory in stored(store, asked):
            groups.add(trajectory)
            above |= {trajectory.parent} - {""}
        asked = above - seen  # a part, or a fork, may be here without the whole
        seen |= asked
    return {id for id in task_ids if _drawn(groups.of(id)) < share}


def stored(store: Store, ids: Iterable[str]) -> Iterable[Trajectory]:
    """Trajectories of the store by their ids, a few at a time; what is not there is left out."""
    wanted = sorted(ids)
    for start in range(0, len(wanted), AT_ONCE):
        found = store.several("trajectory", wanted[start : start + AT_ONCE], Trajectory)
        yield from (found[id] for id in sorted(found))


def _drawn(group: str) -> float:
    return int(digest_of("held out for an audit", group)[:8], 16) / 16**8
