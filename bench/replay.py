"""How many poisoned rules replay takes out of a candidate before the gate, and what it pays for that.

    python bench/replay.py [--rules 20] [--poisoned 0.1] [--seeds 5] [--rounds 2] [--replay 48] [--flaky 0.02] [--json]

In a planted world (bench/replay_world.py) a share of the patches is poisoned: they ask for a rule that breaks every
task with a certain field. The same world is run with replay and without. The models are scripted, so this measures the
program and says nothing of models; the steps run without Prefect (bench/in_process.py). Exits 1 unless 95% of the
poisoned rules that got into a candidate are out before the gate, with at most 2 log2 N trials for N rules in each run.
"""

import argparse
import json
import os
import sys
import tempfile
from math import log2
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from trace2skill.cli.prefect_settings import lean, quiet

quiet()
lean()
os.environ.setdefault("PREFECT_HOME", tempfile.mkdtemp(prefix="t2s-prefect-"))

from in_process import Done, refresh
from replay_world import meant, script, write_world
from rich.console import Console
from rich.table import Table

from trace2skill.llm import ModelSettings, Roles
from trace2skill.runs.runtime import forget_runtimes
from trace2skill.runs.sections import (
    DataSettings,
    EvaluationSettings,
    LearningSettings,
    MoneySettings,
    OperationSettings,
)
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.summary import RunSummary
from trace2skill.sim.scripted import scripted

ENOUGH = 0.95


def main() -> None:
    """Run the benchmark and print its table."""
    arguments = argparse.ArgumentParser(description="Poisoned rules before the gate, with replay and without.")
    arguments.add_argument("--rules", type=int, default=20, help="Rules to learn, the poisoned ones included.")
    arguments.add_argument("--poisoned", type=float, default=0.1, help="Share of these rules, and of the patches.")
    arguments.add_argument("--seeds", type=int, default=5, help="Worlds.")
    arguments.add_argument("--rounds", type=int, default=2)
    arguments.add_argument("--replay", type=int, default=48, help="Most tasks of a trial.")
    arguments.add_argument("--flaky", type=float, default=0.02, help="Share of the runs that go wrong by chance.")
    arguments.add_argument("--workers", type=int, default=4)
    arguments.add_argument("--json", action="store_true")
    given = arguments.parse_args()
    rows = []
    for seed in range(1, given.seeds + 1):
        with tempfile.TemporaryDirectory(prefix="t2s-bench-") as directory:
            rows += [world(Path(directory) / str(replay), given, seed, replay) for replay in (0, given.replay)]
    if given.json:
        print(json.dumps(rows, indent=2))
    else:
        show(rows)
    sys.exit(0 if kept(rows) else 1)


def world(where: Path, given: argparse.Namespace, seed: int, replay: int) -> dict[str, Any]:
    """One run in a world, and what became of its rules."""
    poisons = round(given.rules * given.poisoned)
    fields = write_world(where, given.rules - poisons, poisons, seed)
    with scripted(script(fields, given.poisoned, given.flaky), "replay") as name:
        settings = settings_of(where, given, name, seed, replay)
        done = refresh(settings, given.workers)
        row = _row(done)
        forget_runtimes()
    return {"seed": seed, "replay": replay, **row}


def settings_of(where: Path, given: argparse.Namespace, model: str, seed: int, replay: int, **more: Any) -> RunSettings:
    """A run over the world in that folder; `more` are settings of its learning."""
    return RunSettings(
        data=DataSettings(
            path=where / "data", domain=f"{ROOT / 'bench' / 'replay_world.py'}:Slips", skill=where / "slips"
        ),
        models=Roles.all_played_by(ModelSettings(name=f"{model}&seed={seed}")),
        learning=LearningSettings(
            analysts="+error",
            error_analyst="one_call",
            sandbox="process",
            seeds=(40 + seed,),
            rounds=given.rounds,
            replay=replay,
            **more,
        ),
        gate=EvaluationSettings(most_tokens_ratio=None),  # thirty rules are twice the tokens of a small skill
        money=MoneySettings(max_cost=None),
        operation=OperationSettings(
            store=where / "store.duckdb", output=where / "runs", workers=given.workers, promote="stage"
        ),
    )


def _row(done: Done) -> dict[str, Any]:
    summary = done.summary
    assert summary is not None
    in_it = _themes(summary)
    out = {theme for record in summary.replays for rule in record.out for theme in meant(rule.group.text)}
    most = max((record.parts for record in summary.replays), default=0)
    return {
        "rules": most or len(in_it),
        "poisoned in": sum(theme.startswith("empty") for theme in in_it),
        "poisoned out": sum(theme.startswith("empty") for theme in out - in_it),
        "good in": sum(not theme.startswith("empty") for theme in in_it),
        "good lost": sum(not theme.startswith("empty") for theme in out - in_it),
        "trials": sum(record.batches for record in summary.replays),
        "allowed": round(2 * log2(most), 1) if most > 1 else 0,
        "runs": sum(record.runs for record in summary.replays),
        "calls": summary.spent.calls,
        "held out": [round(item.hard, 3) for item in summary.evaluations],
        "outcome": summary.outcome,
    }


def _themes(summary: RunSummary) -> set[str]:
    return {theme for line in summary.candidate.written for theme in meant(line.text)}


def kept(rows: list[dict[str, Any]]) -> bool:
    """Are enough poisoned rules out, with no more trials than are allowed?"""
    tried = [row for row in rows if row["replay"]]
    out, inside = (sum(row[name] for row in tried) for name in ("poisoned out", "poisoned in"))
    return out > 0 and out >= ENOUGH * (out + inside) and all(row["trials"] <= row["allowed"] for row in tried)


def show(rows: list[dict[str, Any]]) -> None:
    """Print the table."""
    names = list(rows[0])
    table = Table(*names)
    for row in rows:
        table.add_row(
            *(", ".join(map(str, found)) if isinstance(found := row[name], list) else str(found) for name in names)
        )
    Console(width=160).print(table)
    for replay in sorted({row["replay"] for row in rows}):
        some = [row for row in rows if row["replay"] == replay]
        out, inside, lost = (sum(row[name] for row in some) for name in ("poisoned out", "poisoned in", "good lost"))
        print(f"replay {replay}: {out} of {out + inside} poisoned rules out before the gate, {lost} good ones lost")


if __name__ == "__main__":
    main()
