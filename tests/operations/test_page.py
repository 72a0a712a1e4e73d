"""docs/deploy.md from top to bottom: every block as it is written, and what becomes of nights that go wrong.

One server, one checkout, one store. At each thing that happens something is killed that had it in hand, and what
`status`, `versions` and `why` say afterwards is asked.
"""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import product
import psutil
import warm
from conftest import PATIENCE
from page import BLOCKS, NOT_RUN, RUN_BY, typed, with_programs
from prefect_project import OPERATED, Project, kill_all
from questions_of_tests import write_skill_for_sums

from trace2skill.skills.skill import Skill, read_skill
from trace2skill.store import open_store

NIGHTLY = "refresh/nightly-refresh"
SOON = 20 / 3600
"""Hours after which nobody has answered. The worker has to be gone before, on a slow machine, too."""
BY_APPROVAL = {"promote": "approve"}
ASKED = ("Suspended", "COMPLETED", "FAILED")
ENDED = ("COMPLETED", "FAILED", "CANCELLED")


class Nights:
    """The nights of one project, in which a run has the deployment's own settings."""

    def __init__(self, project: Project) -> None:
        self.project, self.home = project, project.checkout
        self.store = self.home / ".trace2skill" / "store.duckdb"
        self.settings = project.request("GET", f"/deployments/name/{NIGHTLY}")["parameters"]["settings"]
        self.began = datetime.now(UTC).isoformat()

    def typed(self, word: str, **replaced: str) -> str:
        """The block of the page with that word in it."""
        (block,) = [block for block in BLOCKS if word in block]
        return typed(block, self.home, self.project.variables, replaced)

    def edit(self, skill: str, **operation: object) -> None:
        """Edit the nightly deployment, as in the UI."""
        data = {**self.settings["data"], "skill": skill}
        parameters = {"settings": {**self.settings, "data": data, "operation": operation}}
        deployment = self.project.request("GET", f"/deployments/name/{NIGHTLY}")["id"]
        self.project.request("PATCH", f"/deployments/{deployment}", {"parameters": parameters})

    def said(self, skill: str) -> tuple[str, list[str], int]:
        """What `status` says of its last run, and `versions` of its history and of the number of its champion."""
        runs = self.project.told("status")
        told = self.project.told("versions")
        (champion,) = [item["number"] for item in told["versions"] if item["champion"] and item["name"] == skill]
        last = max(runs, key=lambda run: run["started"])
        return last["state"], [change["kind"] for change in told["history"][skill]], champion

    def crashed(self, flow_run: str) -> None:
        """What a person says of a run whose worker has died, before pressing Retry."""
        assert self.project.state(flow_run)["type"] == "RUNNING"
        self.project.request("POST", f"/flow_runs/{flow_run}/set_state", {"state": {"type": "CRASHED"}, "force": True})

    def killed(self, module: str, function: str, *words: str) -> None:
        """A command that is killed while it is in that function."""
        mark = self.project.home / "mark"
        mark.unlink(missing_ok=True)
        with open(os.devnull, "r+b") as nothing:
            files = [nothing.fileno()] * 3
            held = [module, function, str(mark), *words]
            fork = warm.Forked(self.project.home / "warm", "held", held, self.home, self.project.variables, files)
        wait_for(lambda: mark.exists() or fork.poll() is not None)
        assert fork.poll() is None, words
        fork.kill()
        fork.wait()


def wait_for(happened: Callable[[], object], pause: float = 0.05) -> None:
    """Each look after so many seconds: what asks the server takes longer ones, for that costs."""
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(pause)


def test_each_block_is_run_or_said_not_to_be() -> None:
    for block in BLOCKS:
        assert sum(word in block for word in (*RUN_BY, *NOT_RUN)) == 1, f"neither run nor said not to be:\n{block}"
    assert [word for block in BLOCKS for word in (*RUN_BY, *NOT_RUN) if word in block] == [*RUN_BY, *NOT_RUN]


@OPERATED
def test_the_page_from_top_to_bottom(project: Project) -> None:
    nights = Nights(project)
    before = read_skill(nights.home / "sums")
    with project.worker() as worker:
        two_nights_missed(nights)
        kill_all(worker)
    run = what_was_begun_is_retried(nights)
    with project.worker() as worker:
        late = nobody_answers(nights)
        kill_all(worker)
    with project.worker() as worker:
        too_late(nights, run, late)
        asked = somebody_is_asked(nights)
        deadline = a_yes_loses_its_place(nights, asked)
        kill_all(worker)
    with project.worker():
        a_yes_is_carried_out(nights, run, asked, deadline)
        it_is_rolled_back(nights, before)
        a_yes_in_time(nights)
        an_old_checkout(nights)
    it_is_served(nights)


