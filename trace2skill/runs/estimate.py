"""What a refresh will cost, before it is run: how many steps are not in the store yet, times what such steps took.

What a step takes comes from the store's own ledger, for the same model and stage; where that has no such step, from
stated defaults. An estimate, not a bound: the bound is the cap, which no call may pass.
"""

from collections.abc import Sequence
from operator import not_
from statistics import fmean, quantiles
from typing import Literal

from pydantic import Field

from trace2skill.agents.billing import bound_of
from trace2skill.core.noun import Noun
from trace2skill.llm.settings import ModelSettings
from trace2skill.llm.transport import prices
from trace2skill.runs.distill import choose_for_analysis
from trace2skill.runs.promotion import fresh_seeds
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.steps.learning import extract_key, rollout_key
from trace2skill.store import Store
from trace2skill.store.costs import steps_of_stage
from trace2skill.types.evaluation import Cell
from trace2skill.types.references import Rolled, RolloutJob
from trace2skill.types.trajectory import Trajectory

DEFAULT_TOKENS = {
    "draft": (2_000, 1_500),
    "rollout": (40_000, 3_000),
    "extract": (45_000, 4_000),
    "propose": (6_000, 1_000),
    "merge": (5_000, 800),
    "rewrite": (20_000, 3_000),
    "embed": (400, 0),
    "recall": (300, 0),
}
"""Tokens of one step, in and out, where the ledger knows none: about eight turns of an agent on a small workbook."""
DEFAULT_CALLS = {"rollout": 8, "extract": 8}
"""Model calls of one step, where the ledger knows none; one of any other stage."""
TAUGHT, ASKED = 0.8, 0.6
"""Share of analyses that give a patch, and of merges that ask the model, where it is not known yet."""
ENOUGH = 5


class StageEstimate(Noun):
    """One stage. Money in US dollars; `high` is what it costs if each step takes what the dearest tenth took."""

    stage: str
    model: str
    steps: int
    in_store: int
    tokens_in: int
    tokens_out: int
    cost: float
    high: float
    basis: Literal["history", "defaults"]
    by_hand: int = Field(default=0, exclude_if=not_, description="Answers that a person or a session has to give.")


class Estimate(Noun, form="Estimate", version=1):
    """What a run will cost."""

    stages: tuple[StageEstimate, ...]
    cap: float | None = Field(description="The run's cap in US dollars.")

    @property
    def cost(self) -> float:
        """US dollars, all stages together."""
        return sum(stage.cost for stage in self.stages)

    @property
    def by_hand(self) -> int:
        """Answers that are given by hand."""
        return sum(stage.by_hand for stage in self.stages)

    @property
    def high(self) -> float:
        """US dollars, if every step is as dear as the dearest tenth was."""
        return sum(stage.high for stage in self.stages)


def estimate(rt: Runtime) -> Estimate:
    """Count the steps of a refresh that are still to be paid for, and what they will cost.

    Nothing is asked of a model. Steps whose inputs do not exist yet are counted as not in the store.
    """
    settings = rt.settings
    roles, base = settings.models, rt.given_skill.digest if rt.given_skill else None
    learning = [
        RolloutJob(task_id=task, seed=seed, skill=base) for task in rt.splits.evolve for seed in settings.learning.seeds
    ]
    scoring = _scoring(rt, base)
    done = [known_rollout(rt, job) for job in learning] if base else []
    rolled = [item for item in done if item]
    chosen = choose_for_analysis(rolled, settings.learning.analysts)
    extracted = sum(rt.store.get_result(extract_key(rt, item)) is not None for item in chosen)
    to_extract = len(chosen) - extracted + (len(learning) - len(rolled))
    rounds = settings.learning.candidates
    taught = round(to_extract * TAUGHT)
    old = sum(known_rollout(rt, job) is not None for job in scoring)
    unknown = (
        len(scoring) if settings.gate.evaluate else 0
    )  # the candidate does not exist yet, so none of its runs does
    to_roll_out = len(learning) * rounds - len(rolled) + unknown + len(scoring) - old
    counts: list[tuple[str, ModelSettings, int, int]] = [
        ("draft", roles.analyst, int(base is None), 0),
        ("rollout", roles.agent, to_roll_out, len(rolled) + old),
        ("extract", roles.analyst, to_extract + len(learning) * (rounds - 1), extracted),
        ("propose", roles.analyst, taught * rounds, 0),
        ("merge", roles.merger, round(max(0, taught - 1) * ASKED) * rounds, 0),
    ]
    outside = settings.learning.agent.harness
    bounds = {"rollout": bound_of(outside, settings.learning.agent.loop)} if outside else {}
    stages = tuple(stage_estimate(rt.store, *count, bounds.get(count[0])) for count in counts if count[2] or count[3])
    return Estimate(stages=stages, cap=settings.money.max_cost)


