"""A deployed project as its page tells it: a server, the results block, a work pool, and workers to start and kill."""

import contextlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import product
import psutil
import pytest
import warm
from conftest import PATIENCE, environment
from questions_of_tests import write_math, write_skill_for_sums

OPERATED = pytest.mark.slow
"""Of the tests on a deployed project."""
BIN = Path(sys.executable).parent
FLOWS = ("run", "retry")
SIM = {"name": "sim/office", "attempts": 1}
SETTINGS = {
    "data": {"domain": "math", "path": "data", "skill": "sums", "recalculate": "never"},
    "models": {"agent": SIM, "analyst": SIM, "merger": SIM},
    "learning": {"sandbox": "process"},
    "gate": {"level": 0.4},
}
"""What the checkout's deployments have: tasks whose agent only speaks, below the checkout."""


class Project:
    """One Prefect server with the deployments of the repository, from a checkout of its own."""

    def __init__(self, home: Path, checkout: Path) -> None:
        self.home, self.checkout = home, checkout
        self.calls = home / "calls"
        self.outage = home / "outage"
        self.client = httpx.Client(timeout=30)  # one for all: each reads every certificate of the machine
        self.variables = {
            **environment(home, self.calls),
            "TRACE2SKILL_SIM_OUTAGE": str(self.outage),
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "PREFECT_LOGGING_TO_API_ENABLED": "false",
            "PREFECT_LOGGING_LEVEL": "WARNING",
            "PREFECT_WORKER_QUERY_SECONDS": "2",
            "PREFECT_WORKER_PREFETCH_SECONDS": "2",  # a run that a worker has taken is lost with it, before it is due, too
        }

    def run(self, *arguments: object, timeout: float = PATIENCE, code: int = 0) -> str:
        """Run one command of a person who deploys, forked from the warm process; returns what it printed."""
        ended, out, err = self.at_once([list(map(str, arguments))], timeout)[0]
        assert ended == code, out + err
        return out

    def at_once(self, commands: list[list[str]], timeout: float = 4 * PATIENCE) -> list[tuple[int, str, str]]:
        """Run commands side by side; returns the exit code, stdout and stderr of each."""
        with contextlib.ExitStack() as stack:
            nothing = stack.enter_context(open(os.devnull, "rb"))
            said = [[stack.enter_context(tempfile.TemporaryFile("w+")) for _ in range(2)] for _ in commands]
            forks = [
                self.fork(command[0], command[1:], [nothing.fileno(), *(file.fileno() for file in files)])
                for command, files in zip(commands, said, strict=True)
            ]
            codes = [fork.wait(timeout) for fork in forks]
            for files in said:
                for file in files:
                    file.seek(0)
            return [(code, out.read(), err.read()) for code, (out, err) in zip(codes, said, strict=True)]

    def fork(self, program: str, words: list[str], files: list[int]) -> warm.Forked:
        """Start `prefect` or `trace2skill` with stdin, stdout and stderr; the process dies with what is returned."""
        do = {"prefect": "prefect", "trace2skill": "command"}[program]
        return warm.Forked(self.home / "warm", do, words, self.checkout, self.variables, files)

    def told(self, *arguments: object, code: int = 0) -> Any:
        """What a trace2skill command says as JSON.

        One that runs a flow is a process of its own: in this one Prefect keeps asking the server of the tests before.
        """
        if arguments[0] in FLOWS:
            return json.loads(self.run("trace2skill", *arguments, "--json", code=code))
        found = product.run(self.checkout, self.home, *arguments, "--json", calls=self.calls, code=code)
        return json.loads(found.stdout)

    @contextmanager
    def worker(self) -> Iterator["psutil.Process"]:
        """A process worker that takes runs until the block ends."""
        words = ["worker", "start", "--pool", "trace2skill"]
        with (self.home / "worker.log").open("ab") as log, open(os.devnull, "rb") as nothing:
            fork = self.fork("prefect", words, [nothing.fileno(), log.fileno(), log.fileno()])
        process = psutil.Process(fork.pid)
        try:
            yield process
        finally:
            kill_all(process)

    def fork_runs(self) -> None:
        """Let the processes of flow runs be forked from the warm one: what the work pool says of how they start."""
        pool = self.request("GET", "/work_pools/trace2skill")
        pool["base_job_template"]["variables"]["properties"]["command"]["default"] = (
            f"{sys.executable} -IS {warm.HERE} {self.home / 'warm'} engine"
        )
        self.request("PATCH", "/work_pools/trace2skill", {"base_job_template": pool["base_job_template"]})

    def start(self, deployment: str, parameters: dict[str, Any], *, forked: bool = True) -> str:
        """Start a run of a deployment, as the UI does; returns the flow run's id.

        Its process is forked from the warm one, unless it is to be started as everywhere else.
        """
        id = self.request("GET", f"/deployments/name/{deployment}")["id"]
        how = {} if forked else {"job_variables": {"command": None}}
        made = self.request("POST", f"/deployments/{id}/create_flow_run", {"parameters": parameters, **how})
        return str(made["id"])

    def due(self, deployment: str, when: datetime) -> str:
        """A run that was scheduled for then, as the server's scheduler leaves it; returns its id."""
        id = self.request("GET", f"/deployments/name/{deployment}")["id"]
        state = {"type": "SCHEDULED", "state_details": {"scheduled_time": when.isoformat()}}
        return str(self.request("POST", f"/deployments/{id}/create_flow_run", {"state": state})["id"])

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the server's API, as the UI does; like Prefect's own client, again where the server is busy (503)."""
        api = self.variables["PREFECT_API_URL"]
        deadline = time.monotonic() + PATIENCE
        while True:
            answer = self.client.request(method, f"{api}{path}", json=body)
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE or time.monotonic() > deadline:
                break
            time.sleep(0.5)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    def state(self, flow_run: str) -> dict[str, Any]:
        """A flow run's state as the UI has it."""
        found: dict[str, Any] = self.request("GET", f"/flow_runs/{flow_run}")["state"]
        return found

    def wait(self, flow_run: str, *states: str, seconds: float = 2 * PATIENCE) -> dict[str, Any]:
        """Wait for one of these states, by name or type. One that has ended otherwise has a minute to begin again."""
        deadline = time.monotonic() + seconds
        while True:
            state = self.state(flow_run)
            if {state["name"], state["type"]} & set(states):
                return state
            if state["type"] in ("COMPLETED", "FAILED", "CANCELLED", "CRASHED"):
                deadline = min(deadline, time.monotonic() + 60)
            assert time.monotonic() < deadline, f"{state['name']}: {state['message']}\n{self.worker_said()}"
            time.sleep(1)

    def states_of(self, flow_run: str) -> set[str]:
        """The names of all states that it was in."""
        return {state["name"] for state in self.request("GET", f"/flow_run_states/?flow_run_id={flow_run}")}

    def worker_said(self) -> str:
        """The last lines of the workers' log that are theirs."""
        lines = (self.home / "worker.log").read_text().splitlines()
        return "\n".join([line for line in lines if " | " in line or "Error" in line][-30:])

    def press_retry(self, flow_run: str) -> None:
        """What the Retry button of the UI sends."""
        state = {"type": "SCHEDULED", "name": "AwaitingRetry", "message": "Retry from the UI"}
        self.request("POST", f"/flow_runs/{flow_run}/set_state", {"state": state, "force": True})

    @contextmanager
    def a_second_run_waits(self, deployment: str) -> Iterator[None]:
        """What `collision_strategy: ENQUEUE` in prefect.yaml does."""
        found = self.request("GET", f"/deployments/name/{deployment}")
        place = f"/deployments/{found['id']}"
        self.request("PATCH", place, {"concurrency_options": {"collision_strategy": "ENQUEUE"}})
        yield
        self.request("PATCH", place, {"concurrency_options": found["concurrency_options"]})

    def calls_made(self) -> list[str]:
        """Keys of the calls that the simulated provider has answered, in order."""
        return self.calls.read_text().split() if self.calls.exists() else []


