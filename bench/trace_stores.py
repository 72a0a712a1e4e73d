"""A pull that is killed again and again brings every trace once: nothing lost, nothing that votes twice.

    python bench/trace_stores.py --traces 10000 --kills 20 [--kind mlflow]

Each store is a server on loopback in a process of its own. Half way through, some traces come late, some get more spans
and some a score; at the end a night later is pulled. Each pull is a process that is killed with SIGKILL at a random
moment. Exits 1 where a trace is missing, there twice, or ends otherwise than its store says.
"""

import argparse
import multiprocessing
import os
import random
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from trace_store_servers import FAKES, KEYS, FakeTraceStore, Kept

from trace2skill.core import clock
from trace2skill.runs import refresh as run
from trace2skill.runs.ingest import IngestSettings
from trace2skill.store import open_store
from trace2skill.traces.stores import rest
from trace2skill.types.trajectory import Trajectory

TODAY = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAYS = 10
FORK = multiprocessing.get_context("fork")
STUCK = 900.0


class Counted(NamedTuple):
    """What became of one store's traces."""

    kind: str
    kills: int
    pulls: int
    requests: int
    lost: int
    twice: int
    wrong: int
    again: int
    """Traces that the last night took in again, beyond those that came late or changed."""
    seconds: float


def traces(count: int) -> list[Kept]:
    """Evenly over some days; a third passed, a third failed, of a third nobody says."""
    step = timedelta(days=DAYS) / count
    first = TODAY - timedelta(days=DAYS)
    return [
        Kept(f"t{n:06}", first + step * n, f"How many in {n}?", f"{n} rows", right=(True, False, None)[n % 3])
        for n in range(count)
    ]


def changed(server: FakeTraceStore, count: int) -> None:
    """Of the last days some traces come late, some grow, some get a score."""
    recent = [item for item in server.ordered() if item.began > TODAY - timedelta(days=2)][: 3 * count]
    for item in recent[:count]:
        item.more("And one more thing.")
    for item in recent[count : 2 * count]:
        item.score(item.right is not True, TODAY + timedelta(hours=1))
    server.add(*(Kept(f"late{n}", TODAY - timedelta(days=1, minutes=n), asked=f"Late {n}?") for n in range(count)))


def serve(kind: str, count: int, late: int, half: int, asked: Any, pipe: Any) -> None:
    """The server's process: says its address, changes half way, and says in the end what it holds."""
    with FAKES[kind](*traces(count)) as server:
        done: list[bool] = []
        server.page = 500

        def before(_: str) -> None:
            with asked.get_lock():
                asked.value += 1
                first = asked.value >= half and not done
                if first:
                    done.append(True)
                    changed(server, late)

        server.before = before
        pipe.send(server.address(f"since={DAYS + 1}d"))
        pipe.recv()
        if not done:
            changed(server, late)
        pipe.send({item.id: item.right for item in server.traces.values()})
        pipe.recv()


def pull(address: str, folder: Path, day: int, pipe: Any = None) -> None:
    """One pull, and what is in the end to be learned from: by trajectory, trace and outcome."""
    clock.now = lambda: TODAY + timedelta(days=day)
    rest.FIRST_WAIT = 0.01
    for keys in KEYS.values():
        os.environ.update(keys)
    given = IngestSettings(paths=(address,), store=folder / "s.duckdb", output=folder / "runs", redaction_map=False)
    _, found = run.take_in_logs(given.as_run())
    if pipe is not None:
        pipe.send(([(item.id, item.task_id, item.outcome) for item in found.taken], found.read.fresh))


@contextmanager
def served(kind: str, count: int, late: int, half: int) -> Iterator[tuple[str, Any, Any]]:
    """Address, number of requests so far, and the pipe of a server."""
    ours, theirs = FORK.Pipe()
    asked = FORK.Value("q", 0)
    process = FORK.Process(target=serve, args=(kind, count, late, half, asked, theirs), daemon=True)
    process.start()
    try:
        yield ours.recv(), asked, ours
    finally:
        ours.send(None)
        process.join(10)
        process.kill()


def killed(kind: str, count: int, kills: int, folder: Path, seed: int = 1, late: int = 0) -> Counted:
    """Pull one store, killed so many times, then to the end, then a night later."""
    began, rng, done, pulls = time.monotonic(), random.Random(seed), 0, 0
    late = late or max(1, count // 200)
    expected = count + count // 20
    with served(kind, count, late, expected // 2) as (address, asked, pipe):
        for moment in sorted(rng.randrange(1, expected) for _ in range(kills)):
            process = FORK.Process(target=pull, args=(address, folder, 0))
            process.start()
            pulls += 1
            while process.is_alive() and asked.value < moment:
                time.sleep(0.002)
            time.sleep(rng.random() * 0.05)
            if process.is_alive() and process.pid:
                os.kill(process.pid, signal.SIGKILL)
                done += 1
            process.join()
        fresh = 0
        for day in (0, 1):
            told, ends = FORK.Pipe()
            process = FORK.Process(target=pull, args=(address, folder, day, ends))
            process.start()
            ends.close()
            taken, fresh = told.recv() if told.poll(STUCK) else ([], 0)
            process.join()
            pulls += 1
        requests = asked.value
        pipe.send(None)
        truth = {id: {True: "passed", False: "failed", None: "unknown"}[right] for id, right in pipe.recv().items()}
    here = {trace: outcome for _, trace, outcome in taken}
    store = open_store(folder / "s.duckdb")
    kept = len(store.ids_of("trajectory"))
    grown = sum("And one more thing." in item.steps[-1].message for item in store.all_of("trajectory", Trajectory))
    store.close()
    return Counted(
        kind=kind,
        kills=done,
        pulls=pulls,
        requests=requests,
        lost=len(truth.keys() - here.keys()) + (late - grown),
        twice=len(taken) - len({trace for _, trace, _ in taken}) + max(0, kept - len(truth)),
        wrong=sum(truth[id] != outcome for id, outcome in here.items() if id in truth),
        again=max(0, fresh - 3 * late),
        seconds=time.monotonic() - began,
    )  # fmt: skip


def main() -> None:
    """Run the benchmark and print what was counted."""
    parser = argparse.ArgumentParser(description="SIGKILL pulls from trace stores at random moments.")
    parser.add_argument("--traces", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--kind", choices=sorted(FAKES), action="append", default=None)
    given = parser.parse_args()
    bad = 0
    for kind in given.kind or sorted(FAKES):
        with tempfile.TemporaryDirectory(prefix=f"t2s-{kind}-") as folder:
            found = killed(kind, given.traces, given.kills, Path(folder))
        used = sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
        print(f"{found}, cpu so far {used:.0f} s", flush=True)
        bad += found.lost + found.twice + found.wrong
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
