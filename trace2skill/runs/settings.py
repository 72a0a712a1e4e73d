"""`RunSettings`: everything a run is told. Its parts that can change a result are in the keys of the steps."""

from operator import not_
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from trace2skill.agents.loop import LoopLimits
from trace2skill.agents.react import AgentSettings
from trace2skill.analysts import signal_names
from trace2skill.consolidate.limits import SizeLimits
from trace2skill.consolidate.merge import MergeSettings
from trace2skill.consolidate.route import Thresholds
from trace2skill.core.digest import digest_of
from trace2skill.core.noun import Noun
from trace2skill.evaluation.acceptance import GateSettings
from trace2skill.llm import Roles
from trace2skill.runs.sources import Sources
from trace2skill.skills.place import EditPolicy
from trace2skill.store.address import StoreAddress, default_address

LOGS = "logs"
"""The domain of runs that learn from logs alone: it has no tasks."""
SIGNALS = rf"(\+({'|'.join(signal_names())}))+"


HOW_NOT_WHAT = {
    "store",
    "store_wait_seconds",
    "max_cost_per_month",
    "output",
    "workers",
    "max_cost",
    "max_failed_share",
    "max_failed_shares",
    "promote",
    "approval_hours",
    "forget_after",
    "limits_held",
    "step_seconds",
    "runner",
    "shards",
    "reports_at",
    "part_of",
}
"""Settings that say how a run is carried out, not what it computes."""


