"""The runs over a skill that have ended, in the order in which they began: what they tried, and when what was read."""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple, TypeVar

from trace2skill.core.forms import from_text_or_none
from trace2skill.evaluation.ablation import Ablation
from trace2skill.runs.pruned import Pruned
from trace2skill.runs.shrunk import Shrunk
from trace2skill.runs.skill_reviews import SkillReviews, Vote, reviews_of, votes_in
from trace2skill.runs.summary import RunSummary
from trace2skill.store import RunHead, Store

S = TypeVar("S", RunSummary, Pruned, Shrunk)
KINDS = ("run", "ingest", "ablate", "shrink")
"""Kinds of runs that try rules or read trajectories for them."""


class MeasuredCandidate(NamedTuple):
    """An ablation of a candidate; `at` is the place of its run in the order."""

    at: int
    ablation: Ablation
    won: bool = False
    """Did the gate let the skill through that the ablation has pruned?"""


class Past(NamedTuple):
    """What earlier runs over one skill did."""

    runs: tuple[tuple[int, RunSummary], ...]
    """Refreshes with their place in the order, without what they analysed."""
    measured: Mapping[str, MeasuredCandidate]
    """The last ablation of a candidate, by the candidate's digest."""
    read: Mapping[str, int]
    """Trajectories that were analysed, with the place of the first run that did."""
    shrunk: tuple[tuple[int, Shrunk], ...] = ()
    """Passes that were to make the skill smaller, with the place of their run."""
    votes: tuple[Vote, ...] = ()
    """What reviewers of pull requests have decided."""

    def is_after(self, trajectory_id: str, at: int) -> bool:
        """Was it read only after the run at that place? What no run has read yet is being read now."""
        return self.read.get(trajectory_id, at + 1) > at

    def until(self, at: int, last: RunSummary) -> "Past":
        """The past as it was once the run at that place had ended; `last` is what it came to."""
        runs = (*((n, summary) for n, summary in self.runs if n < at), (at, last))
        read = {id: n for id, n in self.read.items() if n < at}
        measured = {id: found for id, found in self.measured.items() if found.at <= at}
        shrunk = tuple(found for found in self.shrunk if found[0] < at) + _pass_of(at, last)
        votes = tuple(vote for vote in self.votes if vote.at <= at)
        return Past(runs, measured, {**{item.trajectory_id: at for item in last.analyses}, **read}, shrunk, votes)


NO_PAST = Past((), {}, {})


def past_of(
    store: Store, skill: str, among: Collection[str] | None = None, reviews: SkillReviews | None = None
) -> Past:
    """What the store holds of runs over the skill of that name: of those `among` alone, by id, where that is given.

    What reviewers have decided is what the store has of it by now, or what `reviews` says.
    """
    heads = store.run_heads()
    told = [(at, head) for at, head in enumerate(heads) if head.told and (among is None or head.id in among)]
    votes = votes_in(reviews or reviews_of(store, skill), {head.id: at for at, head in enumerate(heads)})
    runs: list[tuple[int, RunSummary]] = []
    read: dict[str, int] = {}
    for at, head in told:
        if head.kind == "run" and (summary := _of(store, head.id, skill)) is not None:
            runs.append((at, summary.model_copy(update={"analyses": ()})))
            _first_read(read, summary, at)
    if not runs and not votes:  # so that nobody asks when something was read: summaries of logs can be large
        return NO_PAST
    measured: dict[str, MeasuredCandidate] = {}
    shrunk = [found for at, summary in runs for found in _pass_of(at, summary)]
    for at, head in told:
        if head.kind == "ingest" and (summary := _of(store, head.id, skill)) is not None:
            _first_read(read, summary, at)
        elif head.kind == "ablate" and (pruned := _summary(store, head.id, Pruned)) is not None:
            won = pruned.decision.verdict == "promote"
            measured[pruned.ablation.candidate] = MeasuredCandidate(at, pruned.ablation, won)
        elif head.kind == "shrink" and (found := _summary(store, head.id, Shrunk)) is not None:
            shrunk += [(at, found)] * (found.skill_name == skill)
    return Past(tuple(runs), measured, read, tuple(sorted(shrunk, key=lambda item: item[0])), votes)


def _pass_of(at: int, summary: RunSummary) -> tuple[tuple[int, Shrunk], ...]:
    return ((at, summary.shrunk),) if summary.shrunk else ()


def _summary(store: Store, run_id: str, cls: type[S]) -> S | None:
    row = store.run(run_id)
    return from_text_or_none(row.summary, cls) if row else None


def _of(store: Store, run_id: str, skill: str) -> RunSummary | None:
    summary = _summary(store, run_id, RunSummary)
    return summary if summary is not None and summary.skill_name == skill else None


def _first_read(read: dict[str, int], summary: RunSummary, at: int) -> None:
    for item in summary.analyses:
        read[item.trajectory_id] = min(at, read.get(item.trajectory_id, at))


def ended(rows: Iterable[RunHead]) -> tuple[str, ...]:
    """The ids of runs whose outcome stands."""
    return tuple(row.id for row in rows if row.kind in KINDS and row.state == "completed" and row.told)
