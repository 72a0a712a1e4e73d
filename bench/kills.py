"""A run that is killed again and again ends as one that never was: same skill, nothing paid twice.

    python bench/kills.py --kills 100 --trajectories 200 [--rounds 2]

Starts a Prefect server, makes office tasks, runs a refresh undisturbed, then another one with SIGKILL at random moments
and a restart each time. Exits 1 where the skills differ, a kept answer was paid for again, or the store is damaged.
Each attempt is a process of its own, forked from one that has done the imports, which take longer than all the rest.
"""

import argparse
import json
import multiprocessing
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from trace2skill.store import open_store

BIN = Path(sys.executable).parent
MODEL = "sim/office?hasty=0.8&latency=0.05"
"""Most agents give one cheap command, so that a kill meets the product more often than an interpreter that starts."""
LEARNING: dict[str, Any] = {"error_analyst": "one_call", "seeds": [41, 42, 43], "sandbox": "process"}
PROCESSES = multiprocessing.get_context("forkserver")
PRELOADED = ["litellm", "openpyxl", "duckdb", "flows.refresh", "trace2skill.cli.flows"]


def main() -> None:
    """Run the benchmark and print what was counted."""
    parser = argparse.ArgumentParser(description="SIGKILL a run at random moments.")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--trajectories", type=int, default=200)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=1, help="Rounds of learning; with several, rollouts that tell.")
    given = parser.parse_args()
    if given.rounds > 1:
        LEARNING.update(rounds=given.rounds, spread={"by": "telling"})
    with tempfile.TemporaryDirectory(prefix="t2s-kills-") as folder:
        sys.exit(0 if benchmark(Path(folder), given.kills, given.trajectories, given.workers) else 1)