class RunSettings(Noun):
    """Settings of a skill refresh. Shown as the form of the flow in the Prefect UI."""

    data: Path = Field(description="Directory of the data set.")
    roles: Roles = Field(description="Which model plays the agent, the analysts and the merger.")
    domain: str = Field(
        default="spreadsheet",
        description="Kind of task: a name, or path/to/module.py:Class for one of your own.",
    )
    domain_options: dict[str, str] = Field(
        default_factory=dict, exclude_if=not_, description="What the kind of task is told besides, by name."
    )
    skill: Path | None = Field(default=None, description="Skill directory to deepen; none drafts one from nothing.")
    tasks: int | None = Field(default=None, ge=3, description="Use a sample of so many tasks; none uses all.")
    splits: Literal["stratified", "paper"] = Field(default="stratified", description="How tasks are divided.")
    split_seed: int = Field(default=42, description="Seed of the division and of the sample.")
    seeds: tuple[int, ...] = Field(default=(41,), min_length=1, description="Seeds of the rollouts lessons come from.")
    held_out_seeds: tuple[int, ...] = Field(default=(41,), min_length=1, description="Seeds of the evaluation.")
    analysts: str = Field(
        default="+combined",
        pattern=f"^{SIGNALS}$",
        description="Which analysts run: +error, +success, +combined (both), +contrast (pairs), or several in a row.",
    )
    error_analyst: Literal["agentic", "one_call"] = Field(
        default="agentic", description="'agentic' proves a cause by a fix that is run; 'one_call' is the ablation."
    )
    sources: Sources | None = Field(
        default=None, exclude_if=not_, description="Logs of agents to learn from besides the rollouts; none for none."
    )
    edits: EditPolicy = Field(default=EditPolicy(), description="What a patch may touch besides Markdown.")
    recalculate: Literal["auto", "always", "never"] = Field(
        default="auto", description="Recalculate formulas with LibreOffice before grading."
    )
    sandbox: Literal["auto", "bwrap", "docker", "process"] = Field(default="auto", description="Where commands run.")
    agent: AgentSettings = AgentSettings()
    analyst: LoopLimits = Field(default=LoopLimits(turns=20), description="Limits of the error analyst.")
    evaluate: bool = Field(default=True, description="Score the candidate on held-out tasks and decide.")
    merge: MergeSettings = MergeSettings()
    thresholds: Thresholds = Thresholds()
    limits: SizeLimits = SizeLimits()
    polish: bool = Field(
        default=False, description="One call per changed section for its wording; support and places stay as merged."
    )
    forget_after: int | None = Field(
        default=None, ge=1, description="Votes for a line count for so many versions of the skill; none keeps them all."
    )
    gate: GateSettings = GateSettings()
    no_skill: bool = Field(default=False, description="Score the agent without any skill, too.")
    repeat_champion: bool = Field(
        default=False, description="A/A arm: score S0 a second time with fresh seeds; shows how much is chance."
    )
    candidates: int = Field(
        default=1, ge=1, le=16, description="Evolve so many candidates, each from rollouts with seeds of its own."
    )
    select: Literal["train", "validation"] = Field(
        default="train",
        description="The best candidate is chosen by its score on the evolve tasks, or on validation at level / k.",
    )
    promote: Literal["stage", "approve", "auto"] = Field(
        default="stage",
        description="A candidate that won: 'stage' writes it beside, 'auto' replaces the skill, 'approve' asks a "
        "person in the Prefect UI first (a deployment only).",
    )
    approval_hours: float = Field(
        default=20, gt=0, le=24 * 30, description="How long an approval is waited for; after that, not promoted."
    )
    max_cost: float | None = Field(default=10.0, ge=0, description="Cap of the run in US dollars; none has no cap.")
    max_cost_per_month: float | None = Field(
        default=None, ge=0, description="Cap of all runs of the store in a calendar month (UTC), in US dollars."
    )
    max_failed_share: float = Field(
        default=0.1, ge=0, le=1, description="Share of a stage that may fail: the run goes on without, and says so."
    )
    max_failed_shares: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(
        default_factory=dict, description='The same for single stages, e.g. {"rollout": 0.02}.'
    )
    step_seconds: float = Field(default=3600, gt=0, description="Longest time of one step; then it counts as failed.")
    workers: int = Field(default=8, ge=1, le=256, description="Steps under way at once.")
    limits_held: tuple[str, ...] = Field(
        default=(), description="Prefect global concurrency limits of which the run holds one slot each."
    )
    shards: int = Field(
        default=1, ge=1, le=256, description="Rollouts and analyses run as so many flow runs of the 'shard' deployment."
    )
    runner: Literal["threads", "dask", "ray"] = Field(
        default="threads", description="Where steps run: threads of this process, or processes of Dask or Ray."
    )
    store: StoreAddress = Field(
        default_factory=default_address,
        description="Where what was paid for is kept: a DuckDB file, or postgresql://user@host/database for runs of "
        "several processes. Its password comes from PGPASSWORD or .pgpass.",
    )
    store_wait_seconds: float = Field(
        default=12 * 3600, ge=0, description="How long to wait for a store that another run holds."
    )
    reports_at: str = Field(
        default="", description="Address at which run directories are served, for links in the UI; '' links to files."
    )
    output: Path = Field(default=Path(".trace2skill/runs"), description="Where run directories are written.")
    part_of: str = Field(
        default="", exclude_if=not_, description="Id of the experiment whose cap and books it shares; set by one."
    )

    @model_validator(mode="after")
    def _several_processes_share_a_database(self) -> "RunSettings":
        if self.runner != "threads" and isinstance(self.store, Path):
            raise ValueError(
                f"runner '{self.runner}' runs steps in other processes, which cannot share a DuckDB file: "
                "give --store postgresql://..., or runner 'threads'"
            )
        return self

    @property
    def asks_a_model(self) -> bool:
        """Does the run need a model at all? The rules of the miner over logs alone do not."""
        return not (self.domain == LOGS and self.sources is not None and self.sources.analyst == "rules")

    def tolerated(self, stage: str) -> float:
        """Share of the items of a stage that may fail."""
        return next((share for name, share in self.max_failed_shares.items() if name == stage), self.max_failed_share)

    @property
    def agent_name(self) -> str:
        """Who plays the agent: the model, and the program around it where that is not ours."""
        outside = self.agent.harness
        return f"{outside.label}: {self.roles.agent.name}" if outside else self.roles.agent.name

    @property
    def tags(self) -> tuple[str, ...]:
        """Tags of the flow runs, by kind of task and skill."""
        return (f"domain:{self.domain_name}", f"skill:{self.skill.name if self.skill else 'new'}")

    @property
    def label(self) -> str:
        """What a person reads in the UI: the skill and the kind of task."""
        return f"{self.skill.name if self.skill else 'a new skill'} ({self.domain_name})"

    @property
    def domain_name(self) -> str:
        """The kind of task as a person reads it: without the way to its file."""
        return self.domain.rpartition(":")[2]

    @property
    def identity(self) -> str:
        """Digest of all settings that can change what the run computes."""
        kept = self.model_dump(mode="json", exclude=HOW_NOT_WHAT)
        for role in ("agent", "analyst", "merger"):
            kept["roles"][role] = getattr(self.roles, role).identity
        return digest_of("run settings 1", kept)
