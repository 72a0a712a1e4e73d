"""`RunSettings`: everything a run is told. Its parts that can change a result are in the keys of the steps."""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import ConfigDict, Field, GetJsonSchemaHandler, ValidationInfo, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from trace2skill.consolidate.bounded import Bounds
from trace2skill.core.digest import digest_of
from trace2skill.core.form_order import on_top
from trace2skill.core.forms import from_text
from trace2skill.core.record import Record
from trace2skill.evaluation.acceptance import GateSettings
from trace2skill.llm import Roles
from trace2skill.llm.settings import Role
from trace2skill.runs import flat_settings as flat
from trace2skill.runs.sections import (
    DataSettings,
    EvaluationSettings,
    LearningSettings,
    MoneySettings,
    OperationSettings,
)
from trace2skill.skills.git_address import GitAddress

LOGS = "logs"
"""The domain of runs that learn from logs alone: it has no tasks."""
SECTIONS: dict[str, type[Record]] = {
    "data": DataSettings,
    "models": Roles,
    "learning": LearningSettings,
    "gate": EvaluationSettings,
    "money": MoneySettings,
    "operation": OperationSettings,
}
WHAT = ("data", "models", "learning", "gate")
"""The sections that say what a run computes: they are its identity. The others say how far and how."""
PLACES = flat.places({name: section for name, section in SECTIONS.items() if name != "models"})
"""Where a setting stands, by its own name; the path of the data is `data` and the models are `roles`, as they were."""
FLAT = {name: place for name, place in PLACES.items() if name not in GateSettings.model_fields}
"""The settings that the flat form had."""


def _from_flat(value: dict[str, Any]) -> dict[str, Any]:
    return flat.nested(value, FLAT, quiet=True)


class RunSettings(Record, form="RunSettings", version=2, upgrades=(_from_flat,)):
    """Settings of a skill refresh, nested by question. Shown as the form of the flow in the Prefect UI.

    The flat form of earlier versions is read, too, with a warning (see `flat_settings`).
    """

    model_config = ConfigDict(json_schema_extra=on_top("data", "models", "money", "operation"))

    data: DataSettings = Field(description="On what: the tasks, the skill, and logs to read besides.")
    models: Roles = Field(description="Which model plays the agent, the analysts and the merger.")
    learning: LearningSettings = Field(default=LearningSettings(), description="How a candidate is made.")
    gate: EvaluationSettings = Field(
        default=EvaluationSettings(), description="What is scored on held-out tasks, and what a promotion needs."
    )
    money: MoneySettings = Field(default=MoneySettings(), description="How much a run may cost.")
    operation: OperationSettings = Field(
        default_factory=OperationSettings, description="How it is carried out; changes nothing that is computed."
    )

    @model_validator(mode="before")
    @classmethod
    def _flat_form(cls, given: Any, info: ValidationInfo) -> Any:
        quiet = bool(info.context and info.context.get("kept"))
        return flat.nested(given, FLAT, quiet=quiet) if isinstance(given, Mapping) else given

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Prefect's server checks the parameters of deployments against it: it lets those of the flat form through."""
        found = handler.resolve_ref_schema(handler(core))
        found["additionalProperties"] = True
        found["required"] = ["data"]
        data = found["properties"]["data"]
        found["properties"]["data"] = {
            "anyOf": [{"$ref": data["$ref"]}, {"type": "string", "deprecated": True, "title": "path, the old form"}],
            "title": "Data",
            "description": data.get("description", ""),
            "position": data["position"],
        }
        return found

    @classmethod
    def kept(cls, text: str) -> Self:
        """Settings as a store or a file of a run holds them, whatever version wrote them.

        Raises:
            FormUnreadable: they are no settings, or those of a newer version.
        """
        return from_text(text, cls)

    def changed(self, **values: Any) -> Self:
        """A copy with other values, each by the name of its field: `settings.changed(workers=2)`. Nothing is checked.

        Raises:
            KeyError: no section has a field of that name.
        """
        updates: dict[str, dict[str, Any]] = {}
        for name, value in values.items():
            section, _, field = PLACES[name].partition(".")
            updates.setdefault(section, {})[field] = value
        parts = {
            section: update[""] if "" in update else getattr(self, section).model_copy(update=update)
            for section, update in updates.items()
        }
        return self.model_copy(update=parts)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with other sections.

        Raises:
            KeyError: there is no such section; `changed` takes the names of fields.
        """
        unknown = sorted((update or {}).keys() - SECTIONS.keys())
        if unknown:
            raise KeyError(f"no section of the settings: {', '.join(unknown)}; see `changed`")
        return super().model_copy(update=update, deep=deep)

    @property
    def of_logs(self) -> bool:
        """Are logs all that the run learns from? It may be gated on tasks all the same."""
        sources = self.data.sources
        return sources is not None and (sources.alone or self.data.domain == LOGS)

    @property
    def roles_asked(self) -> frozenset[Role]:
        """The roles whose model the run may call.

        Over logs alone, rules call none, a judge is the analyst, and the agent tries what is held out.
        """
        sources = self.data.sources
        own = frozenset[Role]({"agent"}) if self.learning.agent.harness is None else frozenset[Role]()
        if self.of_logs and sources is not None:
            own = own if self.gate.evaluate else frozenset()
            if sources.analyst == "model":
                return own | {"analyst", "merger"}
            return own | {"analyst"} if sources.judge else own
        return own | {"analyst", "merger"}

    @property
    def asks_a_model(self) -> bool:
        """Does anything in the run call a model?"""
        return bool(self.roles_asked)

    def tolerated(self, stage: str) -> float:
        """Share of the items of a stage that may fail."""
        how = self.operation
        return next((share for name, share in how.max_failed_shares.items() if name == stage), how.max_failed_share)

    @property
    def agent_name(self) -> str:
        """Who plays the agent: the model, and the program around it where that is not ours."""
        outside = self.learning.agent.harness
        return f"{outside.label}: {self.models.agent.name}" if outside else self.models.agent.name

    @property
    def tags(self) -> tuple[str, ...]:
        """Tags of the flow runs, by kind of task and skill."""
        return (f"domain:{self.domain_name}", f"skill:{self.skill_name}")

    @property
    def skill_name(self) -> str:
        """The skill as the UI calls it, 'new' where the run starts one."""
        return self.data.skill.name if self.data.skill else "new"

    @property
    def label(self) -> str:
        """What a person reads in the UI: the skill and the kind of task."""
        return f"{self.data.skill.name if self.data.skill else 'a new skill'} ({self.domain_name})"

    @property
    def domain_name(self) -> str:
        """The kind of task as a person reads it: without the way to its file."""
        return self.data.domain.rpartition(":")[2]

    @property
    def identity(self) -> str:
        """Digest of the sections that say what the run computes.

        It is taken over the flat form, so that a run which an earlier version began goes on under its own id.
        """
        dumped = self.model_dump(mode="json", include=set(WHAT))
        kept = {name: value for section in ("data", "learning", "gate") for name, value in dumped[section].items()}
        kept["data"] = kept.pop("path")
        if isinstance(self.data.skill, GitAddress):
            kept["skill"] = self.data.skill.lineage
        kept["gate"] = {name: kept.pop(name) for name in GateSettings.model_fields if name in kept}
        if self.learning.merge == Bounds():
            kept["merge"] = {"ask": "touching", "fan_in": 2}  # the defaults, as earlier versions wrote them
        kept["roles"] = {role: getattr(self.models, role).identity for role in ("agent", "analyst", "merger")}
        return digest_of("run settings 1", kept)
