"""The rounds of one evolution run: a candidate is rolled out on the evolve tasks, and what still fails is learned from.

Causes that hide behind other causes come out only so. Every round's candidate is built from S0 with the rules of all
rounds so far, so that a line has the support of all who asked for it, and what is promoted is compared with S0.
Scores on the evolve tasks choose among the rounds; held-out tasks are looked at once, for the one that is chosen.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from trace2skill.consolidate.candidate import Candidate
from trace2skill.runs.distill import Distilled
from trace2skill.runs.replayed import Replayed
from trace2skill.runs.round_score import RoundScore
from trace2skill.runs.selection import Evolution
from trace2skill.runs.spread import EVERY, RolloutSpread
from trace2skill.runs.turned import turned
from trace2skill.types.evaluation import Cell
from trace2skill.types.references import Rolled

NOTHING_NEW = "no new candidate"
NO_BETTER = "no better on the evolve tasks"
ALL_PASS = "nothing failed any more"
ALL_ROUNDS = "so many rounds were asked for"


@dataclass
class _Round:
    """One round; `rolled` is what it learned from, `tried` how its candidate did."""

    rolled: tuple[Rolled, ...]
    distilled: Distilled
    candidate: Candidate
    tried: tuple[Rolled, ...] = ()
    ended: str = ""


@dataclass
class Search:
    """The rounds so far, and what comes next.

    Args:
        number: of the evolution run, from 0.
        rolled: the rollouts of S0.
        most: rounds, at most. With one, no candidate is rolled out here, and there is nothing to choose.
        spread: which tasks the candidates are rolled out on, and how many each stands for.
    """

    number: int
    rolled: tuple[Rolled, ...]
    most: int = 1
    spread: RolloutSpread = EVERY
    made: list[_Round] = field(default_factory=list)
    replays: list[Replayed] = field(default_factory=list)

    def learned(self, rolled: Sequence[Rolled], distilled: Distilled, candidate: Candidate) -> None:
        """A round has learned from these trajectories, and this is its candidate."""
        known = {candidate.base, *(item.candidate.skill for item in self.made)}
        self.made.append(_Round(tuple(rolled), distilled, candidate))
        if self.most > 1 and candidate.skill in known:
            self.made[-1].ended = NOTHING_NEW

    @property
    def to_try(self) -> str | None:
        """Digest of the candidate that is to be rolled out on the evolve tasks, None where none is."""
        last = self.made[-1]
        return None if self.most == 1 or last.ended or last.tried else last.candidate.skill

    def replayed(self, left: Candidate, record: Replayed) -> None:
        """The last candidate was tried in parts, and this is what is left of it. See `trace2skill.runs.replay`."""
        told = self.replays and self.replays[-1].left == record.skill  # what was left of it is looked at once more
        self.made[-1].candidate = left
        if record.batches or not told:
            self.replays.append(record)

    @property
    def candidate(self) -> Candidate:
        """The last one."""
        return self.made[-1].candidate

    @property
    def trials(self) -> int:
        """Trial skills that replay has rolled out so far."""
        return sum(record.batches for record in self.replays)

    def tried(self, rolled: Sequence[Rolled]) -> None:
        """So did the last candidate on the evolve tasks."""
        last = self.made[-1]
        last.tried = tuple(rolled)
        if not is_better(self._best_before(last), rolled, self.spread):
            last.ended = NO_BETTER
        elif not self.failing:
            last.ended = ALL_PASS
        elif len(self.made) == self.most:
            last.ended = ALL_ROUNDS

    @property
    def goes_on(self) -> bool:
        """Is there another round?"""
        return self.most > 1 and not self.made[-1].ended

    @property
    def failing(self) -> list[Rolled]:
        """What the next round learns from: the last candidate's runs of tasks that still fail, or fail now.

        A pass beside a failure of the same task is among them, for analysts who compare the two.
        """
        last = self.made[-1].tried
        tasks = {item.cell.task_id for item in last if item.cell.outcome == "failed"}
        return [item for item in last if item.cell.task_id in tasks]

    def _best(self) -> _Round:
        """The last round that was better than all before it; the first where none was."""
        return next((item for item in reversed(self.made) if item.ended not in (NOTHING_NEW, NO_BETTER)), self.made[0])

    def _best_before(self, one: _Round) -> tuple[Rolled, ...]:
        at = next(n for n, item in enumerate(self.made) if item is one)
        return self.made[at - 1].tried if at else self.rolled

    @property
    def evolution(self) -> Evolution:
        """The evolution run with the candidate of its best round, and all that its rounds have learned."""
        best, last = self._best(), self.made[-1]
        return Evolution(
            number=self.number,
            rolled=self.rolled,
            distilled=last.distilled,
            candidate=best.candidate,
            tried=tuple(rolled for item in self.made for rolled in item.tried),
            rounds=tuple(self._score(n, item, chosen=item is best) for n, item in enumerate(self.made))
            if self.most > 1
            else (),
            turned=turned(self.rolled, best.tried) if best.tried else None,
            replays=tuple(self.replays),
        )

    def _score(self, at: int, one: _Round, *, chosen: bool) -> RoundScore:
        before = self.made[at - 1].distilled.lessons if at else 0
        return RoundScore(
            evolution=self.number,
            number=at + 1,
            skill=one.candidate.skill,
            trajectories=len(one.rolled),
            lessons=one.distilled.lessons - before,
            rules=one.distilled.rules,
            before=mean_hard(self._best_before(one), self.spread),
            hard=mean_hard(one.tried, self.spread),
            chosen=chosen,
            ended=one.ended,
        )


def is_better(before: Sequence[Rolled], after: Sequence[Rolled], spread: RolloutSpread = EVERY) -> bool:
    """More passes over the runs that have a score on both sides, or as many and a higher soft score.

    A run counts for the tasks that it stands for.
    """
    olds, news = _scored(before), _scored(after)
    both = sorted(olds.keys() & news.keys())

    def scores(cells: dict[tuple[str, int], Cell]) -> tuple[float, float]:
        hard = sum(cells[key].hard * spread.weight_of_run(key[0]) for key in both)
        return round(hard, 9), round(sum(cells[key].soft * spread.weight_of_run(key[0]) for key in both), 9)

    return scores(news) > scores(olds)


def mean_hard(rolled: Sequence[Rolled], spread: RolloutSpread = EVERY) -> float | None:
    """Mean hard score of the runs that have one, among the tasks of a spread; None where none has."""
    cells = [cell for cell in _scored(rolled).values() if not spread.tasks or cell.task_id in spread.tasks]
    weights = [spread.weight_of_run(cell.task_id) for cell in cells]
    hard = sum(cell.hard * weight for cell, weight in zip(cells, weights, strict=True))
    return hard / sum(weights) if cells else None


def _scored(rolled: Sequence[Rolled]) -> dict[tuple[str, int], Cell]:
    cells = [item.cell for item in rolled if item.cell.outcome in ("passed", "failed")]
    return {(cell.task_id, cell.seed): cell for cell in sorted(cells, key=lambda cell: (cell.task_id, cell.seed))}
