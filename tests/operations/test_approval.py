"""A promotion that a person approves: the run waits without a worker, a form or the deadline ends the wait."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from conftest import PATIENCE
from prefect_project import OPERATED, Project, settings

from trace2skill.skills.skill import read_skill

pytestmark = OPERATED

SHORT_HOURS = 8 / 3600


def test_a_promotion_waits_for_a_person_and_times_out_into_not_promoted(tmp_path: Path, project: Project) -> None:
    given = settings(tmp_path, 24, promote="approve", gate={"level": 0.4})
    live = Path(given["skill"])
    before = read_skill(live)
    began = datetime.now(UTC).isoformat()
    # Nobody answers: the deadline does.
    with project.worker():
        run = project.start("refresh/nightly-refresh", {"settings": {**given, "approval_hours": SHORT_HOURS}})
        project.wait(run, "Suspended", "COMPLETED", "FAILED")
        assert project.wait(run, "COMPLETED", "FAILED")["type"] == "COMPLETED"
    (name,) = [item["run_id"] for item in project.told("status", "--output", given["output"])]
    shown = project.told("show", name, "--store", given["store"])
    assert shown["decision"]["verdict"] == "promote"
    assert not shown["promoted"]
    assert shown["approval"].startswith("not approved: nobody answered within")
    assert read_skill(live) == before
    calls = len(project.calls_made())

    # A person answers, while no worker runs.
    with project.worker():
        run = project.start("refresh/nightly-refresh", {"settings": given})
        project.wait(run, "Suspended", "COMPLETED", "FAILED")
    assert project.told("status", name, "--output", given["output"])["state"] == "waiting"
    form = project.request("GET", f"/flow_runs/{run}/input/{keyset(project, run)['description']}")
    assert "McNemar" in str(form)
    assert "report.html" in str(form)
    assert "was foreseen" in str(form)
    answer = {"promote": True, "reason": "read and agreed"}
    project.request("POST", f"/flow_runs/{run}/resume", {"run_input": answer})
    with project.worker():
        assert project.wait(run, "COMPLETED", "FAILED")["type"] == "COMPLETED"
    shown = project.told("show", name, "--store", given["store"])
    assert shown["promoted"]
    assert shown["approval"] == "approved: read and agreed"
    assert read_skill(live).digest == shown["candidate"]["skill"]
    assert len(project.calls_made()) == calls, "waiting and answering cost nothing"
    reasons = [item["reason"] for item in history(project, given["store"])]
    assert any("approved: read and agreed" in reason for reason in reasons)
    wanted = {"trace2skill.skill.staged", "trace2skill.skill.promoted"}
    deadline = time.monotonic() + PATIENCE
    while not wanted <= events_of(project, began):  # the server takes events in a while after they are sent
        assert time.monotonic() < deadline, events_of(project, began)
        time.sleep(1)
    told = artifacts_of(project, {"id": {"any_": [run]}})
    kinds = ("refresh-summary", "skill-nights", "refresh-report", "refresh-scores", "refresh-cost")
    assert {f"{kind}-sums" for kind in kinds} <= told.keys()
    costs = [row["cost"] for row in json.loads(told["refresh-cost-sums"])]
    assert any(costs)
    assert all(len(str(cost)) <= len("0.0123456") or "e" in str(cost) for cost in costs)
    tags = project.request("GET", f"/flow_runs/{run}")["tags"]
    assert {"trace2skill", "refresh", "skill:sums", "domain:math"} <= set(tags)

    edges = edges_of(project, began)
    assert edges, "the graph leads from what was analysed to what was proposed"
    assert all(made == f"extract: {led.removeprefix('propose: ')}" for made, led in edges)


def test_a_yes_that_lost_its_place_to_another_run_is_carried_out_outside_of_it(
    tmp_path: Path, project: Project
) -> None:
    given = settings(tmp_path, 24, promote="approve", gate={"level": 0.4})
    live = Path(given["skill"])
    with project.worker():
        run = project.start("refresh/nightly-refresh", {"settings": given})
        project.wait(run, "Suspended", "COMPLETED", "FAILED")
    (name,) = [item["run_id"] for item in project.told("status", "--output", given["output"])]
    taker = project.start("refresh/nightly-refresh", {"settings": given})
    for state in ("PENDING", "RUNNING"):
        project.request("POST", f"/flow_runs/{taker}/set_state", {"state": {"type": state}})
    project.request("POST", f"/flow_runs/{run}/resume", {"run_input": {"promote": True, "reason": "agreed"}})
    asked = {"flow_run": run, "hours": 1, "store": given["store"]}
    with project.worker():
        project.wait(run, "CANCELLED")
        deadline = project.start("approval-deadline/approval-deadline", {**asked})
        assert project.wait(deadline, "COMPLETED", "FAILED")["type"] == "COMPLETED"
    project.request("POST", f"/flow_runs/{taker}/set_state", {"state": {"type": "CANCELLED"}, "force": True})
    shown = project.told("show", name, "--store", given["store"])
    assert (shown["promoted"], shown["approval"]) == (True, "approved: agreed")
    assert read_skill(live).digest == shown["candidate"]["skill"]
    assert project.told("status", name, "--output", given["output"])["state"] == "completed"


def events_of(project: Project, since: str) -> set[str]:
    asked = {"filter": {"event": {"prefix": ["trace2skill."]}, "occurred": {"since": since}}, "limit": 50}
    return {item["event"] for item in project.request("POST", "/events/filter", asked)["events"]}


def edges_of(project: Project, since: str) -> set[tuple[str, str]]:
    """Which task run led to which, by their names."""
    asked = {"limit": 200, "task_runs": {"start_time": {"after_": since}}}
    runs = project.request("POST", "/task_runs/filter", asked)
    name_of = {run["id"]: run["name"] for run in runs}
    found = [(made["id"], run["name"]) for run in runs for made in run["task_inputs"].get("wait_for", ())]
    return {(name_of[id], name) for id, name in found if id in name_of}


def artifacts_of(project: Project, flow_runs: dict[str, Any]) -> dict[str, Any]:
    found = project.request("POST", "/artifacts/filter", {"flow_runs": flow_runs, "limit": 200})
    return {item["key"]: item["data"] for item in found}


def keyset(project: Project, run: str) -> dict[str, str]:
    found: dict[str, str] = project.state(run)["state_details"]["run_input_keyset"]
    return found


def history(project: Project, store: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = project.told("versions", "--store", store)["history"]["sums"]
    return found
