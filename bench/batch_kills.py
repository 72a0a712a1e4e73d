"""A run whose calls go in batches is killed again and again: no call is ever sent twice, and the skill is the same.

    python bench/batch_kills.py --kills 100

A refresh on sums without a Prefect server, over LiteLLM's real path, against a provider with a batch API on loopback.
Each process is killed at a random request of a file or a batch, before the provider looks at it or after, or a random
moment later; then the next one goes on. A life ends with a run that has come to its end, and the next begins in a new
store. With `--mixed` every other process, by chance, has no `--batch`. Exits 1 where a call was sent in two batches or
singly after it was in one, an answer that is kept was paid for twice, or a skill differs.
"""

import argparse
import contextlib
import json
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PATHS = [str(ROOT), str(ROOT / "bench"), str(ROOT / "tests")]
sys.path[:0] = PATHS

from batch_server import BatchServer
from questions_of_tests import write_math, write_skill_for_sums

from trace2skill.store import open_store

PROCESSES = multiprocessing.get_context("forkserver")
PRELOADED = ["batch_warm", "matplotlib.pyplot"]
LATE = 0.1
"""Seconds after which the provider looks at a request to make a batch: its sender may be dead by then."""


def main() -> None:
    """Run the benchmark and print what was counted."""
    parser = argparse.ArgumentParser(description="SIGKILL runs with batches at random moments.")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mixed", action="store_true", help="go on with or without batches, by chance")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="t2s-batch-kills-") as folder:
        sys.exit(0 if benchmark(Path(folder), given.kills, given.seed, mixed=given.mixed) else 1)


def benchmark(folder: Path, kills: int, seed: int = 1, *, mixed: bool = False) -> bool:
    """Returns whether every promise was kept."""
    os.environ.update(PYTHONPATH=os.pathsep.join(PATHS), LITELLM_LOCAL_MODEL_COST_MAP="True")
    write_math(folder / "data", 12)
    write_skill_for_sums(folder / "sums")
    with BatchServer() as provider:
        calm = a_life(folder, "calm", provider, Killer(random.Random(0), 0))
        sent, killer, lives, same = Counter(provider.calls), Killer(random.Random(seed), kills), 0, True
        double = sum(times - 1 for times in sent.values())
        paid_twice = calm["paid twice"]
        choose = random.Random(seed) if mixed else None
        while killer.left:
            provider.calls.clear()
            provider.in_batches.clear()
            lived = a_life(folder, f"life {lives}", provider, killer, choose)
            lives += 1
            double += sum(times - 1 for times in provider.calls.values())
            paid_twice += lived["paid twice"]
            same = same and lived["skill"] == calm["skill"] and lived["answers"] == calm["answers"]
            same = same and (mixed or set(provider.calls) == set(sent))
        double += provider.again
    print(f"{killer.done} kills in {lives} runs of {len(sent)} calls in batches: {dict(sorted(killer.at.items()))}")
    print(f"calls that were sent twice: {double}; answers that are kept and were paid for twice: {paid_twice}")
    print(f"same skill, same answers: {same}")
    return same and not double and not paid_twice


class Killer:
    """Kills a process at a request, or a moment later."""

    def __init__(self, rng: random.Random, kills: int) -> None:
        self._rng, self.left, self.done = rng, kills, 0
        self.at: Counter[str] = Counter()
        self._victim: int | None = None
        self._in = 0
        self._guard = threading.Lock()

    def choose(self, process: Any) -> None:
        """Have this one die at one of its next requests, if there is a kill left."""
        with self._guard:
            self._victim, self._in = (process.pid, self._rng.randint(1, 24)) if self.left else (None, 0)

    def watched(self, what: str) -> None:
        """The provider has a request."""
        if "/chat/" in what:
            return
        if what == "POST /v1/batches":
            time.sleep(LATE)
        with self._guard:
            self._in -= 1
            if self._victim is None or self._in:
                return
            victim, self._victim = self._victim, None
            later = self._rng.choice([0.0, 0.0, self._rng.uniform(0, 0.05)])
            self.left, self.done = self.left - 1, self.done + 1
            self.at[what.replace("/v1/", "").partition("_")[0].partition("-")[0].partition("?")[0]] += 1
        time.sleep(later)
        with contextlib.suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)


def a_life(
    folder: Path, name: str, provider: BatchServer, killer: Killer, choose: random.Random | None = None
) -> dict[str, Any]:
    """A run in a store of its own, begun again until it comes to its end; what it came to."""
    provider.watched = killer.watched
    (folder / name).mkdir()
    while True:
        PROCESSES.set_forkserver_preload(PRELOADED)
        batch = choose is None or choose.random() < 0.5
        process = PROCESSES.Process(target=carry_out, args=(str(folder), name, provider.model(), batch))
        process.start()
        killer.choose(process)
        process.join()
        if process.exitcode != -signal.SIGKILL:
            break
    assert process.exitcode == 0, f"{name} ended with {process.exitcode}"
    store = open_store(folder / name / "store.duckdb")
    paid = Counter(key for (key,) in store.query("SELECT call_key FROM ledger WHERE outcome = 'answered'"))
    texts = dict(store.query("SELECT key, json_extract(value, '$.message')::TEXT FROM model_call"))
    store.close()
    (skill,) = (folder / name / "runs").glob("*/summary.json")
    made = json.loads(skill.read_text())["candidate"]
    return {"skill": made, "answers": texts, "paid twice": sum(times - 1 for times in paid.values())}


def carry_out(folder: str, name: str, model: dict[str, Any], batch: bool) -> None:
    """The process that is killed."""
    from in_process import refresh

    from trace2skill.llm.batch import awaiting, sending
    from trace2skill.runs.settings import RunSettings

    awaiting.FIRST_PAUSE, sending.SETTLE_SECONDS = 0.01, (0.0, 5 * LATE)
    home = Path(folder)
    settings = {
        "data": {"path": str(home / "data"), "domain": "math", "skill": str(home / "sums")},
        "models": {"agent": {"name": "sim/office"}, "analyst": model, "merger": model},
        "learning": {"sandbox": "process", "error_analyst": "one_call"},
        "gate": {"evaluate": False},
        "operation": {"batch": batch, "store": str(home / name / "store.duckdb"), "output": str(home / name / "runs")},
    }
    refresh(RunSettings.model_validate(settings))


if __name__ == "__main__":
    main()
