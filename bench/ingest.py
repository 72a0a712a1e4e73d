"""How fast logs are read: files and megabytes a second of CPU, against plain JSON parsing of the same in the same run.

Each way has processes of its own, in turns: what one leaves in memory makes the next one's allocations cheaper.

python bench/ingest.py ../shared/data/traces
"""

import json
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
PROCESSES = 7
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


def in_turns(root: Path) -> dict[str, float]:
    """Seconds of CPU for all files of each way: the median of its processes."""
    told: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(PROCESSES):
        for way, found in told.items():
            ran = subprocess.run([sys.executable, __file__, str(root), way], capture_output=True, text=True, check=True)
            found.append(float(ran.stdout.split()[-1]))
    return {way: statistics.median(found) for way, found in told.items()}


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
    best = in_turns(root)
    for name, seconds in best.items():
        share = best["plain JSON"] / seconds
        print(f"{name}: {len(files) / seconds:.0f} files/s, {size / seconds:.1f} MB/s, {share:.2f} of plain JSON")
    seconds, peak = streamed(STREAMED_MB)
    print(f"one file of {STREAMED_MB} MB, memory traced: {seconds:.1f} s, peak {peak:.0f} MB")


if __name__ == "__main__":
    if sys.argv[2:]:
        print(seconds_of(sys.argv[2], logs_below(Path(sys.argv[1]))))
    else:
        main(Path(sys.argv[1]))