def foreseen(rt: Runtime) -> Estimate:
    """The estimate of a run as it was before its first attempt: later ones find what is paid for in the store."""
    kept = rt.store.get("foreseen", rt.run_id, Estimate)
    if kept is None:
        kept = estimate(rt)
        rt.store.put("foreseen", rt.run_id, kept)
    return kept


def _scoring(rt: Runtime, base: str | None) -> list[RolloutJob]:
    """The runs of the evaluation but the candidate's own."""
    settings = rt.settings
    if not settings.gate.evaluate:
        return []
    conditions: list[tuple[str | None, Sequence[int]]] = [(base, settings.gate.held_out_seeds)]
    if settings.gate.no_skill:
        conditions.append((None, settings.gate.held_out_seeds))
    if settings.gate.repeat_champion:
        conditions.append((base, fresh_seeds(settings)))
    return [
        RolloutJob(task_id=task, seed=seed, skill=skill)
        for skill, seeds in conditions
        for task in rt.splits.validation
        for seed in seeds
    ]


def known_rollout(rt: Runtime, job: RolloutJob) -> Rolled | None:
    """The trajectory of a job, where the store has it."""
    key = rollout_key(rt, job)
    if rt.store.get_result(key) is None:
        return None
    trajectory = rt.store.get("trajectory", "T" + key.rpartition("/")[2][:12], Trajectory)
    if trajectory is None:
        return None
    return Rolled(trajectory_id=trajectory.id, content=trajectory.digest, skill=job.skill, cell=Cell.of(trajectory))


def stage_estimate(
    store: Store, stage: str, model: ModelSettings, steps: int, in_store: int, bound: float | None = None
) -> StageEstimate:
    """What so many steps of a stage will cost, by the store's history or by defaults; `bound` is what one may cost."""
    history = steps_of_stage(store, model.name, stage)
    known = len(history) >= ENOUGH
    rows = [(row.tokens_in, row.tokens_out) for row in history] if known else [DEFAULT_TOKENS[stage]]
    if bound is None:
        price_in, price_out = prices(model)
        costs = [row[0] * price_in + row[1] * price_out for row in rows]
    else:  # another program pays: its own figures, or what it may cost at most
        costs = [row.cost for row in history] if known else [bound]
    tokens_in, tokens_out = (fmean(row[index] for row in rows) for index in (0, 1))
    dearest = quantiles(costs, n=10)[-1] if len(costs) > 1 else costs[0] * (1 if bound is not None else 2)
    calls = fmean(row.calls for row in history) if known else DEFAULT_CALLS.get(stage, 1)
    return StageEstimate(
        stage=stage,
        model=model.name,
        steps=steps,
        in_store=in_store,
        tokens_in=round(tokens_in * steps),
        tokens_out=round(tokens_out * steps),
        cost=fmean(costs) * steps,
        high=dearest * steps,
        basis="history" if known else "defaults",
        by_hand=round(float(calls) * steps) if model.handoff and bound is None else 0,
    )
