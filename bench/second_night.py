"""What a second night pays and learns: after new tasks, after new logs, after nothing.

    python bench/second_night.py [--tasks 100] [--json]

The world of bench/nights.py and its scripted models, the settings of the nightly deployment (two rounds, seeds that
move, rollouts that tell), steps without Prefect. One first night; then, each from a copy of what it left, a second with
nothing new, one with six tenths more tasks, and one with logs of agents (read by rules, which ask no model). A line a
night: calls that were paid, trajectories that are new, lessons, lines of the skill that are new, causes that it states,
outcome. This measures the loop and says nothing of models. Exits 1 where a night that is run again pays for anything.
"""

import argparse
import json
import shutil
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

import nights  # first: it says how Prefect is to be set up
from nights_world import CAUSES, speak, stated, write_world
from rich.console import Console
from rich.table import Table

from trace2skill.llm import ModelSettings, Roles
from trace2skill.runs.sources import Sources
from trace2skill.sim.scripted import scripted
from trace2skill.store import open_store

HOW = {"rounds": 2, "moving_seeds": True, "spread": {"by": "telling"}}
SESSIONS = 8


def main() -> None:
    """Run the benchmark and print its table."""
    arguments = argparse.ArgumentParser(description="A second night: after nothing, after new tasks, after new logs.")
    arguments.add_argument("--tasks", type=int, default=100)
    arguments.add_argument("--workers", type=int, default=8)
    arguments.add_argument("--json", action="store_true")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="t2s-bench-") as directory, scripted(speak, "nights") as name:
        rows = benchmark(Path(directory), Roles.all_played_by(ModelSettings(name=name)), given)
    if given.json:
        print(json.dumps(rows, indent=2))
    else:
        show(rows)
    sys.exit(0 if not rows[-1]["calls"] and not rows[-1]["trajectories"] else 1)


def benchmark(folder: Path, roles: Roles, given: argparse.Namespace) -> list[dict[str, Any]]:
    """A line a night; the last is a second night that is run again."""
    first = folder / "at"
    write_world(first, given.tasks)
    rows = [night("the first", first, roles, given.workers, 1)]
    kept = folder / "kept"
    shutil.move(first, kept)
    for after in ("nothing", "new tasks", "new logs"):
        shutil.rmtree(first, ignore_errors=True)
        shutil.copytree(kept, first)  # in the same place: a run is named by its settings
        if after == "new tasks":
            write_world(folder / "more", round(1.6 * given.tasks))
            shutil.copy(folder / "more" / "data" / "forms.jsonl", first / "data" / "forms.jsonl")
        logs = write_logs(first / "logs") if after == "new logs" else None
        rows.append(night(f"after {after}", first, roles, given.workers, 2, logs))
    return [*rows, night("the same again", first, roles, given.workers, 2, logs)]


def night(
    name: str, where: Path, roles: Roles, workers: int, number: int, logs: Sources | None = None
) -> dict[str, Any]:
    """What one night paid and learned."""
    paid, rolled, lines = counted(where)
    done = nights.run_in(where, roles, workers, "auto", {**HOW, "night": number}, logs)
    now_paid, now_rolled, now_lines = counted(where)
    return {
        "night": name,
        "calls": now_paid - paid,
        "trajectories": now_rolled - rolled,
        "lessons": done.lessons,
        "new lines": len(now_lines - lines),
        "causes": len(stated("\n".join(now_lines))),
        "candidate": len(done.candidate.written),
        "outcome": done.outcome,
    }


def counted(where: Path) -> tuple[int, int, set[str]]:
    """Calls paid so far, trajectories rolled out so far, and the lines of the skill in use."""
    text = (where / "forms" / "SKILL.md").read_text(encoding="utf-8")
    lines = {line for line in text.splitlines() if line.startswith("- ")}
    if not (where / "store.duckdb").exists():
        return 0, 0, lines
    with closing(open_store(where / "store.duckdb")) as store:
        ((calls,),) = store.query("SELECT count(*) FROM ledger WHERE outcome = 'answered'")
        return int(calls), len(store.ids_of("timing")), lines


def write_logs(folder: Path) -> Sources:
    """Sessions in which a stamp was refused and another taken."""
    folder.mkdir()
    for number in range(SESSIONS):
        messages: list[dict[str, Any]] = [{"role": "user", "content": f"Please send form {number}."}]
        for at, (ink, answer) in enumerate((("red", "Error: the office takes no red ink"), ("black", "sent"))):
            arguments = json.dumps({"form": number, "ink": ink})
            call = {"id": f"c{at}", "function": {"name": "stamp_form", "arguments": arguments}}
            messages.append({"role": "assistant", "content": "", "tool_calls": [call]})
            messages.append({"role": "tool", "tool_call_id": f"c{at}", "content": answer})
        session = {"id": f"s{number}", "messages": messages}
        (folder / f"s{number}.jsonl").write_text(json.dumps(session) + "\n", encoding="utf-8")
    return Sources(paths=(folder,), analyst="rules")


def show(rows: list[dict[str, Any]]) -> None:
    """Print the table."""
    table = Table(*(f"{head} of {len(CAUSES)}" if head == "causes" else head for head in rows[0]))
    for row in rows:
        table.add_row(*map(str, row.values()))
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
