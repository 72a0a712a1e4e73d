"""On which evolve tasks a run rolls S0 out, and on which its candidates, as its settings spread them."""

from collections.abc import Iterable, Sequence

from trace2skill.runs.runtime import Runtime
from trace2skill.runs.spread import RolloutSpread, again, evenly, known_before, telling
from trace2skill.runs.verdicts import past_known
from trace2skill.types.references import Rolled


def for_base(rt: Runtime, tasks: Sequence[str], base: str, seeds: Sequence[int], *, keep: bool = True) -> RolloutSpread:
    """The tasks and seeds of S0.

    Args:
        rt: the run.
        tasks: the evolve tasks.
        base: digest of S0.
        seeds: of the evolution run.
        keep: whether what the run knows is settled by this; an estimate only looks.
    """
    how = rt.settings.learning.spread
    if how.by == "even":
        return evenly(tasks, len(seeds))
    skill = rt.skill(base)
    past = past_known(rt, skill.name, keep=keep) if skill else None
    known = known_before((summary.rolled for _, summary in past.runs), base) if past else {}
    return telling(_kinds(rt, tasks), known, base, len(seeds), how, list(seeds))


def for_candidate(rt: Runtime, before: RolloutSpread, rolled: Sequence[Rolled], seeds: Sequence[int]) -> RolloutSpread:
    """Those of a candidate, once it is known how S0 did."""
    how = rt.settings.learning.spread
    return before if how.by == "even" else again(before, rolled, _kinds(rt, before.tasks), how, list(seeds))


def _kinds(rt: Runtime, tasks: Iterable[str]) -> dict[str, str]:
    return {task: rt.task(task).kind for task in tasks}
