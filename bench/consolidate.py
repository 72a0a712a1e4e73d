"""How fast many patches become one: wall time against the critical path of the merge tree, over a real HTTP path.

    python bench/consolidate.py

A local OpenAI-compatible server, a process of its own, answers merges after a fixed or lognormal latency. The
table shows calls, depth, peak concurrency and wall time for a growing number of patches; the same tree reduced level by
level; the calls that one more trajectory costs; and the memory of a large one.
"""

import argparse
import json
import math
import multiprocessing
import os
import random
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import NormalDist
from typing import Any

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from reduce import reduce_tree

from trace2skill.consolidate import EditGroup, Groups, MergePlan, Support, merge, plan_merges
from trace2skill.core.budget import Budget
from trace2skill.core.step_label import StepLabel
from trace2skill.llm import Client, ModelSettings
from trace2skill.sim.causes import CAUSES, quirk_lesson
from trace2skill.sim.conversation import Heard
from trace2skill.sim.profile import Profile, chance
from trace2skill.sim.roles import play
from trace2skill.skills.skill import Skill, read_skill
from trace2skill.store import open_store
from trace2skill.types.patch import Edit

SKILL = read_skill(ROOT / "examples" / "skills" / "office-workbooks")


class Server:
    """The provider in a process of its own. Its port is in `url`; `peak` is read over /peak."""

    def __init__(self, latency: float, sigma: float) -> None:
        mine, theirs = multiprocessing.Pipe()
        self._process = multiprocessing.Process(target=serve, args=(theirs, latency, sigma), daemon=True)
        self._process.start()
        self.url = f"http://127.0.0.1:{mine.recv()}/v1"
        self._pipe = mine

    def peak(self) -> int:
        """Most requests at once since the last time this was asked."""
        self._pipe.send("peak")
        return int(self._pipe.recv())

    def bytes(self) -> int:
        """Mean bytes of a request since the last time this was asked."""
        self._pipe.send("bytes")
        return int(self._pipe.recv())

    def stop(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.join()


def serve(pipe: Any, latency: float, sigma: float) -> None:
    """Answer merges after a latency."""
    guard, state = threading.Lock(), {"now": 0, "peak": 0, "bytes": 0, "requests": 0}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet: else the kernel holds the body back for 40 ms

        def do_POST(self) -> None:
            started = time.monotonic()
            size = int(self.headers["content-length"])
            body = json.loads(self.rfile.read(size))
            with guard:
                state["bytes"] += size
                state["requests"] += 1
                state["now"] += 1
                state["peak"] = max(state["peak"], state["now"])
            heard = Heard(profile=Profile(), messages=tuple(body["messages"]))
            content = json.dumps(completion(play(heard).text)).encode()
            draw = min(max(chance("latency", heard.key), 1e-6), 1 - 1e-6)
            goal = latency * math.exp(sigma * NormalDist().inv_cdf(draw))
            time.sleep(max(0.0, goal - (time.monotonic() - started)))
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
    while wanted := pipe.recv():
        with guard:
            if wanted == "peak":
                pipe.send(state["peak"])
                state["peak"] = 0
            else:
                pipe.send(state["bytes"] // max(1, state["requests"]))
                state["bytes"] = state["requests"] = 0


def completion(text: str) -> dict[str, Any]:
    """An answer in the form of the chat completions API."""
    message = {"role": "assistant", "content": text}
    usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    return {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}


def patches(count: int, seed: int = 1) -> list[EditGroup]:
    """Groups of that many trajectories, a tenth of them about one run only; no two are worded alike."""
    rng = random.Random(seed)
    weights = [cause.prevalence for cause in CAUSES]
    found = []
    for number in range(count):
        cause = rng.choices(CAUSES, weights)[0]
        about, section = rng.choice(cause.wordings), cause.section
        if rng.random() < 0.1:
            about, section = quirk_lesson(f"{seed}/{number}"), "Writing values"
        text = f"- {about.content} (Seen in case {number}.)"
        edit = Edit(op="append_to_section", section=(section,), content=text, lessons=(f"L{number}",))
        support = Support(trajectories=(f"T{number}",), tasks=(f"task {number}",), errors=(f"T{number}",))
        found.append(EditGroup(edits=(edit,), support=support))
    return found


class Reduction:
    """One reduction: counts calls and finds the depth of asking nodes."""

    def __init__(self, directory: Path, url: str, workers: int) -> None:
        self.store = open_store(directory / f"{time.monotonic_ns()}.duckdb")
        self.client = Client(self.store, Budget(None), "bench")
        self.model = ModelSettings(name="openai/merger", api_base=url, price=(0.0, 0.0), timeout_seconds=60)
        self.workers = workers

    def run(
        self, groups: list[EditGroup], reduce: Callable[..., Any] = reduce_tree, skill: Skill = SKILL
    ) -> tuple[float, int]:
        """Seconds and calls of one reduction."""
        plan = plan_merges(groups)
        before = self.store.ledger_total().calls
        started = time.monotonic()

        def one(number: int, sides: list[Groups]) -> Groups:
            return merge(self.client, self.model, skill, sides, step=StepLabel("merge", str(number)))

        reduce(plan, [Groups.of([leaf]) for leaf in plan.leaves], one, self.workers)
        return time.monotonic() - started, self.store.ledger_total().calls - before


def grown(skill: Skill, times: int) -> Skill:
    """The skill with so many times its sections, none of which any patch touches."""
    text = skill.text("SKILL.md") or ""
    more = "".join(f"\n## Chapter {n}\n\n{'- A rule about something else.' * 20}\n" for n in range(8 * times))
    return skill.with_files({"SKILL.md": (text + more).encode()})


def depth(plan: MergePlan) -> int:
    """Merges on the longest way from a leaf to the root."""
    depths = [0] * len(plan.leaves)
    for inputs in plan.merges:
        depths.append(1 + max(depths[i] for i in inputs))
    return depths[-1]


def level_by_level(plan: MergePlan, leaves: list[Groups], one: Callable[..., Groups], workers: int) -> Groups:
    """The same tree with a barrier after each level, as the reference implementation does."""
    depths = [0] * len(plan.leaves)
    for inputs in plan.merges:
        depths.append(1 + max(depths[i] for i in inputs))
    nodes: list[Any] = [*leaves, *([None] * len(plan.merges))]
    with ThreadPoolExecutor(workers) as pool:
        for level in range(1, max(depths) + 1):
            numbers = [n for n in range(len(plan.merges)) if depths[len(plan.leaves) + n] == level]
            made = pool.map(lambda n: one(n, [nodes[i] for i in plan.merges[n]]), numbers)
            for number, node in zip(numbers, made, strict=True):
                nodes[len(plan.leaves) + number] = node
    return nodes[-1]


def main() -> None:
    """Run all parts and print them."""
    arguments = argparse.ArgumentParser(description="How fast many patches become one.")
    arguments.add_argument("--patches", type=int, nargs="+", default=[70, 200, 323, 1000])
    arguments.add_argument("--latency", type=float, default=0.5)
    arguments.add_argument("--in-flight", type=int, default=128)
    arguments.add_argument("--large", type=int, default=5000)
    given = arguments.parse_args()
    os.environ.setdefault("OPENAI_API_KEY", "none")
    console = Console()
    with tempfile.TemporaryDirectory(prefix="t2s-bench-") as folder:
        directory = Path(folder)
        fixed, jittery = Server(given.latency, 0.0), Server(given.latency, 0.5)
        Reduction(directory, fixed.url, 2).run(patches(3))  # imports litellm
        table = Table("patches", "calls", "depth", "peak in flight", "critical path s", "wall s", "ratio", "MB")
        for count in given.patches:
            groups = patches(count)
            fixed.peak()
            seconds, calls = Reduction(directory, fixed.url, given.in_flight).run(groups)
            path = depth(plan_merges(groups)) * given.latency
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            row = (count, calls, depth(plan_merges(groups)), fixed.peak(), f"{path:.1f}", f"{seconds:.1f}")
            table.add_row(*map(str, row), f"{seconds / path:.2f}", str(memory))
        console.print(table)
        groups = patches(323)
        streamed, _ = Reduction(directory, jittery.url, given.in_flight).run(groups)
        levels, _ = Reduction(directory, jittery.url, given.in_flight).run(groups, level_by_level)
        console.print(f"323 with jitter (sigma 0.5): as inputs exist {streamed:.1f} s, level by level {levels:.1f} s")
        again = Reduction(directory, fixed.url, given.in_flight)
        again.run(patches(324)[:323])
        _, calls = again.run(patches(324))
        console.print(f"one trajectory added to 323: {calls} calls")
        fixed.bytes()
        Reduction(directory, fixed.url, given.in_flight).run(patches(70, seed=2))
        small = fixed.bytes()
        Reduction(directory, fixed.url, given.in_flight).run(patches(70, seed=2), skill=grown(SKILL, 20))
        console.print(f"bytes per merge request: {small}, and {fixed.bytes()} with a skill of 20 times the sections")
        if given.large:
            quick = Server(0.0, 0.0)
            seconds, calls = Reduction(directory, quick.url, 8).run(patches(given.large))
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            console.print(f"{given.large} patches: {calls} calls, {seconds:.0f} s without latency, {memory} MB")
            quick.stop()
        fixed.stop()
        jittery.stop()


if __name__ == "__main__":
    main()
