"""Sessions of logs in groups of which one may show how the other is done, and which groups are kept from learning.

One group are parts, forks and sub-agents of one session, sessions of one task, and those that ask the same in the same
words: first, or with what was said on top of it. No division cuts through it.
"""

from collections.abc import Iterable, Mapping, Sequence

from trace2skill.core.digest import digest_of
from trace2skill.mined.requests import SHORTEST, alike, request_alone
from trace2skill.runs.mined_twins import Families
from trace2skill.safety.shown import hides
from trace2skill.store import Store
from trace2skill.types.trajectory import Step, Trajectory

AT_ONCE = 100


class SessionGroups:
    """Groups of trajectories, sessions and their segments alike."""

    def __init__(self) -> None:
        self.families = Families()
        self.asked: dict[str, frozenset[str]] = {}
        """By trajectory, its request by the words that tell it apart: see `words_of`."""
        self._began: dict[str, str] = {}
        """By trajectory, digests of the first words of sessions: of no later part, and of no sub-agent."""

    def add(self, trajectory: Trajectory) -> None:
        """Take a session, or a segment of one."""
        for other in filter(None, (trajectory.parent, f"task {trajectory.task_id}")):
            self.families.unite(trajectory.id, other)
        self.asked[trajectory.id] = words_of(trajectory)
        for said in self.asked[trajectory.id]:
            self.families.unite(trajectory.id, f"asked {digest_of(said)}")
        part = trajectory.extra.get("segment")
        begins = part.get("first") == 1 if isinstance(part, dict) else not trajectory.parent
        if begins and (first := _telling(first_request(trajectory))):
            self._began[trajectory.id] = digest_of(first)

    def of(self, id: str) -> str:
        """The name of the group of a trajectory."""
        return digest_of("group", self.families.of(id))[:12]

    def lots(self) -> dict[str, str]:
        """By family, what it is drawn by: how its sessions began, which stays when others that ask the same join it."""
        found: dict[str, str] = {}
        for id, began in self._began.items():
            name = self.families.of(id)
            found[name] = min(began, found.get(name, began))
        return found


def words_of(trajectory: Trajectory) -> frozenset[str]:
    """The request of a trajectory by the words that tell it apart: the first, and with what was said on top of them.

    None where it is too short to tell anything.
    """
    return frozenset({_telling(first_request(trajectory)), _telling(request_alone(trajectory))} - {""})


def first_request(part: Trajectory) -> str:
    """What was said before the agent did anything; what was said on top of it later would tell how it is done."""
    return "\n\n".join(step.message.strip() for step in before_work(part) if step.source == "user" and is_said(step))


def before_work(part: Trajectory) -> Sequence[Step]:
    """The steps before the first of the agent."""
    place = next((n for n, step in enumerate(part.steps) if step.source == "agent"), len(part.steps))
    return part.steps[:place]


def is_said(step: Step) -> bool:
    """Did somebody say it, and no program that left its mark?"""
    return "mark" not in step.extra and bool(step.message.strip())


def _telling(request: str) -> str:
    """A request without what differs where the same is asked; as it stands where little is left ("Fix ./a/b")."""
    seen = "".join(sign for sign in request if not hides(sign))
    return next((text for text in (alike(seen), " ".join(seen.lower().split())) if len(text) >= SHORTEST), "")


def kept_from_learning(store: Store, task_ids: Mapping[str, str], share: float) -> set[str]:
    """Of imported trajectories, given with the id of the task of each, those that are held out for an audit.

    A group is in or out by what its sessions asked first, whatever else is read: about this share of the groups is out.

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
    lots = groups.lots()
    return {id for id in task_ids if _drawn(lots.get(name := groups.families.of(id), name)) < share}


def stored(store: Store, ids: Iterable[str]) -> Iterable[Trajectory]:
    """Trajectories of the store by their ids, a few at a time; what is not there is left out."""
    wanted = sorted(ids)
    for start in range(0, len(wanted), AT_ONCE):
        found = store.several("trajectory", wanted[start : start + AT_ONCE], Trajectory)
        yield from (found[id] for id in sorted(found))


def _drawn(lot: str) -> float:
    return int(digest_of("held out for an audit", lot)[:8], 16) / 16**8
