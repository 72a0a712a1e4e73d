"""How fast logs are read: files and megabytes a second of CPU, against plain JSON parsing of the same in the same run.

Each way has processes of its own, in turns: what one leaves in memory makes the next one's allocations cheaper. Buffers
of megabytes come from the system and go back to it each time (`FRESH`): else the C library keeps them or not by what
was freed before, and one of two processes that do the same takes a fifth longer.

    python bench/ingest.py ../shared/data/traces
    python bench/ingest.py ../shared/data/traces --instructions   # counted with valgrind: for a busy machine
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from trace2skill.safety.redaction import CLEAN, redacted
from trace2skill.traces import Notes, Source, read_source

ROUNDS = 12
PROCESSES = 9
COUNTED_ROUNDS = 1
FRESH = {"MALLOC_MMAP_THRESHOLD_": str(128 * 1024)}
"""The threshold that glibc begins with; said in so many words, it stays."""
STREAMED_MB = 200


def plain(path: Path) -> None:
    """What any reader has to do at least."""
    if path.suffix == ".eval":
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.startswith("samples/") or name == "header.json":
                    json.loads(archive.read(name))
        return
    text = path.read_text(errors="replace")
    try:
        json.loads(text)
    except ValueError:
        for line in text.splitlines():
            try:
                json.loads(line)
            except ValueError:
                continue


def ours(path: Path) -> None:
    for _ in read_source(Source(path), Notes()):
        pass


def clean(path: Path) -> None:
    for trajectory in read_source(Source(path), Notes()):
        redacted(trajectory)


WAYS: dict[str, Callable[[Path], None]] = {"plain JSON": plain, "read": ours, "read and redacted": clean}


def seconds_of(way: str, files: list[Path], rounds: int = ROUNDS) -> float:
    """Seconds of CPU for all files in this process, of each the best of so many rounds."""
    work, best = WAYS[way], dict.fromkeys(files, float("inf"))
    for _ in range(rounds):
        CLEAN.forget()  # as in a process that reads these files for the first time
        for path in files:
            started = time.process_time()
            work(path)
            best[path] = min(best[path], time.process_time() - started)
    return sum(best.values())


def in_a_process(root: Path, way: str, rounds: int, *before: str) -> subprocess.CompletedProcess[str]:
    """A way in a process of its own, which prints its seconds."""
    command = [*before, sys.executable, __file__, str(root), "--way", way, "--rounds", str(rounds)]
    known = {**os.environ, **FRESH, "PYTHONHASHSEED": "0"}
    return subprocess.run(command, capture_output=True, text=True, check=True, env=known)


def in_turns(root: Path) -> dict[str, list[float]]:
    """Seconds of CPU for all files of each way, of each of its processes."""
    told: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(PROCESSES):
        for way, found in told.items():
            found.append(float(in_a_process(root, way, ROUNDS).stdout.split()[-1]))
    return told


def instructions_of(root: Path, way: str) -> float:
    """Millions of instructions for all files that were read before: what a process does besides is taken off."""
    counted = []
    for rounds in (1, 1 + COUNTED_ROUNDS):
        before = ("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null")
        found = re.search(r"Collected : (\d+)", in_a_process(root, way, rounds, *before).stderr)
        assert found is not None
        counted.append(int(found[1]))
    return (counted[1] - counted[0]) / COUNTED_ROUNDS / 1e6


def streamed(megabytes: int) -> tuple[float, float]:
    """Seconds and peak megabytes for one JSONL file of so many megabytes, a conversation a line."""
    line = json.dumps(
        {"messages": [{"role": "user", "content": "x" * 2000}, {"role": "assistant", "content": "y" * 8000}]}
    )
    with TemporaryDirectory() as folder:
        path = Path(folder) / "large.jsonl"
        with path.open("w") as file:
            for _ in range(megabytes * 1_000_000 // (len(line) + 1)):
                file.write(line + "\n")
        tracemalloc.start()
        started = time.perf_counter()
        ours(path)
        seconds, peak = time.perf_counter() - started, tracemalloc.get_traced_memory()[1] / 1e6
        tracemalloc.stop()
        return seconds, peak


def logs_below(root: Path) -> list[Path]:
    """The files to read, without the verdicts beside them."""
    return [path for path in sorted(root.rglob("*")) if path.is_file() and not path.name.endswith("report.json")]


def main(root: Path) -> None:
    files = logs_below(root)
    size = sum(path.stat().st_size for path in files) / 1e6
    told = in_turns(root)
    for name, found in told.items():
        seconds = statistics.median(found)
        shares = sorted(plain / own for plain, own in zip(told["plain JSON"], found, strict=True))
        of = f"{statistics.median(shares):.2f} of plain JSON ({shares[0]:.2f} to {shares[-1]:.2f})"
        print(f"{name}: {len(files) / seconds:.0f} files/s, {size / seconds:.1f} MB/s, {of}")
    seconds, peak = streamed(STREAMED_MB)
    print(f"one file of {STREAMED_MB} MB, memory traced: {seconds:.1f} s, peak {peak:.0f} MB")


def count(root: Path) -> None:
    counted = {way: instructions_of(root, way) for way in WAYS}
    for name, millions in counted.items():
        print(f"{name}: {millions:.0f} million instructions, {counted['plain JSON'] / millions:.2f} of plain JSON")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path)
    parser.add_argument("--instructions", action="store_true", help="count instructions with valgrind")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.way:
        print(seconds_of(given.way, logs_below(given.root), given.rounds))
    else:
        (count if given.instructions else main)(given.root)
