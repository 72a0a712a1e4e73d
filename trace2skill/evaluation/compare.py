"""`Comparison`: two evaluations of the same tasks, paired by task, with exact tests and intervals clustered by task.

The task is the unit of everything: seeds of one task are no independent evidence, so that they only make its mean
steadier.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from trace2skill.types.comparison import Comparison, Effect, Interval, Score
from trace2skill.types.evaluation import Cell, Evaluation

RESAMPLES = 9_999
BATCH = 1_000
CONFIDENCE = 0.95


def compare(before: Evaluation, after: Evaluation, *, score: Score = "hard") -> Comparison:
    """Compare two evaluations, paired by task.

    Hard scores at one seed: McNemar's exact test (https://doi.org/10.1007/BF02295996). Otherwise: sign-flip permutation
    test over the differences of task means (https://doi.org/10.1198/000313004X4486), exact for hard scores and for few
    tasks, else with 9,999 seeded resamples. Intervals: percentile bootstrap over tasks
    (https://doi.org/10.1214/aos/1176344552); where nothing differs, the rule of three
    (https://doi.org/10.1001/jama.1983.03330370053031).
    """
    olds, news = _by_task(before, score), _by_task(after, score)
    common = sorted(olds.keys() & news.keys())
    old_means, new_means = ([_mean(scores[task]) for task in common] for scores in (olds, news))
    differences = [new - old for old, new in zip(old_means, new_means, strict=True)]
    seeds = max((len(scores[task]) for task in common for scores in (olds, news)), default=0)
    test, p_value = sign_flip(differences, hard=score == "hard", one_seed=seeds == 1)
    return Comparison(
        before=before.condition,
        after=after.condition,
        score=score,
        tasks=len(common),
        seeds=seeds,
        before_score=interval(old_means, (0.0, 1.0)),
        after_score=interval(new_means, (0.0, 1.0)),
        lift=interval(differences, (-1.0, 1.0)),
        test=test,
        p_value=p_value,
        p_worse=sign_flip([-d for d in differences], hard=score == "hard", one_seed=seeds == 1)[1],
        better=tuple(task for task, d in zip(common, differences, strict=True) if d > 1e-12),
        worse=tuple(task for task, d in zip(common, differences, strict=True) if d < -1e-12),
        effects=_effects(before, after, common),
        coverage=min(before.coverage, after.coverage),
    )


def differences_by_task(before: Evaluation, after: Evaluation, score: Score = "hard") -> list[float]:
    """Of each task that both scored, how much its mean score rises, in the order of their ids."""
    olds, news = _by_task(before, score), _by_task(after, score)
    return [_mean(news[task]) - _mean(olds[task]) for task in sorted(olds.keys() & news.keys())]


def sign_flip(differences: Sequence[float], *, hard: bool, one_seed: bool) -> tuple[str, float]:
    """Name of the test, and P(a sum at least as high | each difference is as likely to have the other sign).

    Differences of 0 say nothing under that hypothesis, and are left out.
    """
    told = [d for d in differences if abs(d) > 1e-12]
    if not told:
        return ("McNemar, exact" if one_seed and hard else "sign-flip, exact"), 1.0
    if hard and one_seed:
        better = sum(d > 0 for d in told)
        ways = sum(math.comb(len(told), number) for number in range(better, len(told) + 1))
        return "McNemar, exact", ways / 2 ** len(told)
    whole = as_integers(told) if hard else None
    if whole is not None:
        return "sign-flip, exact", exact_sign_flip(whole)
    if len(told) == 1:
        return "sign-flip, exact", 0.5 if told[0] > 0 else 1.0
    return _scipy_sign_flip(told)


def exact_sign_flip(whole: Sequence[int]) -> float:
    """The exact p-value for integers: the distribution of the sum over all 2^n signs, by convolution."""
    import numpy as np

    weights = [abs(value) for value in whole]
    total = sum(weights)
    chances = np.zeros(2 * total + 1)
    chances[total] = 1.0
    for weight in weights:
        # total bounds every sum that is reached, so nothing that matters wraps around
        chances = 0.5 * (np.roll(chances, weight) + np.roll(chances, -weight))
    return float(min(1.0, chances[total + sum(whole) :].sum()))


def as_integers(values: Sequence[float], most: int = 5_040) -> list[int] | None:
    """The values as whole multiples of one unit 1/k, k up to 5,040 (7 factorial), or None where there is none."""
    for unit in (1, 2, 3, 4, 6, 12, 60, 420, 840, most):
        scaled = [value * unit for value in values]
        if all(abs(value - round(value)) < 1e-6 for value in scaled):
            return [round(value) for value in scaled]
    return None


def interval(values: Sequence[float], bounds: tuple[float, float]) -> Interval:
    """The mean over tasks, with a bootstrap interval that resamples tasks; whole `bounds` without any task."""
    if not values:
        return Interval(mean=0.0, low=bounds[0], high=bounds[1])
    mean = _mean(values)
    if max(values) - min(values) < 1e-12:
        reach = 3 / len(values) * (bounds[1] - bounds[0]) / (2 if bounds[0] < 0 else 1)
        return Interval(mean=mean, low=max(bounds[0], mean - reach), high=min(bounds[1], mean + reach))
    low, high = bootstrap(values)
    return Interval(mean=mean, low=low, high=high)


def bootstrap(values: Sequence[float]) -> tuple[float, float]:
    """A percentile bootstrap interval of the mean, seeded; the mean itself where all values are equal.

    To the last bit that of `scipy.stats.bootstrap`, whose import takes a run more than a second.
    """
    import numpy as np

    if max(values) - min(values) < 1e-12:
        return values[0], values[0]
    given, rng = np.asarray(values), np.random.default_rng(0)
    batches = [min(BATCH, RESAMPLES - start) for start in range(0, RESAMPLES, BATCH)]
    means = np.concatenate([given[rng.integers(0, len(given), (rows, len(given)))].mean(axis=-1) for rows in batches])
    means.sort()
    outside = (1 - CONFIDENCE) / 2
    low, high = (_quantile(means.tolist(), share) for share in (outside, 1 - outside))
    return low, high


def _quantile(ordered: Sequence[float], share: float) -> float:
    place, part = divmod((len(ordered) - 1) * share, 1)
    return (1 - part) * ordered[int(place)] + part * ordered[int(place) + 1]


def _scipy_sign_flip(differences: Sequence[float]) -> tuple[str, float]:
    import numpy as np
    from scipy.stats import permutation_test

    result = permutation_test(
        (np.asarray(differences),),
        np.mean,
        permutation_type="samples",
        vectorized=True,
        n_resamples=RESAMPLES,
        alternative="greater",
        rng=np.random.default_rng(0),
        batch=BATCH,
    )
    exact = 2 ** len(differences) <= RESAMPLES
    return ("sign-flip, exact" if exact else f"sign-flip, {RESAMPLES} resamples"), float(result.pvalue)


def _effects(before: Evaluation, after: Evaluation, tasks: Sequence[str]) -> tuple[Effect, ...]:
    found = []
    names: tuple[Literal["turns", "tokens", "cost"], ...] = ("turns", "tokens", "cost")
    for name in names:
        olds, news = _by_task(before, name), _by_task(after, name)
        old, new = ([_mean(values[task]) for task in tasks] for values in (olds, news))
        changes = [b - a for a, b in zip(old, new, strict=True)]
        low, high = bootstrap(changes) if changes else (0.0, 0.0)
        ratio = _mean(new) / _mean(old) if _mean(old) > 0 else None
        change = Interval(mean=_mean(changes), low=low, high=high)
        found.append(Effect(name=name, before=_mean(old), after=_mean(new), change=change, ratio=ratio))
    return tuple(found)


def _by_task(evaluation: Evaluation, name: str) -> Mapping[str, list[float]]:
    found: dict[str, list[float]] = {}
    cell: Cell
    for cell in evaluation.scored:
        value: Any = getattr(cell, name)
        found.setdefault(cell.task_id, []).append(float(value))
    return found


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else 0.0
