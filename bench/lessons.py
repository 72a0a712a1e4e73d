"""How true lessons are: the share that names a planted cause which the trajectory really shows, with and without gate.

    python bench/lessons.py --tasks 200

The same failed trajectories are read by the agentic error analyst, whose word counts only once its fix has been run,
and by the one-call analyst, whose word nobody checks. Both are simulated and misread the same share of failures at
first (`sim/office?misread=...`): the difference between them is the gate.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from trace2skill.llm import ModelSettings, Roles
from trace2skill.runs.distill import choose_for_analysis
from trace2skill.runs.runtime import Runtime, forget_runtimes, runtime
from trace2skill.runs.sections import DataSettings, LearningSettings, MoneySettings, OperationSettings
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.steps.extract import EXTRACT
from trace2skill.runs.steps.rollout import ROLLOUT
from trace2skill.sim.causes import Slip, cause_of, committed
from trace2skill.sim.office import parse
from trace2skill.types.lesson import Extraction
from trace2skill.types.references import Rolled, RolloutJob


def main() -> None:
    """Run the benchmark and print its table; exit 1 where a verified lesson is not true."""
    arguments = argparse.ArgumentParser(description="How true the lessons of the error analysts are.")
    arguments.add_argument("--tasks", type=int, default=200)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--model", default="sim/office")
    arguments.add_argument("--workers", type=int, default=6)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="t2s-bench-") as directory:
        true_share = benchmark(Path(directory), given.tasks, given.seed, given.model, given.workers)
    sys.exit(0 if true_share == 1.0 else 1)


def benchmark(directory: Path, tasks: int, seed: int, model: str, workers: int) -> float:
    """Generate, roll out, analyse twice. Returns the true share of the verified lessons."""
    data = directory / "office"
    # Lessons come from the half of the tasks that is not held out.
    make = [sys.executable, str(ROOT / "examples" / "make_office.py"), "--tasks", str(2 * tasks), "--seed", str(seed)]
    subprocess.run([*make, "--out", str(data)], check=True)
    table = Table("analyst", "analyses", "with lessons", "lessons", "planted cause", "one-off slip", "not true", "true")
    shares, started = [], time.monotonic()
    for analyst in ("agentic", "one_call"):
        settings = RunSettings(
            data=DataSettings(path=data, skill=ROOT / "examples" / "skills" / "office-workbooks", recalculate="never"),
            models=Roles.all_played_by(ModelSettings(name=model)),
            learning=LearningSettings(error_analyst=analyst),
            money=MoneySettings(max_cost=None),
            operation=OperationSettings(store=directory / "store.duckdb", output=directory / "runs"),
        )
        rt = runtime(settings)
        counts = judged(rt, workers)
        right = counts["planted"] + counts["slip"]
        shares.append(right / max(counts["lessons"], 1))
        table.add_row(
            analyst,
            *(str(counts[name]) for name in ("analyses", "taught", "lessons", "planted", "slip", "wrong")),
            f"{shares[-1]:.1%}",
        )
    console = Console()
    console.print(table)
    console.print(f"{tasks} trajectories, {time.monotonic() - started:.0f} s")
    forget_runtimes()
    return shares[0]


def judged(rt: Runtime, workers: int) -> Counter[str]:
    """Counts over the failed trajectories of all tasks."""
    if rt.given_skill is None:
        raise ValueError("the benchmark deepens a skill")
    base = rt.given_skill.digest
    with ThreadPoolExecutor(workers) as pool:
        jobs = [RolloutJob(task_id=task, seed=41, skill=base) for task in rt.splits.evolve]
        rolled = [item for item in pool.map(lambda job: ROLLOUT(rt, job), jobs) if item.cell.outcome == "failed"]
        chosen = choose_for_analysis(rolled, "+error", rt.settings.learning.error_analyst)
        extracted = list(pool.map(lambda job: EXTRACT(rt, job), chosen))
    counts: Counter[str] = Counter(analyses=len(extracted))
    for item, made in zip(rolled, extracted, strict=True):
        extraction = rt.store.get("extraction", made.content, Extraction)
        counts["taught"] += bool(made.lessons)
        for lesson in extraction.lessons if extraction else ():
            counts["lessons"] += 1
            counts[truth(slip_of(rt, item), lesson.content)] += 1
    return counts


def slip_of(rt: Runtime, item: Rolled) -> Slip:
    """What was planted on one trajectory."""
    files = rt.given_skill.files if rt.given_skill else ()
    text = "\n".join(rt.given_skill.text(file.path) or "" for file in files) if rt.given_skill else ""
    description = rt.domain.describe(rt.task(item.cell.task_id)).strip()
    return committed(f"0/{description}", parse(description), text, item.cell.seed, 0.1)


def truth(slip: Slip, content: str) -> str:
    """Is a lesson about a planted cause the trajectory shows, about its one-off slip, or wrong?"""
    cause = cause_of(content)
    if cause is not None:
        return "planted" if cause in slip.mistakes else "wrong"
    return "slip" if slip.quirk is not None else "wrong"


if __name__ == "__main__":
    main()
