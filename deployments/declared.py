"""What prefect.yaml declares: the one source of what is deployed, for `deploy.py` and for `serve.py`."""

import typing
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from prefect.client.schemas.objects import ConcurrencyLimitConfig
from prefect.flows import Flow
from prefect.schedules import Cron, Schedule
from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML

from trace2skill.core.errors import BadInput

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "deployments" / "prefect.yaml"


@dataclass(frozen=True)
class Declared:
    """One deployment, as the file has it; its settings are checked."""

    name: str
    entrypoint: str
    flow: Flow[..., Any]
    shown: dict[str, Any]
    work_pool: dict[str, Any]


def declared(file: Path = FILE) -> list[Declared]:
    """Every deployment of the file. Settings of the flat form are taken, with a warning.

    Raises:
        BadInput: the settings of a deployment cannot be; names the deployment and the setting.
    """
    found = YAML(typ="safe").load(file.read_text(encoding="utf-8"))
    return [_read(item, file) for item in found["deployments"]]


def _read(item: dict[str, Any], file: Path) -> Declared:
    path, _, function = item["entrypoint"].partition(":")
    flow: Any = getattr(import_module(path.removesuffix(".py").replace("/", ".")), function)
    parameters = dict(item.get("parameters", {}))
    for name, kind in _models_of(flow):
        if name in parameters:
            parameters[name] = _checked(kind, parameters[name], f"{file}: {item['name']}: {name}")
    limit = item.get("concurrency_limit")
    shown = {
        "name": item["name"],
        "description": item["description"],
        "tags": item["tags"],
        "parameters": parameters,
        "schedules": [_schedule(one) for one in item.get("schedules", [])],
        "concurrency_limit": ConcurrencyLimitConfig(**limit) if limit else None,
    }
    return Declared(item["name"], item["entrypoint"], flow, shown, item.get("work_pool", {}))


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


def _schedule(one: dict[str, Any]) -> Schedule:
    return Cron(one["cron"], timezone=one["timezone"])
