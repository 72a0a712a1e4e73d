"""The deployment as its page tells it: a server, a results block, a work pool, a worker that runs the nightly refresh."""

import json
import os
import subprocess
import sys
from pathlib import Path

from conftest import OFFICE, OFFICE_SKILL, ROOT, environment

BIN = Path(sys.executable).parent


def prefect(home: Path, *arguments: str, timeout: int = 120) -> str:
    """Run one command of a user who deploys."""
    command = [str(BIN / arguments[0]), *arguments[1:]]
    variables = {**environment(home), "TRACE2SKILL_HOME": str(ROOT), "PATH": f"{BIN}:{os.environ['PATH']}"}
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_worker_runs_the_nightly_refresh_and_keeps_its_results(tmp_path: Path, prefect_home: Path) -> None:
    prefect(prefect_home, "python", "deployments/setup.py")
    prefect(prefect_home, "prefect", "work-pool", "create", "trace2skill", "--type", "process")
    prefect(prefect_home, "prefect", "--no-prompt", "deploy", "--all", "--prefect-file", "deployments/prefect.yaml")
    sim = {"name": "sim/office"}
    settings = {
        "data": str(OFFICE),
        "skill": str(OFFICE_SKILL),
        "recalculate": "never",
        "roles": {"agent": sim, "analyst": sim, "merger": sim},
        "tasks": 12,
        "sandbox": "process",
        "store": str(tmp_path / "store.duckdb"),
        "output": str(tmp_path / "runs"),
    }
    parameters = json.dumps({"settings": settings})
    for attempt in (1, 2):
        prefect(prefect_home, "prefect", "deployment", "run", "refresh/nightly-refresh", "--params", parameters)
        prefect(
            prefect_home, "prefect", "worker", "start", "--pool", "trace2skill", "--run-once", "--prefetch-seconds", "60",
            timeout=300,
        )  # fmt: skip
        listed = json.loads(
            prefect(prefect_home, "trace2skill", "show", "--store", str(tmp_path / "store.duckdb"), "--json")
        )
        assert [(row["state"], row["attempts"]) for row in listed] == [("completed", attempt)]
        stats = json.loads(
            prefect(prefect_home, "trace2skill", "store", "stats", "--store", str(tmp_path / "store.duckdb"), "--json")
        )
        if attempt == 1:
            calls = stats["ledger"]["calls"]
    assert stats["ledger"]["calls"] == calls
    assert stats["ledger"]["from_memory"] == 0, "the second run took its results from the store, not its calls"
