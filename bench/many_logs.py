"""Very many logs in one `ingest`: time, memory, and what a kill half way costs.

    python bench/many_logs.py --files 20000                # so many files, in three formats
    python bench/many_logs.py --conversations 100000       # one file with so many conversations, a line each

Each is read by `trace2skill ingest --analyst rules` in a process of its own: once killed with SIGKILL when half is
read, then run again to the end, then run once more with nothing new. The peak is the largest resident memory of the
process without its Prefect server, looked at five times a second. Exits 1 where a session is missing, something is read
twice after the kill, or the peak is above 1 GB.
"""

import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import psutil

ROOT = Path(__file__).resolve().parents[1]
COMMAND = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from trace2skill.cli import live, main
live.SAID_EVERY = 0.1
sys.exit(main())
"""
"""The command, but that it says more often how far it is: so few logs, too, can be stopped half way."""
MB = 2**20
MOST_MB = 1024
LOOK_SECONDS = 0.2


class Went(NamedTuple):
    """One run of the command."""

    seconds: float
    peak: float
    server: float
    summary: dict[str, Any]
    share: float = 1.0


def main() -> None:
    """Generate, kill, run again, and print a table."""
    parser = argparse.ArgumentParser(description="Very many logs in one ingest.")
    parser.add_argument("--files", type=int, default=0)
    parser.add_argument("--conversations", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="t2s-many-") as folder:
        logs = Path(folder) / "logs"
        logs.mkdir()
        chance = random.Random(7)
        if given.files:
            write_files(logs, given.files, chance)
        if given.conversations:
            write_conversations(logs / "all.jsonl", given.conversations, chance)
        sys.exit(0 if measured(Path(folder), logs, given.files + given.conversations) else 1)


def measured(folder: Path, logs: Path, sessions: int) -> bool:
    """The three runs."""
    size = sum(path.stat().st_size for path in logs.rglob("*") if path.is_file()) / MB
    print(f"{sessions} sessions in {sum(1 for _ in logs.rglob('*.json*'))} files, {size:.0f} MB", flush=True)
    killed = ingest(folder, logs, kill_at=0.5)
    print(
        f"killed: after {killed.seconds:.0f} s, {killed.share:.0%} read, peak {killed.peak:.0f} MB "
        f"(server {killed.server:.0f} MB)",
        flush=True,
    )
    again = ingest(folder, logs)
    told(again, "run again")
    once_more = ingest(folder, logs)
    told(once_more, "once more, nothing new")
    read, last = again.summary["sources"], once_more.summary["sources"]
    good = (
        read["trajectories"] == sessions
        and 0 < read["fresh"] <= 0.6 * sessions
        and last["fresh"] == 0
        and max(killed.peak, again.peak, once_more.peak) <= MOST_MB
    )
    print("as it should be" if good else "NOT as it should be", flush=True)
    return good


def told(went: Went, name: str) -> None:
    """One line."""
    read = went.summary["sources"]
    rate = f", {read['fresh'] / went.seconds:.0f} sessions a second in all" if read["fresh"] else ""
    print(
        f"{name}: {went.seconds:.0f} s{rate}, peak {went.peak:.0f} MB (server {went.server:.0f} MB), sessions "
        f"{read['trajectories']}, read now {read['fresh']}, files unchanged {read['unchanged']}, rules "
        f"{len(went.summary['candidate']['applied'])}",
        flush=True,
    )
    for line in read.get("mined", ()):
        print(f"  {line}", flush=True)


def ingest(folder: Path, logs: Path, kill_at: float = 0.0) -> Went:
    """The command; killed once that share of the units is read."""
    store = folder / "store.duckdb"
    command = [sys.executable, "-c", COMMAND, "ingest", str(logs), "--analyst", "rules", "--store", str(store)]
    command += ["--output", str(folder / "runs"), *([] if kill_at else ["--json"])]
    environment = {**os.environ, "PREFECT_HOME": str(folder / "prefect"), "PREFECT_LOGGING_LEVEL": "CRITICAL"}
    with (folder / "out").open("w+") as out, (folder / "err").open("w+") as err:
        started = time.monotonic()
        child = subprocess.Popen(command, stdout=out, stderr=err, env=environment, start_new_session=True)
        peak = server = 0.0
        while child.poll() is None:
            time.sleep(LOOK_SECONDS)
            own, others = memory(child.pid)
            peak, server = max(peak, own), max(server, others)
            if kill_at and share_read(folder / "err") >= kill_at:
                kill(child)
        seconds = time.monotonic() - started
        out.seek(0)
        if kill_at:
            return Went(seconds, peak, server, {}, share_read(folder / "err"))
        text = out.read()
        if child.returncode:
            raise SystemExit((folder / "err").read_text()[-3000:])
        return Went(seconds, peak, server, json.loads(text[text.index("{") :]))


def kill(child: subprocess.Popen[bytes]) -> None:
    """SIGKILL for the command, and for the Prefect server that it started, which has a session of its own."""
    started = psutil.Process(child.pid).children(recursive=True)
    os.killpg(child.pid, signal.SIGKILL)  # a session of its own, started here
    child.wait()
    for process in started:
        with suppress(psutil.Error):
            process.kill()


def share_read(said: Path) -> float:
    """How far the reading is, by what the command says of it."""
    found = re.findall(r"^read: (\d+) of (\d+)", said.read_text(), re.M)
    return int(found[-1][0]) / int(found[-1][1]) if found else 0.0


def memory(pid: int) -> tuple[float, float]:
    """Resident megabytes of the process, and of what it has started."""
    try:
        process = psutil.Process(pid)
        own = process.memory_info().rss / MB
        return own, sum(child.memory_info().rss for child in process.children(recursive=True)) / MB
    except psutil.Error:
        return 0.0, 0.0


def write_files(folder: Path, count: int, chance: random.Random) -> None:
    """Files of three formats, spread over folders as agents do."""
    for number in range(count):
        place = folder / f"day-{number % 40:02d}"
        place.mkdir(exist_ok=True)
        messages, well = session(number, chance)
        if number % 3 == 0:
            (place / f"s{number}.jsonl").write_text(json.dumps({"id": f"s{number}", "messages": messages}) + "\n")
        elif number % 3 == 1:
            document = {"schema_version": "ATIF-v1.4", "session_id": f"s{number}", "steps": as_atif(messages)}
            document["agent"] = {"name": "bench", "version": "1", "model_name": "m"}
            (place / f"s{number}.json").write_text(json.dumps(document))
        else:
            run = [{"task_id": number, "reward": float(well), "trial": 0, "traj": messages, "info": {}}]
            (place / f"s{number}.json").write_text(json.dumps(run))


def write_conversations(path: Path, count: int, chance: random.Random) -> None:
    """One file, a conversation a line."""
    with path.open("w") as file:
        for number in range(count):
            messages, _ = session(number, chance)
            file.write(json.dumps({"id": f"c{number}", "messages": messages}) + "\n")


def session(number: int, chance: random.Random) -> tuple[list[dict[str, Any]], bool]:
    """A conversation with two to six calls; in a tenth of them a module is missing and then installed."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": f"Please look at case {number} of the books."}]
    calls = [("find_case", {"case": number}, f"case {number}: open, " + "x" * chance.randrange(200, 1200))]
    if number % 10 == 0:
        calls += [
            ("bash", {"command": f"python check.py {number}"}, "ModuleNotFoundError: No module named 'tabulate'"),
            ("bash", {"command": "pip install tabulate"}, "Successfully installed tabulate-0.9"),
            ("bash", {"command": f"python check.py {number}"}, "checked"),
        ]
    calls += [("note", {"case": number, "amount": n}, "noted") for n in range(chance.randrange(1, 4))]
    for place, (tool, arguments, answer) in enumerate(calls):
        call = {"id": f"k{place}", "type": "function", "function": {"name": tool, "arguments": json.dumps(arguments)}}
        messages.append({"role": "assistant", "content": "", "tool_calls": [call]})
        messages.append({"role": "tool", "tool_call_id": f"k{place}", "content": answer})
    messages.append({"role": "assistant", "content": "That is done."})
    return messages, chance.random() < 0.5


def as_atif(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same as steps of the Agent Trajectory Interchange Format."""
    steps: list[dict[str, Any]] = []
    for message in messages:
        if message["role"] == "tool":
            result = {"source_call_id": message["tool_call_id"], "content": message["content"]}
            steps[-1]["observation"] = {"results": [result]}
            continue
        source = "agent" if message["role"] == "assistant" else "user"
        step: dict[str, Any] = {"step_id": len(steps) + 1, "source": source, "message": message["content"]}
        if message.get("tool_calls"):
            step["tool_calls"] = [
                {
                    "tool_call_id": call["id"],
                    "function_name": call["function"]["name"],
                    "arguments": json.loads(call["function"]["arguments"]),
                }
                for call in message["tool_calls"]
            ]
        steps.append(step)
    return steps


if __name__ == "__main__":
    main()
