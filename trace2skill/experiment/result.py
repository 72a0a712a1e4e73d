"""`ExperimentResult`: what an experiment measured. The tables are made of it, and of nothing else."""

from pathlib import Path

from trace2skill.core.failures import Failure
from trace2skill.core.record import Record
from trace2skill.experiment.definition import Experiment
from trace2skill.experiment.grid import Arm, ArmResult
from trace2skill.runs.summary import Spent
from trace2skill.types.evaluation import Evaluation


class MeasuredArm(Record):
    """An arm used by one model's agent on one set."""

    arm: Arm
    user: str
    set: str
    evaluation: Evaluation


class Opening(Record):
    """A sealed set that was opened: for the how-manieth time, and why."""

    set: str
    number: int
    why: str


class ExperimentResult(Record, form="ExperimentResult", version=1):
    """The result of an experiment."""

    run_id: str
    experiment: Experiment
    simulated: bool
    tasks: dict[str, int]
    seeds: dict[str, int]
    arms: tuple[ArmResult, ...]
    measured: tuple[MeasuredArm, ...]
    openings: tuple[Opening, ...] = ()
    failures: tuple[Failure, ...] = ()
    spent: Spent = Spent()
    directory: Path
