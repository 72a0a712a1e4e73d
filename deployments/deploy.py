"""What `trace2skill deploy` puts on a Prefect server: what prefect.yaml declares, and what that needs.

First everything is read and compared, so that what cannot be is refused before anything has changed; then what differs
is put right, in the order in which one thing needs another.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from httpx import codes
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.filters import WorkerFilter, WorkerFilterStatus
from prefect.client.schemas.objects import ConcurrencyLimitConfig
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.utilities.callables import parameter_schema

from deployments import resources
from deployments.change import ServerChange, changed
from deployments.declared import FILE, ROOT, Declared, declared
from deployments.notices import automations
from trace2skill.core.errors import BadInput


@dataclass(frozen=True)
class Wanted:
    """What a person asked for, besides what the file says."""

    file: Path = FILE
    work_pool: str | None = None
    home: str | None = None
    store: str | None = None
    keys: tuple[str, ...] = ()
    limits: Mapping[str, int | None] | None = None
    automations: bool = False
    notify: str | None = None


def deploy(wanted: Wanted, *, dry_run: bool = False) -> dict[str, Any]:
    """Put the server right, or say what that would do.

    Returns:
        `dry_run`; `changes`, each with kind, name, state and detail; `pools`: workers online by name; `models` that
        want a key; `keys`: environment variables that Secret blocks give to runs.

    Raises:
        BadInput: the file, a key, a block or a limit cannot be, or the server refuses something; what it had taken
            before that stays, and the same command goes on from there.
    """
    items = [_in_pool(item, wanted.work_pool) for item in declared(wanted.file)]
    with _refusals("what was asked of it"), get_client(sync_client=True) as client:
        changes = _compared(client, items, wanted)
        for change in () if dry_run else changes:
            _carried_out(change)
        pools = {name: _online(client, name) for name in _pools(items)}
    models = sorted({name for item in items for name in _models(item.settings)})
    keys = [resources.variable_of(change.name) for change in changes if change.kind == "secret"]
    return {
        "dry_run": dry_run,
        "changes": [change.as_json() for change in changes],
        "pools": pools,
        "models": models,
        "keys": keys,
    }


def planned(item: Declared, environment: Mapping[str, str]) -> dict[str, Any]:
    """A deployment as the server is told it, and as it tells it again. What the file says of the environment wins."""
    job = dict(item.work_pool.get("job_variables") or {})
    job["env"] = {**environment, **(job.get("env") or {})}
    limit = item.shown["concurrency_limit"]
    options = None
    if isinstance(limit, ConcurrencyLimitConfig):
        options, limit = {"collision_strategy": limit.collision_strategy.value}, limit.limit
    made = {
        "name": item.name,
        "entrypoint": item.entrypoint,
        "description": item.shown["description"],
        "tags": item.shown["tags"],
        "parameters": item.shown["parameters"],
        "parameter_openapi_schema": parameter_schema(item.flow).model_dump(exclude_unset=True),
        "enforce_parameter_schema": True,
        "work_pool_name": item.pool,
        "work_queue_name": item.work_pool.get("work_queue_name") or "default",
        "job_variables": job,
        "pull_steps": item.pull,
        "concurrency_limit": limit,
        "concurrency_options": options,
        "schedules": [
            DeploymentScheduleCreate.from_schedule(one).model_dump(mode="json") for one in item.shown["schedules"]
        ],
    }
    return dict(json.loads(json.dumps(made, default=str)))


def _compared(client: SyncPrefectClient, items: list[Declared], wanted: Wanted) -> list[ServerChange]:
    given = {"trace2skill_home": wanted.home or "", "trace2skill_store": wanted.store or ""}
    held = {name for item in items for name in (item.settings.get("operation") or {}).get("limits_held") or ()}
    slots = {**dict.fromkeys(held), **(wanted.limits or {})}
    around = [
        *resources.variables(client, given, {"trace2skill_home": str(ROOT)}),
        *resources.keys(client, wanted.keys),
    ]
    environment = resources.environment(around)
    return [
        resources.results(client),
        *(resources.work_pool(client, name) for name in _pools(items)),
        *around,
        *resources.limits(client, slots),
        *(_deployment(client, item, planned(item, environment)) for item in items),
        *(automations(client, wanted.notify) if wanted.automations or wanted.notify else ()),
    ]


def _deployment(client: SyncPrefectClient, item: Declared, wanted: dict[str, Any]) -> ServerChange:
    name = f"{item.flow.name}/{item.name}"
    try:
        known = _told(client.read_deployment_by_name(name))
    except ObjectNotFound:
        return ServerChange("deployment", name, "created", carry_out=lambda: _put(client, item, wanted))
    for schedule in wanted["schedules"]:  # one that somebody has paused in the UI stays so
        schedule["active"] = schedule["active"] and _is_active(schedule, known["schedules"])
    differs = [field for field, value in wanted.items() if not _same(field, value, known[field])]
    return changed("deployment", name, bool(differs), ", ".join(differs), lambda: _put(client, item, wanted))


def _told(found: DeploymentResponse) -> dict[str, Any]:
    told = found.model_dump(mode="json")
    held = found.global_concurrency_limit
    options = told["concurrency_options"]
    return {
        **told,
        "concurrency_limit": held.limit if held else None,
        "concurrency_options": {"collision_strategy": options["collision_strategy"]} if options else None,
    }


def _same(field: str, value: Any, known: Any) -> bool:
    """Is what the server has what we say? It adds fields of its own to each schedule, and lists the newest first."""
    return _same_schedules(value, known) if field == "schedules" else bool(value == known)


def _same_schedules(value: list[dict[str, Any]], known: list[dict[str, Any]]) -> bool:
    left = list(known)
    for one in value:
        same = next((other for other in left if all(other[name] == one[name] for name in one.keys() & other)), None)
        if same is None:
            return False
        left.remove(same)
    return not left


def _is_active(schedule: dict[str, Any], known: Iterable[dict[str, Any]]) -> bool:
    return all(one["active"] for one in known if one["schedule"] == schedule["schedule"])


def _put(client: SyncPrefectClient, item: Declared, wanted: dict[str, Any]) -> None:
    schedules = [DeploymentScheduleCreate.model_validate(one) for one in wanted["schedules"]]
    client.create_deployment(client.create_flow_from_name(item.flow.name), **{**wanted, "schedules": schedules})


def _carried_out(change: ServerChange) -> None:
    if change.state != "unchanged":
        with _refusals(f"{change.kind} '{change.name}'"):
            change.carry_out()


@contextmanager
def _refusals(of: str) -> Iterator[None]:
    """What a server says no to is one line, be it while things are compared or while they are made."""
    try:
        yield
    except PrefectHTTPStatusError as error:
        asked = f"{error.request.method} {error.request.url.path}"
        raise BadInput(f"the Prefect server refused {of} ({asked}): {_reason(error)}") from error


def _reason(error: PrefectHTTPStatusError) -> str:
    try:
        said = error.response.json().get("detail")
    except (AttributeError, ValueError):
        said = None
    return f"HTTP {error.response.status_code}" + (f": {said}"[:500] if said else "")


def _in_pool(item: Declared, name: str | None) -> Declared:
    return replace(item, work_pool={**item.work_pool, "name": name}) if name else item


def _pools(items: Iterable[Declared]) -> list[str]:
    return list(dict.fromkeys(item.pool for item in items))


def _online(client: SyncPrefectClient, pool: str) -> int:
    try:
        online = WorkerFilter(status=WorkerFilterStatus(any_=["ONLINE"]))
        return len(client.read_workers_for_work_pool(pool, worker_filter=online))
    except PrefectHTTPStatusError as error:
        if error.response.status_code != codes.NOT_FOUND:  # a dry run has not made it
            raise
        return 0


def _models(settings: dict[str, Any]) -> set[str]:
    """Models that want a key from somewhere."""
    roles = settings.get("models") or {}
    named = {role.get("name", "") for role in roles.values() if isinstance(role, dict) and not role.get("api_base")}
    return {name for name in named if name and not name.startswith(("sim/", "handoff/"))}
