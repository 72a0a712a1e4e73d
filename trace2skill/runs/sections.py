"""The sections of `RunSettings`: four that say what a run computes, and two that say how far and how it is carried out.

A field has one home, and its name stands in one section only, so that a name alone says where it belongs.
"""

from operator import not_
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from trace2skill.agents.loop import LoopLimits
from trace2skill.agents.react import AgentSettings
from trace2skill.analysts import signal_names
from trace2skill.consolidate.bounded import Bounds
from trace2skill.consolidate.limits import SizeLimits
from trace2skill.consolidate.route import Thresholds
from trace2skill.core.form_order import on_top
from trace2skill.core.record import Record
from trace2skill.evaluation.acceptance import GateSettings
from trace2skill.runs.sources import Sources
from trace2skill.runs.spread import SpreadSettings
from trace2skill.skills.git_address import SkillAddress
from trace2skill.skills.place import EditPolicy
from trace2skill.store.address import StoreAddress, default_address
from trace2skill.versions.forges import ForgeName

SIGNALS = rf"(\+({'|'.join(signal_names())}))+"
"""Which analysts run, as a regular expression: every analyst of rollouts has a name there."""


class DataSettings(Record):
    """On what: the tasks, the skill that is worked on, and the logs that are read besides."""

    model_config = ConfigDict(json_schema_extra=on_top("path", "domain", "skill", "tasks"))

    path: Path = Field(description="Directory of the data set.")
    domain: str = Field(
        default="spreadsheet",
        description="Kind of task: a name (see `trace2skill domains`), or path/to/module.py:Class for your own.",
    )
    domain_options: dict[str, str] = Field(
        default_factory=dict, exclude_if=not_, description="What the kind of task is told besides, by name."
    )
    skill: SkillAddress | None = Field(
        default=None,
        description="Skill directory to deepen, or one in a repository: git+https://host/repository@branch#path; or a "
        "directory of skills, each of which is deepened. "
        "Without one, S0 is drafted by the model.",
    )
    tasks: int | None = Field(
        default=None, ge=3, description="Use a stratified sample of so many tasks; all, unless given."
    )
    splits: Literal["stratified", "paper"] = Field(default="stratified", description="How tasks are divided.")
    split_seed: int = Field(default=42, description="Seed of the division and of the sample of tasks.")
    sources: Sources | None = Field(
        default=None, exclude_if=not_, description="Logs of agents to learn from besides the rollouts; none for none."
    )
    recalculate: Literal["auto", "always", "never"] = Field(
        default="auto", description="Recalculate formulas with LibreOffice before grading."
    )

    @property
    def plan(self) -> str:
        """The plan of dividing under which the store keeps places of tasks."""
        return f"{self.splits} {self.split_seed}"


class ShrinkSettings(Record):
    """Whether a skill is to become smaller, and what may be tried for that."""

    of: Literal["nothing", "learned", "all"] = Field(
        default="nothing",
        description="After the gate, propose the champion without what has no measured effect, is never used or is "
        "said twice: of the lines that runs have learned, or of all lines, those of people among them.",
    )
    tasks: int = Field(
        default=48,
        ge=0,
        le=10_000,
        description="For that, roll the champion out without some of its rules, on at most so many evolve tasks in "
        "all; 0 goes by what other rollouts have told.",
    )
    shorten: bool = Field(
        default=True,
        exclude_if=bool,
        description="Let the merger's model word long lines more shortly, too: they keep code, numbers and names.",
    )


class ScriptSettings(Record):
    """Whether routines become scripts of the skill, and what one must pass for that."""

    make: bool = Field(
        default=False,
        description="Of programs that do the same job (fixes that passed, and agents' own of runs that passed), make "
        "one script of the skill, where it passes tasks that it was made from and others, without a model.",
    )
    sources: int = Field(default=3, ge=3, le=6, description="Tasks it was made from that a script has to pass.")
    unseen: int = Field(
        default=2, ge=1, le=100, description="Evolve tasks it was not made from that a script has to pass."
    )
    most: int = Field(default=8, ge=1, le=100, description="Scripts are made of at most so many routines a run.")


