"""Which parts of a skill break tasks, told by trials of skills with some of the parts: group testing, a test a task.

Every task that passed with none of the parts and fails with all of them is a test of every trial: it fails where a part
that breaks it is in, and passes where none is. So one trial halves the suspects of all tasks at once. The next trial is
the one whose outcome is least known: the halving of adaptive group testing (Hwang 1972,
https://doi.org/10.1080/01621459.1972.10481257), chosen among random designs as in generalized binary search
(Nowak 2011, https://doi.org/10.1109/TIT.2011.2169298). A part is blamed only where chance would hardly blame any.
"""

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import combinations
from math import comb, floor, log2
from typing import Any

Trial = frozenset[int]
"""The parts that a trial skill has."""
SURE = 0.05
"""Chance that any part at all is blamed where none breaks anything, below which one is."""
LEAST = 2
"""Tasks that a part must break to be looked for: one task alone can fail by chance in any pattern."""
MOST_PAIRED = 60
"""With more parts none are suspected in pairs: there are too many."""
DESIGNS = 192
"""Random trials of which the next is chosen."""
_NOISE, _PAIR = 0.1, 1.0
"""What an outcome against a suspicion leaves of it, and what all pairs with a part count beside the part alone."""


def most_batches(parts: int) -> int:
    """Trials that so many parts may take, the last look at what is left among them: 2 log2 of their number."""
    return floor(2 * log2(parts)) if parts > 1 else 0


@dataclass(frozen=True)
class Blame:
    """A part that breaks tasks. `beside` are parts that no trial has told from it; `among` says that another part
    breaks the same tasks, and that it is not known which.
    """

    part: int
    tasks: tuple[str, ...]
    chance: float
    beside: tuple[int, ...] = ()
    among: bool = False


