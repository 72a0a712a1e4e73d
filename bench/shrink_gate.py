"""Does the gate keep its level for smaller skills, and what does it take to let one through?

    python bench/shrink_gate.py [--lineages 2000] [--nights 20] [--tasks 400]

Every night a smaller skill is compared with the champion, and with the version that shrinking began with, by the
product's own test and spending rule. Tasks are drawn anew for each lineage. Wrong is a promotion after which the skill
truly loses the margin or more beside the version that shrinking began with. Skills that lose just the margin are the
worst case: on tasks that end the same at every seed and are lost or not, on such tasks that are won as well, and on
tasks that end by chance; and a chain of skills each of which loses half of it. Exits 1 where wrong promotions come in
more lineages than the level says. Then how soon a skill that loses nothing gets through.
"""

import argparse
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.stats import binomtest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from trace2skill.evaluation.no_worse import p_no_worse
from trace2skill.store.skill_history import ChangeRow, LookRow, priced
from trace2skill.versions.spending import SMALLER, paid, price

MARGIN, LEVEL = 0.02, 0.05
Skill = np.ndarray
"""How likely each task is to pass."""
Next = Callable[[np.random.Generator, Skill], Skill]
"""The next smaller skill, made of the champion."""


def lineage(rng: np.random.Generator, first: Skill, following: Next, nights: int, seeds: int, loss: float) -> list[int]:
    """The nights on which a smaller skill was promoted; one night, negative, where it was wrong, which ends it."""
    changes = [ChangeRow("s", 1, "adopt", "1", "", "", "", done=True)]
    looks, promoted, true = list[LookRow](), list[int](), 0.0
    champion, began = first, scored(rng, first, seeds)
    now = began
    for night in range(1, nights + 1):
        smaller = following(rng, champion)
        found = scored(rng, smaller, seeds)
        p_value = max(p_no_worse(list(found - other), MARGIN) for other in ([began] if now is began else [began, now]))
        row = priced(changes, looks, changes[-1].digest, f"{SMALLER}{night}", partial(price, earns=True))
        won = p_value <= paid(row.number, LEVEL, row.cost or 0.0, 0.0).level
        looks.append(row._replace(won=won))
        if won:
            champion, now, true = smaller, found, true + loss
            if true >= MARGIN - 1e-9:
                return [*promoted, -night]
            promoted.append(night)
            number = len(changes) + 1
            changes.append(ChangeRow("s", number, "promote", str(number), "", "", "", done=True))
    return promoted


def scored(rng: np.random.Generator, skill: Skill, seeds: int) -> np.ndarray:
    """The mean score of each task over so many seeds."""
    return np.asarray(rng.binomial(seeds, skill) / seeds)


def sure(rng: np.random.Generator, tasks: int) -> Skill:
    """Tasks that end the same at every seed; most pass."""
    return (rng.random(tasks) < 0.7).astype(float)


def by_chance(rng: np.random.Generator, tasks: int) -> Skill:
    """Tasks that end by chance, some of them always the same."""
    return np.asarray(np.clip(rng.uniform(-0.5, 1.5, tasks), 0.1, 0.9))


def losing(rng: np.random.Generator, skill: Skill, lost: float, won: float = 0.0) -> Skill:
    """A skill that loses such a share of all tasks, drawn among those that pass, and wins such a share."""
    passes = skill > 0.5
    gone = passes & (rng.random(len(skill)) < lost / 0.7)
    come = ~passes & (rng.random(len(skill)) < won / 0.3)
    return np.where(gone, 0.0, np.where(come, 1.0, skill))


def fading(_: np.random.Generator, skill: Skill, loss: float) -> Skill:
    """A skill with which each task passes less often by so much."""
    return np.asarray(np.clip(skill - loss, 0.0, 1.0))


WRONG: tuple[tuple[str, Callable[[np.random.Generator, int], Skill], Next, int, float], ...] = (
    ("loses 2 points, tasks that end the same", sure, partial(losing, lost=0.02), 1, 0.02),
    ("loses 4 points and wins 2", sure, partial(losing, lost=0.04, won=0.02), 1, 0.02),
    ("loses 2 points, tasks that end by chance", by_chance, partial(fading, loss=0.02), 3, 0.02),
    ("each loses 1 point of what was left", sure, partial(losing, lost=0.01), 1, 0.01),
)
RIGHT: tuple[tuple[str, Callable[[np.random.Generator, int], Skill], Next, int, float], ...] = (
    ("loses nothing, tasks that end the same", sure, partial(losing, lost=0.0), 1, 0.0),
    ("loses nothing, tasks that end by chance", by_chance, partial(fading, loss=0.0), 3, 0.0),
    ("loses half a point, tasks that end the same", sure, partial(losing, lost=0.005), 1, 0.005),
)


def main() -> None:
    """Run both parts and print them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lineages", type=int, default=2000)
    parser.add_argument("--nights", type=int, default=20)
    parser.add_argument("--tasks", type=int, default=400)
    given = parser.parse_args()
    started, broken = time.process_time(), 0
    table = Table("the smaller skill", "seeds", "lineages", "ever wrong", "95% interval", "level")
    for name, draw, following, seeds, loss in WRONG:
        rng = np.random.default_rng(17)
        made = [
            lineage(rng, draw(rng, given.tasks), following, given.nights, seeds, loss) for _ in range(given.lineages)
        ]
        wrong = sum(any(night < 0 for night in promoted) for promoted in made)
        interval = binomtest(wrong, len(made)).proportion_ci()
        broken += wrong > LEVEL * len(made)
        words = f"{interval.low:.2%} to {interval.high:.2%}"
        table.add_row(name, str(seeds), str(len(made)), f"{wrong / len(made):.2%}", words, f"{LEVEL:.0%}")
    Console().print(table)
    table = Table("the smaller skill", "seeds", "tasks", *(f"promoted by night {night}" for night in (1, 3, 10)))
    for name, draw, following, seeds, _ in RIGHT:
        for tasks in (given.tasks // 2, given.tasks, 4 * given.tasks):
            rng = np.random.default_rng(17)
            some = [lineage(rng, draw(rng, tasks), following, 10, seeds, 0.0) for _ in range(given.lineages // 20)]
            shares = [sum(bool(made) and made[0] <= night for made in some) / len(some) for night in (1, 3, 10)]
            table.add_row(name, str(seeds), str(tasks), *(f"{share:.0%}" for share in shares))
    Console().print(table)
    print(f"{time.process_time() - started:.0f} s of processor time")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
