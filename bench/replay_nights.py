"""Nights with replay: is a rule that was refuted proposed again before enough new tasks ask for it?

    python bench/replay_nights.py [--nights 20] [--rules 8] [--poisoned 0.2] [--replay 48]

One planted world (bench/replay_world.py), one skill, a night after the other with seeds that move. What is counted is
read from the lessons that each night drew, and not from what the product says of verdicts. Exits 1 where a refuted
rule stands in a candidate before that many tasks have asked for it anew, or where no rule was ever refuted.
"""

import argparse
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from replay import settings_of  # first: it sets up Prefect's home

from in_process import Done, refresh  # isort: skip
from replay_world import meant, script, write_world
from rich.console import Console
from rich.table import Table

from trace2skill.runs.night import tonight
from trace2skill.runs.runtime import forget_runtimes, runtime
from trace2skill.runs.summary import RunSummary
from trace2skill.sim.scripted import scripted
from trace2skill.types.lesson import Extraction

NEEDED = 4
"""Tasks that bring a rule back the first time; twice as many each further time (docs/pipeline.md)."""


def main() -> None:
    """Run the nights, print a line for each, and count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nights", type=int, default=20)
    parser.add_argument("--rules", type=int, default=8)
    parser.add_argument("--poisoned", type=float, default=0.2)
    parser.add_argument("--replay", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--flaky", type=float, default=0.02)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    poisons = max(1, round(given.rules * given.poisoned / 2))
    table = Table("night", "outcome", "rules in", "taken out", "refuted, waiting", "too early")
    asked: dict[str, set[str]] = {}
    times: dict[str, int] = {}
    early = 0
    with tempfile.TemporaryDirectory(prefix="t2s-bench-") as directory:
        where = Path(directory)
        fields = write_world(where, given.rules - poisons, poisons, given.seed)
        with scripted(script(fields, given.poisoned, given.flaky), "replay") as name:
            for night in range(1, given.nights + 1):
                settings = settings_of(where, given, name, given.seed, given.replay, moving_seeds=True, night=night)
                done = refresh(tonight(settings, runtime(settings).store, f"2026-05-{night:02}"), given.workers)
                summary, before = told(done), dict(times)
                for theme, tasks in asked_in(done, summary).items():
                    asked.setdefault(theme, set()).update(tasks)
                inside = {theme for line in summary.candidate.written for theme in meant(line.text)}
                out = {theme for record in summary.replays for rule in record.out for theme in meant(rule.group.text)}
                wrong = [
                    theme
                    for theme in inside | out
                    if theme in before and len(asked.get(theme, ())) < NEEDED * 2 ** (before[theme] - 1)
                ]
                early += len(wrong)
                for theme in out:
                    times[theme], asked[theme] = times.get(theme, 0) + 1, set()
                waiting = sum(item.waits for item in summary.refuted)
                row = (night, summary.outcome, len(inside), len(out), waiting, ", ".join(wrong) or "-")
                table.add_row(*map(str, row))
                forget_runtimes()
    Console().print(table)
    print(f"rules refuted by replay: {sum(times.values())}, of {len(times)} kinds; proposed again too early: {early}")
    sys.exit(0 if times and not early else 1)


def told(done: Done) -> RunSummary:
    """What the night came to."""
    assert done.summary is not None
    return done.summary


def asked_in(done: Done, summary: RunSummary) -> dict[str, set[str]]:
    """The tasks whose lessons of this night ask for each theme."""
    found: dict[str, set[str]] = {}
    for item in summary.analyses:
        extraction = done.rt.store.get("extraction", item.extraction, Extraction)
        for lesson in extraction.lessons if extraction else ():
            for theme in meant(lesson.content):
                found.setdefault(theme, set()).add(item.task_id)
    return found


if __name__ == "__main__":
    main()
