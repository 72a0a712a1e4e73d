"""`Experiment`: what a file under `experiments/` says. Everything in it that can change a figure is in the run's id."""

from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from trace2skill.agents.loop import LoopLimits
from trace2skill.agents.react import AgentSettings
from trace2skill.consolidate.bounded import Bounds
from trace2skill.consolidate.limits import SizeLimits
from trace2skill.consolidate.route import Thresholds
from trace2skill.core.record import Record
from trace2skill.experiment.conditions import Condition, Padded, ReasoningBank
from trace2skill.experiment.old_names import in_sections
from trace2skill.llm import Roles
from trace2skill.runs.sections import MoneySettings
from trace2skill.skills.place import EditPolicy


def _cast(value: Any) -> Any:
    """One model plays every role unless each has its own: `name: ...`, or `agent:`, `analyst:` and `merger:`."""
    if isinstance(value, str):
        value = {"name": value}
    if isinstance(value, dict) and "name" in value:
        return {"agent": value, "analyst": value, "merger": value}
    return value


Cast = Annotated[Roles, BeforeValidator(_cast)]
SetName = Annotated[str, Field(min_length=1, max_length=60)]


def _still(value: Any) -> Any:
    if str(value).startswith("git+"):
        raise ValueError("an experiment compares what stands still: name a directory, such as a checkout")
    return value


class Learning(Record):
    """The tasks that trajectories come from, and the human-written skill."""

    domain: str = Field(default="spreadsheet", description="Kind of task.")
    domain_options: dict[str, str] = Field(default_factory=dict, description="What it is told besides, by name.")
    data: Path = Field(description="Directory of the data set, from the file's own place.")
    skill: Annotated[Path | None, BeforeValidator(_still)] = Field(
        default=None, description="The human-written skill S0; none where there is none."
    )
    tasks: int | None = Field(default=None, ge=3, description="Use a stratified sample of so many tasks.")
    splits: Literal["stratified", "paper"] = Field(default="stratified", description="How tasks are divided.")
    split_seed: int = Field(default=42, description="Seed of the division, the sample and the drafts.")
    recalculate: Literal["auto", "always", "never"] = Field(
        default="auto", description="Recalculate formulas with LibreOffice before grading."
    )


class TestSet(Record):
    """Tasks that conditions are scored on. What it does not say of its tasks, `learn` says."""

    __test__ = False  # the field's word, not a pytest class

    name: SetName
    split: Literal["validation", "test", "all"] = Field(
        default="validation", description="Which tasks. 'test' is sealed, 'all' holds it: both need `why`."
    )
    distribution: Literal["in", "out"] = Field(default="in", description="Of the same kind as what is learned from?")
    domain: str | None = Field(default=None, description="Another kind of task.")
    domain_options: dict[str, str] = Field(default_factory=dict, description="What that is told besides, by name.")
    data: Path | None = Field(default=None, description="Another data set.")
    tasks: int | None = Field(default=None, ge=3, description="A sample of that other data set.")
    splits: Literal["stratified", "paper"] | None = Field(default=None, description="How that other one is divided.")
    seeds: tuple[int, ...] | None = Field(default=None, min_length=1, description="Other seeds, e.g. 8 for avg@8.")
    why: str = Field(default="", description="Why the sealed tasks are opened. Each opening is counted and recorded.")

    @model_validator(mode="after")
    def _sealed(self) -> "TestSet":
        if self.split != "validation" and not self.why.strip():
            raise ValueError(f"split '{self.split}' opens sealed tasks: say why (`why: ...`), it is recorded")
        if self.data is None and self.split == "all":
            raise ValueError("'all' holds the tasks that lessons come from: use it with `data` of its own")
        if self.data is None and (self.tasks or self.splits or self.domain or self.domain_options):
            raise ValueError("domain, its options, tasks and splits belong to `data`: name it, or leave them out")
        return self


class Seeds(Record):
    """Seeds of the rollouts."""

    learn: tuple[int, ...] = Field(default=(41,), min_length=1, description="Of those that lessons come from.")
    score: tuple[int, ...] = Field(default=(41, 42, 43), min_length=1, description="Of those that are scored.")


