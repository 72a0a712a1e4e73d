"""Choosing among candidates of one run, each evolved from rollouts with seeds of its own."""

from collections.abc import Sequence

from trace2skill.consolidate.candidate import Candidate
from trace2skill.core.record import Record
from trace2skill.runs.distill import Distilled
from trace2skill.runs.replayed import Replayed
from trace2skill.runs.round_score import RoundScore
from trace2skill.runs.summary import CandidateScore
from trace2skill.runs.turned import Turned
from trace2skill.types.evaluation import Evaluation
from trace2skill.types.references import Rolled

SEED_STEP = 1_000


class Evolution(Record):
    """One evolution run: its trajectories, what was distilled from them, and the candidate.

    `tried` are rollouts of the candidates of its rounds, where there are several, `turned` what its own turned, and
    `replays` what was tried of its candidates in parts.
    """

    number: int
    rolled: tuple[Rolled, ...]
    distilled: Distilled
    candidate: Candidate
    tried: tuple[Rolled, ...] = ()
    rounds: tuple[RoundScore, ...] = ()
    turned: Turned | None = None
    replays: tuple[Replayed, ...] = ()


def seeds_of(seeds: Sequence[int], number: int) -> tuple[int, ...]:
    """The rollout seeds of the evolution run of that number, from 0: no two runs share one."""
    return tuple(seed + SEED_STEP * number for seed in seeds)


def best(evolutions: Sequence[Evolution], evaluations: Sequence[Evaluation]) -> tuple[int, tuple[CandidateScore, ...]]:
    """Index of the candidate with the highest mean hard score, the first of equals; and all scores.

    Candidates that learned nothing are S0 itself and are chosen only where all did.
    """
    scored = {item.skill: item.hard for item in evaluations}
    scores = [scored.get(item.candidate.skill, 0.0) for item in evolutions]
    learned = [item.candidate.skill != item.candidate.base for item in evolutions]
    chosen = max(range(len(evolutions)), key=lambda n: (learned[n], scores[n], -n))
    rows = tuple(
        CandidateScore(number=item.number, skill=item.candidate.skill, hard=scores[n], chosen=n == chosen)
        for n, item in enumerate(evolutions)
    )
    return chosen, rows
