"""What an analyst is: one file with a class that says which trajectories it takes, and draws lessons from them.

A new analyst is such a file and an entry in `trace2skill.analysts.ANALYSTS`: the signals that settings take, the choice
of trajectories, the steps of a run and the estimate come from there.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar, Literal, NoReturn, Protocol

from trace2skill.agents.loop import LoopLimits
from trace2skill.core.step_label import StepLabel
from trace2skill.domains.base import Domain
from trace2skill.llm import Client, ModelSettings
from trace2skill.sandbox import Limits, Sandbox
from trace2skill.skills.skill import Skill
from trace2skill.store import Store
from trace2skill.types.lesson import Extraction
from trace2skill.types.task import Task
from trace2skill.types.trajectory import OutcomeKind, Trajectory

Stage = Literal["extract", "contrast", "observe"]
"""Where an analyst works: on one rollout, on a pass and a failure of one task, on one imported trajectory."""


def _none() -> NoReturn:
    raise ValueError("this analyst was given no such thing")


@dataclass(frozen=True)
class Means:
    """What analysts work with. What is dear to make is made when an analyst asks for it."""

    domain: Domain
    model: ModelSettings
    client: Callable[[], Client] = _none
    store: Callable[[], Store] = _none
    sandbox: Callable[[], Sandbox] = _none
    loop: LoopLimits = field(default_factory=LoopLimits)
    command: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class Case:
    """What is examined."""

    trajectory: Trajectory
    step: StepLabel
    """The step that asks, for the ledger."""
    task: Task | None = None
    """The task, where it is one of the run's own."""
    other: Trajectory | None = None
    """The failure beside the pass, where pairs are examined."""
    skill: Skill | None = None
    """The skill that the agent had, where that is known."""
    gold: tuple[str, ...] = ()
    """What a log says of the expected answer: no lesson may quote it."""
    scope: str = ""
    """The step's key: what tools answered is replayed only within it."""

    @property
    def own_task(self) -> Task:
        """The task of a rollout."""
        if self.task is None:
            raise ValueError("only rollouts have a task")
        return self.task

    @property
    def failure(self) -> Trajectory:
        """The failure of a pair."""
        if self.other is None:
            raise ValueError("only pairs have a failure")
        return self.other


class Analyst(Protocol):
    """Draws lessons from trajectories. Made anew for each case, and used from many threads."""

    name: ClassVar[str]
    stage: ClassVar[Stage]
    signal: ClassVar[str]
    """What `+NAME` in the settings asks for it; '' for analysts of imported trajectories."""
    way: ClassVar[str]
    """The one of several analysts for the same trajectories that a setting names; '' where there is one."""
    outcomes: ClassVar[tuple[OutcomeKind, ...]]
    """The trajectories it takes, by how they ended; of a pair, by how its first one did."""
    leaves_pairs: ClassVar[bool]
    """Does it leave a pass beside a failure of the same task to those who compare the two?"""
    runs_commands: ClassVar[bool]
    """Does the sandbox change what it finds?"""
    tokens: ClassVar[tuple[int, int]]
    """Of one case, in and out, where the ledger knows none."""
    calls: ClassVar[int]
    """Of the model in one case, likewise."""

    def __init__(self, means: Means) -> None: ...

    @property
    def identity(self) -> object:
        """What an extraction's key holds of the analyst."""

    def examine(self, case: Case) -> list[Extraction]:
        """The lessons of a case, or typed reasons why there are none; mostly one extraction.

        Raises:
            InfrastructureFault, ModelUnusable, BudgetReached: as `Client.complete`.
        """
