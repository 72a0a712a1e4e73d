"""Planted truth: how much of it a skill distilled from simulated trajectories covers, and how much noise gets in.

    python bench/planted.py --tasks 200

Office tasks are generated, the simulated agent works on all of them with the demo's skill, every trajectory is
analysed, and the patches are merged. What was planted is known, so it can be counted what the new skill covers. This
measures the machinery: the model is simulated.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from trace2skill.consolidate.groups import EditGroup
from trace2skill.llm import ModelSettings, Roles
from trace2skill.runs.consolidation import StepRunner, united
from trace2skill.runs.distill import choose_for_analysis, with_lessons
from trace2skill.runs.runtime import Runtime, forget_runtimes, runtime
from trace2skill.runs.sections import DataSettings, MoneySettings, OperationSettings
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.steps.apply import APPLY
from trace2skill.runs.steps.extract import EXTRACT
from trace2skill.runs.steps.propose import PROPOSE
from trace2skill.runs.steps.rollout import ROLLOUT
from trace2skill.sim.causes import CAUSES, cause_of, committed, contradicted, guided, habit_of
from trace2skill.sim.lessons import CONDITIONAL, OPPOSED
from trace2skill.sim.office import parse
from trace2skill.sim.roles.agent import asked_in
from trace2skill.types.references import Rolled, RolloutJob


def main() -> None:
    """Run the benchmark and print its table; exit 1 where a promise is not kept."""
    arguments = argparse.ArgumentParser(description="How much planted truth a distilled skill covers.")
    arguments.add_argument("--tasks", type=int, default=200)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--model", default="sim/office")
    arguments.add_argument("--workers", type=int, default=6)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="t2s-bench-") as directory:
        ok = benchmark(Path(directory), given.tasks, given.seed, given.model, given.workers)
    sys.exit(0 if ok else 1)


def benchmark(directory: Path, tasks: int, seed: int, model: str, workers: int) -> bool:
    """Generate, distil, count. Returns whether every promise is kept."""
    data, skill = directory / "office", ROOT / "examples" / "skills" / "office-workbooks"
    # Lessons come from the half of the tasks that is not held out.
    make = [sys.executable, str(ROOT / "examples" / "make_office.py"), "--tasks", str(2 * tasks), "--seed", str(seed)]
    subprocess.run([*make, "--out", str(data)], check=True)
    settings = RunSettings(
        data=DataSettings(path=data, skill=skill, recalculate="never"),
        models=Roles.all_played_by(ModelSettings(name=model)),
        money=MoneySettings(max_cost=None),
        operation=OperationSettings(store=directory / "store.duckdb", output=directory / "runs"),
    )
    started = time.monotonic()
    rt = runtime(settings)
    rolled, candidate_text, candidate = distilled(rt, workers)
    shown = support_of_causes(rt, rolled)
    covered = guided(candidate_text)
    report(shown, covered, candidate, len(rolled), time.monotonic() - started, rt)
    noise = idiosyncratic(rt, candidate)
    missed = [name for name, count in shown.items() if count >= 3 and name not in covered]
    settled = contradictions_settled(rt, candidate, candidate_text)
    forget_runtimes()
    return not noise and not missed and in_order(candidate_text, candidate) and settled


def planted_text(text: str) -> bool:
    """Is a text about anything that was planted, rather than a remark that holds for one run?"""
    return bool(cause_of(text) or habit_of(text) or contradicted(text))


def idiosyncratic(rt: Runtime, candidate: Any) -> list[Any]:
    """What the skill has of remarks that hold for one run only. Runs that read alike in every word are none of these:

    an analyst is asked once about both, and both rightly say what it found.
    """
    rest = [group for group in candidate.applied if not planted_text(group.text)]
    return [group for group in rest if any(not read_alike(rt, one) for one in group.inner or (group,))]


def read_alike(rt: Runtime, group: EditGroup) -> bool:
    """Do several runs ask for a group whose analysts were asked in the same words, so that it was paid for once?"""
    read = {
        frozenset(row.call_key for row in rt.store.ledger() if row.step.startswith(f"{EXTRACT.name}: {task} seed "))
        for task in group.support.tasks
    }
    return len(group.support.tasks) > 1 and len(read) == 1


def in_order(text: str, candidate: Any) -> bool:
    """Within each section, do the new rules stand in the order of their support?"""
    placed: dict[tuple[str, ...], list[tuple[int, int]]] = {}
    for group in candidate.applied:
        for edit in group.edits:
            if edit.file == "SKILL.md" and edit.content.strip() in text:
                where = edit.section or (edit.title,)
                at = text.index(edit.content.strip())
                placed.setdefault(where, []).append((at, len(group.support.tasks)))
    supports = [[support for _, support in sorted(found)] for found in placed.values()]
    return all(found == sorted(found, reverse=True) for found in supports)


def contradictions_settled(rt: Runtime, candidate: Any, text: str) -> bool:
    """Is each planted contradiction a conditional rule or an open conflict, and never one side alone?"""
    if "opposed=" not in rt.settings.models.analyst.name:
        return True
    for one, other in OPPOSED:
        both_open = any(
            any(one.content in side.text for side in conflict.sides)
            and any(other.content in side.text for side in conflict.sides)
            for conflict in candidate.open
        )
        one_sided = one.content in text or other.content in text
        if one_sided or not (CONDITIONAL in text or both_open):
            return False
    return True


def distilled(rt: Runtime, workers: int) -> tuple[list[Rolled], str, Any]:
    """The evolve tasks rolled out, analysed, merged and applied, with the steps of a run in plain threads."""
    if rt.given_skill is None:
        raise ValueError("the benchmark deepens a skill")
    base = rt.given_skill.digest

    def mapped(step: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
        with ThreadPoolExecutor(workers) as pool:
            return list(pool.map(step, items))

    jobs = [RolloutJob(task_id=task, seed=41, skill=base) for task in rt.splits.evolve]
    rolled = mapped(lambda job: ROLLOUT(rt, job), jobs)
    chosen = choose_for_analysis(rolled, rt.settings.learning.analysts, rt.settings.learning.error_analyst)
    extracted = with_lessons(mapped(lambda job: EXTRACT(rt, job), chosen))
    proposed = mapped(lambda item: PROPOSE(rt, item, base), extracted)
    learned = united(rt, base, extracted, proposed, StepRunner(rt))
    if learned.root is None:
        raise ValueError("nobody proposed anything")
    made = APPLY(rt, learned.root, base, learned.tasks)
    skill = rt.skill(made.skill)
    if skill is None:
        raise ValueError("the candidate is not in the store")
    return rolled, "\n".join(skill.text(file.path) or "" for file in skill.files), made


def support_of_causes(rt: Runtime, rolled: Sequence[Rolled]) -> Counter[str]:
    """On how many tasks each planted cause really showed."""
    base = "\n".join(rt.given_skill.text(file.path) or "" for file in rt.given_skill.files) if rt.given_skill else ""
    shown: Counter[str] = Counter()
    for item in rolled:
        description = rt.domain.describe(rt.task(item.cell.task_id)).strip()
        slip = committed(f"0/{asked_in(description)}", parse(description), base, item.cell.seed, 0.1)
        shown.update(slip.mistakes)
    return shown


def report(
    shown: Counter[str], covered: frozenset[str], candidate: Any, count: int, seconds: float, rt: Runtime
) -> None:
    """Print the table."""
    written = {cause_of(group.text): len(group.support.tasks) for group in candidate.applied}
    table = Table(
        "planted cause", "tasks that showed it", "support in the skill", "covered", title=f"{count} trajectories"
    )
    for cause in CAUSES:
        support = str(written.get(cause.name, "-"))
        table.add_row(cause.name, str(shown[cause.name]), support, "yes" if cause.name in covered else "no")
    console = Console()
    console.print(table)
    noise = idiosyncratic(rt, candidate)
    alike = [group for group in candidate.applied if not planted_text(group.text) and group not in noise]
    needed = [name for name, times in shown.items() if times >= 3]
    total = rt.store.ledger_total(rt.run_id)
    console.print(
        f"causes with support of 3 or more: {len(needed)}, covered: {len([n for n in needed if n in covered])}"
    )
    for group in noise:
        console.print(f"  {group.text}", highlight=False, markup=False)
        for said in (item for one in (group.inner or (group,)) for item in one.said):
            console.print(f"    {said.task_id}: {said.text}", highlight=False, markup=False)
    console.print(f"idiosyncratic lessons in the skill: {len(noise)}; dropped groups: {len(candidate.dropped)}")
    if alike:
        console.print(f"remarks on several runs that read alike in every word: {len(alike)}")
    console.print(f"open conflicts: {len(candidate.open)}")
    console.print(f"{total.calls} model calls, {seconds:.0f} s")


if __name__ == "__main__":
    main()
