"""How true lessons are: the share that names a planted cause which the trajectory really shows, with and without gate.

    python bench/lessons.py --tasks 200

The same failed trajectories are read by the agentic error analyst, whose word counts only once its fix has been run,
and by the one-call analyst, whose word nobody checks. Both are simulated and misread the same share of failures at
first (`sim/office?misread=...`): the difference between them is the gate.

Three things are planted besides, and none of them may reach whoever writes the skill: lessons that serve the check and
not the user (`serves=...`), lines of the skill handed in as news (`repeats=...`), and, on every tenth task, an expected
result that contradicts the request, from which nothing is to be learned unless the agent made a mistake of its own.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from openpyxl import load_workbook
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from trace2skill.consolidate.quarantine import review_lessons
from trace2skill.domains.spreadsheet import Spreadsheet
from trace2skill.llm import ModelSettings, Roles
from trace2skill.runs.distill import choose_for_analysis
from trace2skill.runs.runtime import Runtime, forget_runtimes, runtime
from trace2skill.runs.sections import DataSettings, LearningSettings, MoneySettings, OperationSettings
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.steps.extract import EXTRACT
from trace2skill.runs.steps.rollout import ROLLOUT
from trace2skill.sim.causes import Slip, cause_of, committed
from trace2skill.sim.lessons import SERVING
from trace2skill.sim.office import parse
from trace2skill.sim.roles.agent import asked_in
from trace2skill.skills.skill import Skill
from trace2skill.types.lesson import Extraction
from trace2skill.types.references import Rolled, RolloutJob

EVERY = 10
"""One task in so many is held to an expected result that contradicts its request."""
PLANTED = {
    "serves": "serves the check only",
    "repeats": "repeats the skill",
    "contradicted": "from a wrong reference",
}
SERVED = frozenset(wording.content for wording in SERVING)


def main() -> None:
    """Run the benchmark and print its tables; exit 1 where a verified lesson is untrue, or what was planted gets on."""
    arguments = argparse.ArgumentParser(description="How true the lessons of the error analysts are.")
    arguments.add_argument("--tasks", type=int, default=200)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--model", default="sim/office?serves=0.15&repeats=0.15")
    arguments.add_argument("--workers", type=int, default=6)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="t2s-bench-") as directory:
        found = benchmark(Path(directory), given.tasks, given.seed, given.model, given.workers)
    held = not any(counts[name] for counts in found.values() for name in PLANTED)
    sys.exit(0 if held and not found["agentic"]["wrong"] else 1)


def benchmark(directory: Path, tasks: int, seed: int, model: str, workers: int) -> dict[str, Counter[str]]:
    """Generate, roll out, analyse twice. Returns what is counted, by analyst."""
    data = directory / "office"
    # Lessons come from the half of the tasks that is not held out.
    make = [sys.executable, str(ROOT / "examples" / "make_office.py"), "--tasks", str(2 * tasks), "--seed", str(seed)]
    subprocess.run([*make, "--out", str(data)], check=True)
    contradicted = frozenset(contradict(data, EVERY))
    shown = ("analyses", "taught", "lessons", "planted", "slip", "wrong")
    table = Table("analyst", "analyses", "with lessons", "lessons", "planted cause", "one-off slip", "not true", "true")
    besides = Table("analyst", *PLANTED.values(), "withheld for review", "dropped with a reason", "references disputed")
    found, started = {}, time.monotonic()
    for analyst in ("agentic", "one_call"):
        settings = RunSettings(
            data=DataSettings(path=data, skill=ROOT / "examples" / "skills" / "office-workbooks", recalculate="never"),
            models=Roles.all_played_by(ModelSettings(name=model)),
            learning=LearningSettings(error_analyst=analyst),
            money=MoneySettings(max_cost=None),
            operation=OperationSettings(store=directory / "store.duckdb", output=directory / "runs"),
        )
        counts = found[analyst] = judged(runtime(settings), workers, contradicted)
        share = (counts["planted"] + counts["slip"]) / max(counts["lessons"], 1)
        table.add_row(analyst, *(str(counts[name]) for name in shown), f"{share:.1%}")
        besides.add_row(analyst, *(str(counts[name]) for name in (*PLANTED, "withheld", "dropped", "disputed")))
    console = Console()
    console.print(table)
    console.print(besides)
    console.print(f"{tasks} trajectories, {time.monotonic() - started:.0f} s")
    forget_runtimes()
    return found


def contradict(data: Path, every: int) -> list[str]:
    """Change the first cell of the answer of one task in so many, in all its cases; returns the tasks' ids."""
    domain, changed = Spreadsheet(recalculate="never"), []
    for task in domain.load(data)[::every]:
        for case in task.cases:
            (sheet, cells), *_ = domain.gold_values(task, case).items()
            book = load_workbook(case.gold)
            cell = book[sheet][next(iter(cells))]
            cell.value = cell.value + 1 if isinstance(cell.value, int | float) else "another word"
            book.save(case.gold)
        changed.append(task.id)
    return changed


