"""The grid of an experiment: its arms, who uses them on what, and the settings of each part."""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from trace2skill.baselines.sequential import EVERY_EDIT
from trace2skill.core.record import Record
from trace2skill.evaluation.conditions import Condition as Scored
from trace2skill.experiment.conditions import Condition, Sequential
from trace2skill.experiment.definition import Experiment, Learning, TestSet
from trace2skill.runs.sections import (
    DataSettings,
    EvaluationSettings,
    LearningSettings,
    MoneySettings,
    OperationSettings,
)
from trace2skill.runs.settings import RunSettings
from trace2skill.store.address import StoreAddress, default_address


class ExperimentSettings(Record, form="ExperimentSettings", version=1):
    """What an experiment's flow is told: the file, and where and how it is carried out."""

    file: Path = Field(description="The YAML file of the experiment.")
    small: bool = Field(default=False, description="At the size that the file states under `small`.")
    store: StoreAddress = Field(default_factory=default_address, description="Where what was paid for is kept.")
    output: Path = Field(default=Path(".trace2skill/runs"), description="Where its directory is written.")
    workers: int | None = Field(default=None, ge=1, le=256, description="Another number of steps under way at once.")
    max_cost: float | None = Field(default=None, ge=0, description="Another cap, in US dollars.")
    sandbox: Literal["auto", "bwrap", "docker", "process"] | None = Field(default=None, description="Another sandbox.")

    @property
    def label(self) -> str:
        """What a person reads in the UI."""
        return f"{self.file.stem}{', small' if self.small else ''}"


class Arm(Record):
    """A condition by one author; '' for what no model writes."""

    condition: str
    author: str = ""

    @property
    def name(self) -> str:
        """What a person reads."""
        return f"{self.condition}, by {self.author}" if self.author else self.condition


class ArmResult(Record, form="ArmResult", version=1):
    """What came of an arm: what the agent is given, and what it took to get there."""

    arm: Arm
    skill: str | None = Field(default=None, description="Digest of the skill; none where the agent gets none.")
    bank: str = Field(default="", description="Digest of the bank lessons are recalled from.")
    trajectories: int = 0
    lessons: int = 0
    left_out: int = Field(default=0, description="Lessons a one-shot rewrite had no room for.")
    rounds: int = Field(default=0, description="Changes of the skill that had to wait for each other.")
    tokens: int = Field(default=0, description="Size of SKILL.md's body, four characters a token.")
    failed: int = Field(default=0, description="Items of its stages that have no result.")

    @property
    def scored_as(self) -> Scored:
        """The arm as an evaluation takes it."""
        return Scored(name=self.arm.name, skill=self.skill, bank=self.bank)


def arms_of(experiment: Experiment) -> list[Arm]:
    """Every arm, in the order of the file; those that others refer to come first."""
    return [
        Arm(condition=condition.label, author=author)
        for condition in sorted(experiment.conditions, key=lambda item: item.kind == "padded")
        for author in (experiment.author_names if condition.authored else ("",))
    ]


def condition_of(experiment: Experiment, arm: Arm) -> Condition:
    """The condition of an arm."""
    return next(item for item in experiment.conditions if item.label == arm.condition)


def uses(experiment: Experiment, arm: Arm, user: str) -> bool:
    """Is the arm scored with this user's agent?"""
    if not arm.author or arm.author == user:
        return True
    users = condition_of(experiment, arm).users
    return users == "all" if users else experiment.transfer


def references_of(experiment: Experiment, condition: Condition) -> list[str]:
    """Names of the conditions that a condition's deltas are against: those it states, else its S0, else no skill."""
    if condition.against is not None:
        return list(condition.against)
    wanted = {"no_skill": "", "human": "no_skill", "parametric": "no_skill", "padded": "human"}
    kind = wanted.get(condition.kind, getattr(condition, "base", ""))
    return [item.label for item in experiment.conditions if item.kind == kind]


def learning_settings(experiment: Experiment, how: ExperimentSettings, arm: Arm, part_of: str = "") -> RunSettings:
    """The settings of an arm's steps; its author plays every role of the pipeline."""
    condition, learn, learning = condition_of(experiment, arm), experiment.learn, experiment.learning
    sequential = isinstance(condition, Sequential)
    return RunSettings(
        data=DataSettings(**learn_from(learn)),
        models=experiment.models[arm.author or experiment.author_names[0]],
        learning=LearningSettings(
            seeds=experiment.seeds.learn,
            analysts=getattr(condition, "analysts", "+combined"),
            error_analyst=getattr(condition, "error_analyst", "agentic"),
            analyst=learning.analyst,
            merge=learning.merge,
            thresholds=EVERY_EDIT if sequential else learning.thresholds,
            limits=learning.limits,
            edits=learning.edits,
            agent=learning.agent,
            sandbox=how.sandbox or learning.sandbox,
        ),
        gate=EvaluationSettings(evaluate=False),
        money=_cap(experiment, how),
        operation=_operation(experiment, how, part_of, 1.0 if sequential else experiment.operation.max_failed_share),
    )


def scoring_settings(
    experiment: Experiment, how: ExperimentSettings, user: str, tested: TestSet, part_of: str = ""
) -> RunSettings:
    """The settings under which a user's agent is scored on a set."""
    learn, learning = experiment.learn, experiment.learning
    own = tested.data is not None
    data = {
        **learn_from(learn),
        "path": tested.data or learn.data,
        "domain": tested.domain or learn.domain,
        "domain_options": tested.domain_options if tested.domain else {**learn.domain_options, **tested.domain_options},
        "tasks": tested.tasks if own else learn.tasks,
        "splits": (tested.splits or "stratified") if own else learn.splits,
    }
    return RunSettings(
        data=DataSettings(**data),
        models=experiment.models[user],
        learning=LearningSettings(
            seeds=experiment.seeds.learn, agent=learning.agent, sandbox=how.sandbox or learning.sandbox
        ),
        gate=EvaluationSettings(held_out_seeds=seeds_of(experiment, tested)),
        money=_cap(experiment, how),
        operation=_operation(experiment, how, part_of, experiment.operation.max_failed_share),
    )


def learn_from(learn: Learning) -> dict[str, Any]:
    """The tasks that lessons come from, as the settings of a run name them."""
    return {
        "path": learn.data,
        "domain": learn.domain,
        "domain_options": learn.domain_options,
        "skill": learn.skill,
        "tasks": learn.tasks,
        "splits": learn.splits,
        "split_seed": learn.split_seed,
        "recalculate": learn.recalculate,
    }


def seeds_of(experiment: Experiment, tested: TestSet) -> tuple[int, ...]:
    """The seeds a set is scored at."""
    return tested.seeds or experiment.seeds.score


def _cap(experiment: Experiment, how: ExperimentSettings) -> MoneySettings:
    money = experiment.money
    return money if how.max_cost is None else money.model_copy(update={"max_cost": how.max_cost})


def _operation(experiment: Experiment, how: ExperimentSettings, part_of: str, failing: float) -> OperationSettings:
    return OperationSettings(
        workers=how.workers or experiment.operation.workers,
        store=how.store,
        output=how.output,
        part_of=part_of,
        max_failed_share=failing,
    )
