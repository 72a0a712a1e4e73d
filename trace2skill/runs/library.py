"""A run over a library: trajectories and lessons once, then a part for each skill with lessons, as a run of its own.

A part has its own candidate, gate, ledger, book and promotion; the cap and the books of calls are the run's. What one
part ends with is no matter of the others.
"""

import json
import os
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

from trace2skill.consolidate.candidate import Candidate
from trace2skill.consolidate.owners import AskedForAll, FoundJob
from trace2skill.core.errors import Trace2SkillError
from trace2skill.core.failures import Failure
from trace2skill.core.forms import as_text
from trace2skill.core.record import Record
from trace2skill.runs import batching, closing
from trace2skill.runs import refresh as run
from trace2skill.runs.distill import Distilled
from trace2skill.runs.estimate import Estimate
from trace2skill.runs.held_out import left_out_as_seen, seen_before
from trace2skill.runs.intake import Intake
from trace2skill.runs.library_page import page_of
from trace2skill.runs.library_read import exercising
from trace2skill.runs.library_summary import LibrarySummary, ProposedSkill, SkillRow
from trace2skill.runs.library_use import LibraryUse
from trace2skill.runs.refresh import Plan
from trace2skill.runs.routing import RoutedLesson, Routing, shown_of, text_of
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.steps.stored import stored
from trace2skill.safety.redaction import Redactor
from trace2skill.safety.screening import reasons, screened
from trace2skill.skills.skill import Skill, SkillFile, write_skill
from trace2skill.store import Store
from trace2skill.types.decision import Decision
from trace2skill.types.lesson import Lesson
from trace2skill.types.references import Rolled

NEW = "new"
"""Directory of a run's own for the first versions of skills that are proposed."""


class WaitingLessons(Record, form="WaitingLessons", version=1):
    """Lessons of a library's runs that belong to none of its skills, until there is one."""

    lessons: tuple[RoutedLesson, ...] = ()


def waiting_id(rt: Runtime) -> str:
    """Names the library of a run in its store."""
    return _place_in(rt.store, Path(str(rt.settings.data.skill)))


def _place_in(store: Store, library: Path) -> str:
    """The place of a library as seen from its store, so that a project that is moved stays one."""
    return os.path.relpath(library.resolve(), store.beside.resolve())


def waiting_in(store: Store, library: Path) -> tuple[RoutedLesson, ...]:
    """The lessons that wait for a skill of the library in that directory."""
    return (store.get("waiting", _place_in(store, library), WaitingLessons) or WaitingLessons()).lessons


def waiting_before(rt: Runtime) -> tuple[RoutedLesson, ...]:
    """The lessons that earlier runs left waiting, as this run found them however often it is tried again."""
    with rt.store.alone(f"waiting/{waiting_id(rt)}"):
        seen = rt.store.get("waiting", rt.run_id, WaitingLessons)
        if seen is None:
            seen = rt.store.get("waiting", waiting_id(rt), WaitingLessons) or WaitingLessons()
            rt.store.put("waiting", rt.run_id, seen)
        return seen.lessons


def keep_routing(rt: Runtime, routing: Routing, decided: Collection[str] = ()) -> None:
    """Keep where each lesson went, and for the runs to come those that wait.

    One that waited and has a skill now waits on until the part about this skill has `decided`: it is lost with none.
    """
    with rt.store.alone(f"waiting/{waiting_id(rt)}"):
        known = rt.store.get("waiting", waiting_id(rt), WaitingLessons) or WaitingLessons()
        ended = [item for item in routing.lessons if item.waits or item.skill in decided]
        told = {(item.extracted.content, item.lesson) for item in ended}
        others = [item for item in known.lessons if (item.extracted.content, item.lesson) not in told]
        left = WaitingLessons(lessons=(*others, *routing.of("")))
        rt.store.put_all([("waiting", waiting_id(rt), left), ("library", f"{rt.run_id} routing", routing)])