def judged(rt: Runtime, workers: int, contradicted: frozenset[str]) -> Counter[str]:
    """Counts over the failed trajectories of all tasks. Lessons count that reach whoever writes the skill."""
    if rt.given_skill is None:
        raise ValueError("the benchmark deepens a skill")
    base, lines = rt.given_skill.digest, lines_of(rt.given_skill)
    with ThreadPoolExecutor(workers) as pool:
        jobs = [RolloutJob(task_id=task, seed=41, skill=base) for task in rt.splits.evolve]
        rolled = [item for item in pool.map(lambda job: ROLLOUT(rt, job), jobs) if item.cell.outcome == "failed"]
        chosen = choose_for_analysis(rolled, "+error", rt.settings.learning.error_analyst)
        extracted = list(pool.map(lambda job: EXTRACT(rt, job), chosen))
    counts: Counter[str] = Counter(analyses=len(extracted))
    for item, made in zip(rolled, extracted, strict=True):
        extraction = rt.store.get("extraction", made.content, Extraction)
        if extraction is None:
            raise ValueError("the store has lost an extraction")
        kept, aside = review_lessons(rt.store, rt.given_skill, extraction.lessons)
        counts.update(taught=bool(kept), withheld=len(aside), dropped=len(extraction.dropped))
        counts["disputed"] += extraction.verdict == "reference"
        slip = slip_of(rt, item)
        for lesson in kept:
            counts["lessons"] += 1
            counts["serves"] += lesson.content in SERVED
            counts["repeats"] += lesson.stands == "new" and lesson.content in lines
            counts["contradicted"] += item.cell.task_id in contradicted and not (slip.mistakes or slip.quirk)
            counts[truth(slip, lesson.content)] += 1
    return counts


def lines_of(skill: Skill) -> frozenset[str]:
    """The items of the lists of a skill."""
    texts = (skill.text(file.path) or "" for file in skill.files)
    return frozenset(line.strip("-* ") for text in texts for line in text.splitlines() if line.startswith("- "))


def slip_of(rt: Runtime, item: Rolled) -> Slip:
    """What was planted on one trajectory."""
    files = rt.given_skill.files if rt.given_skill else ()
    text = "\n".join(rt.given_skill.text(file.path) or "" for file in files) if rt.given_skill else ""
    description = rt.domain.describe(rt.task(item.cell.task_id)).strip()
    return committed(f"0/{asked_in(description)}", parse(description), text, item.cell.seed, 0.1)


def truth(slip: Slip, content: str) -> str:
    """Is a lesson about a planted cause the trajectory shows, about its one-off slip, or wrong?"""
    cause = cause_of(content)
    if cause is not None:
        return "planted" if cause in slip.mistakes else "wrong"
    return "slip" if slip.quirk is not None else "wrong"


if __name__ == "__main__":
    main()