class LearningSettings(Record):
    """How a candidate is made: rollouts, analysts, and what becomes of their patches."""

    model_config = ConfigDict(json_schema_extra=on_top("rounds", "seeds", "candidates", "analysts"))

    seeds: tuple[int, ...] = Field(default=(41,), min_length=1, description="Seeds of the rollouts lessons come from.")
    analysts: str = Field(
        default="+combined",
        pattern=f"^{SIGNALS}$",
        description="Which analysts run: +error (failures), +success (passes; one beside a failure of the same task is "
        "compared with it), +combined (both), +contrast (only such pairs), or several in a row: +error+contrast.",
    )
    error_analyst: Literal["agentic", "one_call"] = Field(
        default="agentic",
        description="agentic proves each cause by a fix that is run; one_call is the paper's ablation, unproven.",
    )
    edits: EditPolicy = Field(default=EditPolicy(), description="What a patch may touch besides Markdown.")
    sandbox: Literal["auto", "bwrap", "docker", "process"] = Field(
        default="auto", description="Where a model's commands run. 'process' is no security boundary."
    )
    environment: Path | None = Field(
        default=None,
        exclude_if=not_,
        description="A Python environment, or any folder with bin/, whose programs commands in the sandbox find first; "
        "read-only.",
    )
    agent: AgentSettings = Field(default=AgentSettings(), description="Who plays the agent, and its limits.")
    analyst: LoopLimits = Field(default=LoopLimits(turns=20), description="Limits of the error analyst.")
    merge: Bounds = Field(default=Bounds(), description="How much one call that unites rules may hold.")
    thresholds: Thresholds = Field(default=Thresholds(), description="Support that a rule needs.")
    limits: SizeLimits = Field(default=SizeLimits(), description="How long a skill may get.")
    polish: bool = Field(
        default=False, description="One call per changed section for its wording; support and places stay as merged."
    )
    second_look: bool = Field(
        default=True,
        exclude_if=bool,
        description="Let the merger's model look for lines that nobody should follow in what a candidate would say, "
        "and decide on those that the screening no more than suspects.",
    )
    memory: bool = Field(
        default=True,
        exclude_if=bool,
        description="Learn from the rules of earlier runs over this skill in the store, too, and leave one's own.",
    )
    new_evidence: int = Field(
        default=4,
        ge=1,
        exclude_if=lambda tasks: tasks == 4,
        description="A refuted rule returns once so many tasks ask for it in trajectories that came after; with each "
        "further refutation it takes twice as many.",
    )
    forget_after: int | None = Field(
        default=None,
        ge=1,
        exclude_if=not_,
        description="Votes for a line count for so many versions of the skill; all, unless given.",
    )
    candidates: int = Field(
        default=1, ge=1, le=16, description="Evolve so many candidates, each from rollouts with seeds of its own."
    )
    moving_seeds: bool = Field(
        default=False,
        exclude_if=not_,
        description="Each night of a skill rolls out with seeds of its own, and so learns from other runs; one that is "
        "run again has the seeds it had.",
    )
    night: int | None = Field(
        default=None,
        ge=1,
        exclude_if=not_,
        description="Be the night of that number, with its seeds; with moving seeds it is counted, unless given.",
    )
    night_of: str = Field(default="", exclude_if=not_, description="Day of that night (ISO 8601); set by the run.")
    spread: SpreadSettings = Field(
        default=SpreadSettings(),
        exclude_if=lambda spread: spread == SpreadSettings(),
        description="How rollouts on evolve tasks are spread.",
    )
    rounds: int = Field(
        default=1,
        ge=1,
        le=8,
        exclude_if=lambda rounds: rounds == 1,
        description="Roll the candidate out on the evolve tasks and learn from what still fails, so many times in all; "
        "the best round's candidate competes.",
    )
    replay: int = Field(
        default=0,
        ge=0,
        le=1_000,
        exclude_if=not_,
        description="Before a candidate competes, try parts of it on at most so many evolve tasks at a time, and take "
        "out rules that break tasks: for N rules at most 2 log2 N such trials; 0 tries none.",
    )
    shrink: ShrinkSettings = Field(
        default=ShrinkSettings(),
        exclude_if=lambda shrink: shrink == ShrinkSettings(),
        description="Whether the skill is to become smaller.",
    )
    scripts: ScriptSettings = Field(
        default=ScriptSettings(),
        exclude_if=lambda scripts: scripts == ScriptSettings(),
        description="Whether routines become scripts of the skill.",
    )
    select: Literal["train", "validation"] = Field(
        default="train",
        description="The best candidate is chosen by its score on the evolve tasks, or on validation at level / k.",
    )

    @property
    def policy(self) -> EditPolicy:
        """What the edits of a candidate may touch. Scripts that were tried may be created, whatever patches may do."""
        return self.edits.model_copy(update={"allow_scripts": True}) if self.scripts.make else self.edits


class EvaluationSettings(GateSettings):
    """What is scored on held-out tasks, and what a promotion needs."""

    model_config = ConfigDict(json_schema_extra=on_top("level", "held_out_seeds", "margin"))

    evaluate: bool = Field(default=True, description="Score the candidate on held-out tasks and decide.")
    held_out_seeds: tuple[int, ...] = Field(default=(41,), min_length=1, description="Seeds of the evaluation.")
    no_skill: bool = Field(default=False, description="Score the agent without any skill, too.")
    repeat_champion: bool = Field(
        default=False, description="A/A arm: score S0 a second time with fresh seeds; shows how much is chance."
    )


