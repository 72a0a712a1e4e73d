"""The form of prefect.yaml, which is Prefect's own: what a deployment may say, and how it is told what it may not."""

import inspect
from collections.abc import Iterator
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Annotated, Any

from prefect.client.schemas.objects import ConcurrencyLimitStrategy
from prefect.flows import Flow
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from trace2skill.core.errors import BadInput

_OF_DEPLOYMENT = "build push version version_type paused flow_name enforce_parameter_schema triggers sla"
NOT_DEPLOYED = {
    "": set(_OF_DEPLOYMENT.split()),
    "concurrency_limit": {"grace_period_seconds"},
    "schedules": {"replaces"},
}
"""What Prefect knows and is left out here, by where it stands in a deployment."""
OF_FILE = ("name", "prefect-version", "build", "push", "pull", "deployments")
WANTED = {"model_type": "a mapping is wanted", "dict_type": "a mapping is wanted", "list_type": "a list is wanted"}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class JobVariables(BaseModel):
    """What the type of the work pool takes, of which nobody knows the names here."""

    model_config = ConfigDict(extra="allow")
    env: dict[str, Any] | None = None


class WorkPool(_Part):
    """Where it runs."""

    name: str | None = None
    work_queue_name: str | None = None
    job_variables: JobVariables | None = None


class RunsAtOnce(_Part):
    """How many runs at once, and what becomes of one more."""

    limit: int = Field(ge=1)
    collision_strategy: ConcurrencyLimitStrategy = ConcurrencyLimitStrategy.ENQUEUE


class When(_Part):
    """A schedule: cron, interval in seconds, or rrule."""

    cron: str | None = None
    interval: Annotated[timedelta, Field(gt=timedelta(0))] | None = None
    rrule: str | None = None
    timezone: str | None = None
    anchor_date: datetime | None = None
    day_or: bool | None = None
    active: bool | None = None
    parameters: dict[str, Any] | None = None
    slug: str | None = None


def _as_limit(given: Any) -> Any:
    return given if given is None or isinstance(given, dict) else {"limit": given}


def _as_steps(given: Any) -> Any:
    return [given] if given and isinstance(given, dict) else given or None


class DeploymentForm(_Part):
    """One deployment, as somebody wrote it and with the environment's values in their places."""

    name: str = Field(pattern=r"^[^/%&><]+$")
    entrypoint: str
    description: str | None = None
    tags: list[str] | None = None
    parameters: dict[str, Any] | None = None
    schedules: list[When | None] | None = None
    concurrency_limit: Annotated[RunsAtOnce | None, BeforeValidator(_as_limit)] = None
    work_pool: WorkPool | None = None
    pull: Annotated[list[dict[str, Any]] | None, BeforeValidator(_as_steps)] = None


PARTS: dict[str, type[BaseModel]] = {
    "": DeploymentForm,
    "work_pool": WorkPool,
    "concurrency_limit": RunsAtOnce,
    "schedules": When,
}


def read_form(given: Any, where: str) -> tuple[DeploymentForm, list[str]]:
    """A deployment of the file, and the places of what it says that is not deployed.

    Raises:
        BadInput: something in it cannot be, or nobody knows it; says where, and what was meant.
    """
    if not isinstance(given, dict):
        raise BadInput(f"{where}: {WANTED['dict_type']}, with name and entrypoint, and this is: {str(given)[:100]}")
    if given.get("schedule") and given.get("schedules"):
        raise BadInput(f"{where}: it has schedule and schedules; Prefect takes one of them")
    item, alone = dict(given), given.get("schedule")
    if item.pop("schedule", None):
        item["schedules"] = [alone]
    if isinstance(item.get("schedules"), list):
        item["schedules"] = [one or None for one in item["schedules"]]  # `prefect init` writes an empty one
    left_out: list[str] = []
    item = _without(item, "", left_out)
    for name in ("concurrency_limit", "schedules"):
        part = item.get(name)
        if isinstance(part, list):
            item[name] = [_without(one, name, left_out) for one in part]
        elif name in item:
            item[name] = _without(part, name, left_out)
    try:
        return DeploymentForm.model_validate(item), left_out
    except ValidationError as error:
        raise BadInput(f"{where}: {'; '.join(_said(error, alone=bool(alone)))}") from error


def check_names_of_file(found: dict[str, Any], where: str) -> list[str]:
    """The names of the file that are not deployed. One that is no name of Prefect's may hold what others refer to.

    Raises:
        BadInput: one is most likely a name of Prefect's, misspelt.
    """
    for name in found:
        near = get_close_matches(str(name), OF_FILE, 1, cutoff=0.75)
        if name not in OF_FILE and near:
            raise BadInput(f"{where}: {name}: unknown: did you mean '{near[0]}'?")
    return [name for name in ("build", "push") if found.get(name)]


def check_parameters(flow: Flow[..., Any], given: dict[str, Any], where: str) -> None:
    """Refuse a parameter that the flow does not have.

    Raises:
        BadInput: names it, and the one that was meant.
    """
    known = list(inspect.signature(flow.fn).parameters)
    for name in given:
        if name not in known:
            raise BadInput(f"{where}: parameters.{name}: {_unknown(name, known)}")


def _without(part: Any, place: str, left_out: list[str]) -> Any:
    """A part without what is not deployed; where that says something, it is noted."""
    if not isinstance(part, dict):
        return part
    names = NOT_DEPLOYED[place]
    left_out += [f"{place}.{name}".strip(".") for name in part if name in names and part[name] not in (None, [], {})]
    return {name: value for name, value in part.items() if name not in names}


def _said(error: ValidationError, *, alone: bool) -> Iterator[str]:
    for item in error.errors():
        place, kind = list(item["loc"]), item["type"]
        if alone and place[0] == "schedules":
            place[:2] = ["schedule"]
        if kind == "extra_forbidden":
            part = PARTS[str(item["loc"][0]) if len(place) > 1 else ""]
            said = _unknown(str(place[-1]), list(part.model_fields))
        else:
            said = WANTED.get(kind, item["msg"])
        yield f"{'.'.join(map(str, place))}: {said}"


def _unknown(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, 1)
    return f"unknown: did you mean '{near[0]}'?" if near else f"unknown: there are {', '.join(known)}"
