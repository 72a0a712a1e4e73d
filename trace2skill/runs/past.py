"""The runs over a skill that have ended, in the order in which they began: what they tried, and when what was read."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from trace2skill.core.forms import from_text_or_none
from trace2skill.evaluation.ablation import Ablation
from trace2skill.runs.pruned import Pruned
from trace2skill.runs.summary import RunSummary
from trace2skill.store import RunRow, Store

KINDS = ("run", "ingest", "ablate")
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
    """Refreshes with their place in the order."""
    measured: Mapping[str, MeasuredCandidate]
    """The last ablation of a candidate, by the candidate's digest."""
    read: Mapping[str, int]
    """Trajectories that were analysed, with the place of the first run that did."""

    def is_after(self, trajectory_id: str, at: int) -> bool:
        """Was it read only after the run at that place? What no run has read yet is being read now."""
        return self.read.get(trajectory_id, at + 1) > at

    def until(self, at: int, last: RunSummary) -> "Past":
        """The past as it was once the run at that place had ended; `last` is what it came to."""
        runs = (*((n, summary) for n, summary in self.runs if n < at), (at, last))
        read = {id: n for id, n in self.read.items() if n < at}
        measured = {id: found for id, found in self.measured.items() if found.at <= at}
        return Past(runs, measured, {**{item.trajectory_id: at for item in last.analyses}, **read})


NO_PAST = Past((), {}, {})


def past_of(store: Store, skill: str, among: Collection[str] | None = None) -> Past:
    """What the store holds of runs over the skill of that name: of those `among` alone, by id, where that is given."""
    runs: list[tuple[int, RunSummary]] = []
    measured: dict[str, MeasuredCandidate] = {}
    read: dict[str, int] = {}
    for at, row in enumerate(store.runs()):
        if not row.summary or (among is not None and row.id not in among):
            continue
        if row.kind in ("run", "ingest"):
            summary = from_text_or_none(row.summary, RunSummary)
            if summary is not None and summary.skill_name == skill:
                runs += [(at, summary)] if row.kind == "run" else []
                for item in summary.analyses:
                    read.setdefault(item.trajectory_id, at)
        elif row.kind == "ablate":
            pruned = from_text_or_none(row.summary, Pruned)
            if pruned is not None:
                measured[pruned.ablation.candidate] = MeasuredCandidate(
                    at, pruned.ablation, pruned.decision.verdict == "promote"
                )
    return Past(tuple(runs), measured, read)


def ended(rows: Collection[RunRow]) -> tuple[str, ...]:
    """The ids of runs whose outcome stands."""
    return tuple(row.id for row in rows if row.kind in KINDS and row.state == "completed" and row.summary)
