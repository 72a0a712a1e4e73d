"""A canary: two versions of a skill served to real sessions, and their ends counted from logs until it is sure.

The folder that agents are served from holds both versions and says which session gets which; it needs no store. What
was counted is in the store: each session once, with the first end that was known of it, in the order in which sessions
were served. One whose end is not known holds up those behind it, for so many days: the order in which ends become known
depends on the version, and would tell of it (`trace2skill.evaluation.canary`).
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from operator import not_
from typing import Literal

from pydantic import Field

from trace2skill.core import clock
from trace2skill.core.digest import digest_of
from trace2skill.core.errors import BadInput
from trace2skill.core.record import Record
from trace2skill.evaluation.canary import CanaryEnd, CanaryTest, has_candidate, skewed, weighed
from trace2skill.runs.canary_logs import LoggedSession, ends_in
from trace2skill.runs.canary_serving import Served
from trace2skill.runs.sources import Sources
from trace2skill.store import Store
from trace2skill.traces.values import instant

Ended = Literal["", "better", "worse", "undecided", "stopped"]


class Canary(Record, form="Canary", version=1):
    """Two versions side by side, and the sessions that were counted."""

    id: str
    skill_name: str
    champion: str = Field(description="Digest of the version in use when it began.")
    candidate: str = Field(description="Digest of the other.")
    skill: str = Field(description="Where the champion is used from: an absolute directory, or git+....")
    share: float = Field(gt=0, lt=1, description="Of the sessions, those that get the candidate.")
    level: float = Field(gt=0, lt=1, description="Chance of an end between versions that are equally good.")
    most: int = Field(ge=1, description="Sessions with a known end, after which it ends undecided.")
    patience: float = Field(default=7.0, ge=0, description="Days that a session may hold up those behind it.")
    started: str = Field(description="When (ISO 8601).")
    by_time: bool | None = Field(
        default=None,
        description="Do sessions count that began since the start, as nobody noted what was served? None until a look.",
    )
    seen: tuple[CanaryEnd, ...] = Field(default=(), description="Tested, in the order in which they were served.")
    given_up: tuple[str, ...] = Field(
        default=(), exclude_if=not_, description="Sessions whose end nobody knew in time, or that came too late."
    )
    ahead: dict[str, float] = Field(
        default_factory=dict, exclude_if=not_, description="Known ends of sessions that wait behind an open one."
    )
    last: float = Field(default=0.0, description="When the last session that was tested was served, since 1970.")
    ended: Ended = Field(default="", description="How it ended; '' while it goes on.")
    why: str = Field(default="", description="How it came to that, in words.")


class CanaryLook(Record):
    """What one look at the logs found."""

    canary: Canary
    test: CanaryTest
    new: int = Field(description="Sessions that this look tested.")
    unknown: tuple[int, int] = Field(description="Sessions without a known end: with the champion, the candidate.")
    waiting: int = Field(description="Sessions with a known end that wait behind one without.")
    not_served: int = Field(description="Sessions in the logs that the canary did not serve.")
    uneven: float | None = Field(default=None, description="Chance of so uneven a split, where that is no chance.")

    problems: int = Field(default=0, exclude_if=not_, description="Lines, files and traces that could not be read.")
    first_problem: str = Field(default="", exclude_if=not_)
    not_pulled: int = Field(
        default=0, exclude_if=not_, description="Traces and pages that trace stores did not give: nothing was counted."
    )

    @property
    def in_words(self) -> str:
        """For a reader."""
        told = [self.test.in_words]
        if self.problems:
            told.append(f"lines, files and traces that could not be read: {self.problems} ({self.first_problem})")
        if self.not_pulled:
            told.append("trace stores did not give all that they have: nothing was counted; run the same command again")
        if self.uneven is not None:
            told.append(
                f"the split of the sessions is no chance (p = {self.uneven:.1g}): sessions of one version are missing "
                "in the logs, and nothing is decided"
            )
        if any(self.unknown):
            champion, candidate = self.unknown
            told.append(f"{champion} sessions with the champion and {candidate} with the candidate have no known end")
        if self.waiting:
            told.append(
                f"{self.waiting} with a known end wait behind one without, for {self.canary.patience:g} days at most"
            )
        if self.not_served:
            told.append(f"{self.not_served} sessions in the logs were not served")
        if self.canary.by_time:
            told.append("most sessions were not noted when they were served: all that began since the start count")
        return "; ".join(told)


def canary_id(champion: str, candidate: str, started: str) -> str:
    """A name for it: two canaries of the same versions split sessions in different ways."""
    return "C" + digest_of("canary", champion, candidate, started)[:12]


def look(store: Store, canary: Canary, served: Mapping[str, Served], sources: Sources) -> CanaryLook:
    """Count the sessions in logs whose end is new, and test. The canary is kept with what it has seen, not ended.

    Args:
        store: keeps the canary.
        canary: as it was when the command began.
        served: the sessions that the folder noted, by name, in their order.
        sources: the logs.

    Raises:
        BadInput: a path, the labels or the format is not what it should be; or the canary was changed meanwhile.
    """
    read = ends_in(sources)
    found = read.sessions
    since = {name: item for name, item in found.items() if instant(canary.started) <= item.began < float("inf")}
    if canary.by_time is None and found:
        noted = sum(name in served for name in found)
        canary = canary.model_copy(update={"by_time": not served or 2 * noted < len(since)})
    mine = _in_order(canary, found, since, served)
    # What one pull lacks is no chance: long sessions fail more often, and so do the requests for them.
    after = canary if read.not_pulled else _tested(canary, mine)
    with store.alone(f"canary {canary.id}"):
        now = store.get("canary", canary.id, Canary)
        if now is None or (now.ended, now.seen) != (canary.ended, canary.seen):
            raise BadInput(f"the canary {canary.id} was changed while the logs were read: run the same command again")
        store.put("canary", canary.id, after)
    known = {one.session for one in after.seen}
    open_ = [
        item.name for item in mine if item.score is None and item.name not in known and item.name not in after.ahead
    ]
    sides = [has_candidate(canary.id, name, canary.share) for name in open_]
    return CanaryLook(
        canary=after,
        test=weighed(after.seen, canary.share, canary.level),
        new=len(after.seen) - len(canary.seen),
        unknown=(len(sides) - sum(sides), sum(sides)),
        waiting=len(after.ahead),
        not_served=sum(name not in {item.name for item in mine} for name in found),
        uneven=skewed(len(after.seen), sum(one.candidate for one in after.seen), canary.share),
        problems=read.problems,
        first_problem=read.first_problem,
        not_pulled=read.not_pulled,
    )


def _in_order(
    canary: Canary,
    found: Mapping[str, LoggedSession],
    since: Mapping[str, LoggedSession],
    served: Mapping[str, Served],
) -> list[LoggedSession]:
    """The canary's sessions in the order in which they were served, with what is known of each; also those that no log
    has yet, where it was noted that they were served.
    """
    if canary.by_time:
        return sorted(since.values(), key=lambda item: (item.began, item.name))
    logged = {name: found[name] for name in served if name in found}
    return [
        LoggedSession(name=name, began=note.at, score=logged[name].score if name in logged else None)
        for name, note in served.items()
    ]


def _tested(canary: Canary, mine: Sequence[LoggedSession]) -> Canary:
    """The canary with all sessions up to the first that is open."""
    given_up = [*canary.given_up]
    done = {one.session for one in canary.seen} | {*given_up}
    seen, ahead, last = [*canary.seen], dict(canary.ahead), canary.last
    limit = (clock.now() - timedelta(days=canary.patience)).timestamp()
    open_ = False
    for item in mine:
        if item.name in done:
            continue
        score = ahead.get(item.name, item.score)
        if item.began < last:  # what stood before others that were tested cannot be put there any more
            given_up.append(item.name)
            ahead.pop(item.name, None)
        elif score is None and item.began < limit:
            given_up.append(item.name)
        elif score is None:
            open_ = True
        elif open_:
            ahead[item.name] = score
        else:
            ahead.pop(item.name, None)
            seen.append(CanaryEnd(item.name, has_candidate(canary.id, item.name, canary.share), score))
            last = max(last, item.began)
    more = {"seen": tuple(seen), "ahead": ahead, "given_up": tuple(given_up), "last": last}
    return canary.model_copy(update=more)
