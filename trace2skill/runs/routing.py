"""Lessons to the skills of a library: by the record of what a session used, else by a model; the rest waits.

A lesson of a session that used one skill, and had it when it came to what the lesson is about, is that skill's. Where a
session used none or several, and where the lesson is of steps before the skill was taken up, a model is asked.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from pydantic import Field

from trace2skill.consolidate.owners import AT_ONCE, KnownSkill, Owner, Owners, RouteJob
from trace2skill.core.record import Record
from trace2skill.runs.held_out import marks_of_held_out
from trace2skill.runs.intake import of_held_out
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.steps.stored import stored
from trace2skill.skills.library import identity_of
from trace2skill.traces.skill_use import skill_uses
from trace2skill.types.lesson import Extraction, Lesson
from trace2skill.types.references import Extracted
from trace2skill.types.trajectory import Trajectory

log = logging.getLogger(__name__)
By = Literal["given", "used", "model", "nobody"]
NOBODY_ASKED = Owner(why="no record says which skill it is about, and no model was asked")


class RoutedLesson(Record):
    """A lesson and the skill it was sorted to, '' for none; who said so, and why there is none."""

    lesson: str
    title: str
    extracted: Extracted
    skill: str = ""
    by: By
    why: str = ""
    asked: str = Field(default="", description="Names and descriptions of the library, as a model was asked.")

    @property
    def waits(self) -> bool:
        """Does it belong to no skill, so far?"""
        return not self.skill


class Routing(Record, form="Routing", version=1):
    """All lessons of a run over a library, each once."""

    lessons: tuple[RoutedLesson, ...]

    def of(self, name: str) -> list[RoutedLesson]:
        """The lessons of a skill, by its name; of '' those that wait."""
        return [item for item in self.lessons if item.skill == name]

    def by(self, name: str) -> dict[str, int]:
        """How many lessons of a skill are known to be its own by what."""
        return dict(sorted(Counter(item.by for item in self.of(name)).items()))


class Asked(NamedTuple):
    """What is known by records, what was asked before, and what a model is to be asked now."""

    known: list[RoutedLesson]
    open: list[tuple[Extracted, Lesson]]
    jobs: list[RouteJob]


def shown_of(rt: Runtime) -> tuple[KnownSkill, ...]:
    """The skills of the library as a model is shown them, by their names."""
    skills = sorted(rt.library.values(), key=lambda skill: skill.name)
    return tuple(KnownSkill(name=one.name, description=" ".join(one.description.split())) for one in skills)


def to_route(rt: Runtime, analysed: Iterable[Extracted], waiting: Sequence[RoutedLesson] = ()) -> Asked:
    """What records say of the lessons of analyses, and the jobs for a model on the others.

    Args:
        rt: the run over the library.
        analysed: what this run drew.
        waiting: lessons of earlier runs without a skill. What was asked of the same library stays as it was answered.
    """
    known, identity = list[RoutedLesson](), identity_of(list(rt.library.values()))
    undecided: list[tuple[Extracted, Lesson]] = []
    for extracted in analysed:
        extraction = stored(rt, "extraction", extracted.content, Extraction)
        for lesson in extraction.lessons:
            said = by_record(rt, extracted, lesson)
            if said is None:
                undecided.append((extracted, lesson))
            else:
                known.append(_routed(extracted, lesson, said[0], said[1]))
    mine = {(item.lesson, item.extracted.content) for item in known}
    mine |= {(lesson.id, extracted.content) for extracted, lesson in undecided}
    lost, held_out = 0, _of_held_out(rt, waiting)
    for item in waiting:
        if (item.lesson, item.extracted.content) in mine or item.extracted.trajectory_id in held_out:
            continue
        if not item.extracted.log and item.extracted.task_id not in rt.splits.evolve:
            continue  # held out by now, or no task of this run
        mine.add((item.lesson, item.extracted.content))
        if rt.store.get("extraction", item.extracted.content, Extraction) is None:
            lost += 1
            continue
        if item.asked == identity:
            known.append(item)
        elif (kept := rt.store.get("lesson", item.lesson, Lesson)) is not None:
            undecided.append((item.extracted, kept))
    if lost:
        log.warning("%d lessons that waited are no longer in %s: it was pruned", lost, rt.settings.operation.store)
    return Asked(known, undecided, _jobs(rt, [lesson for _, lesson in undecided]))


def with_answers(rt: Runtime, asked: Asked, answers: Sequence[Owners | None]) -> Routing:
    """Every lesson with its skill; those of a job that failed wait, and say so."""
    said: dict[str, Owner] = {}
    for job, answer in zip(asked.jobs, answers, strict=True):
        found = answer.owners if answer else [Owner(why="its batch failed; the next run asks again")] * len(job.texts)
        said |= dict(zip(job.texts, found, strict=True))
    identity, found_by = identity_of(list(rt.library.values())), list(asked.known)
    for extracted, lesson in asked.open:
        owner = said.get(text_of(lesson), NOBODY_ASKED)
        answered = bool(asked.jobs) and not owner.why.startswith("its batch")
        found_by.append(
            _routed(extracted, lesson, owner, "model" if asked.jobs else "nobody", identity if answered else "")
        )
    return Routing(lessons=tuple(sorted(found_by, key=lambda item: (item.extracted.content, item.lesson))))


def by_record(rt: Runtime, extracted: Extracted, lesson: Lesson) -> tuple[Owner, By] | None:
    """The skill a lesson is about by what its session had and used; None where that does not tell."""
    trajectory = rt.store.get("trajectory", extracted.trajectory_id, Trajectory)
    if trajectory is None:
        return None
    given = [skill.name for skill in rt.library.values() if skill.digest == trajectory.skill]
    if given:
        return Owner(skill=given[0]), "given"
    names = {skill.name for skill in rt.library.values()}
    first: dict[str, int] = {}
    for use in skill_uses(trajectory, names):
        if use.skill in names:
            first.setdefault(use.skill, use.step)
    if len(first) != 1:
        return None
    ((name, step),) = first.items()
    last = max((item.last for item in lesson.evidence), default=step)
    return (Owner(skill=name), "used") if step <= last else None


def delivered(rt: Runtime, lessons: Sequence[RoutedLesson]) -> list[Extracted]:
    """The analyses with these lessons alone, kept in the store: what the part of a run that is about a skill gets."""
    wanted: dict[str, tuple[Extracted, set[str]]] = {}
    for item in lessons:
        wanted.setdefault(item.extracted.content, (item.extracted, set()))[1].add(item.lesson)
    found = []
    for extracted, ids in wanted.values():
        whole = stored(rt, "extraction", extracted.content, Extraction)
        part = whole.model_copy(update={"lessons": tuple(one for one in whole.lessons if one.id in ids)})
        rt.store.put("extraction", part.digest, part)
        weak = any(lesson.weak_label for lesson in part.lessons)
        found.append(extracted.model_copy(update={"content": part.digest, "lessons": len(part.lessons), "weak": weak}))
    return found


def text_of(lesson: Lesson) -> str:
    """A lesson as the router reads it: one line."""
    return " ".join(f"{lesson.title.rstrip('.')}. {lesson.description} {lesson.content}".split())


def _of_held_out(rt: Runtime, waiting: Iterable[RoutedLesson]) -> set[str]:
    """Logs of tasks that are held out by now: what was drawn of them before teaches nothing."""
    logs = {item.extracted.trajectory_id: item.extracted.task_id for item in waiting if item.extracted.log}
    return of_held_out(rt.store, logs, *marks_of_held_out(rt))


def _routed(extracted: Extracted, lesson: Lesson, owner: Owner, by: By, asked: str = "") -> RoutedLesson:
    return RoutedLesson(
        lesson=lesson.id,
        title=lesson.title,
        extracted=extracted,
        skill=owner.skill,
        by=by,
        why=owner.why,
        asked=asked,
    )


def _jobs(rt: Runtime, lessons: Sequence[Lesson]) -> list[RouteJob]:
    if "merger" not in rt.settings.roles_asked:
        return []
    texts = sorted({text_of(lesson) for lesson in lessons})
    parts = [tuple(texts[start : start + AT_ONCE]) for start in range(0, len(texts), AT_ONCE)]
    skills = shown_of(rt)
    return [
        RouteJob(name=f"{number} of {len(parts)}", skills=skills, texts=part) for number, part in enumerate(parts, 1)
    ]