def plan_of_part(rt: Runtime, planned: Plan, whole: Runtime) -> Plan:
    """The plan of the part that is about a skill: of the held-out tasks those that exercise it.

    A task whose data name skills exercises those; one that names none exercises every skill that the agent is given,
    which is the whole library; one that must not regress is scored for all. What an agent used on evolve tasks says
    nothing of held-out ones.
    """
    if rt.given_skill is None or not planned.validation:
        return planned
    name, guards = rt.given_skill.name, rt.settings.gate.no_regression
    tasks = exercising(whole, name, planned.validation, guards)
    seen = left_out_as_seen(map(whole.task, tasks), seen_before(rt, rt.given_skill))
    return planned.model_copy(
        update={
            "validation": tuple(id for id in tasks if id not in seen),
            "left_out": tuple(sorted((*planned.left_out, *seen.values()), key=lambda item: item.task_id)),
        }
    )


def nothing_scored(mine: Plan) -> Decision:
    """What is decided over a part without a held-out task, and why it has none."""
    seen = sum(item.verdict == "seen" for item in mine.left_out)
    why = (
        f"the skill has learned from each of the {seen} held-out tasks that exercise it, so nothing was scored: hold "
        "others out"
        if seen
        else "no held-out task exercises this skill, so nothing was scored: name it in the `skills` of some"
    )
    return Decision(verdict="not_enough_evidence", reason=why)


def founding(rt: Runtime, waiting: Sequence[RoutedLesson]) -> FoundJob | None:
    """What is asked of the lessons that wait; nothing where there are too few for any skill, or no model is asked."""
    tasks = {item.extracted.task_id for item in waiting}
    if "merger" not in rt.settings.roles_asked or len(tasks) < needed(rt, len(tasks)):
        return None
    texts = {text_of(stored(rt, "lesson", item.lesson, Lesson)) for item in waiting}
    return FoundJob(name="new skills", skills=shown_of(rt), texts=tuple(sorted(texts)))


def needed(rt: Runtime, tasks: int) -> int:
    """Distinct tasks that have to ask for a new skill: as many as a rule needs to stand in a SKILL.md."""
    return rt.settings.learning.thresholds.for_tasks(tasks)[0]


def asked_for(
    rt: Runtime, job: FoundJob, answer: AskedForAll, waiting: Sequence[RoutedLesson]
) -> list[tuple[ProposedSkill, list[RoutedLesson]]]:
    """The skills that lessons ask for, with these lessons."""
    of_text: dict[str, list[RoutedLesson]] = {}
    for item in waiting:
        of_text.setdefault(text_of(stored(rt, "lesson", item.lesson, Lesson)), []).append(item)
    every = len({item.extracted.task_id for item in waiting})
    found = []
    for new in answer.skills:
        lessons = [item for number in new.texts for item in of_text[job.texts[number]]]
        tasks = tuple(sorted({item.extracted.task_id for item in lessons}))
        few = "" if len(tasks) >= needed(rt, every) else "too few tasks ask for it"
        name, description = (Redactor().text(text) for text in (new.name, new.description))
        kept_out = reasons(screened(f"{new.name.replace('-', ' ')}: {new.description}"))
        if (name, description) != (new.name, new.description):
            kept_out = kept_out or "a secret or personal data"
        ids = tuple(sorted({item.lesson for item in lessons}))
        proposal = ProposedSkill(
            name=name,
            description=description,
            lessons=ids,
            tasks=tasks,
            needed=needed(rt, every),
            why_not=few or (f"the screening keeps its description out: {kept_out}" if kept_out else ""),
        )
        found.append((proposal, lessons))
    return found


