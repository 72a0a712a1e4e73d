"""A library of skills: does each lesson come to the skill it belongs to, and does one skill's failure stay its own?

    python bench/library.py [--json] [--request FILE --answers FILE]

First two hundred lessons over five planted skills (bench/library_lessons.py), in several words and with words of other
skills in passing: how many are sorted rightly, edits to a wrong skill, the new skill that is proposed. The simulated
router weighs shared words and knows no meaning. Then a whole run over a library of shell skills with the simulated
model: two can improve, one has nothing to gain, and of one the proposer fails. Exits 1 where F1 is below 0.95, where an
edit comes to a wrong skill, where not exactly the planted skill is proposed, or where the run ends in another way.
With --request and --answers nothing is run: one prompt with twenty of the lessons is written, and what is right beside.
"""

import argparse
import json
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "bench"), str(ROOT / "tests")]

from trace2skill.cli.prefect_settings import lean, quiet

quiet()
lean()
os.environ.setdefault("PREFECT_HOME", tempfile.mkdtemp(prefix="t2s-prefect-"))

from libraries_of_tests import library, tasks
from library_lessons import NEW, RULES, SKILLS, LabelledLesson, lessons

from trace2skill.cli.flows import run_flow
from trace2skill.consolidate.bounded import lines
from trace2skill.consolidate.candidate import Candidate
from trace2skill.consolidate.owners import PROMPT, KnownSkill, shown_skills
from trace2skill.core.step_label import StepLabel
from trace2skill.llm import ModelSettings, Roles
from trace2skill.prompts import render
from trace2skill.runs import library as whole
from trace2skill.runs import refresh as run
from trace2skill.runs.consolidation import StepRunner, united
from trace2skill.runs.distill import Distilled
from trace2skill.runs.ingest import IngestSettings
from trace2skill.runs.library_read import keep_library, settings_of_part
from trace2skill.runs.library_summary import LibrarySummary
from trace2skill.runs.routing import Routing, delivered, to_route, with_answers
from trace2skill.runs.runtime import Runtime, forget_runtimes, runtime
from trace2skill.runs.sections import DataSettings, LearningSettings, MoneySettings, OperationSettings
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.steps.apply import APPLY
from trace2skill.runs.steps.found import FOUND
from trace2skill.runs.steps.propose import PROPOSE
from trace2skill.runs.steps.route import ROUTE
from trace2skill.runs.steps.stored import keep_extraction
from trace2skill.sim.conversation import Heard, Spoken
from trace2skill.sim.roles import book, play
from trace2skill.sim.scripted import scripted
from trace2skill.types.lesson import Extraction, Lesson
from trace2skill.types.references import Extracted

ENOUGH = 0.95
FAILS = "note-search"
ASKED = 20


def main() -> None:
    """Run the benchmark and print what came of it."""
    given = argparse.ArgumentParser(description="A library of skills.")
    given.add_argument("--json", action="store_true")
    given.add_argument("--request", type=Path)
    given.add_argument("--answers", type=Path)
    told = given.parse_args()
    if told.request and told.answers:
        write_request(told.request, told.answers)
        return
    with tempfile.TemporaryDirectory(prefix="t2s-bench-") as directory:
        found = {"routing": routing(Path(directory) / "a"), "run": whole_run(Path(directory) / "b")}
    print(json.dumps(found, indent=2) if told.json else "\n".join(in_words(found)))
    sys.exit(0 if kept(found) else 1)


