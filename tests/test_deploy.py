"""`trace2skill deploy`: one command puts on a Prefect server what prefect.yaml declares, and does nothing twice."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import httpx
import product
import pytest
from conftest import ROOT
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.utilities.templating import resolve_block_document_references, resolve_variables
from ruamel.yaml import YAML

from deployments.declared import declared
from trace2skill.core.errors import BadInput

FILE = """
name: mine
pull:
  - prefect.deployments.steps.set_working_directory: { directory: "{{ $TRACE2SKILL_HOME }}" }
deployments:
  - name: deploy-test
    entrypoint: flows/refresh.py:refresh
    tags: [mine]
    concurrency_limit: { limit: 1, collision_strategy: ENQUEUE }
    schedules: [{ cron: "0 4 * * *", timezone: Europe/Berlin }, { cron: "0 12 * * 6", timezone: Asia/Tokyo }]
    parameters:
      settings:
        data: { path: examples/office }
        models: { agent: { name: openai/x }, analyst: { name: openai/x }, merger: { name: openai/x } }
        operation: { limits_held: [deploy-test-gpu] }
    work_pool: { name: deploy-test-pool, job_variables: { env: { MINE: "1" } } }
  - name: deploy-test-drift
    entrypoint: flows/drift.py:drift_watch
    schedule: { interval: 86400 }
    parameters: { settings: { data: examples/office, roles: { agent: { name: sim/office }, analyst: { name: sim/office }, merger: { name: sim/office } } } }
    work_pool: { name: deploy-test-pool }
"""  # the second as somebody wrote it long ago: flat settings, one schedule, no tags
KEY = "sk-not-a-real-key-0123456789"


class Server:
    """What the session's server has, as the UI asks for it."""

    def __init__(self, home: Path) -> None:
        self.home, self.api = home, (home / "api").read_text()

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        for _ in range(60):  # its database is one file: "try again" is the answer while somebody else writes
            answer = httpx.request(method, f"{self.api}{path}", json=body, timeout=60)
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
            time.sleep(1)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def deployed(self, name: str) -> Any:
        return self.ask("GET", f"/deployments/name/{name}")

    def deploy(self, file: Path, *more: object, code: int = 0) -> Any:
        done = product.run(ROOT, self.home, "deploy", "--file", file, "--json", *more, code=code)
        return json.loads(done.stdout) if code == 0 else done.complaint


@pytest.fixture(scope="module")
def server(prefect_home: Path) -> Server:
    return Server(prefect_home)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "prefect.yaml"
    path.write_text(FILE)
    return path


async def followed_by_worker(variables: dict[str, str]) -> Any:
    return await resolve_variables(await resolve_block_document_references(variables))


def states(done: Any) -> dict[str, str]:
    return {f"{item['kind']} {item['name']}": item["state"] for item in done["changes"]}


