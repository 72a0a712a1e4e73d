"""How fast many patches become one skill: the product's own path under Prefect, over a real HTTP path.

    python bench/consolidate.py --corpus DIR [--json]

A local OpenAI-compatible server, a process of its own, answers the prompts of the consolidation by the labels of the
corpus after a fixed latency. Each size is one flow run as `distill` makes it from the patches on: cut, screened, one
rule book in mapped tasks, worded; the store is a new DuckDB file. The table shows calls, rounds of latency that wait
for each other, the seconds of cutting, which a run spends while patches are still being written, and wall time from the
last patch on against that path. Exits 1 where a size takes more than 6 rounds or 0.35 calls a patch, or, up to 1,000
patches, more than 1.15 times the path and a second.
"""

import argparse
import json
import multiprocessing
import os
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from trace2skill.cli.prefect_settings import lean, quiet

quiet()
lean()
os.environ.setdefault("PREFECT_HOME", tempfile.mkdtemp(prefix="t2s-prefect-"))
os.environ.setdefault("OPENAI_API_KEY", "none")

from labelled_corpus import load, multiplied
from prefect import flow
from rich.console import Console
from rich.table import Table

from tasks.reading import MappedRunner
from tasks.runner import sized
from trace2skill.llm import ModelSettings, Roles
from trace2skill.runs import refresh as run
from trace2skill.runs.consolidation import Cutting, united
from trace2skill.runs.runtime import forget_runtimes, runtime
from trace2skill.runs.settings import RunSettings
from trace2skill.sim.conversation import Heard
from trace2skill.sim.profile import profile_of
from trace2skill.sim.roles import play
from trace2skill.types.references import Extracted, Proposed

MOST_ROUNDS, MOST_CALLS_A_PATCH = 6, 0.35
RATIO, SLACK_SECONDS, HELD_UP_TO = 1.15, 1.0, 1_000


