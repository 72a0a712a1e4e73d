"""What nights with rounds find that one round does not: a planted world whose causes interact.

    python bench/nights.py [--tasks 160] [--nights 5] [--rounds 2] [--seed 1] [--json]

Five nights of the nightly deployment (rounds, seeds that move, the gate, promotion) over a world in which a second
mistake shows only when the first is gone (bench/nights_world.py); beside them one round of learning that may ask as
often: with more rollouts a task. The models are scripted, so this measures the loop and says nothing of models.
The steps run in their order without Prefect, whose share of a step is several times that of a step whose model answers
at once. Exits 1 where the nights find fewer than nine in ten of the causes, keep a rule that harms, or propose one that
was refuted, or where one round does not find at least two causes fewer.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any, Literal

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from trace2skill.cli.prefect_settings import lean, quiet

quiet()
lean()
os.environ.setdefault("PREFECT_HOME", tempfile.mkdtemp(prefix="t2s-prefect-"))

from in_process import refresh
from nights_world import ABROAD, CAUSES, FIELD, SKILL, speak, stated, write_world
from rich.console import Console
from rich.table import Table

from trace2skill.llm import ModelSettings, Roles
from trace2skill.runs.night import tonight
from trace2skill.runs.runtime import forget_runtimes, runtime
from trace2skill.runs.sections import (
    DataSettings,
    EvaluationSettings,
    LearningSettings,
    MoneySettings,
    OperationSettings,
)
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.sources import Sources
from trace2skill.runs.summary import RunSummary
from trace2skill.sim.scripted import scripted

ENOUGH = 0.9
"""Share of the causes that the nights must find."""
FEWER = 2
"""So many fewer causes are clearly fewer."""


def main() -> None:
    """Run the benchmark and print its table."""
    given = arguments("Nights with rounds, and one round with as many calls.")
    with tempfile.TemporaryDirectory(prefix="t2s-bench-") as directory:
        found = benchmark(Path(directory), given)
    if given.json:
        print(json.dumps(found, indent=2))
    else:
        show(found)
    sys.exit(0 if kept(found) else 1)


def arguments(description: str) -> argparse.Namespace:
    """What a benchmark of nights over this world is told."""
    found = argparse.ArgumentParser(description=description)
    found.add_argument("--tasks", type=int, default=160)
    found.add_argument("--nights", type=int, default=5)
    found.add_argument("--rounds", type=int, default=2)
    found.add_argument("--seed", type=int, default=1, help="Of the models: who misreads, whose luck it is.")
    found.add_argument("--workers", type=int, default=8)
    found.add_argument("--json", action="store_true")
    return found.parse_args()


def benchmark(directory: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Both ways, each in a store of its own."""
    with scripted(speak, "nights") as name:
        roles = Roles.all_played_by(ModelSettings(name=f"{name}&seed={given.seed}"))

        def run(where: Path, promote: Literal["auto", "stage"], how: dict[str, Any]) -> RunSummary:
            return run_in(where, roles, given.workers, promote, how)

        nights, one = directory / "nights", directory / "one"
        write_world(nights, given.tasks)
        write_world(one, given.tasks)
        rows = list[dict[str, Any]]()
        for number in range(1, given.nights + 1):
            before = _lines(nights / "forms")
            how = {"rounds": given.rounds, "moving_seeds": True, "night": number}
            rows.append(_row(run(nights, "auto", how), nights / "forms", before))
        calls = sum(row["calls"] for row in rows)
        seeds, spent, last = 1, 0, dict[str, Any]()
        while spent < calls:  # what is in the store is paid for: only the last, largest run counts as a whole
            summary = run(one, "stage", {"seeds": tuple(range(41, 41 + seeds)), "memory": False})
            last = _row(summary, summary.candidate_directory or one / "forms", _lines(one / "forms"))
            spent += last["calls"]
            seeds += max(1, round((calls - spent) * seeds / spent)) if spent < calls else 0
    return {
        "causes": len(CAUSES),
        "nights": rows,
        "calls": calls,
        "one round": {**last, "seeds": seeds, "calls": spent},
    }


