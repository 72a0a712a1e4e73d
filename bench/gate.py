"""Is the gate calibrated? Histories of nights with no true difference, and what a true lift gets through.

    python bench/gate.py

Every night a new candidate is compared with the champion on the same tasks, with the product's own test and spending
rule. Without a true difference the share of histories that ever promote must stay below the level. Exits 1 where not.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.stats import binomtest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from trace2skill.evaluation.acceptance import passes
from trace2skill.evaluation.compare import sign_flip
from trace2skill.versions.spending import look


def first_promotion(rng: np.random.Generator, nights: int, tasks: int, seeds: int, lift: float, level: float) -> int:
    """The night of the first promotion, 0 for none. Tasks differ in how hard they are; seeds are independent."""
    chance = rng.uniform(0, 1 - lift, tasks)
    champion = rng.binomial(seeds, chance) / seeds  # measured once: its rollouts are in the store
    for night in range(1, nights + 1):
        candidate = rng.binomial(seeds, chance + lift) / seeds
        differences = [float(value) for value in candidate - champion]
        _, p_value = sign_flip(differences, hard=True, one_seed=seeds == 1)
        if passes(float(np.mean(differences)), p_value, look(night, level)):
            return night
    return 0


def main() -> None:
    """Run both parts and print them."""
    arguments = argparse.ArgumentParser(description="Is the gate calibrated?")
    arguments.add_argument("--histories", type=int, default=2000)
    arguments.add_argument("--nights", type=int, default=60)
    arguments.add_argument("--tasks", type=int, default=40)
    arguments.add_argument("--seeds", type=int, default=3)
    arguments.add_argument("--lift", type=float, default=0.15)
    arguments.add_argument("--level", type=float, default=0.05)
    given = arguments.parse_args()
    started = time.monotonic()
    table = Table("true lift", "seeds", "histories", "nights", "ever promoted", "95% interval", "level")
    wrong = 0
    for lift, seeds, nights in (
        (0.0, given.seeds, given.nights),
        (0.0, 1, given.nights),
        (given.lift, given.seeds, 10),
    ):
        rng = np.random.default_rng(17)
        found = [first_promotion(rng, nights, given.tasks, seeds, lift, given.level) for _ in range(given.histories)]
        count = sum(night > 0 for night in found)
        interval = binomtest(count, given.histories).proportion_ci()
        row = (f"{lift:.0%}", seeds, given.histories, nights, f"{count / given.histories:.2%}")
        table.add_row(*map(str, row), f"{interval.low:.2%} to {interval.high:.2%}", f"{given.level:.0%}")
        wrong += lift == 0.0 and count / given.histories > given.level
        if lift:
            by_night = [sum(0 < night <= n for night in found) / given.histories for n in (1, 3, 10)]
    console = Console()
    console.print(table)
    said = ", ".join(f"{share:.1%} by night {night}" for share, night in zip(by_night, (1, 3, 10), strict=True))
    console.print(f"a lift of {given.lift:.0%} on {given.tasks} tasks and {given.seeds} seeds is promoted: {said}")
    console.print(f"{time.monotonic() - started:.0f} s")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