def two_nights_missed(nights: Nights) -> None:
    """No worker was there at three: both runs are late, one is begun, and killed at its work."""
    project, due = nights.project, datetime.now(UTC) - timedelta(hours=5)
    late = [project.due(NIGHTLY, due + timedelta(minutes=number)) for number in range(2)]
    wait_for(project.calls_made)
    states = {project.state(run)["type"]: project.state(run)["message"] for run in late}
    assert states == {"RUNNING": states.get("RUNNING"), "CANCELLED": "Deployment concurrency limit reached."}


def what_was_begun_is_retried(nights: Nights) -> str:
    """By its command; the server's run stays `Running`, as the page says, and is set to Crashed."""
    assert nights.said("sums") == ("interrupted", ["adopt"], 1)
    (run,) = [found["run_id"] for found in nights.project.told("status")]
    said = nights.typed("trace2skill status", RUN=run)
    assert "interrupted" in said
    assert "verdict: promote" in said
    assert nights.said("sums") == ("completed", ["adopt"], 1), "a candidate that won is staged"
    words = {"DIR": "examples/office", "path/to/skill": "examples/skills/office-workbooks"}
    assert "--max-cost" in nights.typed("trace2skill estimate", **words)
    asked = {"flow_runs": {"state": {"type": {"any_": ["RUNNING"]}}}}
    for left in nights.project.request("POST", "/flow_runs/filter", asked):
        nights.crashed(left["id"])
    return str(run)


def nobody_answers(nights: Nights) -> str:
    nights.edit("sums", **BY_APPROVAL, approval_hours=SOON)
    asked = nights.project.start(NIGHTLY, {})
    assert nights.project.wait(asked, *ASKED)["name"] == "Suspended"
    return asked


def too_late(nights: Nights, run: str, asked: str) -> None:
    assert nights.project.wait(asked, *ENDED)["type"] == "COMPLETED"
    shown = nights.project.told("show", run)
    assert not shown["promoted"]
    assert shown["approval"].startswith("not approved: nobody answered within")
    assert nights.said("sums") == ("completed", ["adopt"], 1)
    refused = product.run(nights.home, nights.project.home, "retry", run, code=2)
    assert f"`prefect flow-run retry {asked}`" in refused.complaint


def somebody_is_asked(nights: Nights) -> str:
    """By the deployment that is started again; the run that asks needs no worker, nor does its form."""
    project = nights.project
    nights.edit("sums", **BY_APPROVAL)
    (asked,) = re.findall(r"UUID: ([0-9a-f-]{36})", project.run("prefect", "deployment", "run", NIGHTLY))
    assert project.wait(asked, *ASKED)["name"] == "Suspended"
    keys = project.state(asked)["state_details"]["run_input_keyset"]
    form = str(project.request("GET", f"/flow_runs/{asked}/input/{keys['description']}"))
    assert all(words in form for words in ("McNemar", "report.html", "was foreseen"))
    assert nights.said("sums") == ("waiting", ["adopt"], 1)
    return asked


def a_yes_loses_its_place(nights: Nights, asked: str) -> str:
    """Another run has the place when the answer comes; what is to carry it out is killed at that."""
    project, store = nights.project, open_store(nights.store)  # and whoever wants the store waits for it
    taker = project.start(NIGHTLY, {})
    for state in ("PENDING", "RUNNING"):
        project.request("POST", f"/flow_runs/{taker}/set_state", {"state": {"type": state}})
    answer = {"promote": True, "reason": "read and agreed"}
    project.request("POST", f"/flow_runs/{asked}/resume", {"run_input": answer})
    project.wait(asked, "CANCELLED")
    given = {"flow_run": asked, "hours": 1, "store": str(nights.store)}
    deadline = project.start("approval-deadline/approval-deadline", given)
    project.wait(deadline, "RUNNING")
    project.request("POST", f"/flow_runs/{taker}/set_state", {"state": {"type": "CANCELLED"}, "force": True})
    store.close()
    return deadline


