"""What is deployed, as the UI shows it: every setting explained, no two runs at once, and room for many items."""

import ast
import importlib
import inspect
import json
import logging
import os
import pkgutil
import re
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import httpx
import prefect
import pytest
from conftest import OFFICE, ROOT, environment
from packaging.requirements import Requirement
from prefect import Flow
from prefect.exceptions import ObjectAlreadyExists
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.utilities.callables import parameter_schema
from prefect.utilities.schema_tools.validation import validate
from pydantic import BaseModel
from ruamel.yaml import YAML
from run_settings import run_settings

import flows
from deployments.declared import FILE, declared
from deployments.deploy import planned
from deployments.serve import FOR_RUNS, deployments
from flows.ablate import ablate
from flows.drift import drift_watch
from flows.ingest import ingest
from flows.refresh import refresh
from flows.rollout import rollout
from flows.shrink import shrink_skill
from tasks.deployed import deployment_name
from tasks.parameters import guarded, whole
from tasks.results import StoreResults, saved_block
from tasks.runner import sized
from tasks.server import keep_signals_from_server
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


@pytest.mark.parametrize("flow", [refresh, drift_watch, ingest, ablate, shrink_skill], ids=lambda flow: str(flow.name))
def test_the_form_of_a_deployment_explains_every_setting(flow: Any) -> None:
    schema = parameter_schema(flow).model_dump()
    assert unexplained(schema, schema["definitions"], flow.name) == []


TOP = {
    "RunSettings": ["data", "models", "money", "operation"],
    "DataSettings": ["path", "domain", "skill"],
    "Roles": ["agent", "analyst", "merger"],
    "MoneySettings": ["max_cost"],
    "OperationSettings": ["promote", "store"],
    "LearningSettings": ["rounds", "seeds"],
    "EvaluationSettings": ["level"],
}
"""What people change in a deployment, where the form has it."""


def test_what_people_change_stands_on_top_of_the_form() -> None:
    definitions = parameter_schema(refresh).model_dump()["definitions"]
    for name, first in TOP.items():
        fields = definitions[name]["properties"]
        for unplaced in (0, float("inf")):  # what either UI takes a field without a place for
            shown = sorted(fields, key=lambda field: fields[field].get("position", unplaced))
            assert shown[: len(first)] == first, name


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


def in_python(file: Path = FILE) -> dict[str, dict[str, Any]]:
    """What `trace2skill deploy` tells the server, by name."""
    return {item.name: planned(item, {}) for item in declared(file)}


def test_every_schedule_has_a_time_zone_and_no_two_runs_at_once() -> None:
    in_file = YAML(typ="safe").load(FILE.read_text())["deployments"]
    served, put = {item.name.removesuffix("-served"): item for item in deployments()}, in_python()
    assert {"nightly-refresh", "drift-watch", "ingest", "experiment", "approval-deadline", "shard"} <= set(put)
    for item in in_file:
        zones = [one["timezone"] for one in item.get("schedules", [])]
        assert [one.schedule.timezone for one in served[item["name"]].schedules or []] == zones
        assert [one["schedule"]["timezone"] for one in put[item["name"]]["schedules"]] == zones
        limit = item.get("concurrency_limit", {}).get("limit")
        assert served[item["name"]].concurrency_limit == put[item["name"]]["concurrency_limit"] == limit


def test_what_a_process_serves_takes_no_deployment_of_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither its own names nor those that its runs start: Prefect would give them to whoever came last."""
    of_workers = set(in_python())
    served = {f"{item.flow_name}/{item.name}" for item in deployments()}
    assert not of_workers & {name.partition("/")[2] for name in served}
    assert {deployment_name(flow) for flow in ("shard", "approval-deadline")} <= {f"{n}/{n}" for n in of_workers}
    for name, value in FOR_RUNS.items():
        monkeypatch.setenv(name, value)
    assert {deployment_name(flow) for flow in ("shard", "approval-deadline")} <= served


SAYS = """
import logging
from prefect import flow, task
import flows.refresh

