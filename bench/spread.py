"""Do rollouts that tell find as much with fewer? The same nights with an even spread of them, and with one that tells.

    python bench/spread.py [--tasks 160] [--nights 5] [--seed 1] [--json]

The world of bench/nights.py and its scripted models, twice: each evolve task at each seed, and `--spread telling`. A
line a night with the rollouts on evolve tasks so far, those of candidates in rounds among them, and the causes that the
skill states. Exits 1 where the telling nights find fewer causes in the end, or take more than 60% of the rollouts.
"""

import argparse
import json
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
from trace2skill.sim.scripted import scripted
from trace2skill.store import open_store
from trace2skill.types.trajectory import Trajectory

MOST = 0.6
"""Share of the rollouts of an even spread that the telling one may take."""


def main() -> None:
    """Run the benchmark and print its table."""
    given = nights.arguments("Nights with an even spread of rollouts, and with one that tells.")
    with tempfile.TemporaryDirectory(prefix="t2s-bench-") as directory, scripted(speak, "nights") as name:
        roles = Roles.all_played_by(ModelSettings(name=f"{name}&seed={given.seed}"))
        found = {by: nights_of(Path(directory) / by, by, roles, given) for by in ("even", "telling")}
    if given.json:
        print(json.dumps(found, indent=2))
    else:
        show(found)
    even, told = found["even"][-1], found["telling"][-1]
    sys.exit(0 if told["causes"] >= even["causes"] and told["rollouts"] <= MOST * even["rollouts"] else 1)


def nights_of(where: Path, by: str, roles: Roles, given: argparse.Namespace) -> list[dict[str, Any]]:
    """A line a night."""
    write_world(where, given.tasks)
    rows, held_out = list[dict[str, Any]](), set[str]()
    for number in range(1, given.nights + 1):
        how = {"rounds": given.rounds, "moving_seeds": True, "night": number, "spread": {"by": by}}
        done = nights.run_in(where, roles, given.workers, "auto", how)
        held_out |= {cell.task_id for item in done.evaluations for cell in item.cells}
        with closing(open_store(where / "store.duckdb")) as store:
            rolled = sum(item.task_id not in held_out for item in store.all_of("trajectory", Trajectory))
        text = (where / "forms" / "SKILL.md").read_text(encoding="utf-8")
        rows.append({"night": number, "rollouts": rolled, "causes": len(stated(text)), "outcome": done.outcome})
    return rows


def show(found: dict[str, list[dict[str, Any]]]) -> None:
    """Print the table."""
    table = Table(
        "night", *(f"{by}: {what}" for by in found for what in ("rollouts", f"of {len(CAUSES)} causes", "outcome"))
    )
    for even, told in zip(found["even"], found["telling"], strict=True):
        cells = [str(row[what]) for row in (even, told) for what in ("rollouts", "causes", "outcome")]
        table.add_row(str(even["night"]), *cells)
    Console(width=120).print(table)
    print(f"{found['telling'][-1]['rollouts'] / found['even'][-1]['rollouts']:.0%} of the rollouts")


if __name__ == "__main__":
    main()
