"""Is the gate calibrated? Histories of nights with no true difference, and what a true lift gets through.

    python bench/gate.py [--ablate]

Every night a new candidate is compared with the champion on the same tasks, with the product's own test and spending
rule. Without a true difference the share of histories that ever promote must stay below the level. Exits 1 where not.
In lineages that have a better candidate five times, wrong promotions must stay below that share of all promotions, and
where promotions earn nothing (`over_life`) below that share of lineages. So it must in lineages that learn: rounds on
evolve tasks of which the best competes, and a memory of verdicts that is harsher than the product's: all new rules of a
candidate that the gate found surely worse are out. It is tried as it is, and with replay: rules are taken out by evolve
tasks before a candidate competes. `--ablate` shows what would come of a memory that takes single rules out by what
held-out tasks say of them.
"""

import argparse
import sys
import time
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.stats import binomtest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from trace2skill.evaluation.acceptance import passes
from trace2skill.evaluation.compare import sign_flip
from trace2skill.evaluation.culprits import LEAST
from trace2skill.runs.rule_trials import SURE
from trace2skill.store.skill_history import ChangeRow, LookRow, priced
from trace2skill.versions.spending import look, paid, price

BETTER, STEP, GAP, TASKS = 5, 0.15, 3, 100
"""Of lineages with true promotions: so often a candidate is better, by so much on every task, so many nights after the
promotion before it; and so many tasks, with which most of the five are promoted."""
WITH_REPLAY, REPLAY = "none; learns, replays", {"replay": True}
ROUNDS, SEEDS, TOUCHED, EFFECT = 2, 3, 0.3, 0.3
"""Of lineages that learn; a rule touches so many of the tasks, and moves their chance to pass by so much."""


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


def first_in_lineage(
    rng: np.random.Generator, nights: int, tasks: int, level: float, *, ablate: bool = False, replay: bool = False
) -> int:
    """The night of the first promotion in a lineage that learns, 0 for none; three seeds.

    No rule does any good on average: each helps some tasks and harms as many, other ones of evolve and validation.
    """
    evolve, held_out = rng.uniform(0, 1, tasks), rng.uniform(0, 1, tasks)
    shape = (2, nights * ROUNDS, tasks)
    does = np.where(rng.random(shape) < TOUCHED, EFFECT, 0.0) * rng.choice([-1, 1], shape)
    champion = rng.binomial(SEEDS, held_out) / SEEDS
    scores: dict[frozenset[int], np.ndarray] = {}
    looks: dict[frozenset[int], int] = {}

    def score(rules: frozenset[int]) -> np.ndarray:
        if rules not in scores:
            scores[rules] = rng.binomial(SEEDS, np.clip(held_out + does[0][list(rules)].sum(0), 0, 1)) / SEEDS
        return scores[rules]

    def tried(rules: frozenset[int]) -> np.ndarray:
        return np.asarray(rng.binomial(1, np.clip(evolve + does[1][list(rules)].sum(0), 0, 1)), dtype=bool)

    def without_culprit(rules: frozenset[int], start: np.ndarray) -> frozenset[int]:
        """Replay, harsher than the product's: out is the rule without which most of the lost tasks pass, if they do."""
        lost = start & ~tried(rules)
        if lost.sum() < LEAST or len(rules) < LEAST:
            return rules
        back = {rule: tried(rules - {rule})[lost].mean() for rule in sorted(rules)}
        worst = max(back, key=lambda rule: back[rule])
        return rules - {worst} if back[worst] > 1 / 2 else rules

    live, known, best = frozenset[int](), 0, frozenset[int]()
    start = tried(frozenset())
    for _ in range(nights):
        before, passed = live, -1.0
        for _ in range(ROUNDS):
            live, known = live | {known}, known + 1
            live = without_culprit(live, start) if replay else live
            now = tried(live).mean()
            if now <= passed:
                break
            best, passed = live, float(now)
        found = score(best) - champion
        number = looks.setdefault(best, len(looks) + 1)
        if found.mean() > 0 and passes(float(found.mean()), _p_value(found), look(number, level)):
            return number
        if _is_surely_worse(found):
            live -= best - before
        if ablate:
            live -= {rule for rule in best if _is_surely_worse(score(best) - score(best - {rule}))}
    return 0


class Life(NamedTuple):
    """What became of a lineage with better candidates: promotions of one that was better, and of one that was not."""

    right: int
    wrong: int


