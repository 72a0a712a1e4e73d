"""What prefect.yaml declares: the one source of what is deployed, for `deploy.py` and for `serve.py`."""

import logging
import os
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.objects import ConcurrencyLimitConfig
from prefect.flows import Flow
from prefect.schedules import Cron, Interval, RRule, Schedule
from prefect.utilities.templating import apply_values
from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from deployments.form import RunsAtOnce, When, check_names_of_file, check_parameters, read_form
from trace2skill.core.errors import BadInput

log = logging.getLogger(__name__)
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
    left_out = check_names_of_file(found, str(file)) if isinstance(found, dict) else []
    items = found.get("deployments") if isinstance(found, dict) else None
    if not items:
        raise BadInput(f"{file} declares no deployments: deployments/prefect.yaml is how such a file looks")
    if not isinstance(items, list):
        raise BadInput(f"{file}: deployments: a list is wanted, of one item for each")
    _warn(left_out, str(file))
    return [_read(item, number, found.get("pull"), file) for number, item in enumerate(items, 1)]


def _read(item: Any, number: int, pull: Any, file: Path) -> Declared:
    where = f"{file}: {(item.get('name') if isinstance(item, dict) else '') or f'deployment {number}'}"
    if isinstance(item, dict):
        item = {**_filled_in(item, where), "pull": item.get("pull", pull)}  # a worker fills in how it comes to the code
    form, left_out = read_form(item, where)
    _warn(left_out, where)
    flow = _flow(form.entrypoint, where)
    parameters = dict(form.parameters or {})
    check_parameters(flow, parameters, where)
    for name, kind in _models_of(flow):
        if name in parameters:
            parameters[name] = _checked(kind, parameters[name], f"{where}: {name}")
    shown = {
        "name": form.name,
        "description": form.description or flow.description,
        "tags": form.tags or [],
        "parameters": parameters,
        "schedules": [_schedule(one, where) for one in form.schedules or [] if one],
        "concurrency_limit": _limit(form.concurrency_limit, item["concurrency_limit"])
        if form.concurrency_limit
        else None,
    }
    work_pool = form.work_pool.model_dump(exclude_unset=True) if form.work_pool else {}
    return Declared(form.name, form.entrypoint, flow, shown, work_pool, form.pull or HERE)


def _filled_in(item: dict[str, Any], where: str) -> dict[str, Any]:
    try:
        return typing.cast(dict[str, Any], apply_values(item, dict(os.environ), remove_notset=False))
    except ValueError as error:
        raise BadInput(f"{where}: dates and times stand in quotes ({error})") from error


def _warn(left_out: list[str], where: str) -> None:
    if left_out:
        log.warning("%s: not deployed, though `prefect deploy` knows it: %s", where, ", ".join(left_out))


def _limit(limit: RunsAtOnce, given: Any) -> ConcurrencyLimitConfig | int:
    """As Prefect has it: a number alone says nothing about what becomes of one run more."""
    return ConcurrencyLimitConfig(**limit.model_dump()) if isinstance(given, dict) else limit.limit


def _flow(entrypoint: str, where: str) -> Flow[..., Any]:
    path, _, function = entrypoint.partition(":")
    try:
        found = getattr(import_module(path.removesuffix(".py").replace("/", ".")), function)
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise BadInput(f"{where}: there is no flow at '{entrypoint}': {error}") from error
    if not isinstance(found, Flow):
        raise BadInput(f"{where}: there is no flow at '{entrypoint}': it is a {type(found).__name__}")
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
        said = "; ".join(f"{'.'.join(map(str, item['loc'])) or 'the whole'}: {item['msg']}" for item in error.errors())
        raise BadInput(f"{where}: {said}") from error


def _schedule(one: When, where: str) -> Schedule:
    """As `prefect deploy` reads it: cron, interval in seconds, or rrule."""
    said = one.model_dump(exclude_none=True)
    how = {name: said[name] for name in _OF_ALL if name in said}
    try:
        if sum(name in said for name in ("cron", "interval", "rrule")) != 1:
            raise ValueError("exactly one of them is wanted")
        if one.cron:
            made = Cron(one.cron, **how, **{name: said[name] for name in ("day_or",) if name in said})
        elif one.interval:
            anchor = one.anchor_date or ANCHOR
            made = Interval(one.interval, **how, anchor_date=anchor if anchor.tzinfo else anchor.replace(tzinfo=UTC))
        else:
            made = RRule(one.rrule or "", **how)
        DeploymentScheduleCreate.from_schedule(made)  # a time zone is looked up here
    except (TypeError, ValueError) as error:
        said = one.model_dump(mode="json", exclude_none=True)
        why = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
        raise BadInput(f"{where}: a schedule is cron, interval or rrule, and this is none: {said} ({why})") from error
    return made
