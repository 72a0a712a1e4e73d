"""To which skill of a library a lesson belongs, by its words; and which new skills lessons of none ask for.

An edit to a wrong skill is worse than a lesson that waits: whatever is not answered in rule belongs to none.
"""

import json
from collections.abc import Sequence
from functools import cached_property

from pydantic import BaseModel, ConfigDict, Field

from trace2skill.consolidate.bounded import Asker, Bounds, answered, ids, lines, tokens
from trace2skill.core.digest import digest_of
from trace2skill.core.record import Record

PROMPT = "route_lessons"
FOUND_PROMPT = "found_skills"
AT_ONCE = 25
"""Lessons of one call: with more, single ones are passed over."""
NAME = r"^[a-z0-9]+(-[a-z0-9]+)*$"


class KnownSkill(Record):
    """What is shown of a skill: nothing of its text."""

    name: str
    description: str


class RouteJob(Record):
    """Say of these distinct texts to which of the skills each belongs."""

    name: str
    skills: tuple[KnownSkill, ...]
    texts: tuple[str, ...]

    @cached_property
    def asks(self) -> str:
        """Digest of what the answer depends on."""
        return digest_of("route", self.skills, self.texts)


class FoundJob(Record):
    """Say which new skills these distinct texts ask for, beside those there are."""

    name: str
    skills: tuple[KnownSkill, ...]
    texts: tuple[str, ...]

    @cached_property
    def asks(self) -> str:
        """Digest of what the answer depends on."""
        return digest_of("found", self.skills, self.texts)


class Route(BaseModel):
    """Where one lesson goes."""

    model_config = ConfigDict(extra="ignore")
    lesson: str
    skill: str = ""


class Routes(BaseModel):
    """What the router answers: every lesson once."""

    model_config = ConfigDict(extra="ignore")
    routes: list[Route]


class Owner(Record):
    """Whose a lesson is: the name of a skill, or '' with the reason."""

    skill: str = ""
    why: str = ""


class Owners(Record, form="Owners", version=1):
    """The owners of some texts, in their order."""

    owners: tuple[Owner, ...]


class NewSkill(BaseModel):
    """A skill that some lessons ask for."""

    model_config = ConfigDict(extra="ignore")
    name: str = Field(min_length=1, max_length=64, pattern=NAME)
    description: str = Field(min_length=1, max_length=1024)
    cites: list[str] = Field(min_length=1)


class NewSkills(BaseModel):
    """What the founder answers."""

    model_config = ConfigDict(extra="ignore")
    skills: list[NewSkill] = Field(default_factory=list)


class AskedFor(Record):
    """A new skill and the numbers of the texts that ask for it."""

    name: str
    description: str
    texts: tuple[int, ...]


class AskedForAll(Record, form="AskedForAll", version=1):
    """The new skills that some texts ask for."""

    skills: tuple[AskedFor, ...]


NO_SKILL = Owner(why="no skill of the library is for it")
UNANSWERED = Owner(why="no usable answer came")


def owners_of(ask: Asker, job: RouteJob, bounds: Bounds) -> Owners:
    """Ask for the owner of each text. A name that the library does not have is none.

    Raises:
        InfrastructureFault, ModelUnusable, BudgetReached: as `Client.complete`.
    """
    known, shown = {skill.name for skill in job.skills}, shown_skills(job.skills)

    def once(items: Sequence[int], said: Sequence[str]) -> Routes:
        values = {"skills": shown, "lessons": lines([job.texts[i] for i in items], "l")}
        return ask(PROMPT, Routes, values, said)

    owners = [UNANSWERED] * len(job.texts)
    for items, answer in answered(range(len(job.texts)), _fits(job, bounds), once, _broken):
        said = {route.lesson: route.skill.strip() for route in answer.routes} if answer else {}
        for id, item in zip(ids(items, "l"), items, strict=True) if answer else ():
            name = said[id]
            unknown = Owner(why=f"the answer names '{name[:64]}', which is no skill of the library")
            owners[item] = NO_SKILL if not name else Owner(skill=name) if name in known else unknown
    return Owners(owners=tuple(owners))


def asked_for(ask: Asker, job: FoundJob, bounds: Bounds) -> AskedForAll:
    """Ask which new skills the texts call for. One that there is already is none.

    Raises:
        InfrastructureFault, ModelUnusable, BudgetReached: as `Client.complete`.
    """
    shown, there = shown_skills(job.skills), {skill.name for skill in job.skills}

    def once(items: Sequence[int], said: Sequence[str]) -> NewSkills:
        values = {"skills": shown, "lessons": lines([job.texts[i] for i in items], "l")}
        return ask(FOUND_PROMPT, NewSkills, values, said)

    found: dict[str, AskedFor] = {}
    for items, answer in answered(range(len(job.texts)), _fits(job, bounds), once, _cites_wrongly):
        number = dict(zip(ids(items, "l"), items, strict=True))
        for new in answer.skills if answer else ():
            if new.name in there:
                continue
            before = found.get(new.name)
            texts = sorted({*(before.texts if before else ()), *(number[id] for id in new.cites)})
            said = before.description if before else " ".join(new.description.split())
            found[new.name] = AskedFor(name=new.name, description=said, texts=tuple(texts))
    return AskedForAll(skills=tuple(found[name] for name in sorted(found)))


def shown_skills(skills: Sequence[KnownSkill]) -> str:
    """Skills as a model reads them: a line of JSON each, so that none can pass for two."""
    return "\n".join(json.dumps(skill.model_dump(), ensure_ascii=False) for skill in skills)


def _fits(job: RouteJob | FoundJob, bounds: Bounds) -> "_Fits":
    return _Fits(job.texts, bounds.room - tokens([shown_skills(job.skills)]))


class _Fits:
    """Do these texts fit one prompt beside the skills?"""

    def __init__(self, texts: Sequence[str], room: int) -> None:
        self._texts, self._room = texts, room

    def __call__(self, items: Sequence[int]) -> bool:
        return tokens([self._texts[i] for i in items]) <= self._room


def _broken(answer: Routes, items: Sequence[int]) -> list[str]:
    wanted, given = ids(items, "l"), [route.lesson for route in answer.routes]
    found = [f"{id} is answered {given.count(id)} times, and not once" for id in wanted if given.count(id) != 1]
    return found + [f"there is no lesson {id}" for id in sorted(set(given) - set(wanted))]


def _cites_wrongly(answer: NewSkills, items: Sequence[int]) -> list[str]:
    wanted, cited = set(ids(items, "l")), [id for new in answer.skills for id in new.cites]
    found = [f"{id} is cited by several skills" for id in sorted(set(cited)) if cited.count(id) > 1]
    return found + [f"there is no lesson {id}" for id in sorted(set(cited) - wanted)]
