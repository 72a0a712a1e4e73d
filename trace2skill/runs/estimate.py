"""What a refresh will cost, before it is run: how many steps are not in the store yet, times what such steps took.

The list of steps is walked, and each says how often it will ask a model. What a step takes comes from the store's own
ledger, for the same model, stage and part; where that has no such step, from the step's defaults. An estimate, not a
bound: the bound is the cap, which no call may pass.
"""

from collections.abc import Iterable, Sequence
from operator import not_
from statistics import fmean, quantiles
from typing import Literal

from pydantic import Field

from trace2skill.agents.billing import bound_of
from trace2skill.core.record import Record
from trace2skill.evaluation.culprits import most_batches
from trace2skill.evaluation.outlook import GateOutlook
from trace2skill.llm.batch.prices import batch_prices
from trace2skill.llm.batch.provider import provider_of
from trace2skill.llm.settings import ModelSettings
from trace2skill.llm.transport import prices
from trace2skill.runs.evolve_tasks import for_base
from trace2skill.runs.intake import NOTHING_READ, Intake
from trace2skill.runs.library_foresight import exercised, without
from trace2skill.runs.outlook import gate_outlook
from trace2skill.runs.promotion import fresh_seeds
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.steps import STEPS
from trace2skill.runs.steps.asks import Asks, Expected
from trace2skill.runs.steps.foresight import Foresight, rates_of, seeds_of_all
from trace2skill.runs.steps.judge import to_judge
from trace2skill.runs.steps.observe import to_observe
from trace2skill.runs.steps.rollout import ROLLOUT, known_rollout
from trace2skill.skills.library import together
from trace2skill.store import Store
from trace2skill.store.costs import steps_of_stage
from trace2skill.types.references import RolloutJob

ONE_CALL = frozenset(asks for step in STEPS if step.one_call for asks in step.asks if asks.calls == 1)
"""What is asked for by calls that can go in batches."""
WAITED_WITH = {"contrast": "extract"}
"""Stages whose calls go in the batch of another."""


class StageEstimate(Record):
    """One stage. Money in US dollars; `high` is what it costs if each step takes what the dearest tenth took."""

    stage: str
    part: str = Field(default="", description="What of the stage, e.g. which analyst.")
    model: str
    steps: int
    in_store: int
    tokens_in: int
    tokens_out: int
    cost: float
    high: float
    basis: Literal["history", "defaults"]
    by_hand: int = Field(default=0, exclude_if=not_, description="Answers that a person or a session has to give.")
    both: tuple[float, float] | None = Field(
        default=None,
        exclude_if=not_,
        description="What it costs singly and in batches, where its calls can go in some.",
    )


class Estimate(Record, form="Estimate", version=1):
    """What a run will cost."""

    stages: tuple[StageEstimate, ...]
    cap: float | None = Field(description="The run's cap in US dollars.")
    gate: GateOutlook | None = Field(default=None, exclude_if=not_, description="What the gate can say at best.")

    waits: int = Field(
        default=0, exclude_if=not_, description="Batches that are waited for one after the other, at most."
    )

    @property
    def both(self) -> tuple[float, float]:
        """US dollars of all calls that can go in batches: singly, and so."""
        pairs = [stage.both for stage in self.stages if stage.both]
        return sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)

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