def benchmark(folder: Path, kills: int, trajectories: int, workers: int) -> bool:
    """Returns whether every promise was kept."""
    make = [sys.executable, str(ROOT / "examples" / "make_office.py"), "--tasks", str(max(12, trajectories // 2))]
    subprocess.run([*make, "--seed", "5", "--out", str(folder / "office")], check=True)
    with server(folder) as api:
        calm, calm_calls, seconds = undisturbed(folder, api, trajectories, workers)
        print(f"undisturbed: {len(calm_calls)} calls, {seconds:.0f} s", flush=True)
        rng, began, stopped = random.Random(1), time.monotonic(), 0
        while stopped < kills:
            child = start(folder, "killed", api, trajectories, workers)
            had = len(set(calls_of(folder, "killed")))
            # Spread over what is left to do, half by calls and half by time: not always just after an answer. The last
            # calls are for the attempt that nobody kills; where they have come, kills fall into the start of the run.
            share = max(0, len(calm_calls) - had - 8 * workers) / (kills - stopped)
            goal = had + (rng.randint(0, round(0.7 * share)) if share else 1)
            latest = time.monotonic() + (600 if share else rng.uniform(0, 8))
            while child.is_alive() and len(set(calls_of(folder, "killed"))) < goal and time.monotonic() < latest:
                time.sleep(0.01)
            time.sleep(rng.uniform(0, min(1.0, 0.7 * share * seconds / len(calm_calls))))
            while child.is_alive() and os.getpgid(child.pid or 0) != child.pid:  # it has only just begun
                time.sleep(0.01)
            assert child.exitcode is None, f"it ended after {stopped} kills: give more trajectories, or fewer kills"
            os.killpg(child.pid or 0, signal.SIGKILL)
            child.join()
            stopped += 1
            if stopped % 20 == 0:
                print(f"{stopped} kills, {len(calls_of(folder, 'killed'))} calls", file=sys.stderr, flush=True)
        finish(start(folder, "killed", api, trajectories, workers))
        seconds = time.monotonic() - began
    return compare(folder, calm, calm_calls, stopped, workers, seconds)


def undisturbed(folder: Path, api: str, trajectories: int, workers: int) -> tuple[Any, list[str], float]:
    """The run that nobody kills."""
    began = time.monotonic()
    finish(start(folder, "calm", api, trajectories, workers))
    return summary(folder, "calm"), calls_of(folder, "calm"), time.monotonic() - began


def compare(folder: Path, calm: Any, calm_calls: list[str], kills: int, workers: int, seconds: float) -> bool:
    """Print the figures, and say whether they are as promised."""
    killed, made = summary(folder, "killed"), Counter(calls_of(folder, "killed"))
    store = open_store(folder / "killed" / "store.duckdb")
    paid = Counter(key for (key,) in store.query("SELECT call_key FROM ledger WHERE outcome = 'answered'"))
    records = len(store.query("SELECT id FROM noun"))
    store.close()
    lost = sum(times - 1 for times in made.values())
    same = all(killed.get(part) == calm.get(part) for part in ("candidate", "evaluations", "rounds"))
    print(f"killed {kills} times: {seconds:.0f} s, {sum(made.values())} calls of {len(made)} distinct ones")
    print(f"same skill, same evaluations: {same}")
    print(f"answers that were kept and asked for again: {sum(times - 1 for times in paid.values())}")
    print(f"calls under way at a kill, and lost with it: {lost} (at most {kills * workers})")
    print(f"the store opens, {records} records in it")
    return same and set(paid.values()) == {1} and lost <= kills * workers and set(made) == set(calm_calls)


def start(folder: Path, name: str, api: str, trajectories: int, workers: int) -> Any:
    """Start the run in a directory of its own."""
    (folder / name).mkdir(exist_ok=True)
    settings = {
        "data": {
            "path": str(folder / "office"),
            "skill": str(ROOT / "examples" / "skills" / "office-workbooks"),
            "recalculate": "never",
        },
        "models": {role: {"name": MODEL} for role in ("agent", "analyst", "merger")},
        "learning": LEARNING,
        "operation": {
            "workers": workers,
            "store": str(folder / name / "store.duckdb"),
            "output": str(folder / name / "runs"),
        },
    }
    os.environ.update(PREFECT_API_URL=api, PYTHONPATH=str(ROOT), LITELLM_LOCAL_MODEL_COST_MAP="True")
    PROCESSES.set_forkserver_preload(PRELOADED)
    log, calls = folder / f"{name}.log", folder / f"{name}.calls"
    process = PROCESSES.Process(target=carry_out, args=(settings, str(log), str(calls)))
    process.start()
    return process


def carry_out(settings: dict[str, Any], log: str, calls: str) -> None:
    """The process that is killed: what `trace2skill run` does."""
    os.setsid()  # so that its commands die with it
    said = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(said, 1)
    os.dup2(said, 2)
    os.environ["TRACE2SKILL_SIM_CALLS"] = calls
    from trace2skill.cli.flows import run_flow
    from trace2skill.runs.settings import RunSettings

    run_flow("refresh:refresh", RunSettings.model_validate(settings), quiet=True)


def finish(process: Any) -> None:
    """Wait for a run's good end."""
    process.join()
    assert process.exitcode == 0, f"the run ended with {process.exitcode}"


def calls_of(folder: Path, name: str) -> list[str]:
    """Keys of the calls that the simulated provider answered."""
    path = folder / f"{name}.calls"
    return path.read_text().split() if path.exists() else []


def summary(folder: Path, name: str) -> Any:
    """The summary that the run wrote."""
    (path,) = (folder / name / "runs").glob("*/summary.json")
    return json.loads(path.read_text())


class server:
    """A Prefect server for the block; gives its API's address."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> str:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        variables = {**os.environ, "PREFECT_HOME": str(self._folder / "prefect")}
        command = [str(BIN / "prefect"), "server", "start", "--port", str(port)]
        self._process = subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        api = f"http://127.0.0.1:{port}/api"
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{api}/health", timeout=2).close()
                return api
            except OSError:
                time.sleep(0.2)
        raise SystemExit("the Prefect server did not start")

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(30)


if __name__ == "__main__":
    main()