class ArmLearning(Record):
    """How the arms learn: part of the section `learning` of a run's settings; each as there unless given."""

    agent: AgentSettings = AgentSettings()
    analyst: LoopLimits = LoopLimits(turns=20)
    merge: Bounds = Bounds()
    thresholds: Thresholds = Thresholds()
    limits: SizeLimits = SizeLimits()
    edits: EditPolicy = EditPolicy()
    sandbox: Literal["auto", "bwrap", "docker", "process"] = "auto"


class GridOperation(Record):
    """How the grid is carried out: part of the section `operation` of a run's settings."""

    workers: int = Field(default=8, ge=1, le=256, description="Steps under way at once.")
    max_failed_share: float = Field(default=0.1, ge=0, le=1, description="Share of a stage that may fail.")


class AblationArm(Record):
    """Two conditions that differ in one thing."""

    name: str = Field(min_length=1)
    whole: str = Field(description="The condition with it.")
    without: str = Field(description="The condition without it.")


class Experiment(Record):
    """A grid: conditions by author models, user models, task sets and seeds."""

    name: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", description="Lower case with hyphens.")
    about: str = Field(default="", description="What it shows, in a sentence or two.")
    models: dict[str, Cast] = Field(min_length=1, description="The models by the names the tables use.")
    authors: tuple[str, ...] = Field(default=(), description="Models that write skills; all unless given.")
    users: tuple[str, ...] = Field(default=(), description="Models whose agents are scored; all unless given.")
    transfer: bool = Field(default=True, description="Is each skill used by every user, or by its author alone?")
    learn: Learning
    sets: tuple[TestSet, ...] = Field(min_length=1)
    seeds: Seeds = Seeds()
    conditions: tuple[Condition, ...] = Field(min_length=1)
    ablations: tuple[AblationArm, ...] = ()
    learning: ArmLearning = ArmLearning()
    money: MoneySettings = Field(default=MoneySettings(), description="Caps of the whole grid in US dollars.")
    operation: GridOperation = GridOperation()

    @model_validator(mode="before")
    @classmethod
    def _old_names(cls, given: Any) -> Any:
        return in_sections(given) if isinstance(given, dict) else given

    @model_validator(mode="after")
    def _hangs_together(self) -> "Experiment":
        labels = [condition.label for condition in self.conditions]
        for what, names in (("conditions", labels), ("sets", [item.name for item in self.sets])):
            twice = [name for name, times in Counter(names).items() if times > 1]
            if twice:
                raise ValueError(f"{what}: '{twice[0]}' stands there twice: give each a `name` of its own")
        for place, name, known in self._names_used(labels):
            if name not in known:
                raise ValueError(f"{place}: there is no '{name}'; there is {', '.join(known) or 'none'}")
        if self.learn.skill is None:
            for number, condition in enumerate(self.conditions):
                if condition.kind == "human" or getattr(condition, "base", "") == "human":
                    raise ValueError(
                        f"conditions.{number}: '{condition.label}' starts from the human-written skill, and "
                        "learn.skill names none: name it, or use `base: parametric`"
                    )
        return self

    def _names_used(self, labels: list[str]) -> list[tuple[str, str, list[str]]]:
        """(place, name, what there is) for every name that something else must bear."""
        models = list(self.models)
        used = [("authors", name, models) for name in self.authors] + [("users", name, models) for name in self.users]
        for number, condition in enumerate(self.conditions):
            used += [(f"conditions.{number}.against", name, labels) for name in condition.against or ()]
            if isinstance(condition, Padded):
                skills = [item.label for item in self.conditions if item.kind in ("evolve", "sequential", "rewrite")]
                used.append((f"conditions.{number}.like", condition.like, skills))
        for number, ablation in enumerate(self.ablations):
            used += [
                (f"ablations.{number}.{which}", getattr(ablation, which), labels) for which in ("whole", "without")
            ]
        return used

    @property
    def author_names(self) -> tuple[str, ...]:
        """The models that write skills."""
        return self.authors or tuple(self.models)

    @property
    def user_names(self) -> tuple[str, ...]:
        """The models whose agents are scored."""
        return self.users or tuple(self.models)

    @property
    def simulated(self) -> bool:
        """Is any model simulated?"""
        casts = any(cast.simulated for cast in self.models.values())
        banks = (item.bank.embedding for item in self.conditions if isinstance(item, ReasoningBank))
        return casts or any(model.simulated for model in banks if model)