def estimate(
    rt: Runtime,
    intake: Intake = NOTHING_READ,
    evolve: Sequence[str] | None = None,
    validation: Sequence[str] | None = None,
) -> Estimate:
    """Count the steps of a refresh that are still to be paid for, and what they will cost.

    Nothing is asked of a model. Steps whose inputs do not exist yet are counted as not in the store.

    Args:
        rt: the run.
        intake: what was read of the logs it learns from.
        evolve: the tasks it learns on; all of the split where it is not known which can teach.
        validation: the tasks it scores skills on, likewise.
    """
    settings, base = rt.settings, rt.given_skill.digest if rt.given_skill else None
    if rt.library:
        base = together(rt.library.values()).digest
    learning = rt.splits.evolve if evolve is None else evolve
    seen = Foresight(
        rt=rt,
        evolve=learning,
        validation=rt.splits.validation if validation is None else validation,
        base=base,
        spreads=[for_base(rt, learning, base or "", seeds, keep=False) for seeds in seeds_of_all(settings)],
        rates=rates_of(rt, []),
        unlabelled=to_judge(rt, intake.taken),
        logs=to_observe(intake.taken, []),
    )
    expected: list[Expected] = []
    for step in STEPS:
        if step.expects is not None:
            expected += step.expects(seen)
        if step is ROLLOUT:
            seen.rates = rates_of(rt, [item for rolled in seen.rolled for item in rolled])
    expected += [*trials(seen), *replays(seen), *scoring(seen), *shrinking(seen)]
    outside = settings.learning.agent.harness
    bounds = {"rollout": bound_of(outside, settings.learning.agent.loop)} if outside else {}
    stages = tuple(
        in_batches(
            stage_estimate(rt.store, item.asks, model_of(rt, item.asks), item.to_pay, item.in_store, bounds),
            *(item.asks, model_of(rt, item.asks), settings.operation.batch),
        )
        for item in added_up(expected)
        if round(item.to_pay) or item.in_store
    )
    waits = len({WAITED_WITH.get(stage.stage, stage.stage) for stage in stages if stage.both})
    return Estimate(
        stages=stages,
        cap=settings.money.max_cost,
        gate=None if rt.library else gate_outlook(rt, seen.validation),
        waits=waits * len(seen.evolutions) * settings.learning.rounds,
    )


def in_batches(found: StageEstimate, asks: Asks, model: ModelSettings, batch: bool) -> StageEstimate:
    """The same with both prices, where calls of the stage can go in batches; with that of batches, where they do."""
    if asks not in ONE_CALL or not found.steps or provider_of(model) is None:
        return found
    (one_in, one_out), (many_in, many_out) = prices(model), batch_prices(model)
    singly = found.tokens_in * one_in + found.tokens_out * one_out
    many = found.tokens_in * many_in + found.tokens_out * many_out
    update: dict[str, object] = {"both": (singly, many)}
    if batch and singly:
        update |= {"cost": found.cost * many / singly, "high": found.high * many / singly}
    return found.model_copy(update=update)


def foreseen(
    rt: Runtime,
    intake: Intake = NOTHING_READ,
    evolve: Sequence[str] | None = None,
    validation: Sequence[str] | None = None,
) -> Estimate:
    """The estimate of a run as it was before its first attempt: later ones find what is paid for in the store."""
    kept = rt.store.get("foreseen", rt.run_id, Estimate)
    if kept is None:
        kept = estimate(rt, intake, evolve, validation)
        rt.store.put("foreseen", rt.run_id, kept)
    return kept


def trials(seen: Foresight) -> list[Expected]:
    """With several rounds, the rollouts of each round's candidate on the evolve tasks."""
    rounds = seen.rt.settings.learning.rounds
    return [Expected(ROLLOUT.asks[0], rounds * seen.sweep)] if rounds > 1 and seen.learns else []


def replays(seen: Foresight) -> list[Expected]:
    """The rollouts of trial skills, as many as there can be: each patch may be a rule, and with rounds what is left is
    rolled out on all evolve tasks. Most runs need few or none.
    """
    how = seen.rt.settings.learning
    if not how.replay or not seen.learns:
        return []
    tasks = min(how.replay, len(seen.evolve))
    more = how.rounds * (len(seen.evolve) - tasks) if how.rounds > 1 else 0
    runs = sum((most_batches(round(seen.patches)) * tasks + more) * len(seeds) for seeds in seen.evolutions)
    return [Expected(ROLLOUT.asks[0], float(runs))]