def settings_of_new(rt: Runtime, new: ProposedSkill) -> RunSettings:
    """The settings under which a new skill is written. Its first version stands in the run's directory.

    Raises:
        SkillInvalid: it cannot be a skill by that name and description.
    """
    words = as_text_of_yaml(new.description)
    title = new.name.replace("-", " ").capitalize()
    text = f"---\nname: {new.name}\ndescription: {words}\n---\n\n# {title}\n"
    first = Skill(files=(SkillFile(path="SKILL.md", content=text.encode()),))
    place = rt.run_directory() / NEW / new.name
    place.parent.mkdir(parents=True, exist_ok=True)
    write_skill(first, place)
    rt.store.put("skill", first.digest, first)
    return rt.settings.changed(skill=place, of_library=rt.run_id, memory=False, evaluate=False, promote="stage")


def as_text_of_yaml(text: str) -> str:
    """A text as YAML has it on one line: a JSON string is one."""
    return json.dumps(" ".join(text.split()), ensure_ascii=False)


def written(rt: Runtime, part: Runtime, new: ProposedSkill, learned: Distilled, candidate: Candidate) -> ProposedSkill:
    """The proposal with the skill, written beside the candidates of the run, with the ledger that says who asked."""
    base, skill = stored(rt, "skill", candidate.base, Skill), stored(rt, "skill", candidate.skill, Skill)
    if skill.digest == base.digest:
        aside = len({*learned.quarantined, *candidate.quarantined})
        held = f"; {aside} findings wait for review: `trace2skill quarantine`" if aside else ""
        return new.model_copy(update={"why_not": f"no rule of its lessons has enough support{held}"})
    closing.keep_support(part, base, skill, candidate, learned)
    place = rt.run_directory() / "skill" / new.name
    place.parent.mkdir(parents=True, exist_ok=True)
    write_skill(skill, place)
    rules = tuple(" ".join(group.text.split()) for group in candidate.written)
    return new.model_copy(update={"rules": rules, "directory": place})


def failed_row(name: str, lessons: int, by: dict[str, int], used: int, error: BaseException) -> SkillRow:
    """The row of a skill whose part did not end."""
    kind = "" if isinstance(error, Trace2SkillError) else f"{type(error).__name__}: "
    return SkillRow(name=name, state="failed", lessons=lessons, by=by, used=used, reason=f"{kind}{error}"[:2000])


def failure_of(stage: str, name: str, error: BaseException, of: int = 1) -> Failure:
    """What failed, as the run's report has it."""
    return Failure(stage=stage, name=name, kind=type(error).__name__, message=str(error)[:500], of=of)


def finish_library(
    rt: Runtime,
    rows: Sequence[SkillRow],
    routing: Routing,
    proposed: Sequence[ProposedSkill],
    rolled: Sequence[Rolled],
    use: LibraryUse,
    failures: Sequence[Failure],
    intake: Intake,
) -> LibrarySummary:
    """Write the summary into the run's directory, and close the run."""
    batching.settle(rt, wait=True)
    models, before = rt.settings.models, rt.store.get("foreseen", rt.run_id, Estimate)
    summary = LibrarySummary(
        run_id=rt.run_id,
        library=Path(str(rt.settings.data.skill)).resolve().name,
        domain=rt.domain.name,
        models=tuple(sorted({rt.settings.agent_name, models.analyst.name, models.merger.name})),
        simulated=models.simulated,
        skills=tuple(sorted(rows, key=lambda row: row.name)),
        lessons=len(routing.lessons),
        waiting=tuple(routing.of("")),
        use=use,
        proposed=tuple(proposed),
        trajectories=dict(sorted(Counter(item.cell.outcome for item in rolled).items())),
        failures=tuple(failures),
        spent=run.spent(rt),
        foreseen=before.cost if before else None,
        sources=intake.read if intake.taken else None,
    )
    directory = rt.run_directory()
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "report.html").write_text(page_of(summary), encoding="utf-8")
    (directory / "summary.md").write_text(summary.as_markdown(), encoding="utf-8")
    (directory / "summary.json").write_text(summary.model_dump_json(indent=2) + "\n", encoding="utf-8")
    run.end(rt, "completed", as_text(summary), summary.headline)
    return summary