def a_yes_is_carried_out(nights: Nights, run: str, asked: str, deadline: str) -> None:
    project = nights.project
    nights.crashed(deadline)
    project.press_retry(deadline)
    assert project.wait(deadline, *ENDED)["type"] == "COMPLETED"
    shown = project.told("show", run)
    assert (shown["promoted"], shown["approval"]) == (True, "approved: read and agreed")
    assert read_skill(nights.home / "sums").digest == shown["candidate"]["skill"]
    assert nights.said("sums") == ("completed", ["adopt", "promote"], 2)
    tags = project.request("GET", f"/flow_runs/{asked}")["tags"]
    assert {"trace2skill", "refresh", "skill:sums", "domain:math"} <= set(tags)
    told = artifacts_of(project, asked)
    kinds = ("refresh-summary", "skill-nights", "refresh-report", "refresh-scores", "refresh-cost")
    assert {f"{kind}-sums" for kind in kinds} <= told.keys()
    costs = [row["cost"] for row in json.loads(told["refresh-cost-sums"])]
    assert any(costs)
    assert all(len(str(cost)) <= len("0.0123456") or "e" in str(cost) for cost in costs)
    edges = edges_of(project, nights.began)
    assert edges, "the graph leads from what was analysed to what was proposed"
    assert all(made == f"extract: {led.removeprefix('propose: ')}" for made, led in edges)


def it_is_rolled_back(nights: Nights, before: Skill) -> None:
    live = nights.home / "sums"
    nights.killed("trace2skill.versions.registry", "Registry._mark_done", "rollback", str(live))
    assert read_skill(live) == before
    assert nights.said("sums") == ("completed", ["adopt", "promote", "rollback"], 1)


def a_yes_in_time(nights: Nights) -> None:
    """Of another skill. The command that answers is killed half way, and typed again."""
    project, live = nights.project, nights.home / "others"
    write_skill_for_sums(live, "others")
    nights.edit("others", **BY_APPROVAL)
    asked = project.start(NIGHTLY, {})
    assert project.wait(asked, *ASKED)["name"] == "Suspended"
    run = max(project.told("status"), key=lambda found: found["started"])["run_id"]
    nights.killed("trace2skill.runs.approvals", "write_pages", "approve", run, "--why", "read it")
    assert nights.said("others") == ("waiting", ["adopt", "promote"], 2)
    assert nights.typed("trace2skill approve", RUN=run) == "others: promoted: approved: read it\n"
    assert nights.said("others") == ("completed", ["adopt", "promote"], 2)
    assert project.state(asked)["message"] == "answered by `trace2skill approve`"
    lines = project.told("why", live)
    assert lines
    assert all(line["support"]["trajectories"] for line in lines)
    wanted = {f"trace2skill.skill.{what}" for what in ("staged", "promoted")}
    wait_for(
        lambda: wanted <= events_of(project, nights.began), 1.0
    )  # the server takes them in a while after they are sent


def an_old_checkout(nights: Nights) -> None:
    """A second worker's directory holds what was there before the promotion: its run is refused, and nothing changes."""
    project, live = nights.project, nights.home / "others"
    promoted = read_skill(live)
    shutil.rmtree(live)
    write_skill_for_sums(live, "others")
    refused = project.wait(project.start(NIGHTLY, {}), *ENDED)
    assert refused["type"] == "FAILED"
    assert "is it an old checkout?" in refused["message"]
    assert nights.said("others") == ("completed", ["adopt", "promote"], 2)
    (right,) = re.findall(r"`trace2skill (promote .*?)` puts it right", refused["message"])
    nights.killed("trace2skill.versions.registry", "Registry._put", *right.split())
    project.told(*right.split())
    assert read_skill(live) == promoted
    assert nights.said("others") == ("completed", ["adopt", "promote"], 2)


def it_is_served(nights: Nights) -> None:
    """Without a worker; what of workers is on the server stays as it is, though what serves is killed."""
    project = nights.project
    env = {**project.variables, "PATH": with_programs(nights.home)}
    log = project.home / "serve.log"
    with log.open("wb") as said:
        serving = subprocess.Popen(["make", "serve"], cwd=nights.home, env=env, stdout=said, stderr=said)
    try:
        wait_for(lambda: "nightly-refresh-served" in log.read_text() or serving.poll() is not None)
        assert serving.poll() is None, log.read_text()
        served = f"/deployments/name/{NIGHTLY}-served"
        wait_for(lambda: project.request("GET", served)["status"] == "READY", 1.0)
    finally:
        kill_all(psutil.Process(serving.pid))
        serving.wait()
    workers = project.request("GET", f"/deployments/name/{NIGHTLY}")
    assert not workers["paused"]
    assert all(schedule["active"] for schedule in workers["schedules"])


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


def artifacts_of(project: Project, flow_run: str) -> dict[str, Any]:
    asked = {"flow_runs": {"id": {"any_": [flow_run]}}, "limit": 200}
    return {item["key"]: item["data"] for item in project.request("POST", "/artifacts/filter", asked)}