def routing(where: Path) -> dict[str, Any]:
    """All lessons to their skills, and each skill's to a candidate; the steps in their order, without Prefect."""
    write_skills(where / "skills")
    labels = {lesson.content: lesson for lesson in lessons()}
    with scripted(Speaker(), "library") as name:
        roles = Roles.all_played_by(ModelSettings(name=name))
        settings = IngestSettings(
            paths=(where,), skill=where / "skills", roles=roles, analyst="model", store=where / "s.duckdb",
            output=where / "runs", max_cost=None,
        ).as_run()  # fmt: skip
        rt = runtime(settings)
        run.start(rt, "library")
        keep_library(rt)
        asked = to_route(rt, [kept_lesson(rt, lesson) for lesson in lessons()])
        sorted_to = with_answers(rt, asked, [ROUTE(rt, job) for job in asked.jobs])
        wrong, edits = 0, 0
        for skill in SKILLS:
            part = runtime(settings_of_part(rt, skill))
            run.start(part, "ingest")
            _, candidate = learned(part, delivered(rt, sorted_to.of(skill)))
            for group in candidate.applied:
                edits += 1
                wrong += any(labels[said(rt, id)].skill != skill for edit in group.edits for id in edit.lessons)
        proposed = new_skills(rt, sorted_to, labels)
        told = scored(rt, sorted_to, labels)
        calls = rt.store.ledger_total(rt.run_id).calls
    forget_runtimes()
    return {**told, "edits": edits, "edits to a wrong skill": wrong, **proposed, "calls": calls}


def new_skills(rt: Runtime, sorted_to: Routing, labels: dict[str, LabelledLesson]) -> dict[str, Any]:
    """What is proposed, and which share of its lessons is of the planted kind."""
    waiting, found = sorted_to.of(""), []
    job = whole.founding(rt, waiting)
    assert job is not None
    for new, own in whole.asked_for(rt, job, FOUND(rt, job), waiting):
        if new.why_not:
            continue
        part = runtime(whole.settings_of_new(rt, new))
        distilled, candidate = learned(part, delivered(rt, own))
        done = whole.written(rt, part, new, distilled, candidate)
        right = sum(labels[said(rt, id)].skill == NEW for id in new.lessons)
        found.append({"name": new.name, "lessons": len(new.lessons), "right": right, "rules": len(done.rules)})
    return {"proposed": [item for item in found if item["rules"]], "waiting": len(waiting)}


def learned(part: Runtime, given: list[Extracted]) -> tuple[Distilled, Candidate]:
    """Lessons to a candidate."""
    base = run.skill_given(part)
    proposed = [PROPOSE(part, item, base) for item in given]
    distilled = united(part, base, given, proposed, StepRunner(part))
    nothing = run.nothing_learned(base, part.settings.learning.thresholds.for_tasks(distilled.tasks))
    return distilled, APPLY(part, distilled.root, base, distilled.tasks) if distilled.root else nothing


def scored(rt: Runtime, sorted_to: Routing, labels: dict[str, LabelledLesson]) -> dict[str, Any]:
    """Precision, recall and F1 over the lessons that have a skill or were given one."""
    pairs = [(item.skill, labels[said(rt, item.lesson)].skill) for item in sorted_to.lessons]
    pairs = [(got, wanted if wanted in SKILLS else "") for got, wanted in pairs]
    right = sum(got == wanted != "" for got, wanted in pairs)
    precision = right / max(1, sum(got != "" for got, _ in pairs))
    recall = right / sum(wanted != "" for _, wanted in pairs)
    return {
        "lessons": len(pairs),
        "to a wrong skill": sum(got not in ("", wanted) for got, wanted in pairs),
        "precision": round(precision, 4),
        "recall": round(recall, 4),
        "f1": round(2 * precision * recall / (precision + recall), 4),
    }


def whole_run(where: Path) -> dict[str, Any]:
    """A run over a library by the flow itself, in which one skill's proposer fails."""
    where.mkdir()
    library(where / "skills")
    with scripted(Speaker(FAILS), "run") as name:
        settings = RunSettings(
            data=DataSettings(path=tasks(where / "tasks.jsonl", 40), domain="shell", skill=where / "skills"),
            models=Roles.all_played_by(ModelSettings(name=name)),
            learning=LearningSettings(sandbox="process"),
            money=MoneySettings(max_cost=None),
            operation=OperationSettings(store=where / "s.duckdb", output=where / "runs", promote="auto"),
        )
        found: LibrarySummary = run_flow("library:refresh_library", settings, quiet=True)
    rows = {row.name: {"outcome": row.outcome, "lift": row.lift, "held-out": row.held_out, "lessons": row.lessons}
            for row in found.skills}  # fmt: skip
    return {"skills": rows, "waiting": len(found.waiting), "calls": found.spent.calls}


