"""How many trajectories one machine takes: throughput, memory and load on Prefect's API, at a simulated latency.

    python bench/scale.py --trajectories 10000 --only-rollouts       # one process, DuckDB
    python bench/scale.py --trajectories 1000                        # the same with analyses, patches and merges
    python bench/scale.py --trajectories 2000 --workers 2            # two worker processes and shards, PostgreSQL
    python bench/scale.py --trajectories 100 --runner dask           # the processes of Dask (or ray), PostgreSQL

Each is one refresh without evaluation: rollouts, an analysis and a patch for each, the merge tree, a candidate skill;
or the rollouts alone.
Server and database are as in deployments/compose.yaml. The model answers after a lognormal time; the agents' commands
are cheap ones, so that what is measured is the product and not openpyxl. Needs Debian's `postgresql`. Exits 1 where a
trajectory is missing, or a call was made twice, or the server has not every task run 15 s after the end.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import databases

BIN = Path(sys.executable).parent
SKILL = ROOT / "examples" / "skills" / "office-workbooks"
MB = 2**20
LAG_SECONDS = 15.0
MOST_TASKS = 500


def main() -> None:
    """Run the benchmark and print its figures."""
    parser = argparse.ArgumentParser(description="How many trajectories one machine takes.")
    parser.add_argument("--trajectories", type=int, default=1000)
    parser.add_argument("--latency", type=float, default=2.0, help="median seconds of an answer")
    parser.add_argument("--threads", type=int, default=64, help="steps at once in a process")
    parser.add_argument("--workers", type=int, default=0, help="worker processes; 0 runs in one process")
    parser.add_argument("--runner", choices=["threads", "dask", "ray"], default="threads")
    parser.add_argument("--store", choices=["duckdb", "postgresql"], default="duckdb")
    parser.add_argument("--only-rollouts", action="store_true", help="no analyses; in one process only")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        carry_out(given.child, only_rollouts=given.only_rollouts)
        return
    with tempfile.TemporaryDirectory(prefix="t2s-scale-") as folder, databases.server() as postgres:
        sys.exit(0 if Bench(Path(folder), postgres, given).run() else 1)


def carry_out(path: Path, *, only_rollouts: bool) -> None:
    """The child process: one run, as `trace2skill run` and `trace2skill rollout` start it."""
    from trace2skill.cli.flows import run_flow
    from trace2skill.runs.settings import RunSettings

    settings = RunSettings.model_validate_json(path.read_text())
    run_flow("rollout:rollout_all" if only_rollouts else "refresh:refresh", settings, quiet=True)


class Bench:
    """One measurement."""

    def __init__(self, folder: Path, postgres: str, given: argparse.Namespace) -> None:
        self.folder, self.postgres, self.given = folder, postgres, given
        self.shared = given.store == "postgresql" or given.workers or given.runner != "threads"
        store = databases.fresh(postgres, "store") if self.shared else str(folder / "store.duckdb")
        self.store = store
        self.calls = folder / "calls"
        self.variables = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "TRACE2SKILL_"))},
            "PREFECT_HOME": str(folder / "prefect"),
            "TRACE2SKILL_HOME": str(ROOT),
            "TRACE2SKILL_SIM_CALLS": str(self.calls),
            "PATH": f"{BIN}:{os.environ['PATH']}",
        }

    def run(self) -> bool:
        """Make tasks, start server and workers, run, and say what came of it."""
        made = self.make_tasks()
        with self.server() as server:
            began = time.monotonic()
            with self.workers() as processes, Watch(server, *processes) as watch:
                if processes:
                    self.run_deployment()
                else:
                    child = self.start_child()
                    watch.add(child)
                    if child.wait() != 0:
                        raise SystemExit((self.folder / "child.log").read_text()[-3000:])
                seconds = time.monotonic() - began
                lag = self.lag()
            return self.tell(made, seconds, lag, watch)

    def make_tasks(self) -> int:
        """Office tasks, and settings that give as many trajectories as wanted; returns how many."""
        wanted, given = self.given.trajectories, self.given
        tasks = min(MOST_TASKS, max(12, 2 * wanted))
        rolled_out = tasks * 3 // 4 if given.only_rollouts else tasks // 2  # half are to learn from, a quarter sealed
        seeds = -(-wanted // rolled_out)
        make = [sys.executable, str(ROOT / "examples" / "make_office.py"), "--tasks", str(tasks), "--seed", "9"]
        subprocess.run([*make, "--out", str(self.folder / "office")], check=True)
        model = {"name": f"sim/office?hasty=1&noise=0&latency={given.latency:g}&jitter=0.5", "attempts": 3}
        settings = {
            "data": {"path": str(self.folder / "office"), "skill": str(SKILL), "recalculate": "never"},
            "models": {"agent": model, "analyst": model, "merger": model},
            "learning": {"seeds": list(range(seeds)), "error_analyst": "one_call", "sandbox": "process"},
            "gate": {"evaluate": False},
            "money": {"max_cost": None},
            "operation": {
                "workers": given.threads,
                "shards": max(1, given.workers),
                "runner": given.runner,
                "store": self.store,
                "output": str(self.folder / "runs"),
            },
        }
        (self.folder / "settings.json").write_text(json.dumps(settings))
        return rolled_out * seeds

    def start_child(self) -> "psutil.Popen":
        """The run as a process of its own."""
        log = (self.folder / "child.log").open("w")
        command = [sys.executable, str(Path(__file__)), "--child", str(self.folder / "settings.json")]
        command += ["--only-rollouts"] if self.given.only_rollouts else []
        return psutil.Popen(command, cwd=ROOT, env=self.variables, stdout=log, stderr=log)

    def command(self, *arguments: str) -> str:
        """One command of a person who deploys."""
        done = subprocess.run(
            [str(BIN / arguments[0]), *arguments[1:]], cwd=ROOT, env=self.variables, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def run_deployment(self) -> None:
        """Start the nightly refresh on the workers, and wait for its end."""
        parameters = json.dumps({"settings": json.loads((self.folder / "settings.json").read_text())})
        out = self.command("prefect", "deployment", "run", "refresh/nightly-refresh", "--params", parameters)
        run = next(word for word in out.replace("/", " ").split() if word.count("-") == 4 and len(word) == 36)
        while True:
            state = self.ask(f"/flow_runs/{run}")["state"]
            if state["type"] in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED"):
                break
            time.sleep(1)
        assert state["type"] == "COMPLETED", state["message"]

    def lag(self) -> float:
        """Seconds until the server has the end of every task run."""
        began = time.monotonic()
        while True:
            ended = {"task_runs": {"state": {"type": {"any_": ["COMPLETED", "FAILED", "CRASHED"]}}}}
            # Every result but the audits' is a task run: rollouts, analyses, patches, merges, the candidate.
            if self.ask("/task_runs/count", ended) >= self.expected() or time.monotonic() - began > 600:
                return time.monotonic() - began
            time.sleep(0.2)

    def expected(self) -> int:
        """Task runs that have ended in the flow's own record, the progress file."""
        (path,) = (self.folder / "runs").glob("*/progress.json")
        stages = json.loads(path.read_text())["stages"]
        return sum(item["done"] + item["cached"] for item in stages)

    def ask(self, path: str, body: Any = None) -> Any:
        """Ask the server's API."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.variables["PREFECT_API_URL"] + path, data)
        request.add_header("content-type", "application/json")
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    @contextmanager
    def server(self) -> Iterator["psutil.Popen"]:
        """A Prefect server with the settings of the compose file, over PostgreSQL."""
        compose = YAML(typ="safe").load((ROOT / "deployments" / "compose.yaml").read_text())
        as_composed = {
            name: value
            for name, value in compose["services"]["server"]["environment"].items()
            if name.startswith("PREFECT_SERVER_")
        }
        database = databases.fresh(self.postgres, "prefect").replace("postgresql:", "postgresql+asyncpg:")
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        variables = {**self.variables, **as_composed, "PREFECT_API_DATABASE_CONNECTION_URL": database}
        command = [str(BIN / "prefect"), "server", "start", "--port", str(port)]
        with (self.folder / "server.log").open("w") as log:
            process = psutil.Popen(command, env=variables, stdout=log, stderr=log)
        self.variables["PREFECT_API_URL"] = f"http://127.0.0.1:{port}/api"
        try:
            for _ in range(600):
                try:
                    self.ask("/health")
                    break
                except OSError:
                    time.sleep(0.2)
            yield process
        finally:
            end(process)

    @contextmanager
    def workers(self) -> Iterator[list["psutil.Popen"]]:
        """Deploy, and start the worker processes, if any are wanted."""
        if not self.given.workers:
            yield []
            return
        self.command("trace2skill", "deploy")
        variables = {**self.variables, "PREFECT_WORKER_QUERY_SECONDS": "1"}
        command = [str(BIN / "prefect"), "worker", "start", "--pool", "trace2skill"]
        with (self.folder / "worker.log").open("w") as log:
            started = [
                psutil.Popen([*command, "--name", f"w{number}"], cwd=ROOT, env=variables, stdout=log, stderr=log)
                for number in range(self.given.workers)
            ]
        try:
            yield started
        finally:
            for process in started:
                end(process)

    def tell(self, made: int, seconds: float, lag: float, watch: "Watch") -> bool:
        """Print the figures; returns whether all is there, once."""
        calls = Counter(self.calls.read_text().split())
        (path,) = (self.folder / "runs").glob("*/progress.json")
        progress = json.loads(path.read_text())
        stages = {item["stage"]: item for item in progress["stages"]}
        rolled = stages["rollout"]["done"] + stages["rollout"]["cached"]
        run, server = watch.peaks[1:], watch.peaks[0]
        print(f"{progress['state']}: {rolled} of {made} trajectories, {sum(calls.values())} calls, {seconds:.0f} s")
        print(f"a second: {rolled / seconds:.1f} trajectories, {sum(calls.values()) / seconds:.1f} calls, "
              f"{self.expected() / seconds:.1f} task runs")  # fmt: skip
        print("stages: " + ", ".join(f"{name} {item['total']}" for name, item in stages.items()))
        print(f"calls made twice: {sum(count - 1 for count in calls.values())}")
        print(f"task runs {self.expected()}, all of them in the server {lag:.1f} s after the end")
        print(f"run: peak {' + '.join(f'{peak / MB:.0f}' for peak in run)} MB, {watch.seconds[1]:.0f} s of CPU")
        print(f"Prefect server: peak {server / MB:.0f} MB, {watch.seconds[0]:.0f} s of CPU")
        return rolled == made and set(calls.values()) == {1} and lag <= LAG_SECONDS


class Watch:
    """Looks at processes and all below them once a second: peak of memory, seconds of CPU.

    The first process is the server; the others do the run.
    """

    def __init__(self, *processes: "psutil.Popen") -> None:
        self._roots = list(processes)
        self.peaks = [0.0] * len(processes)
        self._cpu: dict[int, tuple[int, float]] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    @property
    def seconds(self) -> tuple[float, float]:
        """CPU of the server, and of the run."""
        spent = [sum(used for group, used in self._cpu.values() if bool(group) == which) for which in (False, True)]
        return spent[0], spent[1]

    def add(self, process: "psutil.Popen") -> None:
        """One more process of the run."""
        self.peaks.append(0.0)
        self._roots.append(process)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(1.0):
            for group, root in enumerate(list(self._roots)):
                self.peaks[group] = max(self.peaks[group], self._resident(group, root))

    def _resident(self, group: int, root: "psutil.Process") -> float:
        total = 0.0
        try:
            family = [root, *root.children(recursive=True)]
        except psutil.NoSuchProcess:
            return 0.0
        for member in family:
            try:
                used = member.cpu_times()
                total += member.memory_full_info().pss  # what processes share is counted once
                self._cpu[member.pid] = (group, used.user + used.system)
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        return total


def end(process: "psutil.Popen") -> None:
    """End a process and all below it."""
    family = [*process.children(recursive=True), process] if process.is_running() else []
    for member in family:
        try:
            member.terminate()
        except psutil.NoSuchProcess:
            continue
    _, left = psutil.wait_procs(family, timeout=20)
    for member in left:
        member.kill()


if __name__ == "__main__":
    main()