@dataclass
class Culprits:
    """What trials say of who breaks which tasks.

    Args:
        parts: how many there are; each goes by its number from 0.
        tasks: that passed with none of them and fail with all.
        seed: of the designs that are chosen among.
    """

    parts: int
    tasks: Sequence[str]
    seed: str = ""
    trials: list[tuple[Trial, Mapping[str, bool]]] = field(default_factory=list)
    _known: list[Blame] | None = None

    def take(self, trial: Trial, broken: Mapping[str, bool]) -> None:
        """A trial was made, and these tasks did or did not fail; a task without a score is not among them."""
        self.trials.append((trial, dict(broken)))
        self._known = None

    def blamed(self) -> list[Blame]:
        """The parts that break tasks: those that do alone, the surest first, then those that only pairs explain."""
        if self._known is None:
            self._known = self._accused()
        return self._known

    def _accused(self) -> list[Blame]:
        found, tasks = list[Blame](), list(self.tasks)
        for size in self._sizes:
            while len(tasks) >= LEAST:
                rivals, broken, chance = self._best_case(size, tasks)
                if chance > SURE:
                    break
                found += self._blames(rivals, broken, chance, {one.part for one in found})
                tasks = [task for task in tasks if task not in broken]
        return found

    def open_tasks(self) -> list[str]:
        """The tasks that no part which is blamed alone explains, and that some part or pair may explain."""
        explained = {task for one in self.blamed() if not one.beside and not one.among for task in one.tasks}
        least = [self._cases(size, self.tasks)[0].min(axis=0) for size in self._sizes]
        can = [min(found) <= self._tolerated for found in zip(*least, strict=True)]
        return [task for task, may in zip(self.tasks, can, strict=True) if may and task not in explained]

    def designs(self) -> Iterator[Trial]:
        """Trials to make next, the one whose outcome is least known first; none where nothing is left to be told.

        Who is blamed alone is in none of them, and who can be to blame for nothing any more is in all.
        """
        import numpy as np

        tasks, out = self.open_tasks(), {one.part for one in self.blamed() if not one.beside}
        if len(tasks) < LEAST:
            return
        classes = Counter(tuple(broken.get(task) for _, broken in self.trials) for task in tasks)
        has = np.concatenate([self._has[size] for size in self._sizes])
        weights = np.array([self._weights(outcomes, has) for outcomes in classes])
        counts, each = np.array(list(classes.values())), weights @ has
        suspected = (each > 0.05 * each.max(axis=1, keepdims=True)).any(axis=0)
        live = [part for part in range(self.parts) if part not in out and suspected[part]]
        kept = [part for part in range(self.parts) if part not in out and not suspected[part]]
        drawn = self._drawn(live)
        trials = np.zeros((len(drawn), self.parts), dtype=np.float32)
        for row, one in enumerate(drawn):
            trials[row, [*one, *kept]] = 1
        unknown = counts @ _entropy(weights @ ((has @ trials.T) > 0)) if drawn else []
        for row in sorted(range(len(drawn)), key=lambda row: (-round(float(unknown[row]), 6), row)):
            if unknown[row] > 0:
                yield frozenset((*drawn[row], *kept))

    @property
    def _tolerated(self) -> int:
        """Outcomes of a task that may be otherwise: models are not alike twice."""
        return len(self.trials) // 5

    @property
    def _sizes(self) -> tuple[int, ...]:
        return (1, 2) if 1 < self.parts <= MOST_PAIRED else (1,)

    @cached_property
    def _has(self) -> dict[int, Any]:
        """By how many are suspected together: a row for each suspicion, 1 for each part in it."""
        import numpy as np

        found = {}
        for size in self._sizes:
            rows = list(combinations(range(self.parts), size))
            found[size] = np.zeros((len(rows), self.parts), dtype=np.float32)
            for number, row in enumerate(rows):
                found[size][number, list(row)] = 1
        return found

    def _drawn(self, live: Sequence[int]) -> list[tuple[int, ...]]:
        draw = random.Random(f"{self.seed} {len(self.trials)}")
        sizes = [max(1, len(live) // share) for share in (2, 3, 4)]
        return list(dict.fromkeys(tuple(sorted(draw.sample(live, sizes[n % 3]))) for n in range(DESIGNS * bool(live))))

    def _weights(self, outcomes: Sequence[bool | None], has: Any) -> Any:
        """How likely each suspicion is for a task with these outcomes; they add up to 1."""
        import numpy as np

        weights = np.where(has.sum(axis=1) > 1, _PAIR / self.parts, 1.0)
        for (trial, _), broken in zip(self.trials, outcomes, strict=True):
            if broken is not None:
                hit = has[:, sorted(trial)].sum(axis=1) > 0
                weights = weights * np.where(hit == broken, 1.0, _NOISE)
        return weights / weights.sum()

    def _cases(self, size: int, tasks: Sequence[str]) -> tuple[Any, Any, Any, Any]:
        """A row for each suspicion, a column for each task: in how many trials the task did otherwise than it does if
        these break it; in how many with a score they were; and of each task, in how many it has a score, and failed.
        """
        import numpy as np

        has, count = self._has[size], len(self.trials)
        trials = np.zeros((self.parts, count), dtype=np.float32)
        scored, broken = (np.zeros((count, len(tasks)), dtype=np.float32) for _ in range(2))
        for number, (trial, ends) in enumerate(self.trials):
            trials[sorted(trial), number] = 1
            scored[number] = [task in ends for task in tasks]
            broken[number] = [ends.get(task, False) for task in tasks]
        hit = ((has @ trials) > 0).astype(np.float32)
        misses = hit @ (scored - broken) + (1 - hit) @ broken
        return misses, hit @ scored, scored.sum(axis=0), broken.sum(axis=0)

    def _best_case(self, size: int, tasks: Sequence[str]) -> tuple[list[frozenset[int]], tuple[str, ...], float]:
        """The suspicion that chance would hardly raise, with those that explain the same tasks as well; these tasks;
        and the chance of so good a case by luck.
        """
        misses, having, scored, failed = self._cases(size, tasks)
        best, columns = (1.0, 0, 0), list[int]()
        for most in range(self._tolerated + 1):
            fits = misses <= most
            for row in (fits.sum(axis=1) >= LEAST).nonzero()[0].tolist():
                explained = fits[row].nonzero()[0].tolist()
                if not self._most_agree(self._parts_of(size, row), [tasks[n] for n in explained]):
                    continue
                each = zip(scored, having[row], failed, strict=True)
                likely = [chance_of_pattern(*map(int, case), most) for case in each]
                able = sum(share > 0 for share in likely)
                chance = chance_of(len(explained), able, max(likely)) * len(misses) * (self._tolerated + 1)
                if (chance, -len(explained), row) < best:
                    best, columns = (chance, -len(explained), row), explained
        total = misses[:, columns].sum(axis=1)
        rivals = [self._parts_of(size, row) for row in (total <= total[best[2]]).nonzero()[0].tolist()]
        return rivals, tuple(tasks[n] for n in columns), best[0]

    def _parts_of(self, size: int, row: int) -> frozenset[int]:
        return frozenset(self._has[size][row].nonzero()[0].tolist())

    def _most_agree(self, suspicion: frozenset[int], tasks: Sequence[str]) -> bool:
        """Do most of the tasks do in each trial as they do if these break them? What all of them do is no noise."""
        for trial, broken in self.trials:
            ends = [broken[task] != trial.isdisjoint(suspicion) for task in tasks if task in broken]
            if ends and sum(ends) * 2 <= len(ends):
                return False
        return True

    def _blames(
        self, rivals: Sequence[frozenset[int]], broken: tuple[str, ...], chance: float, before: set[int]
    ) -> list[Blame]:
        """Who is in every suspicion that explains the tasks; where nobody is, all that would alone, side by side."""
        common = frozenset.intersection(*rivals)
        if common:
            return [Blame(part, broken, chance, among=len(rivals) > 1) for part in sorted(common - before)]
        every = sorted(frozenset().union(*rivals) - before) if len(rivals[0]) == 1 else []
        return [Blame(part, broken, chance, tuple(one for one in every if one != part)) for part in every]


def chance_of(found: int, of: int, likely: float) -> float:
    """The chance that so many of so many tasks or more fit, each by chance with `likely`: binomial, exact."""
    return sum(comb(of, n) * likely**n * (1 - likely) ** (of - n) for n in range(found, of + 1))


@lru_cache(4096)
def chance_of_pattern(trials: int, having: int, failed: int, misses: int) -> float:
    """The chance that a task which fails in so many trials, whichever they are, fails in those that have a part and
    passes in the others, up to so many misses: all orders are equally likely, as in Fisher's exact test.
    """
    ways = sum(
        comb(having, less) * comb(trials - having, more)
        for less in range(misses + 1)
        for more in range(misses + 1 - less)
        if having - less + more == failed
    )
    return ways / comb(trials, failed)


def _entropy(share: Any) -> Any:
    import numpy as np

    inside = np.clip(share, 1e-9, 1 - 1e-9)
    found: Any = -inside * np.log2(inside) - (1 - inside) * np.log2(1 - inside)
    return np.where(found < 1e-6, 0.0, found)
