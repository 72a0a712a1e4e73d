"""Does any stage lose or bend a rule? Eleven conventions that no prompt states, from the checks to the held-out tasks.

    python bench/house_rules.py --data ../shared/data/house_rules [--json]

The whole path of `trace2skill run` under Prefect: rollouts, the analyst's loop with its gate, patches, the rule book,
the skill, the evaluation, the promotion. What the models say is scripted (bench/house_model.py): the agent follows a
convention where its skill states it, the analyst names one where the check's words do. So this says nothing of models;
it counts what the stages between them do to eleven rules in many wordings. Exits 1 where one is lost or an untrue one
gets into the skill.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from trace2skill.cli.prefect_settings import lean, quiet

quiet()
lean()
os.environ.setdefault("PREFECT_HOME", tempfile.mkdtemp(prefix="t2s-prefect-"))

from house_model import Play, speaker
from house_words import CONVENTIONS, is_untrue, stated
from rich.console import Console
from rich.table import Table

from flows.evaluate import evaluate_skills
from flows.refresh import refresh
from trace2skill.consolidate.quarantine import review_lessons
from trace2skill.consolidate.settle import RuleBook
from trace2skill.core.digest import digest_of
from trace2skill.llm import ModelSettings, Roles
from trace2skill.runs.runtime import Runtime, forget_runtimes, runtime
from trace2skill.runs.sections import DataSettings, EvaluationSettings, MoneySettings, OperationSettings
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.summary import RunSummary
from trace2skill.sim.scripted import scripted
from trace2skill.types.evaluation import Evaluation
from trace2skill.types.lesson import Extraction
from trace2skill.types.patch import Patch
from trace2skill.types.trajectory import Trajectory

BASE = ROOT / "examples" / "skills" / "shell-files"
STAGES = ("lessons", "patches", "rules of patches", "rule book", "new lines")


def main() -> None:
    """Run the benchmark and print its tables."""
    arguments = argparse.ArgumentParser(description="What the stages do to rules that only failures teach.")
    arguments.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "house_rules")
    arguments.add_argument("--seed", type=int, default=1, help="Of the wordings, and of who misreads.")
    arguments.add_argument("--misread", type=float, default=Play.misread)
    arguments.add_argument("--besides", type=float, default=Play.besides)
    arguments.add_argument("--most", type=int, default=Play.most, help="Lessons of one failure.")
    arguments.add_argument("--joined", type=float, default=Play.joined)
    arguments.add_argument("--mistakes", type=float, default=0.0, help="Share of the merger's judgements that err.")
    arguments.add_argument("--workers", type=int, default=4)
    arguments.add_argument(
        "--into", type=Path, help="Keep the store and the run here, to look at; goes on from what is there."
    )
    arguments.add_argument("--json", action="store_true")
    given = arguments.parse_args()
    if not (given.data / "tasks.jsonl").is_file():
        raise SystemExit(f"{given.data} is not there: see the docs")
    with tempfile.TemporaryDirectory(prefix="t2s-bench-") as directory:
        how = Play(misread=given.misread, besides=given.besides, most=given.most, joined=given.joined)
        model = f"seed={given.seed}&mistakes={given.mistakes}"
        found = benchmark(given.into or Path(directory), given.data, model, how, given.workers)
    if given.json:
        print(json.dumps(found, indent=2, sort_keys=True))
    else:
        show(found)
    sys.exit(0 if kept(found) else 1)


def benchmark(directory: Path, data: Path, model: str, how: Play, workers: int) -> dict[str, Any]:
    """One run over the data set; what is counted, by stage."""
    skill = directory / "skill" / BASE.name  # a copy: a promotion replaces it
    if not skill.exists():
        shutil.copytree(BASE, skill)
    with scripted(speaker(how), f"house-{digest_of(str(how))[:8]}") as name:
        settings = RunSettings(
            data=DataSettings(path=data, domain="shell", skill=skill),
            models=Roles.all_played_by(ModelSettings(name=f"{name}&{model}")),
            gate=EvaluationSettings(no_skill=True),
            money=MoneySettings(max_cost=None),
            operation=OperationSettings(
                store=directory / "store.duckdb", output=directory / "runs", workers=workers, promote="auto"
            ),
        )
        summary = refresh(settings, return_state=True).result()
        found = counted(runtime(settings), summary)
        skills = [BASE, *([summary.candidate_directory] if summary.candidate_directory else [])]
        sealed = evaluate_skills(settings, skills, "test", "the benchmark counts them")
        names = {summary.base: "S0", summary.candidate.skill: "candidate", None: "no skill"}
        found["held out"]["test"] = {names[item.skill]: _passed(item) for item in sealed}
    forget_runtimes()
    return found


def counted(rt: Runtime, summary: RunSummary) -> dict[str, Any]:
    """What each stage holds of the conventions."""
    if rt.given_skill is None:
        raise ValueError("the benchmark deepens a skill")
    extracted = [held for item in summary.analyses if (held := rt.store.get("extraction", item.extraction, Extraction))]
    reasons = Counter(item.reason.split("\n")[0][:90] for item in extracted if not item.lessons)
    dropped = Counter(lesson.reason[:90] for item in extracted for lesson in item.dropped)
    reviewed = [review_lessons(rt.store, rt.given_skill, item.lessons) for item in extracted]
    withheld = Counter(item.reason[:90] for _, aside in reviewed for item in aside)
    lessons = [(lesson.content, lesson.task_id) for kept_, _ in reviewed for lesson in kept_]
    patches = [patch for item in summary.analyses if (patch := rt.store.get("patch", item.patch, Patch))]
    book = rt.store.get("book", summary.book, RuleBook)
    if book is None:
        raise ValueError("the store has lost the rule book")
    base = {line.strip() for line in _text(rt, summary.base).splitlines()}
    lines = [line for line in _text(rt, summary.candidate.skill).splitlines() if line.strip() not in base]
    lines = [line for line in lines if line.startswith("- ")]
    texts = {
        "lessons": [text for text, _ in lessons],
        "patches": [edit.content for patch in patches for edit in patch.edits],
        "rules of patches": [said.rule.text for rule in book.rules for said in rule.said],
        "rule book": [rule.says for rule in book.rules],
        "new lines": lines,
    }
    said_by: dict[str, set[str]] = defaultdict(set)
    for text, task in lessons:
        for rule in stated(text):
            said_by[rule].add(task)
    return {
        "analyses": len(extracted),
        "verdicts": dict(Counter(item.verdict for item in extracted)),
        "without lessons": dict(reasons),
        "lessons dropped": dict(dropped),
        "lessons withheld": dict(withheld),
        "rules of patches left out of the book": dict(Counter(item.reason for item in book.left_out)),
        "stages": {stage: _of(texts[stage]) for stage in STAGES},
        "support": {name: _support(name, said_by[name], book, lines) for name in CONVENTIONS},
        "held out": {"validation": {item.condition: _passed(item) for item in summary.evaluations}},
        "not followed": missed(rt, summary),
        "verdict": summary.decision.verdict,
        "reason": summary.decision.reason,
        "promoted": summary.promoted,
        "lines": lines,
    }


def missed(rt: Runtime, summary: RunSummary) -> dict[str, int]:
    """Held-out tasks on which the check names a convention, though the agent had the candidate."""
    cells = [cell for item in summary.evaluations if item.condition == "candidate" for cell in item.cells]
    left = [rt.store.get("trajectory", cell.trajectory_id, Trajectory) for cell in cells if cell.hard < 1.0]
    return dict(Counter(name for item in left if item for name in stated(item.outcome.reason)))


def _passed(item: Evaluation) -> list[int]:
    """How many of how many."""
    return [sum(cell.hard == 1.0 for cell in item.scored), len(item.cells)]


def _of(texts: list[str]) -> dict[str, int]:
    """How many texts, how many conventions they state, and how many state none or something untrue."""
    return {
        "texts": len(texts),
        "different": len(set(texts)),
        "conventions": len({rule for text in texts for rule in stated(text)}),
        "state none": sum(not stated(text) and not is_untrue(text) for text in texts),
        "untrue": sum(is_untrue(text) for text in texts),
    }


def _support(name: str, tasks: set[str], book: RuleBook, lines: list[str]) -> dict[str, int]:
    """A convention: tasks whose lessons say it, those the book credits, its rules there, its lines in the skill."""
    rules = [rule for rule in book.rules if name in stated(rule.says)]
    credited = {said.rule.task_id for rule in rules for said in rule.said}
    return {
        "said by tasks": len(tasks),
        "credited": len(credited),
        "credited wrongly": len(credited - tasks),
        "rules in the book": len(rules),
        "lines": sum(name in stated(line) for line in lines),
    }


def _text(rt: Runtime, skill: str) -> str:
    held = rt.skill(skill)
    return "\n".join(held.text(file.path) or "" for file in held.files) if held else ""


def kept(found: dict[str, Any]) -> bool:
    """Is every convention in the skill, nothing untrue, each followed where it is stated, and the skill promoted?"""
    stages, (passed, tasks) = found["stages"], found["held out"]["validation"].get("candidate", (0, 0))
    everywhere = all(stages[stage]["conventions"] == len(CONVENTIONS) for stage in STAGES)
    untrue = stages["new lines"]["untrue"]
    return everywhere and not untrue and passed == tasks > 0 and bool(found["promoted"])


def show(found: dict[str, Any]) -> None:
    """Print the tables."""
    console = Console()
    stages = Table("stage", *found["stages"]["lessons"])
    for stage, counts in found["stages"].items():
        stages.add_row(stage, *map(str, counts.values()))
    support = Table("convention", *next(iter(found["support"].values())))
    for name, counts in found["support"].items():
        support.add_row(name, *map(str, counts.values()))
    console.print(stages, support)
    for name in ("verdicts", "without lessons", "lessons dropped", "lessons withheld"):
        console.print(f"{name}: {found[name] or 'none'}")
    name = "rules of patches left out of the book"
    console.print(f"{name}: {found[name] or 'none'}")
    for split, conditions in found["held out"].items():
        for condition, (passed, tasks) in conditions.items():
            console.print(f"{split}, {condition}: {passed} of {tasks}")
    console.print(f"named by the check though the agent had the candidate: {found['not followed'] or 'none'}")
    console.print(f"{'promoted' if found['promoted'] else found['verdict']}: {found['reason']}")
    for line in found["lines"]:
        console.print(line, markup=False, highlight=False)


if __name__ == "__main__":
    main()
