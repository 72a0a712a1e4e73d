"""What is deployed, as the UI shows it: every setting explained, no two runs at once, and room for many items."""

import ast
import importlib
import inspect
import json
import logging
import pkgutil
from pathlib import Path
from typing import Any

import pytest
from conftest import OFFICE, ROOT
from prefect import Flow
from prefect.exceptions import ObjectAlreadyExists
from prefect.utilities.callables import parameter_schema
from prefect.utilities.schema_tools.validation import validate
from pydantic import BaseModel
from ruamel.yaml import YAML
from run_settings import run_settings

import flows
from deployments.deploy import deployments as in_python
from deployments.serve import deployments
from flows.ablate import ablate
from flows.drift import drift_watch
from flows.ingest import ingest
from flows.refresh import refresh
from flows.rollout import rollout
from tasks.parameters import guarded, whole
from tasks.results import StoreResults, saved_block
from tasks.runner import sized
from trace2skill.core.errors import BadInput
from trace2skill.llm import ModelSettings, Roles
from trace2skill.runs import flat_settings
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.sources import Sources
from trace2skill.types.references import RolloutJob

LIMIT = 512 * 1024
"""Bytes of parameters that a Prefect server takes."""


def unexplained(schema: dict[str, Any], definitions: dict[str, Any], at: str) -> list[str]:
    found = []
    for name, field in schema.get("properties", {}).items():
        kind = definitions.get(field.get("$ref", "").rpartition("/")[2], {})
        if not (field.get("description") or kind.get("description")):
            found.append(f"{at}.{name}")
        found += unexplained(kind, definitions, f"{at}.{name}")
    return found


@pytest.mark.parametrize("flow", [refresh, drift_watch, ingest, ablate], ids=lambda flow: str(flow.name))
def test_the_form_of_a_deployment_explains_every_setting(flow: Any) -> None:
    schema = parameter_schema(flow).model_dump()
    assert unexplained(schema, schema["definitions"], flow.name) == []


FLOWS = {
    item.name: item
    for module in pkgutil.iter_modules(flows.__path__)
    for item in vars(importlib.import_module(f"flows.{module.name}")).values()
    if isinstance(item, Flow)
}


@pytest.mark.parametrize("name", sorted(FLOWS))
def test_whatever_a_flow_is_given_fits_into_a_flow_run(name: str) -> None:
    """Each parameter as long as it gets: 20,000 log files named one by one, 20,000 items, a result of megabytes."""
    flow = FLOWS[name]
    long = {"items": ["x" * 60] * 20_000, "text": "x" * 60, "few": ["y" * 30] * 3}
    given: dict[str, Any] = {}
    for parameter in inspect.signature(flow.fn).parameters.values():
        if parameter.name == "settings":
            given["settings"] = many_paths()
        elif parameter.annotation in (str, bool, float):
            given[parameter.name] = "a name"
        else:
            given[parameter.name] = Large(**long) if len(given) % 2 else [Large(**long)] * 2
    recorded = guarded(flow.with_options()).serialize_parameters(given)
    size = len(json.dumps(recorded, default=str))
    assert size < LIMIT, f"{name}: {size}"
    assert recorded.keys() == given.keys()
    if "settings" in given:
        assert whole(recorded["settings"]) is given["settings"]  # what its hooks need in this process


def test_small_parameters_are_recorded_as_they_are_and_long_lists_by_their_length() -> None:
    settings = run_settings(data=OFFICE, roles=Roles.all_played_by(ModelSettings(name="sim/office")))
    jobs = [RolloutJob(task_id=f"task-{number}", seed=41, skill="5" * 64) for number in range(10_000)]
    recorded = sized(rollout, settings).serialize_parameters({"settings": settings, "jobs": jobs})
    assert recorded["jobs"] == "10000 items"
    assert whole(recorded["settings"])["data"]["path"] == str(settings.data.path)
    few = sized(rollout, settings).serialize_parameters({"settings": settings, "jobs": jobs[:3]})
    assert [job["task_id"] for job in few["jobs"]] == ["task-0", "task-1", "task-2"]


