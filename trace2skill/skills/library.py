"""A library of skills: a directory with a SKILL.md, or one of such directories."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from trace2skill.core.digest import digest_of
from trace2skill.core.errors import BadInput
from trace2skill.skills.skill import Skill, SkillFile, read_skill

TOGETHER = "library"
"""What an agent reads as the name of all skills together."""
PLACE = "skills"
INDEX = """\
# Library

You have the skills below, each a guide for one kind of work. Before you begin, read the `SKILL.md` of every skill whose
description says that it is for what the request asks, and follow it; leave the others closed.

"""


def skills_in(folder: Path) -> list[Skill]:
    """The skill in a directory, or the skills in its directories, by their places.

    Raises:
        BadInput: there is none, two have one name, or one is no valid skill.
    """
    if (folder / "SKILL.md").is_file():
        return [read_skill(folder)]
    found = [read_skill(place) for place in places_in(folder)]
    if not found:
        raise BadInput(f"{folder} holds no skill: give a directory with a SKILL.md, or one of such directories")
    names = [skill.name for skill in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise BadInput(f"{folder} has two skills called {twice[0]}: nobody could tell which of them is meant")
    return found


def is_library(where: object) -> bool:
    """Is it a directory that holds skills and is none itself?"""
    return isinstance(where, Path) and not (where / "SKILL.md").is_file() and bool(places_in(where))


def places_in(folder: Path) -> list[Path]:
    """The directories of the skills of a library, by their names.

    A hidden one is no skill: a promotion that is killed leaves one, with the name of the skill in it.
    """
    return sorted(path.parent for path in folder.glob("*/SKILL.md") if not path.parent.name.startswith("."))


def together(skills: Iterable[Skill]) -> Skill:
    """All skills of a library as the one directory that an agent is given.

    Its SKILL.md has each name and description, and where to read on; the files of a skill lie at `skills/NAME/`, where
    records of use are known by (`trace2skill.traces.skill_use`).
    """
    ordered = sorted(skills, key=lambda skill: skill.name)
    entries = "".join(
        f"- [{one.name}]({PLACE}/{one.name}/SKILL.md): {' '.join(one.description.split())}\n" for one in ordered
    )
    about = json.dumps("The skills of a library. Read the one that is for the work at hand.")
    head = f"---\nname: {TOGETHER}\ndescription: {about}\n---\n\n"
    files = [SkillFile(path="SKILL.md", content=f"{head}{INDEX}{entries}".encode())]
    files += [
        file.model_copy(update={"path": f"{PLACE}/{one.name}/{file.path}"}) for one in ordered for file in one.files
    ]
    return Skill(files=tuple(sorted(files, key=lambda file: file.path)))


def identity_of(skills: Sequence[Skill]) -> str:
    """Names what is known of a library before a skill is read: the names and descriptions."""
    return digest_of("library", sorted((one.name, one.description) for one in skills))