class MoneySettings(Record):
    """How far: no model call is made that could pass a cap. A run that goes on under another cap is the same run."""

    model_config = ConfigDict(json_schema_extra=on_top("max_cost"))

    max_cost: float | None = Field(default=10.0, ge=0, description="Cap of the run in US dollars; none has no cap.")
    max_cost_per_month: float | None = Field(
        default=None, ge=0, description="Cap of all runs of the store in a calendar month (UTC), in US dollars."
    )


class OperationSettings(Record):
    """How a run is carried out. Nothing here changes what it computes."""

    model_config = ConfigDict(json_schema_extra=on_top("promote", "store", "workers", "max_failed_share"))

    workers: int = Field(default=8, ge=1, le=256, description="Steps under way at once.")
    store: StoreAddress = Field(
        default_factory=default_address,
        description="Where what was paid for is kept: a DuckDB file, or postgresql://user@host/database for runs of "
        "several processes. Its password comes from PGPASSWORD or .pgpass.",
    )
    store_wait_seconds: float = Field(
        default=12 * 3600, ge=0, description="How long to wait for a store that another run holds."
    )
    output: Path = Field(default=Path(".trace2skill/runs"), description="Where run directories are written.")
    promote: Literal["stage", "approve", "auto", "pull_request"] = Field(
        default="stage",
        description="A candidate that won: 'stage' writes it beside, 'auto' replaces the skill, 'approve' asks a "
        "person in the Prefect UI first (a deployment only), 'pull_request' proposes it in the skill's repository.",
    )
    forge: ForgeName | None = Field(
        default=None,
        exclude_if=not_,
        description="Where pull requests are; told by the repository's host, unless given. 'none' pushes the branch.",
    )
    forge_api: str = Field(
        default="", exclude_if=not_, description="Address of its REST API, where it is not the host's usual one."
    )
    approval_hours: float = Field(
        default=20, gt=0, le=24 * 30, description="How long an approval is waited for; after that, not promoted."
    )
    max_failed_share: float = Field(
        default=0.1, ge=0, le=1, description="Share of a stage that may fail: the run goes on without, and says so."
    )
    max_failed_shares: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(
        default_factory=dict, description='The same for single stages, e.g. {"rollout": 0.02}.'
    )
    step_seconds: float = Field(
        default=3 * 3600,
        gt=0,
        description="Longest time of one step, its wait for the model included; then it counts as failed.",
    )
    limits_held: tuple[str, ...] = Field(
        default=(), description="Prefect global concurrency limits of which the run holds one slot each."
    )
    shards: int = Field(
        default=1, ge=1, le=256, description="Rollouts and analyses run as so many flow runs of the 'shard' deployment."
    )
    runner: Literal["threads", "dask", "ray"] = Field(
        default="threads", description="Where steps run: threads of this process, or processes of Dask or Ray."
    )
    reports_at: str = Field(
        default="", description="Address at which run directories are served, for links in the UI; '' names files."
    )
    batch: bool = Field(
        default=False,
        exclude_if=not_,
        description="Calls of one-call stages go through the provider's batch API: half the price, within a day.",
    )
    batch_hours: float = Field(
        default=24,
        gt=0,
        le=24 * 7,
        exclude_if=lambda hours: hours == 24,
        description="How long a batch is waited for; then it is asked to end, and what it has is taken.",
    )
    batch_rest: Literal["singly", "fail"] = Field(
        default="singly",
        exclude_if=lambda rest: rest == "singly",
        description="What a batch leaves unanswered: 'singly' asks it at the single price, 'fail' lets its items fail.",
    )
    part_of: str = Field(
        default="", exclude_if=not_, description="Id of the experiment whose cap and books it shares; set by one."
    )
    of_library: str = Field(
        default="",
        exclude_if=not_,
        description="Id of the run over a library whose caps and books it shares; set by one.",
    )
    library_read_by: str = Field(
        default="", exclude_if=not_, description="Id of the run over a library that is gone on with; set by one."
    )
    skill_commit: str = Field(
        default="",
        exclude_if=not_,
        pattern="^([0-9a-f]{40})?$",
        description="Commit at which a skill in a repository is read, in place of the newest; written down by the run.",
    )

    @model_validator(mode="after")
    def _several_processes_share_a_database(self) -> "OperationSettings":
        if self.runner != "threads" and isinstance(self.store, Path):
            raise ValueError(
                f"runner '{self.runner}' runs steps in other processes, which cannot share a DuckDB file: "
                "give --store postgresql://..., or runner 'threads'"
            )
        return self
