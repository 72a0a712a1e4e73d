"""What is deployed, as the UI shows it: every setting explained, no two runs at once, and room for many items."""

import json
from typing import Any

import pytest
from conftest import OFFICE, ROOT
from prefect.utilities.callables import parameter_schema
from ruamel.yaml import YAML
from run_settings import run_settings

from deployments.deploy import deployments as in_python
from deployments.serve import deployments
from flows.ablate import ablate
from flows.drift import drift_watch
from flows.ingest import ingest
from flows.refresh import refresh
from flows.rollout import rollout
from tasks.runner import sized
from trace2skill.llm import ModelSettings, Roles
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


def test_a_stage_of_many_thousand_items_fits_into_a_flow_run() -> None:
    settings = run_settings(data=OFFICE, roles=Roles.all_played_by(ModelSettings(name="sim/office")))
    jobs = [RolloutJob(task_id=f"task-{number}", seed=41, skill="5" * 64) for number in range(10_000)]
    assert len(json.dumps(rollout.serialize_parameters({"settings": settings, "jobs": jobs}), default=str)) > LIMIT
    recorded = sized(rollout, settings).serialize_parameters({"settings": settings, "jobs": jobs})
    assert recorded["jobs"] == "10000 items"
    few = sized(rollout, settings).serialize_parameters({"settings": settings, "jobs": jobs[:3]})
    assert [job["task_id"] for job in few["jobs"]] == ["task-0", "task-1", "task-2"]


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
