"""Learning from logs alone: the settings of an ingestion. It needs no domain and no data set, and promotes nothing."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from trace2skill.consolidate.bounded import Bounds
from trace2skill.consolidate.limits import SizeLimits
from trace2skill.consolidate.route import Thresholds
from trace2skill.core.errors import BadInput
from trace2skill.core.record import Record
from trace2skill.llm import ModelSettings, Roles
from trace2skill.runs.gate_on_mined import tasks_in
from trace2skill.runs.sections import (
    DataSettings,
    EvaluationSettings,
    LearningSettings,
    MoneySettings,
    OperationSettings,
)
from trace2skill.runs.settings import LOGS, RunSettings
from trace2skill.runs.sources import Sources
from trace2skill.skills.git_address import SkillAddress
from trace2skill.store.address import StoreAddress, default_address
from trace2skill.traces.stores import LogsAddress
from trace2skill.traces.stores.address import TraceStoreAddress, parse
from trace2skill.types.decision import Decision

NOBODY = ModelSettings(name="rules")
ITS_OWN = "its-own-model"
"""The model of an agent that brings its own: a name for the record."""


class IngestSettings(Record):
    """Settings of an ingestion. Shown as the form of the flow in the Prefect UI."""

    paths: tuple[LogsAddress, ...] = Field(
        min_length=1, description="Log files, folders of logs, and trace stores (langfuse+https://HOST?since=30d)."
    )
    format: str | None = Field(
        default=None,
        description="Read every file as this format, or by a mapping or reader of your own (FILE.yaml, FILE.py:Class); "
        "none detects it.",
    )
    labels: Path | None = Field(default=None, description="JSON or CSV: id of a trajectory, task or session to score.")
    skill: SkillAddress | None = Field(
        default=None, description="Skill to deepen, a directory or git+...; none starts an empty one."
    )
    name: str = Field(default="learned-from-traces", pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", description="Of a new skill.")
    analyst: Literal["rules", "model"] = Field(default="rules", description="'rules' needs no model.")
    hold_out: float = Field(
        default=0.0, ge=0, lt=1, description="Share of the groups of sessions kept from learning, for an audit."
    )
    judge: bool = Field(default=False, description="Ask the model how a trajectory ended where nothing else says so.")
    roles: Roles | None = Field(default=None, description="The models of analyst 'model'.")
    redaction_map: bool = Field(default=True, description="Keep what was redacted in a file beside the store.")
    thresholds: Thresholds = Thresholds()
    limits: SizeLimits = SizeLimits()
    merge: Bounds = Bounds()
    memory: bool = Field(default=True, description="Learn from the rules of earlier runs over this skill, too.")
    max_cost: float | None = Field(default=10.0, ge=0, description="Cap in US dollars; none has no cap.")
    batch: bool = Field(
        default=False, description="Calls go through the provider's batch API, at half the price and within a day."
    )
    workers: int = Field(default=8, ge=1, le=256, description="Trajectories under way at once.")
    max_failed_share: float = Field(default=0.1, ge=0, le=1, description="Share of the trajectories that may fail.")
    store: StoreAddress = Field(
        default_factory=default_address, description="Where what was done is kept: a DuckDB file or postgresql://..."
    )
    output: Path = Field(default=Path(".trace2skill/runs"), description="Where run directories are written.")

    def as_run(self) -> RunSettings:
        """The same as a run over logs alone, with no task to work on and none held out.

        Raises:
            ValueError: a model is to be asked, and none is named.
        """
        by_rules = self.analyst == "rules" and not self.judge
        if not by_rules and self.roles is None:
            raise ValueError("a model is to be asked (analyst 'model', or a judge): name it in 'roles' (--model)")
        sources = Sources(
            paths=self.paths,
            format=self.format,
            labels=self.labels,
            analyst=self.analyst,
            judge=self.judge,
            hold_out=self.hold_out,
            redaction_map=self.redaction_map,
            name=self.name,
        )
        return RunSettings(
            data=DataSettings(path=shown_as_data(self.paths[0]), domain=LOGS, skill=self.skill, sources=sources),
            models=self.roles or Roles.all_played_by(NOBODY),
            learning=LearningSettings(
                thresholds=self.thresholds,
                limits=self.limits,
                merge=self.merge,
                memory=self.memory,
            ),
            gate=EvaluationSettings(evaluate=False),
            money=MoneySettings(max_cost=self.max_cost),
            operation=OperationSettings(
                batch=self.batch,
                workers=self.workers,
                max_failed_share=self.max_failed_share,
                store=self.store,
                output=self.output,
            ),
        )


def of_logs(given: Mapping[str, Any], tasks: Path | None = None, ungated: str = "") -> dict[str, Any]:
    """Nested settings of a run over logs alone, with what such a run decides for itself filled in.

    Who examines the logs is the model where one is named, else the rules.

    Args:
        given: what a person gave.
        tasks: a data set of shell tasks or questions to gate on; None takes those of a run that is repeated, or holds
            nothing out.
        ungated: why there is none, in words, where one was asked for.

    Raises:
        BadInput: no logs are named, or a model is to be asked and none is named.
    """
    made = {name: dict(value) if isinstance(value, Mapping) else value for name, value in given.items()}
    data = made.setdefault("data", {})
    sources = dict(data.get("sources") or {})
    if not sources.get("paths"):
        raise BadInput("name log files and folders of logs, or a file that says them (--settings)")
    named = (made.get("models") or {}).get("analyst", {}).get("name", NOBODY.name) != NOBODY.name
    sources.setdefault("analyst", "model" if named else "rules")
    asks = bool(sources.get("judge")) or sources["analyst"] == "model"
    if asks and not named:
        raise BadInput("a model is to be asked: name it with --model, or use --analyst rules without --judge")
    if tasks is None and sources.pop("alone", False) and not ungated:
        tasks = Path(data["path"])
    given_models = made.get("models") or {}
    if not named:
        made["models"] = {role: NOBODY.model_dump() for role in ("agent", "analyst", "merger")}
    made["data"] = {"path": shown_as_data(sources["paths"][0]), **data, "domain": LOGS, "sources": sources}
    made["gate"] = {**made.get("gate", {}), "evaluate": tasks is not None}
    if tasks is None:
        sources |= {"ungated": ungated} if ungated else {}
        return made
    sources["alone"] = True
    path, domain = tasks_in(tasks)
    made["data"] |= {"path": path, "domain": domain}
    made["models"] = {**made["models"], "agent": {"name": ITS_OWN, **given_models.get("agent", {})}}
    return made


def shown_as_data(logs: object) -> Path:
    """What stands for the data of a run over logs alone: the first of them, a trace store by its name.

    Raises:
        BadInput: it begins like the address of a trace store, and is none.
    """
    try:
        place = parse(logs)
    except ValueError as error:
        raise BadInput(str(error)) from None
    return Path(place.name) if isinstance(place, TraceStoreAddress) else place


def agent_of(given: Mapping[str, Any]) -> str:
    """Who could try held-out tasks, by the settings given: a model or another program's agent; '' for nobody."""
    harness = ((given.get("learning") or {}).get("agent") or {}).get("harness")
    name = ((given.get("models") or {}).get("agent") or {}).get("name", "")
    return str(name) if name not in ("", NOBODY.name) else ITS_OWN if harness else ""


def decision_without_tasks(sources: Sources | None, why: str = "") -> Decision:
    """What is decided where no task is held out, and why none is, where some were to be."""
    why = why or (sources.ungated if sources else "")
    if not why:
        return NOT_SHOWN
    reason = f"it was to be tried on held-out tasks, and is not: {why}; nothing was promoted"
    return Decision(verdict="not_enough_evidence", reason=reason)


NOT_SHOWN = Decision(
    verdict="not_enough_evidence",
    reason="logs alone cannot show whether the skill is better: score the candidate on held-out tasks "
    "(`trace2skill evaluate`), or let a refresh learn from the same logs (`trace2skill run --sources`); what an agent "
    "says it would do for sessions held out (`--hold-out`), `trace2skill audit` asks; nothing was promoted",
)
"""What is decided over a candidate that no held-out task was asked about."""
