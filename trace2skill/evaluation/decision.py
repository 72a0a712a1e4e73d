"""`Decision`: is the candidate better than the skill it came from? A verdict, the reason in words, the numbers."""

from typing import Literal

from pydantic import Field

from trace2skill.evaluation.matrix import Evaluation
from trace2skill.noun import Noun

Verdict = Literal["promote", "reject", "not_enough_evidence"]


class GateSettings(Noun):
    """What a promotion needs."""

    level: float = Field(default=0.05, gt=0, lt=1, description="Level of the one-sided test.")
    coverage: float = Field(default=0.9, ge=0, le=1, description="Share of each matrix that must have a score.")


class Decision(Noun):
    """A verdict on a candidate. Scores are means of the hard score over the tasks that both evaluations scored."""

    verdict: Verdict
    reason: str
    champion: float = 0.0
    candidate: float = 0.0
    lift: float = 0.0
    tasks: int = 0
    better: tuple[str, ...] = Field(default=(), description="Tasks on which the candidate scores higher.")
    worse: tuple[str, ...] = Field(default=(), description="Tasks on which it scores lower.")
    p_value: float = 1.0
    coverage: float = 0.0


def decide(champion: Evaluation, candidate: Evaluation, settings: GateSettings = GateSettings()) -> Decision:
    """Compare two evaluations of the same tasks, paired by task.

    One-sided exact sign test over the tasks that differ: with one seed this is McNemar's exact test
    (https://doi.org/10.1007/BF02295996). Below the required coverage no verdict is given.
    """
    coverage = min(champion.coverage, candidate.coverage)
    before, after = champion.by_task(), candidate.by_task()
    common = sorted(before.keys() & after.keys())
    if not common or coverage < settings.coverage:
        reason = (
            f"{coverage:.0%} of the held-out runs have a score and {settings.coverage:.0%} are needed; "
            "the others ended in infrastructure errors: run again"
        )
        return Decision(verdict="not_enough_evidence", reason=reason, tasks=len(common), coverage=coverage)
    better = tuple(task for task in common if after[task] > before[task])
    worse = tuple(task for task in common if after[task] < before[task])
    p_value = _sign_test(len(better), len(worse))
    old, new = (sum(scores[task] for task in common) / len(common) for scores in (before, after))
    verdict, reason = _verdict(new - old, len(better), len(worse), len(common), p_value, settings)
    return Decision(
        verdict=verdict,
        reason=reason,
        champion=old,
        candidate=new,
        lift=new - old,
        tasks=len(common),
        better=better,
        worse=worse,
        p_value=p_value,
        coverage=coverage,
    )


def _verdict(
    lift: float, better: int, worse: int, tasks: int, p_value: float, settings: GateSettings
) -> tuple[Verdict, str]:
    seen = f"better on {better} and worse on {worse} of {tasks} held-out tasks (lift {lift:+.1%}, p = {p_value:.4f})"
    if lift > 0 and p_value <= settings.level:
        return "promote", f"the candidate is {seen}, at level {settings.level:g}"
    if lift < 0:
        return "reject", f"the candidate is {seen}"
    if lift == 0 and better == 0 and worse == 0:
        return "reject", f"the candidate changes nothing on {tasks} held-out tasks"
    return "not_enough_evidence", f"the candidate is {seen}; the level is {settings.level:g}: add tasks or seeds"


def _sign_test(better: int, worse: int) -> float:
    """P(at least so many better | better and worse equally likely), 1.0 when nothing differs."""
    from scipy.stats import binomtest  # imported here: 1 s that `--help` need not wait for

    if better + worse == 0:
        return 1.0
    return float(binomtest(better, better + worse, 0.5, alternative="greater").pvalue)