def test_no_flow_is_called_without_the_guard() -> None:
    """A flow that calls another one directly would record all that it hands on."""
    names = {item.fn.__name__ for item in FLOWS.values()}
    for module in pkgutil.iter_modules(flows.__path__):
        tree = ast.parse((Path(flows.__path__[0]) / f"{module.name}.py").read_text())
        called = {
            node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert not called & names, module.name


class Large(BaseModel):
    """What no flow should be handed, and might be."""

    items: list[str]
    text: str
    few: list[str]


def many_paths() -> RunSettings:
    settings = run_settings(data=OFFICE, roles=Roles.all_played_by(ModelSettings(name="sim/office")))
    paths = tuple(Path(f"/data/logs/of/many/agents/session-{number:06d}.jsonl") for number in range(20_000))
    return settings.changed(sources=Sources(paths=paths))


def test_every_schedule_has_a_time_zone_and_no_two_runs_at_once() -> None:
    declared = YAML(typ="safe").load((ROOT / "deployments" / "prefect.yaml").read_text())["deployments"]
    for served in (deployments(), in_python()):
        by_name = {item.name: item for item in served}
        assert {"nightly-refresh", "drift-watch", "ingest", "experiment", "approval-deadline", "shard"} <= set(by_name)
        for item in declared:
            schedules = [schedule.schedule for schedule in by_name[item["name"]].schedules or []]
            assert [one.timezone for one in schedules] == [one["timezone"] for one in item.get("schedules", [])]
            limited = "concurrency_limit" in item
            assert (by_name[item["name"]].concurrency_limit == 1) == limited


FLAT = """    data: examples/office
    skill: examples/skills/office-workbooks
    recalculate: never
    max_cost: 5
    roles:
      agent: { name: sim/office }
      analyst: { name: sim/office }
      merger: { name: sim/office }
"""


def with_settings(tmp_path: Path, settings: str) -> Path:
    text = (ROOT / "deployments" / "prefect.yaml").read_text()
    start = text.index("settings: &settings\n") + len("settings: &settings\n")
    path = tmp_path / "prefect.yaml"
    path.write_text(text[:start] + settings + text[text.index("\ndeployments:\n") :])
    return path


def test_both_ways_to_deploy_read_one_file() -> None:
    for one, other in zip(deployments(), in_python(), strict=True):
        assert (one.name, one.parameters, one.tags, one.description) == (
            other.name, other.parameters, other.tags, other.description,
        )  # fmt: skip
    assert {item.work_pool_name for item in in_python()} == {"trace2skill"}
    assert all("PREFECT_LOGGING_EXTRA_LOGGERS" in item.job_variables["env"] for item in in_python())


def test_an_old_file_with_flat_settings_deploys_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flat_settings, "_said", set())
    old = with_settings(tmp_path, FLAT)
    with caplog.at_level(logging.WARNING):
        made = {item.name: item for item in in_python(old)}
    (said,) = [record.message for record in caplog.records if "nested" in record.message]
    assert "'max_cost' is 'money.max_cost'" in said
    assert made["nightly-refresh"].parameters["settings"]["money"] == {"max_cost": 5.0}
    # `prefect deploy` sends the file's own parameters: the server checks them against the flow's form.
    given = YAML(typ="safe").load(old.read_text())["deployments"][0]["parameters"]
    schema = made["nightly-refresh"]._parameter_openapi_schema.model_dump()
    assert validate(given, schema, raise_on_error=False) == []


def test_settings_that_cannot_be_are_refused_before_anything_is_deployed(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"nightly-refresh: settings: max_cosst"):
        in_python(with_settings(tmp_path, FLAT.replace("max_cost", "max_cosst")))


def test_commands_that_meet_a_new_server_at_once_do_not_fail_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[str] = []

    def save(_: StoreResults, name: str, overwrite: bool) -> None:
        tries.append(name)
        if len(tries) != 3:  # the kind of block, then its schema, which another command has made known meanwhile
            raise ObjectAlreadyExists(http_exc=RuntimeError("409 Conflict"))

    monkeypatch.setattr(StoreResults, "save", save)
    assert isinstance(saved_block(), StoreResults)
    assert len(tries) == 3
    with pytest.raises(ObjectAlreadyExists):  # what stays so is no race
        saved_block()