def life(rng: np.random.Generator, nights: int, level: float, *, earns: bool) -> Life:
    """A lineage in which a better candidate comes up five times and stays until it is promoted; three seeds.

    On the other nights the candidate is another skill that does exactly what the champion does.
    """
    chance = rng.uniform(0, 1 - BETTER * STEP, TASKS)
    champion = rng.binomial(SEEDS, chance) / SEEDS
    changes = [ChangeRow("s", 1, "adopt", "1", "", "", "", done=True)]
    looks, right, wrong, promoted = list[LookRow](), 0, 0, -GAP
    for night in range(1, nights + 1):
        better = right < BETTER and night - promoted > GAP
        candidate = rng.binomial(SEEDS, chance + STEP * better) / SEEDS
        found = candidate - champion
        row = priced(changes, looks, changes[-1].digest, str(night), partial(price, earns=earns))
        this = paid(row.number, level, row.cost or 0.0, 0.0)
        won = found.mean() > 0 and passes(float(found.mean()), _p_value(found), this)
        looks.append(row._replace(won=won))
        if won:
            right, wrong, promoted = right + better, wrong + (not better), night
            chance, champion = chance + STEP * better, candidate
            number = len(changes) + 1
            changes.append(ChangeRow("s", number, "promote", str(number), "", "", "", done=True))
    return Life(right, wrong)


def _p_value(differences: np.ndarray) -> float:
    return sign_flip([float(value) for value in differences], hard=True, one_seed=False)[1]


def _is_surely_worse(found: np.ndarray) -> bool:
    high = found.mean() + 1.96 * found.std(ddof=1) / np.sqrt(len(found))
    return bool(high < 0) and _p_value(-found) <= SURE


def lives_of(given: argparse.Namespace) -> tuple[Table, int]:
    """Lineages with true promotions under both promises, as a table, and how many of these are broken."""
    table = Table(
        "promotions earn", "lineages", "nights", f"true promotions of {BETTER}", "wrong", "of all", "lineages"
    )
    broken = 0
    for earns in (True, False):
        rng = np.random.default_rng(17)
        lives = [life(rng, given.nights, given.level, earns=earns) for _ in range(given.histories)]
        right, wrong = sum(item.right for item in lives), sum(item.wrong for item in lives)
        of_all, ever = wrong / max(1, right + wrong), sum(item.wrong > 0 for item in lives) / len(lives)
        broken += (of_all if earns else ever) > given.level
        table.add_row(
            *("the level" if earns else "nothing", str(len(lives)), str(given.nights)),
            *(f"{right / len(lives):.2f}", str(wrong), f"{of_all:.2%}", f"{ever:.2%}"),
        )
    return table, broken


def main() -> None:
    """Run all parts and print them."""
    arguments = argparse.ArgumentParser(description="Is the gate calibrated?")
    arguments.add_argument("--histories", type=int, default=2000)
    arguments.add_argument("--nights", type=int, default=60)
    arguments.add_argument("--tasks", type=int, default=40)
    arguments.add_argument("--seeds", type=int, default=3)
    arguments.add_argument("--lift", type=float, default=0.15)
    arguments.add_argument("--level", type=float, default=0.05)
    arguments.add_argument("--ablate", action="store_true", help="Only lineages that ablate each rule every night.")
    given = arguments.parse_args()
    started = time.monotonic()
    table = Table("true lift", "seeds", "histories", "nights", "ever promoted", "95% interval", "level")
    wrong = 0

    def add(name: str, seeds: int, nights: int, found: list[int]) -> float:
        share = sum(night > 0 for night in found) / len(found)
        interval = binomtest(sum(night > 0 for night in found), len(found)).proportion_ci()
        words = f"{interval.low:.2%} to {interval.high:.2%}"
        table.add_row(name, *map(str, (seeds, len(found), nights)), f"{share:.2%}", words, f"{given.level:.0%}")
        return share

    ways = {"none; learns and ablates": {"ablate": True}} if given.ablate else {"none; learns": {}, WITH_REPLAY: REPLAY}
    for name, how in ways.items():
        rng = np.random.default_rng(17)
        learned = [first_in_lineage(rng, given.nights, given.tasks, given.level, **how) for _ in range(given.histories)]
        wrong += add(name, SEEDS, given.nights, learned) > given.level
    if given.ablate:
        Console().print(table)
        sys.exit(1 if wrong else 0)
    lived, broken = lives_of(given)
    wrong += broken
    for lift, seeds, nights in (
        (0.0, given.seeds, given.nights),
        (0.0, 1, given.nights),
        (given.lift, given.seeds, 10),
    ):
        rng = np.random.default_rng(17)
        found = [first_promotion(rng, nights, given.tasks, seeds, lift, given.level) for _ in range(given.histories)]
        wrong += add(f"{lift:.0%}", seeds, nights, found) > given.level and lift == 0.0
        if lift:
            by_night = [sum(0 < night <= n for night in found) / given.histories for n in (1, 3, 10)]
    console = Console()
    console.print(table)
    console.print(lived)
    said = ", ".join(f"{share:.1%} by night {night}" for share, night in zip(by_night, (1, 3, 10), strict=True))
    console.print(f"a lift of {given.lift:.0%} on {given.tasks} tasks and {given.seeds} seeds is promoted: {said}")
    console.print(f"{time.monotonic() - started:.0f} s")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
