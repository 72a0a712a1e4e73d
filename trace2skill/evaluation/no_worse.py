"""Is a smaller skill no worse by more than a margin? A test of non-inferiority, with the task as the unit.

The bootstrap over tasks with one task more, that has lost everything: the differences of the task means are weighted
by a Dirichlet distribution, as in the Bayesian bootstrap (Rubin 1981, https://doi.org/10.1214/aos/1176345338), and so
is one more of -1, the worst there can be (Gaffke 2005, Three test statistics for a nonparametric one-sided hypothesis
on the mean of a nonnegative variable; as an interval: Learned-Miller and Thomas 2020,
https://arxiv.org/abs/1905.06208). p is the share of these weightings whose mean is a loss of the margin or more.

Where no task is lost and none won, that is (1 - margin)^n, and where tasks are only lost it is the tail of the
binomial: the exact test (Clopper and Pearson 1934, https://doi.org/10.1093/biomet/26.4.404). A plain bootstrap would
find no loss at all wherever it has seen none. With wins beside losses, or with several seeds, that it keeps its level
is shown by simulation and not proven (`bench/shrink_gate.py`).

With several skills to compare with, the largest p counts: it has to be no worse than each (intersection-union test,
Berger 1982, https://doi.org/10.1080/00401706.1982.10487790).
"""

import math
from collections import Counter
from collections.abc import Sequence

from trace2skill.evaluation.compare import differences_by_task
from trace2skill.types.comparison import NoWorse, Score
from trace2skill.types.evaluation import Evaluation

NAME = "non-inferiority, bootstrap by task with one task more that is lost"
STEP, REACH = 0.02, 40.0
"""Of the quadrature: the step and how far it goes, on a logarithmic scale."""


def no_worse(befores: Sequence[Evaluation], after: Evaluation, margin: float, score: Score = "hard") -> NoWorse:
    """Test whether a skill loses less than the margin.

    Args:
        befores: each skill that it must not be worse than, on the same tasks.
        after: the smaller skill.
        margin: the loss of the mean score, 0 to 1, that counts as none.
        score: which score.

    Returns:
        The largest of the p-values. It is 1 without any task.
    """
    found = [p_no_worse(differences_by_task(before, after, score), margin) for before in befores]
    return NoWorse(margin=margin, p_value=max(found, default=1.0), test=NAME, against=len(befores))


def p_no_worse(differences: Sequence[float], margin: float) -> float:
    """P(the weighted mean is at most -margin), for differences from -1 to 1; small where the loss is surely less."""
    if not differences:
        return 1.0
    weights = Counter(round(value + margin, 9) for value in (*differences, -1.0))
    return at_most_zero(list(weights), list(weights.values()))


def at_most_zero(values: Sequence[float], shapes: Sequence[int]) -> float:
    """P(sum of v_j G_j <= 0) for independent G_j ~ Gamma(shape_j): the Dirichlet's mean, without its norm.

    By inversion of the characteristic function (Gil-Pelaez 1951, https://doi.org/10.1093/biomet/38.3-4.481), by the
    trapezoid rule on a logarithmic scale, on which the integrand is smooth and dies off on both sides.
    """
    import numpy as np

    told = [(value, shape) for value, shape in zip(values, shapes, strict=True) if value]
    if all(value > 0 for value, _ in told):
        return 0.0
    if all(value < 0 for value, _ in told):
        return 1.0
    spread = math.sqrt(math.fsum(value * value * shape for value, shape in told))
    t = np.exp(np.arange(-REACH, REACH, STEP)) / spread
    amplitude, phase = np.zeros_like(t), np.zeros_like(t)
    for value, shape in told:  # of (1 - i v t)^-shape
        amplitude -= shape / 2 * np.log1p((value * t) ** 2)
        phase += shape * np.arctan(value * t)
    integral = STEP * float(np.sum(np.exp(amplitude) * np.sin(phase)))
    return min(1.0, max(0.0, 0.5 - integral / math.pi))


def tasks_needed(level: float, margin: float) -> int:
    """So many tasks can show it where not one is lost or won."""
    return math.ceil(math.log(level) / math.log1p(-margin))