def task_set(folder: Path, problems: int = 8) -> dict[str, str]:
    """Problems whose agent only speaks, and a skill for them, as settings: half of them are learned from."""
    if not (folder / "data").exists():
        write_math(folder / "data", problems)
        write_skill_for_sums(folder / "sums")
    return {"domain": "math", "data": str(folder / "data"), "skill": str(folder / "sums")}


def settings(folder: Path, problems: int = 8, **more: Any) -> dict[str, Any]:
    """Small settings with tasks, a store and an output of their own."""
    return {
        **task_set(folder, problems),
        "recalculate": "never",
        "roles": {"agent": SIM, "analyst": SIM, "merger": SIM},
        "sandbox": "process",
        "store": str(folder / "store.duckdb"),
        "output": str(folder / "runs"),
        **more,
    }


def options(given: dict[str, Any], *names: str) -> list[str]:
    """Settings as options of a command."""
    named = ("domain", "data", "skill", "recalculate", "sandbox", *names)
    return [word for name in named for word in (f"--{name}", str(given[name]))]


def kill_all(process: "psutil.Process") -> None:
    """SIGKILL a process and everything below it, as the loss of a machine does."""
    try:
        family = [*process.children(recursive=True), process]
    except psutil.NoSuchProcess:
        return
    for member in family:
        try:
            member.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(family, timeout=20)