def test_one_command_deploys_all_and_the_second_changes_nothing(
    server: Server, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    key = ("--key", "OPENAI_API_KEY")
    dry = server.deploy(file, "--dry-run", *key)
    new = {name for name, state in states(dry).items() if state == "created"}
    assert {
        "work pool deploy-test-pool", "secret trace2skill-key-openai-api-key", "concurrency limit deploy-test-gpu",
        "deployment refresh/deploy-test", "deployment drift-watch/deploy-test-drift",
    } <= new  # fmt: skip
    assert server.ask("POST", "/deployments/filter", {"deployments": {"name": {"like_": "deploy-test"}}}) == []

    first = server.deploy(file, *key)
    assert states(first) == states(dry)
    assert "start a worker: prefect worker start --pool deploy-test-pool" in first["next"]
    monkeypatch.delenv("OPENAI_API_KEY")
    second = server.deploy(file)  # the key is not needed again
    assert set(states(second).values()) == {"unchanged"}
    assert states(second).keys() == states(first).keys()

    made = server.deployed("refresh/deploy-test")
    assert made["global_concurrency_limit"]["limit"] == 1
    assert made["concurrency_options"]["collision_strategy"] == "ENQUEUE"
    assert {one["schedule"]["timezone"] for one in made["schedules"]} == {"Europe/Berlin", "Asia/Tokyo"}
    assert (
        made["pull_steps"][0]["prefect.deployments.steps.set_working_directory"]["directory"]
        == "{{ $TRACE2SKILL_HOME }}"
    )
    assert made["job_variables"]["env"] == {
        "MINE": "1",
        "TRACE2SKILL_HOME": "{{ prefect.variables.trace2skill_home }}",
        "OPENAI_API_KEY": "{{ prefect.blocks.secret.trace2skill-key-openai-api-key }}",
    }
    # What a worker makes of it when a run starts.
    with temporary_settings({PREFECT_API_URL: server.api}):
        followed = asyncio.run(followed_by_worker(made["job_variables"]["env"]))
    assert followed == {"MINE": "1", "TRACE2SKILL_HOME": str(ROOT), "OPENAI_API_KEY": KEY}
    old = server.deployed("drift-watch/deploy-test-drift")
    assert old["parameters"]["settings"]["data"] == {"path": "examples/office"}
    assert old["schedules"][0]["schedule"]["interval"] == 86400
    # Nowhere but in its Secret block, and not in what was said.
    assert KEY not in json.dumps([dry, first, second, made, old])


def test_only_what_differs_is_changed_and_a_paused_schedule_stays_paused(server: Server, file: Path) -> None:
    server.deploy(file)
    made = server.deployed("refresh/deploy-test")
    schedule = next(one for one in made["schedules"] if one["schedule"]["timezone"] == "Europe/Berlin")
    server.ask("PATCH", f"/deployments/{made['id']}/schedules/{schedule['id']}", {"active": False})
    assert "changed" not in states(server.deploy(file)).values()
    (way,) = (line for line in FILE.splitlines() if "set_working_directory" in line)
    other = "  - prefect.deployments.steps.git_clone: { repository: https://git.example.com/team/tasks }"
    file.write_text(FILE.replace("tags: [mine]", "tags: [yours]").replace(way, other))
    done = server.deploy(file, "--limit", "deploy-test-gpu=3", "--work-pool", "deploy-test-other")
    found = {item["name"]: item for item in done["changes"] if item["state"] != "unchanged"}
    assert found["refresh/deploy-test"]["detail"] == "tags, work_pool_name, pull_steps"
    assert found["drift-watch/deploy-test-drift"]["detail"] == "work_pool_name, pull_steps"
    assert found["deploy-test-gpu"]["detail"].endswith("-> 3")
    assert found["deploy-test-other"]["state"] == "created"
    again = server.deployed("refresh/deploy-test")
    assert (again["tags"], again["work_pool_name"]) == (["yours"], "deploy-test-other")
    assert [list(step) for step in again["pull_steps"]] == [["prefect.deployments.steps.git_clone"]]
    assert {one["schedule"]["timezone"]: one["active"] for one in again["schedules"]} == {
        "Europe/Berlin": False,
        "Asia/Tokyo": True,
    }


def test_what_is_given_anew_is_changed_and_the_rest_stays_as_it_was_given(
    server: Server, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prefect.blocks.system import Secret

    with temporary_settings({PREFECT_API_URL: server.api}):
        Secret(value="theirs").save("deploy-test-theirs", overwrite=True)
    own = 'env: { MINE: "1", TRACE2SKILL_STORE: /srv/mine }'
    file.write_text(FILE.replace('env: { MINE: "1" }', own))
    given = ("--key", "OPENAI_API_KEY", "--store", "/srv/all", "--home")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    server.deploy(file, *given, "/srv/one", "--limit", "deploy-test-gpu=4")
    monkeypatch.setenv("OPENAI_API_KEY", f"{KEY}-renewed")
    second = {
        name: state for name, state in states(server.deploy(file, *given, "/srv/two")).items() if state != "unchanged"
    }
    assert second == {"variable trace2skill_home": "changed", "secret trace2skill-key-openai-api-key": "changed"}
    assert set(states(server.deploy(file)).values()) == {"unchanged"}
    with temporary_settings({PREFECT_API_URL: server.api}):
        env = asyncio.run(followed_by_worker(server.deployed("refresh/deploy-test")["job_variables"]["env"]))
    assert env == {
        "MINE": "1", "TRACE2SKILL_HOME": "/srv/two", "TRACE2SKILL_STORE": "/srv/mine", "OPENAI_API_KEY": f"{KEY}-renewed",
    }  # fmt: skip
    assert server.deployed("refresh/deploy-test")["global_concurrency_limit"]["limit"] == 1
    assert server.ask("GET", "/v2/concurrency_limits/deploy-test-gpu")["limit"] == 4
    for name in ("trace2skill_home", "trace2skill_store"):
        server.ask("DELETE", f"/variables/name/{name}")


def test_automations_are_filled_in_from_a_block_given_by_its_name(server: Server, file: Path) -> None:
    from prefect.blocks.notifications import CustomWebhookNotificationBlock

    names = {
        item["name"]
        for item in YAML(typ="safe").load((ROOT / "deployments/automations.yaml").read_text())["automations"]
    }
    with temporary_settings({PREFECT_API_URL: server.api}):
        block = CustomWebhookNotificationBlock(name="team", url="https://hooks.example.com/x")
        block.save("deploy-test-team", overwrite=True)
    said = server.deploy(file, "--notify", "deploy-test-nobody", code=2)
    assert "no notification block of that name" in said
    assert "custom-webhook/deploy-test-team" in said
    done = states(server.deploy(file, "--notify", "deploy-test-team"))
    assert {done[f"automation {name}"] for name in names} == {"created"}
    again = states(server.deploy(file, "--automations"))  # the block that was filled in stays
    assert {again[f"automation {name}"] for name in names} == {"unchanged"}
    for made in server.ask("POST", "/automations/filter", {}):  # somebody pauses it and writes another description
        if made["name"] in names:
            other = {**made, "enabled": False, "description": "old"}
            of_server = ("id", "created", "updated")
            server.ask("PUT", f"/automations/{made['id']}", {k: v for k, v in other.items() if k not in of_server})
    put_right = states(server.deploy(file, "--automations"))
    assert {put_right[f"automation {name}"] for name in names} == {"changed"}
    left = [made for made in server.ask("POST", "/automations/filter", {}) if made["name"] in names]
    assert {made["enabled"] for made in left} == {False}
    assert "old" not in {made["description"] for made in left}


@pytest.mark.parametrize(
    ("change", "options", "said"),
    [
        (('cron: "0 4 * * *"', 'cron: "every day"'), (), "a schedule is cron, interval or rrule"),
        (("limits_held", "limitss_held"), (), "refresh.yaml: deploy-test: settings: operation.limitss_held"),
        (("flows/refresh.py:refresh", "flows/refresh.py:refrehs"), (), "there is no flow at"),
        (("", ""), ("--key", "sk-abc"), "give the name of an environment variable"),
        (("", ""), ("--key", "NOT_SET_KEY"), "$NOT_SET_KEY is not set here"),
        (("", ""), ("--key", "AKIA0123456789ABCDEF"), "not repeated, it may be a key itself"),
        (("", ""), ("--limit", "gpu"), "say NAME=SLOTS"),
        (("", ""), ("--limit", "gpu=0"), "say NAME=SLOTS"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_changes(
    server: Server, file: Path, change: tuple[str, str], options: tuple[str, ...], said: str
) -> None:
    file.write_text(FILE.replace(*change).replace("deploy-test", "never-deployed"))
    complaint = server.deploy(file, *options, code=2)
    assert said.replace("deploy-test", "never-deployed").replace("refresh.yaml", "prefect.yaml") in complaint
    assert not any(name in complaint for name in ("sk-abc", "AKIA"))
    assert server.ask("POST", "/work_pools/filter", {"work_pools": {"name": {"any_": ["never-deployed-pool"]}}}) == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("work_pool: mine", "one: work_pool: a mapping is wanted"),
        ("schedule: '0 3 * * *'", "one: schedule: a mapping is wanted"),
        ("schedule: { cron: '0 3 * * *', timezone: Mars/Base }", "Invalid timezone"),
        ("schedule: { cron: '0 3 * * *', interval: 60 }", "exactly one of them"),
        ("schedules: [{ cron: '0 3 * * *', timezon: UTC }]", "one: schedules.0.timezon: unknown: did you mean 'timezone'?"),
        ("schedule: { interval: 60, anchor_date: 2020-01-01 }", "one: dates and times stand in quotes"),
        ("concurrency_limit: many", "one: concurrency_limit.limit: "),
        ("concurrency_limit: { limit: 1, collision_strategy: LATER }", "one: concurrency_limit.collision_strategy: "),
        ("parameters: [1]", "one: parameters: a mapping is wanted"),
        ("parameters: { setings: {} }", "one: parameters.setings: unknown: did you mean 'settings'?"),
        ("tags: nightly", "one: tags: a list is wanted"),
        ("shedules: []", "one: shedules: unknown: did you mean 'schedules'?"),
        ("work_pool: { job_variables: { env: [A] } }", "one: work_pool.job_variables.env: a mapping is wanted"),
        ("pull: x", "one: pull: a list is wanted"),
        ("entrypoint: ./flows/drift.py:drift_watch", "there is no flow at"),
        ("name: a/b", "name: String should match"),
    ],
)  # fmt: skip
def test_what_a_file_may_not_say_is_told_with_its_place(file: Path, line: str, said: str) -> None:
    item = {"name": "one", "entrypoint": "flows/drift.py:drift_watch", **YAML(typ="safe").load(line)}
    with file.open("w") as written:
        YAML(typ="safe").dump({"deployments": [item]}, written)
    with pytest.raises(BadInput) as refused:
        declared(file)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("deployments: [text]", "deployment 1: a mapping is wanted"),
        ("deployments: { name: one }", "deployments: a list is wanted"),
        ("deployments: [{}]", "deployment 1: name: Field required"),
        ("deploymnts: []", "deploymnts: unknown: did you mean 'deployments'?"),
    ],
)
def test_what_is_no_file_of_deployments_is_told_as_well(file: Path, text: str, said: str) -> None:
    file.write_text(text)
    with pytest.raises(BadInput) as refused:
        declared(file)
    assert said in str(refused.value)


AS_PREFECT_WRITES_IT = """
build: null
definitions: { tags: &tags [mine] }
deployments:
  - name: one
    version: 3
    tags: *tags
    description: null
    entrypoint: flows/drift.py:drift_watch
    schedule: {}
    paused: true
    triggers: []
    concurrency_limit: { limit: 2, grace_period_seconds: 90 }
    work_pool: { name: null, work_queue_name: null, job_variables: {} }
    pull: { prefect.deployments.steps.set_working_directory: { directory: "{{ $HOME }}" } }
"""


def test_what_prefect_knows_and_is_not_deployed_is_a_warning(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    file.write_text(AS_PREFECT_WRITES_IT)
    (one,) = declared(file)
    (said,) = caplog.messages
    assert said.endswith(
        "one: not deployed, though `prefect deploy` knows it: version, paused, concurrency_limit.grace_period_seconds"
    )
    assert (one.pool, one.shown["tags"], one.shown["schedules"]) == ("trace2skill", ["mine"], [])
    assert one.pull == [{"prefect.deployments.steps.set_working_directory": {"directory": "{{ $HOME }}"}}]


class Starting(BaseHTTPRequestHandler):
    """A server that is not ready the first time it is asked, and then no Prefect server."""

    answers: ClassVar = [503, 200]

    def do_GET(self) -> None:
        self.send_response(self.answers.pop(0))
        self.end_headers()
        self.wfile.write(b"<html>")

    def log_message(self, *_: object) -> None:
        return


class Refusing(BaseHTTPRequestHandler):
    """A server that lets somebody in who may see nothing on it."""

    def do_GET(self) -> None:
        is_open = self.path in ("/api/health", "/api/admin/version")
        self.send_response(200 if is_open else 403)
        self.end_headers()
        self.wfile.write(
            {"/api/health": b"true", "/api/admin/version": b'"3.0.0"'}.get(self.path, b'{"detail": "not yours"}')
        )

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        return


@contextmanager
def answering(kind: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), kind)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/api"
    server.shutdown()
    server.server_close()


@pytest.fixture
def starting() -> Iterator[str]:
    with answering(Starting) as address:
        yield address


def test_what_the_server_refuses_while_it_is_compared_is_one_message(tmp_path: Path, file: Path) -> None:
    with answering(Refusing) as address:
        (tmp_path / "api").write_text(address)
        done = product.run(ROOT, tmp_path, "deploy", "--file", file, "--dry-run", code=2)
    assert "the Prefect server refused" in done.complaint
    assert "HTTP 403: not yours" in done.complaint


def test_a_server_that_does_not_come_is_one_message_with_the_remedy(tmp_path: Path, starting: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}/api"
    (tmp_path / "api").write_text(nobody)
    done = product.run(ROOT, tmp_path, "deploy", "--wait", 0.1, code=2)
    assert f"no Prefect server answers at {nobody} after 0.1 s" in done.complaint
    assert "waiting for the Prefect server" in done.complaint
    assert "`prefect server start`" in done.complaint
    (tmp_path / "api").write_text(starting)
    done = product.run(ROOT, tmp_path, "deploy", code=2)  # it is waited for, and found to be another one
    assert "is no Prefect API" in done.complaint
    assert "waiting" in done.complaint
