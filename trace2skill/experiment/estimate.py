"""What an experiment will cost: the steps of the grid that the store does not have yet, times what such steps took.

Steps that arms share are counted once. An arm that an earlier run finished costs nothing again; of one that did not
finish, its rollouts of S0 are looked up and the rest is counted whole.
"""

from collections import Counter

from pydantic import Field

from trace2skill.core.noun import Noun
from trace2skill.evaluation.conditions import jobs_of
from trace2skill.experiment.conditions import Evolve, Learned, ReasoningBank, Rewrite, Sequential
from trace2skill.experiment.grid import Arm, condition_of, seeds_of, uses
from trace2skill.experiment.study import Study, known_arm
from trace2skill.llm import ModelSettings
from trace2skill.runs.distill import KINDS
from trace2skill.runs.estimate import ASKED, TAUGHT, Estimate, StageEstimate, known_rollout, stage_estimate
from trace2skill.runs.runtime import Runtime, runtime
from trace2skill.types.references import RolloutJob

LESSONS_EACH = 2
Bill = Counter[tuple[str, str]]


class GridRow(Noun):
    """One arm of the grid and where it is scored."""

    condition: str
    author: str
    kind: str
    runs: dict[str, int] = Field(description="Scored runs by 'user on set'.")
    made: bool = Field(description="Did an earlier run of the experiment finish it?")


class GridEstimate(Noun):
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
    keys = sorted({*to_pay, *in_store}, key=lambda key: (STAGES.index(key[0]), key[1]))
    stages: list[StageEstimate] = [
        stage_estimate(study.lead.store, stage, models[name], to_pay[stage, name], in_store[stage, name])
        for stage, name in keys
        if to_pay[stage, name] or in_store[stage, name]
    ]
    cap = study.lead.settings.money.max_cost
    return GridEstimate(run_id=study.run_id, rows=tuple(rows), estimate=Estimate(stages=tuple(stages), cap=cap))


STAGES = ("draft", "rollout", "extract", "propose", "merge", "rewrite", "embed", "recall")


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
    roles = rt.settings.models
    bill = in_store if made else to_pay

    def once(stage: str, model: ModelSettings, steps: float, *what: object) -> None:
        if what and (arm.author, stage, *what) in shared:
            return
        shared.add((arm.author, stage, *what))
        bill[stage, model.name] += round(steps)

    base = getattr(condition, "base", "parametric" if condition.kind == "parametric" else "human")
    if base == "parametric":
        once("draft", roles.analyst, 1, "S0")
    if not isinstance(condition, Learned):
        return
    number = len(rt.splits.evolve) * len(rt.settings.learning.seeds)
    signals = set().union(*(KINDS[name] for name in condition.analysts.split("+")[1:]))
    chosen = number * (0.5 * len(signals) or 0.25)  # half of the trajectories fail, until it is known
    taught = chosen * TAUGHT
    if isinstance(condition, Sequential):
        once("rollout", roles.agent, number)
        once("extract", roles.analyst, chosen)
        once("propose", roles.analyst, taught)
        once("merge", roles.merger, taught * (1 - 1 / condition.every) * ASKED)
        return
    _count_rollouts(rt, base, arm, shared, to_pay, in_store)
    for signal in signals:  # +combined shares its halves with +error and +success
        once("extract", roles.analyst, chosen / len(signals), base, condition.error_analyst, signal)
        if isinstance(condition, Evolve):
            once("propose", roles.analyst, taught / len(signals), base, condition.error_analyst, signal)
    if isinstance(condition, Evolve):
        once("merge", roles.merger, max(0.0, taught - 1) * ASKED)
    if isinstance(condition, Rewrite):
        once("rewrite", roles.merger, 1)
    if isinstance(condition, ReasoningBank) and condition.bank.embedding:
        once("embed", condition.bank.embedding, taught)


def _count_rollouts(
    rt: Runtime, base: str, arm: Arm, shared: set[tuple[object, ...]], to_pay: Bill, in_store: Bill
) -> None:
    """The rollouts of S0, which are the same for every condition of an author."""
    if (arm.author, "rollout", base) in shared:
        return
    shared.add((arm.author, "rollout", base))
    skill = rt.given_skill.digest if rt.given_skill and base == "human" else None
    jobs = [
        RolloutJob(task_id=task, seed=seed, skill=skill)
        for task in rt.splits.evolve
        for seed in rt.settings.learning.seeds
    ]
    known = sum(known_rollout(rt, job) is not None for job in jobs) if skill else 0
    to_pay["rollout", rt.settings.models.agent.name] += len(jobs) - known
    in_store["rollout", rt.settings.models.agent.name] += known


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
        to_pay["rollout", rt.settings.models.agent.name] += whole - known
        in_store["rollout", rt.settings.models.agent.name] += known
        if isinstance(condition, ReasoningBank) and condition.bank.embedding:
            to_pay["recall", condition.bank.embedding.name] += whole - known
    return runs
