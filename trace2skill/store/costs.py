"""What stages cost, out of the ledger: of one run for its report, of all runs for the estimate of the next."""

from typing import NamedTuple

from trace2skill.store.base import Store

MOST_STEPS = 5_000
"""So many steps of the past are enough to say what the next will take."""


class StageTotal(NamedTuple):
    """What one stage of a run used of one model. Tokens in and out together, cost in US dollars."""

    stage: str
    model: str
    calls: int
    from_memory: int
    failed: int
    tokens: int
    cost: float
    seconds: float
    cached: float | None
    """Share of the tokens in that came from the provider's cache, of calls of which it says so; None where of none."""


class StepUsed(NamedTuple):
    """What one step took, all its calls together. Cost in US dollars."""

    tokens_in: float
    tokens_out: float
    cost: float
    calls: float


def totals_by_stage(store: Store, run_id: str) -> list[StageTotal]:
    """What each stage of a run used, the most expensive first."""
    rows = store.query(
        "SELECT stage, model, count(*) FILTER (WHERE outcome = 'answered'), "
        "count(*) FILTER (WHERE outcome = 'from_memory'), "
        "count(*) FILTER (WHERE outcome NOT IN ('answered', 'from_memory')), "
        "coalesce(sum(tokens_in + tokens_out), 0), coalesce(sum(cost), 0), coalesce(sum(latency_seconds), 0), "
        "sum(tokens_cached) / nullif(1.0 * sum(tokens_in) FILTER (WHERE tokens_cached IS NOT NULL), 0) "
        "FROM ledger WHERE run_id = ? GROUP BY 1, 2 ORDER BY 7 DESC, 1, 2",
        [run_id],
    )
    return [StageTotal(*row) for row in rows]


def steps_of_stage(store: Store, model: str, stage: str, part: str = "") -> list[StepUsed]:
    """What each step of a stage took that was answered by this model, in any run; the latest ones.

    Where none is known of the part, those count of which nobody wrote down what part they are.
    """
    for wanted in dict.fromkeys([part, ""]):
        rows = store.query(
            "SELECT sum(tokens_in), sum(tokens_out), sum(cost), count(*) FROM ledger "
            "WHERE outcome = 'answered' AND model = ? "
            "AND stage = ? AND part = ? GROUP BY run_id, step, unit ORDER BY max(written) DESC, step, unit "
            f"LIMIT {MOST_STEPS}",
            [model, stage, wanted],
        )
        if rows:
            return [StepUsed(*(float(value) for value in row)) for row in rows]
    return []


def steps_answered(store: Store, model: str) -> dict[str, int]:
    """How many steps of each stage a model has answered, in all runs."""
    rows = store.query(
        "SELECT stage, count(*) FROM (SELECT DISTINCT run_id, stage, step, unit FROM ledger "
        "WHERE outcome = 'answered' AND model = ?) AS answered GROUP BY stage",
        [model],
    )
    return {str(stage): int(count) for stage, count in rows}
