"""Which option of the command line sets which settings. Help, bounds and defaults are those of the fields.

A field of `RunSettings` that has no option stands in `NOT_OPTIONS` with the reason; a test holds that.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from trace2skill.cli.option_values import number_by_stage, pairs, price, store_path

PANELS = {
    "data": "Data",
    "models": "Models",
    "learning": "Learning",
    "gate": "Gate: held-out tasks and promotion",
    "money": "Money",
    "operation": "Operation",
}
EVERY_ROLE = ("agent", "analyst", "merger")


@dataclass(frozen=True)
class SettingOption:
    """One option.

    Args:
        name: its name as a parameter; `fan_in` is --fan-in.
        places: the fields it sets, as paths from `RunSettings`; the first one's help, bounds and default are shown.
        flag: how it is written, where that does not follow from the name.
        text: its help, where it says something else than the field.
        read: makes the field's value of what was typed, where that is not the value itself.
        typed: the type of what is typed, where that is not the field's.
    """

    name: str
    places: tuple[str, ...]
    flag: str = ""
    text: str = ""
    read: Callable[[Any], Any] | None = None
    typed: Any = None

    @property
    def flags(self) -> str:
        """What a person writes."""
        return self.flag or "--" + self.name.replace("_", "-")

    @property
    def panel(self) -> str:
        """The section of the help it stands in."""
        return PANELS[self.places[0].partition(".")[0]]


def _one(name: str, place: str, **more: Any) -> SettingOption:
    return SettingOption(name, (place,), **more)


def _models(name: str, field: str, **more: Any) -> SettingOption:
    return SettingOption(name, tuple(f"models.{role}.{field}" for role in EVERY_ROLE), **more)


COUNT = "Rollouts per task, each with a seed of its own from --seed on."
OPTIONS = (
    _one("data", "data.path"),
    _one("domain", "data.domain"),
    _one(
        "domain_option",
        "data.domain_options",
        text="KEY=VALUE for the kind of task; may be given again.",
        read=pairs,
        typed=list[str],
    ),
    _one("skill", "data.skill"),
    _one("tasks", "data.tasks"),
    _one("split", "data.splits"),
    _one("split_seed", "data.split_seed"),
    _one("division", "data.splits"),
    _one(
        "sources",
        "data.sources.paths",
        text="A file or folder of agents' logs to learn from besides, or a trace store (langfuse+https://..., see "
        "docs/trace-stores.md); may be given again.",
        typed=list[str],
    ),
    _one(
        "labels",
        "data.sources.labels",
        text="JSON or CSV of scores from 0 to 1 by id of trajectory, session or task of a log.",
    ),
    _one(
        "source_analyst",
        "data.sources.analyst",
        text="Who examines logs: the model, by evidence, or rules without a model.",
    ),
    _one("judge", "data.sources.judge", text="Ask the model how a log ended where nothing else says so: a weak label."),
    _one("format", "data.sources.format"),
    _one("hold_out", "data.sources.hold_out"),
    _one("redaction_map", "data.sources.redaction_map"),
    _one("recalculate", "data.recalculate"),
    _models("model", "name", text="LiteLLM name of the model, e.g. anthropic/claude-sonnet-4-5 or sim/office."),
    _one("agent_model", "models.agent.name", text="Another model for the agent."),
    _one("analyst_model", "models.analyst.name", text="Another model for the analysts and the proposer."),
    _one("merger_model", "models.merger.name", text="Another model for the merger."),
    _models("temperature", "temperature", text="Sampling temperature; not sent unless given."),
    _models("top_p", "top_p", text="Nucleus sampling; not sent unless given."),
    _models("reasoning_effort", "reasoning_effort", text="Not sent unless given."),
    _models("api_base", "api_base"),
    _models(
        "price",
        "price",
        text="IN,OUT[,CACHED]: US dollars per million tokens, where none is known.",
        read=price,
        typed=str,
    ),
    _models(
        "batch_price",
        "batch_price",
        text="The same of calls in batches, where LiteLLM knows none.",
        read=price,
        typed=str,
    ),
    _models("max_tokens", "max_tokens"),
    _models("context", "context"),
    _models("tools", "tools"),
    _models("answers", "answers"),
    _models("vision", "vision"),
    _models("timeout_seconds", "timeout_seconds", flag="--model-timeout"),
    _models("attempts", "attempts"),
    _models("patience_seconds", "patience_seconds"),
    _models("requests_per_minute", "requests_per_minute"),
    _models("tokens_per_minute", "tokens_per_minute"),
    _models("handoff_seconds", "handoff_seconds"),
    _one("analysts", "learning.analysts"),
    _one("error_analyst", "learning.error_analyst"),
    _one(
        "allow_scripts",
        "learning.edits.allow_scripts",
        text="Patches may create scripts, untried; the report shows them.",
    ),
    _one(
        "scripts",
        "learning.scripts.make",
        text="Programs that do the same job become a script, if it passes unseen tasks.",
    ),
    _one("script_sources", "learning.scripts.sources"),
    _one("script_unseen", "learning.scripts.unseen"),
    _one("most_scripts", "learning.scripts.most"),
    _one(
        "allow_description",
        "learning.edits.allow_description",
        text="Patches may change the description in the front matter.",
    ),
    _one("sandbox", "learning.sandbox"),
    _one("environment", "learning.environment"),
    SettingOption(
        "max_turns",
        ("learning.agent.loop.turns", "learning.analyst.turns"),
        text="Most answers in one loop; else 30 of the agent and 20 of the error analyst.",
    ),
    _one("fan_in", "learning.merge.fan_in"),
    _one("merge_tokens", "learning.merge.tokens"),
    _one("memory", "learning.memory"),
    _one("new_evidence", "learning.new_evidence"),
    _one(
        "main_from",
        "learning.thresholds.main",
        text="Tasks that must ask for a rule in SKILL.md; grows with their number, unless given.",
    ),
    _one(
        "reference_from",
        "learning.thresholds.reference",
        text="Tasks that must ask for a rule in a reference; 2, unless given.",
    ),
    _one("most_lines", "learning.limits.lines"),
    _one("most_body_tokens", "learning.limits.tokens"),
    _one("most_reference_lines", "learning.limits.reference_lines"),
    _one("polish", "learning.polish"),
    _one("second_look", "learning.second_look"),
    _one("forget_after", "learning.forget_after"),
    _one("candidates", "learning.candidates"),
    _one("rounds", "learning.rounds"),
    _one("replay", "learning.replay"),
    _one("shrink", "learning.shrink.of"),
    _one("shrink_tasks", "learning.shrink.tasks"),
    _one("shorten", "learning.shrink.shorten"),
    _one("moving_seeds", "learning.moving_seeds"),
    _one("night", "learning.night"),
    _one("spread", "learning.spread.by"),
    _one("canaries", "learning.spread.canaries"),
    _one("rollouts", "learning.spread.most"),
    _one("select", "learning.select"),
    _one("evaluate", "gate.evaluate"),
    _one("no_skill", "gate.no_skill", flag="--no-skill"),
    _one("repeat_champion", "gate.repeat_champion"),
    _one("level", "gate.level"),
    _one("margin", "gate.margin"),
    _one("coverage", "gate.coverage"),
    _one("score", "gate.score"),
    _one(
        "no_regression", "gate.no_regression", text="A task that must not turn from pass to fail; may be given again."
    ),
    _one("most_tokens_ratio", "gate.most_tokens_ratio"),
    _one("most_skill_tokens", "gate.most_skill_tokens"),
    _one("shrink_loss", "gate.shrink_loss"),
    _one("spend", "gate.spend"),
    _one("max_cost", "money.max_cost"),
    _one("max_cost_per_month", "money.max_cost_per_month"),
    _one("workers", "operation.workers"),
    _one("store", "operation.store", read=store_path, typed=str),
    _one("store_wait_seconds", "operation.store_wait_seconds", flag="--store-wait"),
    _one("output", "operation.output"),
    _one("promote", "operation.promote"),
    _one("forge", "operation.forge"),
    _one("forge_api", "operation.forge_api"),
    _one("approval_hours", "operation.approval_hours"),
    _one("max_failed_share", "operation.max_failed_share"),
    _one(
        "max_failed",
        "operation.max_failed_shares",
        text="STAGE=SHARE: the same for one stage, e.g. rollout=0.02; may be given again.",
        read=number_by_stage,
        typed=list[str],
    ),
    _one("step_seconds", "operation.step_seconds"),
    _one("limits_held", "operation.limits_held", flag="--limit-held"),
    _one("shards", "operation.shards"),
    _one("runner", "operation.runner"),
    _one("reports_at", "operation.reports_at"),
    _one("batch", "operation.batch"),
    _one("batch_hours", "operation.batch_hours"),
    _one("batch_rest", "operation.batch_rest"),
)
SEED = SettingOption(
    "seed", ("learning.seeds",), text="Seed of the first rollout; --split-seed is that of the division.", typed=int
)
SEEDS = SettingOption("seeds", ("learning.seeds",), text=COUNT, typed=int)
HELD_OUT_SEEDS = SettingOption(
    "held_out_seeds", ("gate.held_out_seeds",), text="The same for the evaluation.", typed=int
)
HARNESS = SettingOption(
    "harness",
    ("learning.agent.harness",),
    text="Who plays the agent: react (built in), command, claude, codex, gemini, opencode, a YAML file, or a "
    "function as module:function or file.py:function. See docs/harnesses.md.",
    typed=str,
)
AGENT_COMMAND = SettingOption(
    "agent_command",
    ("learning.agent.harness",),
    text="Shell command of the agent, e.g. with --harness command.",
    typed=str,
)
AGENT_SET = SettingOption(
    "agent_set",
    ("learning.agent.harness",),
    text="SETTING=VALUE of the harness, e.g. network=true; may be given again.",
    typed=list[str],
)
TOGETHER = (SEED, SEEDS, HELD_OUT_SEEDS, HARNESS, AGENT_COMMAND, AGENT_SET)
"""Options that set a field together: seeds from the first one and their number, a harness from its parts."""
BY_NAME: Mapping[str, SettingOption] = {option.name: option for option in (*OPTIONS, *TOGETHER)}

_LOOP = "an option sets the turns of both loops; the rest of a loop's limits belongs in a settings file"
_COMMAND = "seven limits of one command: they belong in a settings file"
NOT_OPTIONS = {
    "data.sources.name": "only a skill that logs alone start has it: `ingest --name`",
    "data.sources.alone": "set by `ingest --gate-on`: it learns from logs alone",
    "data.sources.ungated": "filled in by `ingest --gate-on`: why nothing was held out",
    "data.sources.content": "filled in by the run: the digest of what was read",
    "operation.skill_commit": "written down by the run: the commit of the repository that it read",
    "operation.part_of": "set by an experiment for its parts",
    "operation.library_read_by": "set by a run over a library that goes on with one",
    "operation.of_library": "set by a run over a library for each of its skills",
    "learning.night_of": "filled in by the run, with the night",
    **{
        f"learning.{loop}.{name}": _LOOP
        for loop in ("agent.loop", "analyst")
        for name in ("tokens", "cost", "seconds", "observation_chars")
    },
    **{
        f"learning.agent.command.{name}": _COMMAND
        for name in ("wall_seconds", "cpu_seconds", "memory_mb", "processes", "file_mb", "workspace_mb", "output_bytes")
    },
}
"""Fields without an option, and why."""
