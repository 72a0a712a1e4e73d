"""A run that is killed again and again ends as one that never was: same skill, nothing paid twice.

    python bench/kills.py --kills 100 --trajectories 200

Starts a Prefect server, makes office tasks, runs a refresh undisturbed, then another one with SIGKILL at random moments
and a restart each time. Exits 1 where the skills differ, a kept answer was paid for again, or the store is damaged.
"""

import argparse
import json
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


def main() -> None:
    """Run the benchmark and print what was counted."""
    parser = argparse.ArgumentParser(description="SIGKILL a run at random moments.")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--trajectories", type=int, default=200)
    parser.add_argument("--workers", type=int, default=4)
    given = parser.parse_args()
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
            had = len(calls_of(folder, "killed"))
            goal = had + rng.randint(1, max(2, 2 * len(calm_calls) // kills))
            limit = time.monotonic() + rng.uniform(20, 40)
            while child.poll() is None and len(calls_of(folder, "killed")) < goal and time.monotonic() < limit:
                time.sleep(0.01)
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            stopped += 1
        assert start(folder, "killed", api, trajectories, workers).wait() == 0
        seconds = time.monotonic() - began
    return compare(folder, calm, calm_calls, stopped, workers, seconds)


def undisturbed(folder: Path, api: str, trajectories: int, workers: int) -> tuple[Any, list[str], float]:
    """The run that nobody kills."""
    began = time.monotonic()
    assert start(folder, "calm", api, trajectories, workers).wait() == 0
    return summary(folder, "calm"), calls_of(folder, "calm"), time.monotonic() - began


def compare(folder: Path, calm: Any, calm_calls: list[str], kills: int, workers: int, seconds: float) -> bool:
    """Print the figures, and say whether they are as promised."""
    killed, made = summary(folder, "killed"), Counter(calls_of(folder, "killed"))
    store = open_store(folder / "killed" / ".trace2skill" / "store.duckdb")
    paid = Counter(key for (key,) in store.query("SELECT call_key FROM ledger WHERE outcome = 'answered'"))
    nouns = len(store.query("SELECT id FROM noun"))
    store.close()
    lost = sum(times - 1 for times in made.values())
    same = killed["candidate"] == calm["candidate"] and killed["evaluations"] == calm["evaluations"]
    print(f"killed {kills} times: {seconds:.0f} s, {sum(made.values())} calls of {len(made)} distinct ones")
    print(f"same skill, same evaluations: {same}")
    print(f"answers that were kept and asked for again: {sum(times - 1 for times in paid.values())}")
    print(f"calls under way at a kill, and lost with it: {lost} (at most {kills * workers})")
    print(f"the store opens, {nouns} nouns in it")
    return same and set(paid.values()) == {1} and lost <= kills * workers and set(made) == set(calm_calls)


def start(folder: Path, name: str, api: str, trajectories: int, workers: int) -> "subprocess.Popen[bytes]":
    """Start the run in a directory of its own."""
    place = folder / name
    place.mkdir(exist_ok=True)
    seeds = "3"
    command = [
        str(BIN / "trace2skill"), "run", "--data", str(folder / "office"), "--model", "sim/office",
        "--skill", str(ROOT / "examples" / "skills" / "office-workbooks"), "--seeds", seeds, "--recalculate", "never",
        "--sandbox", "process", "--workers", str(workers), "--json",
    ]  # fmt: skip
    variables = {**os.environ, "PREFECT_API_URL": api, "TRACE2SKILL_SIM_CALLS": str(folder / f"{name}.calls")}
    with (folder / f"{name}.log").open("ab") as log:
        return subprocess.Popen(command, cwd=place, env=variables, stdout=log, stderr=log, start_new_session=True)


def calls_of(folder: Path, name: str) -> list[str]:
    """Keys of the calls that the simulated provider answered."""
    path = folder / f"{name}.calls"
    return path.read_text().split() if path.exists() else []


def summary(folder: Path, name: str) -> Any:
    """The summary that the run wrote."""
    (path,) = (folder / name / ".trace2skill" / "runs").glob("*/summary.json")
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
