"""A provider on a bad night: half of all tries refused with 429 for 30 s, 5% answered with 503, 2% never answered.

    python bench/storm.py

One refresh through it with the simulated model over the real LiteLLM path, and the same refresh on a good night. Prints
wall time and tries. Exits 1 where the run does not end complete or the two skills differ.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from kills import server

from trace2skill.cli.flows import run_flow
from trace2skill.runs.settings import RunSettings
from trace2skill.store import open_store

STORM = "storm_seconds=30&retry_after=1&server_error=0.05&hangs=0.02"


def main() -> None:
    """Run both nights and compare."""
    parser = argparse.ArgumentParser(description="A refresh through a storm of refusals.")
    parser.add_argument("--tasks", type=int, default=64)
    parser.add_argument("--latency", type=float, default=0.2, help="median seconds of an answer")
    parser.add_argument("--timeout", type=float, default=5.0, help="seconds after which a try is given up")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="t2s-storm-") as folder, server(Path(folder)) as api:
        os.environ["PREFECT_API_URL"] = api
        good = night(Path(folder) / "good", f"sim/office?latency={given.latency}", given)
        bad = night(Path(folder) / "bad", f"sim/office?latency={given.latency}&{STORM}", given)
    same = good["skill"] == bad["skill"]
    print(f"the same skill: {same}")
    sys.exit(0 if same and bad["failures"] == 0 else 1)


def night(folder: Path, model: str, given: argparse.Namespace) -> dict[str, Any]:
    """One refresh; returns its skill and how many items failed."""
    settings = RunSettings.model_validate(
        {
            "data": {
                "path": ROOT / "examples" / "office",
                "skill": ROOT / "examples" / "skills" / "office-workbooks",
                "tasks": given.tasks,
                "recalculate": "never",
            },
            "models": {
                role: {"name": model, "timeout_seconds": given.timeout} for role in ("agent", "analyst", "merger")
            },
            "learning": {"sandbox": "process"},
            "operation": {
                "max_failed_share": 0.0,
                "store": folder / "store.duckdb",
                "output": folder / "runs",
            },
        }
    )
    began = time.monotonic()
    summary = run_flow("refresh:refresh", settings, quiet=True)
    seconds = time.monotonic() - began
    store = open_store(folder / "store.duckdb")
    tries = dict(store.query("SELECT outcome, sum(attempts) FROM ledger GROUP BY 1"))
    most = store.query("SELECT max(attempts), max(latency_seconds) FROM ledger")[0]
    store.close()
    calls = summary.spent.calls
    print(
        f"{model}\n  {seconds:.0f} s, {calls} calls answered in {tries['answered']} tries, most for one call {most[0]}"
    )
    print(f"  longest call {most[1]:.1f} s, calls that failed {sum(tries.values()) - tries['answered']}", flush=True)
    return {"skill": summary.candidate.skill, "failures": len(summary.failures)}


if __name__ == "__main__":
    main()
