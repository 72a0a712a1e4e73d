"""`RunSettings`: everything a run is told. Its parts that can change a result are in the keys of the steps."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from trace2skill.agents.loop import LoopLimits
from trace2skill.agents.react import AgentSettings
from trace2skill.consolidate.limits import SizeLimits
from trace2skill.consolidate.merge import MergeSettings
from trace2skill.consolidate.route import Thresholds
from trace2skill.digest import digest_of
from trace2skill.evaluation.decision import GateSettings
from trace2skill.llm import Roles
from trace2skill.noun import Noun
from trace2skill.place import EditPolicy

DEFAULT_STORE = Path(".trace2skill/store.duckdb")
SIGNALS = r"(\+(error|success|combined|contrast))+"

HOW_NOT_WHAT = {"store", "output", "workers", "max_cost", "max_failed_share", "promote", "forget_after"}
"""Settings that say how a run is carried out, not what it computes."""


class RunSettings(Noun):
    """Settings of a skill refresh. Shown as the form of the flow in the Prefect UI."""

    data: Path = Field(description="Directory of the data set.")
    roles: Roles = Field(description="Which model plays the agent, the analysts and the merger.")
    domain: str = Field(default="spreadsheet", description="Kind of task.")
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
    promote: Literal["stage", "auto"] = Field(
        default="stage", description="'stage' writes the candidate beside; 'auto' also replaces the skill if it won."
    )
    max_cost: float | None = Field(default=10.0, ge=0, description="Cap of the run in US dollars; none has no cap.")
    max_failed_share: float = Field(default=0.1, ge=0, le=1, description="Share of a stage that may fail.")
    workers: int = Field(default=8, ge=1, le=256, description="Steps under way at once.")
    store: Path = Field(default=DEFAULT_STORE, description="The DuckDB file that keeps what was paid for.")
    output: Path = Field(default=Path(".trace2skill/runs"), description="Where run directories are written.")

    @property
    def identity(self) -> str:
        """Digest of all settings that can change what the run computes."""
        kept = self.model_dump(mode="json", exclude=HOW_NOT_WHAT)
        for role in ("agent", "analyst", "merger"):
            kept["roles"][role] = getattr(self.roles, role).identity
        return digest_of("run settings 1", kept)