class Speaker:
    """The simulated model, with a reader for the bench's lessons; of one skill its proposer is out of order."""

    def __init__(self, fails: str = "") -> None:
        self._fails, self._reader = fails, LessonReader()

    def __call__(self, heard: Heard) -> Spoken:
        """One answer, in the role that the system prompt gives."""
        if self._fails and heard.system.startswith("You keep a skill") and f"`{self._fails}`" in heard.opening:
            import litellm  # late: with the product's settings, which let it fetch nothing

            raise litellm.BadRequestError("the proposer is out of order", heard.profile.name, "sim")
        if not self._fails:
            for opening, speak in book.ROLES.items():
                if heard.system.startswith(opening):
                    return speak(heard, self._reader)
        return play(heard)


class LessonReader:
    """Knows which rule a text states by its wordings (see `MeaningReader`)."""

    def themes(self, text: str) -> frozenset[str]:
        """The rules whose words stand in the text."""
        found = {title for rules in RULES.values() for title, one, other in rules if one in text or other in text}
        return frozenset(found or {f"own: {text}"})

    def words(self, theme: str) -> str:
        """A rule in its first wording."""
        return next((one for rules in RULES.values() for title, one, _ in rules if title == theme), "")

    def opposite(self, theme: str) -> str:
        """None is opposed."""
        del theme
        return ""


def kept_lesson(rt: Runtime, given: LabelledLesson) -> Extracted:
    """A lesson as an analyst of logs leaves it, of a session without a record of a skill."""
    lesson = Lesson(
        trajectory_id=f"T{given.task}", task_id=given.task, kind="success", proof="observed", title=given.title,
        description=given.description, content=given.content,
    )  # fmt: skip
    extraction = Extraction(
        trajectory_id=lesson.trajectory_id, task_id=given.task, kind="success", verdict="lessons", lessons=(lesson,)
    )
    return keep_extraction(rt, extraction, 0, StepLabel("observe", given.task), "model")


def said(rt: Runtime, id: str) -> str:
    """The words of a lesson."""
    lesson = rt.store.get("lesson", id, Lesson)
    return lesson.content if lesson else ""


def write_skills(folder: Path) -> None:
    """The planted library."""
    for name, about in SKILLS.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "SKILL.md").write_text(
            f"---\nname: {name}\ndescription: {json.dumps(about)}\n---\n\n# {name}\n\n## Before you start\n\n"
            "- Read the request.\n"
        )


def write_request(request: Path, answers: Path) -> None:
    """One request of the router for twenty of the lessons, and beside it what is right."""
    every = list(lessons())
    chosen = sorted((every[n] for n in range(3, len(every), 9)), key=lambda item: item.content)[:ASKED]
    skills = [KnownSkill(name=name, description=about) for name, about in sorted(SKILLS.items())]
    texts = [f"{item.title}. {item.description} {item.content}" for item in chosen]
    task = render(f"{PROMPT}_task", skills=shown_skills(skills), lessons=lines(texts, "l"))
    request.write_text(f"{render(PROMPT)}\n{task}")
    right = {f"l{n}": item.skill if item.skill in SKILLS else "" for n, item in enumerate(chosen, 1)}
    answers.write_text(json.dumps(right, indent=2) + "\n")


def in_words(found: dict[str, Any]) -> list[str]:
    """The result as lines."""
    lines_ = [f"{name}: {value}" for name, value in found["routing"].items()]
    return [*lines_, *(f"{name}: {row}" for name, row in found["run"]["skills"].items())]


def kept(found: dict[str, Any]) -> bool:
    """Is all as it should be?"""
    sorted_to, ended = found["routing"], Counter(row["outcome"] for row in found["run"]["skills"].values())
    one = sorted_to["proposed"]
    new = len(one) == 1 and one[0]["right"] == one[0]["lessons"]
    return (
        sorted_to["f1"] >= ENOUGH
        and not sorted_to["edits to a wrong skill"]
        and new
        and (ended["promoted"], ended["failed"]) == (2, 1)
    )


if __name__ == "__main__":
    main()
