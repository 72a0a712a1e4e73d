"""A library as a run read it: what each of its parts is tried among, so that none sees what another has changed."""

from collections.abc import Collection, Iterable

from trace2skill.evaluation.conditions import Condition
from trace2skill.runs.live_skills import LibraryRead
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.steps.stored import stored
from trace2skill.skills.library import together
from trace2skill.skills.skill import Skill


def keep_library(rt: Runtime) -> str:
    """Keep the library as it is for the parts of the run; returns the digest of what an agent is given of it."""
    skills = list(rt.library.values())
    whole = together(skills)
    rt.store.put_all([("skill", skill.digest, skill) for skill in (*skills, whole)])
    rt.store.put("library", rt.run_id, LibraryRead(skills={skill.name: skill.digest for skill in skills}))
    return whole.digest


def settings_of_part(rt: Runtime, name: str) -> RunSettings:
    """The settings of the part of a run that is about one skill of its library.

    Raises:
        KeyError: the library has no skill of that name.
    """
    (place,) = [place for place, skill in rt.library.items() if skill.name == name] or _missing(name)
    return rt.settings.changed(skill=place, of_library=rt.run_id, library_read_by="")


def _missing(name: str) -> list[None]:
    raise KeyError(f"the library has no skill {name}")


def exercising(rt: Runtime, name: str, held_out: Iterable[str], guards: Collection[str] = ()) -> list[str]:
    """Of held-out tasks those that exercise a skill of the library: they name it, or none; or they must not regress."""
    named = {id: rt.task(id).skills for id in held_out}
    return [id for id, skills in named.items() if not skills or name in skills or id in guards]


def among_others(rt: Runtime, conditions: Iterable[Condition]) -> list[Condition]:
    """The conditions of a part of a run over a library: the agent is given the others with the skill, and records tell
    which it read. Those of any other run stay as they are.
    """
    found, of = list(conditions), rt.settings.operation.of_library
    if not of or rt.given_skill is None:
        return found
    read = stored(rt, "library", of, LibraryRead)
    others = [stored(rt, "skill", digest, Skill) for name, digest in read.skills.items() if name != rt.given_skill.name]
    return [_among(rt, others, condition) for condition in found]


def _among(rt: Runtime, others: list[Skill], condition: Condition) -> Condition:
    skill = rt.skill(condition.skill)
    skills = [*others, *([skill] if skill else [])]
    if not skills:
        return condition
    whole = together(skills)
    rt.store.put("skill", whole.digest, whole)
    return condition.model_copy(update={"given": whole.digest})