@task
def step():
    logging.getLogger("trace2skill.runs.steps").info("said in a step")

@flow
def says():
    logging.getLogger("trace2skill.runs").info("said in a flow")
    logging.getLogger("trace2skill.runs").debug("too fine")
    logging.getLogger("another.library").info("not the product's")
    step()

says()
"""


def test_what_the_product_logs_in_a_run_stands_in_the_ui(prefect_home: Path) -> None:
    """In a process with the variables that the deployments give their runs, on the locked Prefect."""
    one = in_python()["nightly-refresh"]
    given = {**one["job_variables"]["env"], "PREFECT_LOGGING_TO_API_ENABLED": "true"}
    del given["PREFECT_RESULTS_DEFAULT_STORAGE_BLOCK"]  # nothing is kept here
    known = {**environment(prefect_home), **given, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", SAYS], env=known, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    asked = {"logs": {"level": {"ge_": 0}}, "limit": 200}
    found = httpx.post(f"{known['PREFECT_API_URL']}/logs/filter", json=asked, timeout=60).json()
    said = {line["message"]: line for line in found if not line["name"].startswith("prefect")}
    assert set(said) == {"said in a flow", "said in a step"}
    assert said["said in a step"]["task_run_id"]


def test_a_server_of_the_commands_own_is_not_in_reach_of_the_terminals_signals(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ctrl-C goes to a whole process group: with its server gone first, a run waited for answers that never came."""
    from prefect.server.api import server as prefect_server  # seconds, which each worker would pay at collection

    monkeypatch.setattr(prefect_server, "subprocess", subprocess)
    with temporary_settings(restore_defaults={PREFECT_API_URL}):
        keep_signals_from_server()
        server = prefect_server.SubprocessASGIServer(port=1)
        process = server._run_uvicorn_command()
        try:
            assert os.getpgid(process.pid) == process.pid != os.getpgrp()
        finally:
            process.kill()
            process.wait()
            prefect_server.SubprocessASGIServer._instances.pop(1)


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
    for one, other in zip(deployments(), in_python().values(), strict=True):
        shown = {
            "name": one.name.removesuffix("-served"),
            **one.model_dump(include={"parameters", "tags", "description"}),
        }
        assert shown == {name: other[name] for name in shown}
    assert {item["work_pool_name"] for item in in_python().values()} == {"trace2skill"}
    assert all("PREFECT_LOGGING_EXTRA_LOGGERS" in item["job_variables"]["env"] for item in in_python().values())


def test_an_old_file_with_flat_settings_deploys_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flat_settings, "_said", set())
    old = with_settings(tmp_path, FLAT)
    with caplog.at_level(logging.WARNING):
        made = in_python(old)
    (said,) = [record.message for record in caplog.records if "nested" in record.message]
    assert "'max_cost' is 'money.max_cost'" in said
    assert made["nightly-refresh"]["parameters"]["settings"]["money"] == {"max_cost": 5.0}
    # `prefect deploy` sends the file's own parameters: the server checks them against the flow's form.
    given = YAML(typ="safe").load(old.read_text())["deployments"][0]["parameters"]
    schema = made["nightly-refresh"]["parameter_openapi_schema"]
    assert validate(given, schema, raise_on_error=False) == []


def test_the_version_of_prefect_that_files_name_is_the_one_of_the_lock() -> None:
    (locked,) = re.findall(r"^prefect==(\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    assert prefect.__version__ == locked
    assert YAML(typ="safe").load(FILE.read_text())["prefect-version"] == locked
    (allowed,) = [item for item in requires("trace2skill") or [] if re.match(r"prefect[<>=]", item)]
    assert Requirement(allowed).specifier.contains(locked)
    (said,) = re.findall(r"the lock has (\d+\.\d+)", (ROOT / "README.md").read_text())
    assert locked.startswith(f"{said}.")


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
