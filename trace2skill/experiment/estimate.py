"""What an experiment will cost: the steps of the grid that the store does not have yet, times what such steps took.

Steps that arms share are counted once. An arm that an earlier run finished costs nothing again; of one that did not
finish, its rollouts of S0 are looked up and the rest is counted whole.
"""

from collections import Counter
from collections.abc import Callable

from pydantic import Field

from trace2skill.analysts import chosen, comparing
from trace2skill.core.record import Record
from trace2skill.evaluation.conditions import jobs_of
from trace2skill.experiment.conditions import Evolve, Learned, ReasoningBank, Rewrite, Sequential
from trace2skill.experiment.grid import Arm, condition_of, seeds_of, uses
from trace2skill.experiment.study import Study, known_arm
from trace2skill.llm import ModelSettings
from trace2skill.runs.estimate import Estimate, StageEstimate, stage_estimate
from trace2skill.runs.runtime import Runtime, runtime
from trace2skill.runs.steps import STEPS
from trace2skill.runs.steps.apply import APPLY
from trace2skill.runs.steps.asks import Asks
from trace2skill.runs.steps.assign import ASSIGN
from trace2skill.runs.steps.contrast import CONTRAST
from trace2skill.runs.steps.draft import DRAFT
from trace2skill.runs.steps.embed import EMBED
from trace2skill.runs.steps.extract import EXTRACT
from trace2skill.runs.steps.foresight import book_calls, rates_of
from trace2skill.runs.steps.induce import INDUCE
from trace2skill.runs.steps.propose import PROPOSE
from trace2skill.runs.steps.recall import RECALL
from trace2skill.runs.steps.rewrite import REWRITE
from trace2skill.runs.steps.rollout import ROLLOUT, known_rollout
from trace2skill.runs.steps.write import WRITE
from trace2skill.types.references import RolloutJob

Bill = Counter[tuple[Asks, str]]
"""How many steps of a kind, by what they ask and the model's name."""


class GridRow(Record):
    """One arm of the grid and where it is scored."""

    condition: str
    author: str
    kind: str
    runs: dict[str, int] = Field(description="Scored runs by 'user on set'.")
    made: bool = Field(description="Did an earlier run of the experiment finish it?")


class GridEstimate(Record):
    """The grid and its bill."""

    run_id: str
    rows: tuple[GridRow, ...]
    estimate: Estimate

    @property
    def runs(self) -> int:
        """Scored runs in all."""
        return sum(sum(row.runs.values()) for row in self.rows)


def estimate(study: Study) -> GridEstimate:
    """Count the grid. Nothing is asked of a model, and no sealed task is opened."""
    to_pay, in_store, models = Bill(), Bill(), _models(study)
    shared: set[tuple[object, ...]] = set()
    rows = []
    for arm in study.arms:
        made = known_arm(study, arm)
        _count_learning(study, arm, made is not None, shared, to_pay, in_store)
        runs = _count_scoring(study, arm, to_pay, in_store)
        kind = condition_of(study.experiment, arm).kind
        rows.append(GridRow(condition=arm.condition, author=arm.author, kind=kind, runs=runs, made=made is not None))
    order = [asks for step in STEPS for asks in step.asks]
    keys = sorted({*to_pay, *in_store}, key=lambda key: (order.index(key[0]), key[1]))
    stages: list[StageEstimate] = [
        stage_estimate(study.lead.store, asks, models[name], to_pay[asks, name], in_store[asks, name])
        for asks, name in keys
        if to_pay[asks, name] or in_store[asks, name]
    ]
    cap = study.lead.settings.money.max_cost
    return GridEstimate(run_id=study.run_id, rows=tuple(rows), estimate=Estimate(stages=tuple(stages), cap=cap))


def _models(study: Study) -> dict[str, ModelSettings]:
    casts = study.experiment.models.values()
    found = {model.name: model for cast in casts for model in (cast.agent, cast.analyst, cast.merger)}
    banks = (item.bank.embedding for item in study.experiment.conditions if isinstance(item, ReasoningBank))
    return found | {model.name: model for model in banks if model}