class Server:
    """The provider in a process of its own. Its port is in `url`; `peak` is read over /peak."""

    def __init__(self, model: str, latency: float) -> None:
        mine, theirs = multiprocessing.Pipe()
        self._process = multiprocessing.Process(target=serve, args=(theirs, model, latency), daemon=True)
        self._process.start()
        self.url = f"http://127.0.0.1:{mine.recv()}/v1"
        self._pipe = mine

    def peak(self) -> int:
        """Most requests at once since the last time this was asked."""
        self._pipe.send("peak")
        return int(self._pipe.recv())

    def stop(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.join()


def serve(pipe: Any, model: str, latency: float) -> None:
    """Answer in the role of the merger after a latency."""
    guard, state, profile = threading.Lock(), {"now": 0, "peak": 0}, profile_of(model)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet: else the kernel holds the body back for 40 ms

        def do_POST(self) -> None:
            started = time.monotonic()
            size = int(self.headers["content-length"])
            body = json.loads(self.rfile.read(size))
            with guard:
                state["now"] += 1
                state["peak"] = max(state["peak"], state["now"])
            heard = Heard(profile=profile, messages=tuple(body["messages"]))
            content = json.dumps(completion(play(heard).text)).encode()
            time.sleep(max(0.0, latency - (time.monotonic() - started)))
            with guard:
                state["now"] -= 1
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            return

    class Wide(ThreadingHTTPServer):
        request_queue_size = 256
        daemon_threads = True

    server = Wide(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    pipe.send(server.server_port)
    while pipe.recv():
        with guard:
            pipe.send(state["peak"])
            state["peak"] = 0


def completion(text: str) -> dict[str, Any]:
    """An answer in the form of the chat completions API."""
    message = {"role": "assistant", "content": text}
    usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    return {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}


class Rounds:
    """The runner of a refresh, counting rounds: lists of jobs of which each waits for the one before."""

    def __init__(self, settings: RunSettings) -> None:
        self._inner, self.rounds = MappedRunner(settings), 0

    def induce(self, jobs: Sequence[Any]) -> Any:
        """One round."""
        self.rounds += bool(jobs)
        return self._inner.induce(jobs)

    def assign(self, jobs: Sequence[Any]) -> Any:
        """One round."""
        self.rounds += bool(jobs)
        return self._inner.assign(jobs)

    def write(self, jobs: Sequence[Any]) -> Any:
        """One round."""
        self.rounds += bool(jobs)
        return self._inner.write(jobs)


@flow(name="consolidate", persist_result=False, validate_parameters=False)
def consolidate(
    settings: RunSettings, base: str, analysed: list[Extracted], proposed: list[Proposed]
) -> tuple[int, float, float]:
    """What `distill` does after the patches; returns rounds, seconds of cutting, and seconds from the last patch on."""
    runner = Rounds(settings)
    rt = runtime(settings)
    began = time.monotonic()
    cutting = Cutting(rt, base)
    for item in proposed:  # in a run this is done while other patches are still being written
        cutting.take(item)
    cut = time.monotonic()
    united(rt, base, analysed, proposed, runner, cutting=cutting)
    return runner.rounds, cut - began, time.monotonic() - cut


def settings_of(folder: Path, corpus: Path, url: str, in_flight: int, name: str) -> RunSettings:
    """A run with a store of its own, whose merger is the server."""
    model = ModelSettings(name=name, api_base=url, price=(0.0, 0.0), timeout_seconds=120)
    (skill,) = (path for path in (corpus / "skill").iterdir() if path.is_dir())
    return RunSettings.model_validate(
        {
            "data": {"path": str(ROOT / "examples" / "office"), "skill": str(skill), "recalculate": "never"},
            "models": Roles.all_played_by(model).model_dump(),
            "learning": {"sandbox": "process"},
            "operation": {"workers": in_flight, "store": str(folder / "s.duckdb"), "output": str(folder / "runs")},
        }
    )


def measure(
    corpus: Path, count: int, server: Server, given: argparse.Namespace, model: str = "openai/merger"
) -> dict[str, Any]:
    """One size."""
    loaded = multiplied(load(corpus), count)
    with tempfile.TemporaryDirectory(prefix="t2s-consolidate-") as folder:
        settings = settings_of(Path(folder), corpus, server.url, given.in_flight, model)
        rt = runtime(settings)
        run.start(rt)
        base = rt.given_skill.digest if rt.given_skill else ""
        analysed, proposed = [], []
        for patch in loaded.patches:
            ids = {"trajectory_id": patch.trajectory_id, "task_id": patch.task_id}
            kind = "success" if loaded.passed[patch.trajectory_id] else "error"
            analysed.append(Extracted(content="x", seed=1, kind=kind, verdict="lessons", lessons=1, **ids))
            known = {"extraction": "x", "verdict": "patch", "kind": kind}
            proposed.append(Proposed(content=patch.digest, edits=len(patch.edits), **known, **ids))
        rt.store.put_all(("patch", patch.digest, patch) for patch in loaded.patches)
        server.peak()
        rounds, cut, wall = sized(consolidate, settings)(settings, base, analysed, proposed)
        calls = rt.store.ledger_total().calls
        forget_runtimes()
    path = rounds * given.latency
    kept = rounds <= MOST_ROUNDS and calls <= MOST_CALLS_A_PATCH * count
    kept &= count > HELD_UP_TO or wall <= RATIO * path + SLACK_SECONDS
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    figures = {"patches": count, "calls": calls, "rounds": rounds, "peak": server.peak(), "path": path}
    figures |= {"cut": round(cut, 2)}
    return {**figures, "wall": round(wall, 2), "ratio": round(wall / path, 2), "MB": memory, "kept": bool(kept)}


def main() -> None:
    """Run all sizes and print them."""
    arguments = argparse.ArgumentParser(description="How fast many patches become one skill.")
    arguments.add_argument("--corpus", type=Path, required=True, help="as for bench/real_text.py")
    arguments.add_argument("--patches", type=int, nargs="+", default=[120, 323, 1_000, 5_000])
    arguments.add_argument("--latency", type=float, default=0.5, help="seconds of an answer")
    arguments.add_argument("--in-flight", type=int, default=128)
    arguments.add_argument("--json", action="store_true")
    given = arguments.parse_args()
    server = Server(f"sim/labelled?{urlencode({'corpus': str(given.corpus.resolve())})}", given.latency)
    try:
        measure(given.corpus, 8, server, given)  # imports, and Prefect's own server
        rows = []
        for count in given.patches:
            if count <= HELD_UP_TO:  # the server has read each text by then, so that no time of its own is measured
                measure(given.corpus, count, server, given, model="openai/warm-up")
            rows.append(measure(given.corpus, count, server, given))
    finally:
        server.stop()
    if given.json:
        print(json.dumps(rows, indent=2))
    else:
        table = Table(*rows[0])
        for row in rows:
            table.add_row(*(str(value) for value in row.values()))
        Console().print(table)
    sys.exit(0 if all(row["kept"] for row in rows) else 1)


if __name__ == "__main__":
    main()
