"""What prefect.yaml declares: the one source of what is deployed, for `deploy.py` and for `serve.py`."""

import os
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from prefect.client.schemas.objects import ConcurrencyLimitConfig
from prefect.flows import Flow
from prefect.schedules import Cron, Interval, RRule, Schedule
from prefect.utilities.templating import apply_values
from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from trace2skill.core.errors import BadInput

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "deployments" / "prefect.yaml"
POOL = "trace2skill"
"""The work pool of a deployment that names none."""
HERE = [{"prefect.deployments.steps.set_working_directory": {"directory": str(ROOT)}}]
"""How a worker comes to the code, for a file that does not say."""
ANCHOR = datetime(2020, 1, 1, tzinfo=UTC)
"""Where an interval begins that does not say: the same each time it is deployed."""
_OF_ALL = ("timezone", "active", "parameters", "slug")


@dataclass(frozen=True)
class Declared:
    """One deployment, as the file has it; its settings are checked."""

    name: str
    entrypoint: str
    flow: Flow[..., Any]
    shown: dict[str, Any]
    work_pool: dict[str, Any]
    pull: list[dict[str, Any]]

    @property
    def pool(self) -> str:
        """Name of its work pool."""
        return str(self.work_pool.get("name") or POOL)

    @property
    def settings(self) -> dict[str, Any]:
        """The settings among its parameters, nested; empty where its flow has none."""
        found = self.shown["parameters"].get("settings")
        return found if isinstance(found, dict) else {}


def declared(file: Path = FILE) -> list[Declared]:
    """Every deployment of the file. Settings of the flat form are taken, with a warning.

    Raises:
        BadInput: the file cannot be read, or a deployment cannot be; names the deployment and the setting.
    """
    try:
        found = YAML(typ="safe").load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise BadInput(f"{file} cannot be read as YAML: {' '.join(str(error).split())[:300]}") from error
    items = found.get("deployments") if isinstance(found, dict) else None
    if not items:
        raise BadInput(f"{file} declares no deployments: deployments/prefect.yaml is how such a file looks")
    return [_read(item, item.get("pull", found.get("pull")), file) for item in items]


def _read(item: dict[str, Any], pull: list[dict[str, Any]] | None, file: Path) -> Declared:
    where = f"{file}: {item.get('name') or 'a deployment without a name'}"
    item = typing.cast(dict[str, Any], apply_values(item, dict(os.environ), remove_notset=False))
    flow = _flow(str(item.get("entrypoint", "")), where)
    if not item.get("name"):
        raise BadInput(f"{where}: give it one")
    parameters = dict(item.get("parameters") or {})
    for name, kind in _models_of(flow):
        if name in parameters:
            parameters[name] = _checked(kind, parameters[name], f"{where}: {name}")
    limit = item.get("concurrency_limit")
    shown = {
        "name": item["name"],
        "description": item.get("description") or flow.description,
        "tags": list(item.get("tags") or []),
        "parameters": parameters,
        "schedules": [_schedule(one, where) for one in item.get("schedules") or [item.get("schedule")] if one],
        "concurrency_limit": ConcurrencyLimitConfig(**limit) if isinstance(limit, dict) else limit,
    }
    return Declared(item["name"], item["entrypoint"], flow, shown, item.get("work_pool") or {}, pull or HERE)


def _flow(entrypoint: str, where: str) -> Flow[..., Any]:
    path, _, function = entrypoint.partition(":")
    try:
        found = getattr(import_module(path.removesuffix(".py").replace("/", ".")), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise BadInput(f"{where}: there is no flow at '{entrypoint}': {error}") from error
    return typing.cast(Flow[..., Any], found)


def _models_of(flow: Flow[..., Any]) -> Iterator[tuple[str, type[BaseModel]]]:
    for name, kind in typing.get_type_hints(flow.fn).items():
        if name != "return" and isinstance(kind, type) and issubclass(kind, BaseModel):
            yield name, kind


def _checked(kind: type[BaseModel], given: Any, where: str) -> dict[str, Any]:
    """Only what is given, nested: what is left at its default follows the version that runs."""
    try:
        return kind.model_validate(given).model_dump(mode="json", exclude_unset=True)
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise BadInput(f"{where}: {said}") from error


def _schedule(one: dict[str, Any], where: str) -> Schedule:
    """As `prefect deploy` reads it: cron, interval in seconds, or rrule."""
    how = {name: one[name] for name in _OF_ALL if one.get(name) is not None}
    try:
        if one.get("cron"):
            return Cron(one["cron"], **how, **{name: one[name] for name in ("day_or",) if name in one})
        if one.get("interval"):
            return Interval(one["interval"], **how, anchor_date=one.get("anchor_date") or ANCHOR)
        return RRule(one["rrule"], **how)
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput(f"{where}: a schedule is cron, interval or rrule, and this is none: {one} ({error})") from error