def scoring(seen: Foresight) -> list[Expected]:
    """The rollouts that score skills: none where nothing will be learned. No candidate exists yet, so none has any."""
    settings, tasks, seeds = seen.rt.settings, seen.validation, seen.rt.settings.gate.held_out_seeds
    if not settings.gate.evaluate or not seen.learns:
        return []
    jobs: list[RolloutJob] = seen.jobs(seen.base, tasks, seeds)
    if settings.gate.no_skill:
        jobs += without(seen)
    if settings.gate.repeat_champion:
        jobs += seen.jobs(seen.base, tasks, fresh_seeds(settings))
    known = sum(known_rollout(seen.rt, job) is not None for job in jobs if seen.base or job.skill is None)
    candidate = exercised(seen) * len(seeds)
    if settings.learning.candidates > 1 and settings.learning.select == "validation":
        candidate *= settings.learning.candidates
    elif settings.learning.candidates > 1:
        candidate += settings.learning.candidates * len(seen.evolve) * len(seeds)
    return [Expected(ROLLOUT.asks[0], len(jobs) - known + candidate, known)]


def shrinking(seen: Foresight) -> list[Expected]:
    """The rollouts of a pass that is to make the champion smaller, as many as there can be: trial skills on evolve
    tasks, each without other parts, the champion once on all of these tasks, and what is left on held-out tasks, with
    the version that shrinking began with.
    """
    settings, how = seen.rt.settings, seen.rt.settings.learning
    if how.shrink.of == "nothing" or seen.base is None:
        return []
    trial = (how.shrink.tasks + min(how.shrink.tasks, len(seen.evolve))) * len(how.seeds)
    scored = 2 * len(seen.validation) * len(settings.gate.held_out_seeds) if settings.gate.evaluate else 0
    return [Expected(ROLLOUT.asks[0], float(trial + scored))]


def added_up(expected: Iterable[Expected]) -> list[Expected]:
    """One entry for each thing that is asked, in the order of the steps."""
    sums: dict[Asks, Expected] = {}
    for item in expected:
        before = sums.get(item.asks, Expected(item.asks, 0.0))
        sums[item.asks] = Expected(item.asks, before.to_pay + item.to_pay, before.in_store + item.in_store)
    order = [asks for step in STEPS for asks in step.asks]
    return sorted(sums.values(), key=lambda item: order.index(item.asks))


def model_of(rt: Runtime, asks: Asks) -> ModelSettings:
    """Whose model a refresh asks."""
    roles = rt.settings.models
    return {"agent": roles.agent, "analyst": roles.analyst, "merger": roles.merger}[asks.player]


def stage_estimate(
    store: Store,
    asks: Asks,
    model: ModelSettings,
    to_pay: float,
    in_store: int,
    bounds: dict[str, float] | None = None,
) -> StageEstimate:
    """What so many steps will cost, by the store's history or by defaults; `bounds` are what one of a stage may cost.

    One step of the store's own is a better guide than any default.
    """
    history, bound = steps_of_stage(store, model.name, asks.stage, asks.part), (bounds or {}).get(asks.stage)
    known = bool(history)
    rows = [(row.tokens_in, row.tokens_out) for row in history] if known else [asks.tokens]
    if bound is None:
        price_in, price_out = prices(model)
        costs = [row[0] * price_in + row[1] * price_out for row in rows]
    else:  # another program pays: its own figures, or what it may cost at most
        costs = [row.cost for row in history] if known else [bound]
    tokens_in, tokens_out = (fmean(row[index] for row in rows) for index in (0, 1))
    dearest = quantiles(costs, n=10)[-1] if len(costs) > 1 else costs[0] * (1 if bound is not None else 2)
    calls = fmean(row.calls for row in history) if known else asks.calls
    return StageEstimate(
        stage=asks.stage,
        part=asks.part,
        model=model.name,
        steps=round(to_pay),
        in_store=in_store,
        tokens_in=round(tokens_in * to_pay),
        tokens_out=round(tokens_out * to_pay),
        cost=fmean(costs) * to_pay,
        high=max(dearest, fmean(costs)) * to_pay,
        basis="history" if known else "defaults",
        by_hand=round(float(calls) * to_pay) if model.handoff and bound is None else 0,
    )
