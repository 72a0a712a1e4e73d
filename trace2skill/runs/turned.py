"""Which evolve tasks turned with a candidate that was rolled out on them."""

from collections.abc import Sequence

from trace2skill.core.record import Record
from trace2skill.types.references import Rolled


class Turned(Record):
    """Tasks whose mean hard score rose or fell, over the runs that have a score with both skills."""

    gained: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


def turned(before: Sequence[Rolled], after: Sequence[Rolled]) -> Turned:
    """What a candidate (`after`) turned. A run without a score on one side says nothing."""
    olds, news = (
        {(i.cell.task_id, i.cell.seed): i.cell.hard for i in some if _has_score(i)} for some in (before, after)
    )
    change: dict[str, float] = {}
    for key in olds.keys() & news.keys():
        change[key[0]] = change.get(key[0], 0.0) + news[key] - olds[key]
    return Turned(
        gained=tuple(sorted(task for task, by in change.items() if by > 0)),
        lost=tuple(sorted(task for task, by in change.items() if by < 0)),
    )


def _has_score(item: Rolled) -> bool:
    return item.cell.outcome in ("passed", "failed")
