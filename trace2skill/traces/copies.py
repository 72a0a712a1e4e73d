"""Copied history: what a session that was resumed, forked or continued repeats of another is no new evidence.

A step of the agent has an identity where its log names the response of the model (`Step.identity`). Of a trajectory
only what was not seen under another file is new. A step without an identity goes with the response that follows it,
at the end with the one before.
"""

from collections.abc import Iterator, Mapping

from trace2skill.traces.session import trajectory_id
from trace2skill.types.trajectory import Step, Trajectory, Usage

LENGTH = 16
"""Characters of an identity."""


class Copies:
    """The responses that were seen, each with the trajectory and the file it was first seen in."""

    def __init__(self) -> None:
        self._seen: dict[int, tuple[str, str]] = {}
        self._earlier: dict[str, Mapping[str, str]] = {}
        self._of: dict[str, dict[str, list[str]]] = {}

    def remember(self, path: str, identities: Mapping[str, str]) -> None:
        """Take over what was remembered of a file: `Copies.of` at another time."""
        self._earlier[path] = identities
        for id, joined in identities.items():
            owner = (id, path)
            for name in _parts(joined):
                self._seen.setdefault(int(name, 16), owner)

    def forget(self, path: str) -> None:
        """Drop what is known of a file that is read anew."""
        for joined in (*self._earlier.pop(path, {}).values(), *self.of(path).values()):
            for name in _parts(joined):
                if self._seen.get(int(name, 16), ("", ""))[1] == path:
                    del self._seen[int(name, 16)]
        self._of.pop(path, None)

    def of(self, path: str) -> dict[str, str]:
        """The identities that a file brought in this reading, by trajectory, each put together in one text."""
        return {id: "".join(names) for id, names in self._of.get(path, {}).items()}

    def paths(self, trajectory: Trajectory) -> set[str]:
        """The files in which responses of a trajectory were seen first."""
        found = (self._seen.get(int(step.identity, 16)) for step in trajectory.steps if step.identity)
        return {owner[1] for owner in found if owner}

    def new_in(self, trajectory: Trajectory, path: str) -> tuple[Trajectory | None, int]:
        """The trajectory without what is a copy of something seen before, and how many steps that were.

        None where nothing is left. What is left has its own numbers and tokens, links to where it comes from
        (`parent`), and says in `extra.copied` how many steps it had in common with what.
        """
        owner = ""
        known: list[bool | None] = []
        for step in trajectory.steps:
            before = self._seen.get(int(step.identity, 16)) if step.identity else None
            known.append((before is not None) if step.identity else None)
            owner = before[0] if before else owner
        here = (trajectory.id, path)
        for step in trajectory.steps:
            if step.identity and self._seen.setdefault(int(step.identity, 16), here) is here:
                self._of.setdefault(path, {}).setdefault(trajectory.id, []).append(step.identity)
        if not any(known):
            return trajectory, 0
        copied = _settled(known)
        own = [step for step, is_copy in zip(trajectory.steps, copied, strict=True) if not is_copy]
        if not any(step.source == "agent" for step in own):
            return None, sum(copied)
        return _rest(trajectory, own, owner, sum(copied)), sum(copied)


def _parts(joined: str) -> Iterator[str]:
    return (joined[at : at + LENGTH] for at in range(0, len(joined), LENGTH))


def _settled(known: list[bool | None]) -> list[bool]:
    """For each step, whether it is a copy. One that has no identity goes with the next that has one, else the last."""
    last = next((item for item in reversed(known) if item is not None), False)
    copied, after = [], last
    for item in reversed(known):
        after = after if item is None else item
        copied.append(bool(after))
    return copied[::-1]


def _rest(trajectory: Trajectory, own: list[Step], owner: str, copied: int) -> Trajectory:
    steps = tuple(step.model_copy(update={"number": number}) for number, step in enumerate(own, start=1))
    told = any(step.usage for step in trajectory.steps)
    usage = sum((step.usage for step in steps if step.usage), Usage()) if told else trajectory.usage
    of = {"of": owner, "steps": copied}
    parent = trajectory.parent or (owner if owner != trajectory.id else "")
    extra = {**trajectory.extra, "copied": of}
    return trajectory.model_copy(update={"steps": steps, "usage": usage, "parent": parent, "extra": extra})


def free_id(id: str, source: str, digest: str, taken: Mapping[str, str]) -> str:
    """The id under which what a source calls so is kept: the next that nothing else has, or that just this has.

    Args:
        id: as the log has it.
        source: the name of the log.
        digest: of what is kept.
        taken: digests by the ids that are taken.
    """
    while taken.get(id, digest) != digest:
        id = trajectory_id(id, source)
    return id