def run_in(
    where: Path,
    roles: Roles,
    workers: int,
    promote: Literal["auto", "stage"],
    how: dict[str, Any],
    sources: Sources | None = None,
) -> RunSummary:
    """A refresh of the skill in that folder, with its data and its store, and with logs where there are any."""
    settings = RunSettings(
        data=DataSettings(
            path=where / "data",
            domain=f"{ROOT / 'bench' / 'nights_world.py'}:Forms",
            skill=where / "forms",
            sources=sources,
        ),
        models=roles,
        learning=LearningSettings(analysts="+error", error_analyst="one_call", sandbox="process", **how),
        gate=EvaluationSettings(),
        money=MoneySettings(max_cost=None),
        operation=OperationSettings(
            store=where / "store.duckdb", output=where / "runs", workers=workers, promote=promote
        ),
    )
    settings = tonight(settings, runtime(settings).store, f"2026-03-{settings.learning.night or 1:02}")
    done = refresh(settings, workers).summary
    forget_runtimes()
    assert done is not None
    return done


def _lines(where: Path) -> set[str]:
    return {line for line in (where / "SKILL.md").read_text(encoding="utf-8").splitlines() if line.startswith("- ")}


def _row(summary: RunSummary, where: Path, before: set[str]) -> dict[str, Any]:
    """What a run did, and what a skill states after it, which had these lines before."""
    lines = _lines(where)
    known = stated("\n".join(lines))
    waiting = {item.says for item in summary.refuted if item.waits}
    return {
        "calls": summary.spent.calls,
        "rounds": len(summary.rounds) or 1,
        "verdict": summary.outcome,
        "held out": {item.condition: round(item.hard, 3) for item in summary.evaluations},
        "found": sorted(known),
        "harmful": int("title" in known and ABROAD not in known),
        "untrue": sum(not FIELD.search(line) for line in lines - _lines_of_s0()),
        "in": len(lines - before),
        "out": len(before - lines),
        "refuted": len(summary.refuted),
        "waiting": len(waiting),
        "proposed again": sum(line.text.removeprefix("- ") in waiting for line in summary.candidate.written),
    }


def _lines_of_s0() -> set[str]:
    return {line for line in SKILL.splitlines() if line.startswith("- ")}


def kept(found: dict[str, Any]) -> bool:
    """Do the nights find nine in ten causes, keep nothing that harms, and find clearly more than one round?"""
    last, one = found["nights"][-1], found["one round"]
    again = sum(row["proposed again"] for row in found["nights"])
    enough = len(last["found"]) >= ENOUGH * found["causes"]
    return enough and len(one["found"]) + FEWER <= len(last["found"]) and not last["harmful"] and not again


def show(found: dict[str, Any]) -> None:
    """Print the table."""
    head = ("", "calls", "rounds", "outcome", "held out: S0, candidate", "causes", "rules in, out", "refuted, waiting")
    table = Table(*head, "harmful", "untrue")
    rows = [(f"night {number}", row) for number, row in enumerate(found["nights"], 1)]
    for name, row in [*rows, (f"one round, {found['one round']['seeds']} seeds", found["one round"])]:
        scores = ", ".join(f"{score:.1%}" for score in row["held out"].values()) or "-"
        causes = f"{len(row['found'])} of {found['causes']}"
        table.add_row(
            name,
            *map(str, (row["calls"], row["rounds"], row["verdict"], scores, causes)),
            f"{row['in']}, {row['out']}",
            f"{row['refuted']}, {row['waiting']}",
            str(row["harmful"]),
            str(row["untrue"]),
        )
    Console().print(table)
    print(f"calls of all nights: {found['calls']}")
    for name, row in (("the nights", found["nights"][-1]), ("one round", found["one round"])):
        print(f"not found by {name}: {', '.join(cause for cause in CAUSES if cause not in row['found']) or 'nothing'}")


if __name__ == "__main__":
    main()
