"""What scripts out of programs that did the same job are worth, and what does not become one.

    python bench/scripts.py [--each 24] [--seed 5] [--workers 2] [--json]

A planted world of workbooks (bench/scripts_world.py) with three honest routines, one that does harm besides and one of
constants, is refreshed twice over one store: without scripts, and with them. The tokens are those of the agents on the
held-out tasks. Exits 1 unless at least two scripts enter, none of the harmful kinds, and agents need at least 30% fewer
tokens than with the skill without scripts, at no lower a score. The steps run without Prefect (bench/in_process.py).
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from statistics import fmean
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from trace2skill.cli.prefect_settings import lean, quiet

quiet()
lean()
os.environ.setdefault("PREFECT_HOME", tempfile.mkdtemp(prefix="t2s-prefect-"))

from in_process import Done, refresh
from rich.console import Console
from rich.table import Table
from scripts_world import CONSTANT, HARMFUL, HONEST, speaker, world_settings, write_world

from trace2skill.runs.runtime import forget_runtimes
from trace2skill.sim.office import parse
from trace2skill.sim.scripted import scripted
from trace2skill.types.evaluation import Evaluation

LESS = 0.3


def main() -> None:
    """Run the benchmark and print its tables."""
    arguments = argparse.ArgumentParser(description="Scripts out of programs that did the same job.")
    arguments.add_argument(
        "--each", type=int, default=24, help="Tasks of each honest kind; five for each twelve of them of the others."
    )
    arguments.add_argument("--seed", type=int, default=5, help="Of the tasks.")
    arguments.add_argument("--workers", type=int, default=2)
    arguments.add_argument("--json", action="store_true")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="t2s-scripts-") as directory:
        data = write_world(Path(directory), given.each, given.seed)
        with scripted(speaker(data)):
            found = {
                make: figures(refreshed(Path(directory), data, given.workers, make=make)) for make in (False, True)
            }
    print(json.dumps(found[True], indent=2)) if given.json else report(found)
    sys.exit(0 if kept(found) else 1)


def refreshed(directory: Path, data: Path, workers: int, *, make: bool) -> Done:
    """A refresh with scripts or without."""
    done = refresh(world_settings(directory, data, make=make), workers)
    forget_runtimes()
    return done


def figures(done: Done) -> dict[str, Any]:
    """What came of a run."""
    assert done.summary
    return {
        "skills": {
            item.condition: {**of_skill(item), "on routines": on_routines(done, item)}
            for item in done.summary.evaluations
        },
        "scripts": list(done.summary.candidate.scripts),
        "routines": [
            {
                "script": item.name,
                "tasks": len(item.tasks),
                "fixes": item.fixes,
                "sources": item.passes("source"),
                "unseen": item.passes("unseen"),
                "why_not": item.reason,
            }
            for item in done.summary.scripts
        ],
    }


def of_skill(item: Evaluation) -> dict[str, float]:
    """Score, tokens and turns of the agents that had a skill."""
    cells = item.scored
    tokens, turns = fmean(cell.tokens for cell in cells), fmean(cell.turns for cell in cells)
    return {"tasks": len(cells), "hard": item.hard, "tokens": tokens, "turns": turns}


def on_routines(done: Done, item: Evaluation) -> float:
    """Tokens of a run on the tasks of honest routines."""
    kinds = {cell.task_id: parse(done.rt.task(cell.task_id).instruction) for cell in item.scored}
    return fmean(cell.tokens for cell in item.scored if (job := kinds[cell.task_id]) and job.kind in HONEST)


def kept(found: dict[bool, dict[str, Any]]) -> bool:
    """Is every promise kept?"""
    without, with_scripts = (found[make]["skills"]["candidate"] for make in (False, True))
    bad = {f"scripts/do_{kind}.py" for kind in (HARMFUL, CONSTANT)} & {*found[True]["scripts"]}
    fewer = with_scripts["tokens"] <= (1 - LESS) * without["tokens"]
    return len(found[True]["scripts"]) >= 2 and not bad and fewer and with_scripts["hard"] >= without["hard"]


def report(found: dict[bool, dict[str, Any]]) -> None:
    """Print the tables."""
    skills = Table("skill", "held-out tasks", "passed", "tokens a run", "of routines", "turns a run")
    rows = {
        "S0": found[False]["skills"]["S0"],
        "candidate": found[False]["skills"]["candidate"],
        "candidate with scripts": found[True]["skills"]["candidate"],
    }
    for name, row in rows.items():
        tokens = (f"{row['tokens']:.0f}", f"{row['on routines']:.0f}")
        skills.add_row(name, str(row["tasks"]), f"{row['hard']:.1%}", *tokens, f"{row['turns']:.1f}")
    routines = Table("routine", "tasks", "fixes", "sources passed", "unseen passed", "in the skill")
    for item in found[True]["routines"]:
        counts = (str(item[name]) for name in ("tasks", "fixes", "sources", "unseen"))
        routines.add_row(item["script"], *counts, item["why_not"] or "yes")
    Console(width=120).print(skills, routines)


if __name__ == "__main__":
    main()