def _count_learning(
    study: Study, arm: Arm, made: bool, shared: set[tuple[object, ...]], to_pay: Bill, in_store: Bill
) -> None:
    condition, rt = condition_of(study.experiment, arm), runtime(study.learning(arm))
    if not arm.author:
        return
    roles, rates = rt.settings.models, rates_of(rt, [])
    bill = in_store if made else to_pay

    def once(asks: Asks, model: ModelSettings, steps: float, *what: object) -> None:
        if what and (arm.author, asks, *what) in shared:
            return
        shared.add((arm.author, asks, *what))
        bill[asks, model.name] += round(steps)

    base = getattr(condition, "base", "parametric" if condition.kind == "parametric" else "human")
    if base == "parametric":
        once(DRAFT.asks[0], roles.analyst, 1, "S0")
    if not isinstance(condition, Learned):
        return
    tasks, seeds = len(rt.splits.evolve), len(rt.settings.learning.seeds)
    pairs = tasks * rates.both(seeds)
    analyses = [
        (EXTRACT.asked(item.name), max(0.0, tasks * seeds * rates.share(item.outcomes) - pairs * item.leaves_pairs))
        for item in chosen(condition.analysts, [condition.error_analyst], "extract")
    ]
    analyses += [(CONTRAST.asked(item.name), pairs) for item in comparing(condition.analysts) if seeds > 1]
    taught = sum(number for _, number in analyses) * rates.taught
    if isinstance(condition, Sequential):
        once(ROLLOUT.asks[0], roles.agent, tasks * seeds)
        for asks, number in analyses:
            once(asks, roles.analyst, number)
        once(PROPOSE.asks[0], roles.analyst, taught)
        _count_book(rt, once, min(condition.every, taught), taught / condition.every)
        return
    _count_rollouts(rt, base, arm, shared, to_pay, in_store)
    for asks, number in analyses:  # +combined shares its halves with +error and +success
        once(asks, roles.analyst, number, base)
        if isinstance(condition, Evolve):
            once(PROPOSE.asks[0], roles.analyst, number * rates.taught, base, asks)
    if isinstance(condition, Evolve):
        _count_book(rt, once, taught)
        for part in ("look",) * rt.settings.learning.second_look + ("wording",) * rt.settings.learning.polish:
            once(APPLY.asked(part), roles.merger, 1)
    if isinstance(condition, Rewrite):
        once(REWRITE.asks[0], roles.merger, 1)
    if isinstance(condition, ReasoningBank) and condition.bank.embedding:
        once(EMBED.asks[0], condition.bank.embedding, taught)


def _count_book(rt: Runtime, once: Callable[..., None], patches: float, times: float = 1) -> None:
    """The rule book of so many patches, made so many times."""
    calls = book_calls(patches, patches, rt.settings.learning.merge)
    for step, number in ((INDUCE, calls.induce), (ASSIGN, calls.assign), (WRITE, calls.write)):
        once(step.asks[0], rt.settings.models.merger, times * number)


def _count_rollouts(
    rt: Runtime, base: str, arm: Arm, shared: set[tuple[object, ...]], to_pay: Bill, in_store: Bill
) -> None:
    """The rollouts of S0, which are the same for every condition of an author."""
    if (arm.author, ROLLOUT.name, base) in shared:
        return
    shared.add((arm.author, ROLLOUT.name, base))
    skill = rt.given_skill.digest if rt.given_skill and base == "human" else None
    jobs = [
        RolloutJob(task_id=task, seed=seed, skill=skill)
        for task in rt.splits.evolve
        for seed in rt.settings.learning.seeds
    ]
    known = sum(known_rollout(rt, job) is not None for job in jobs) if skill else 0
    to_pay[ROLLOUT.asks[0], rt.settings.models.agent.name] += len(jobs) - known
    in_store[ROLLOUT.asks[0], rt.settings.models.agent.name] += known


def _count_scoring(study: Study, arm: Arm, to_pay: Bill, in_store: Bill) -> dict[str, int]:
    runs = {}
    made, condition = known_arm(study, arm), condition_of(study.experiment, arm)
    for user, tested in study.columns():
        if not uses(study.experiment, arm, user):
            continue
        rt, seeds = runtime(study.scoring(user, tested)), seeds_of(study.experiment, tested)
        tasks = study.preview(tested)
        if made is not None:
            jobs = jobs_of(made.scored_as, tasks, seeds)
        elif condition.kind in ("no_skill", "human"):
            skill = rt.given_skill.digest if rt.given_skill and condition.kind == "human" else None
            jobs = [RolloutJob(task_id=task, seed=seed, skill=skill) for task in tasks for seed in seeds]
        else:
            jobs = []
        whole, known = len(tasks) * len(seeds), sum(known_rollout(rt, job) is not None for job in jobs)
        runs[f"{user} on {tested.name}"] = whole
        to_pay[ROLLOUT.asks[0], rt.settings.models.agent.name] += whole - known
        in_store[ROLLOUT.asks[0], rt.settings.models.agent.name] += known
        if isinstance(condition, ReasoningBank) and condition.bank.embedding:
            to_pay[RECALL, condition.bank.embedding.name] += whole - known
    return runs
