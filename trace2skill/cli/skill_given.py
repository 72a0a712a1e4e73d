"""The skill that a command is given: in a directory, or in one of a Git repository."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from trace2skill.core.errors import BadInput
from trace2skill.skills.git_address import GitAddress, parse
from trace2skill.skills.library import skills_in
from trace2skill.skills.skill import Skill, read_skill
from trace2skill.versions.places import SkillPlace, place_of, read_there

SkillGiven = Annotated[
    str, typer.Argument(help="Where the skill is: a directory, or git+https://host/repository@branch#path.")
]


def address_given(where: str) -> Path | GitAddress:
    """What somebody typed, as a directory or an address.

    Raises:
        BadInput: it begins like the address of a repository and cannot be one.
    """
    try:
        return parse(where)
    except ValueError as error:
        raise BadInput(f"the place of the skill: {error}") from error


def place_given(where: str, below: Path) -> SkillPlace:
    """The place that somebody typed; the copy of a repository lies below a store's directory. Raises as its parts."""
    return place_of(address_given(where), below)


def skill_given(where: str, below: Path) -> Skill:
    """The skill there, as it is now.

    Raises:
        BadInput: there is none, it cannot be read, or the repository cannot be reached.
    """
    found = address_given(where)
    return read_skill(found) if isinstance(found, Path) else read_there(place_of(found, below))


def is_place(text: str) -> bool:
    """Does a word, which may be a name or a digest as well, name the place of a skill?"""
    return text.startswith("git+") or Path(text).is_dir()


def library_given(where: str) -> list[Skill]:
    """The skill there, or the skills of a folder of this machine. A copy of a repository is kept for the moment alone.

    Raises:
        BadInput: there is none, or it cannot be read.
    """
    found = address_given(where)
    if isinstance(found, Path):
        return skills_in(found)
    with TemporaryDirectory(prefix="trace2skill-") as below:
        place = place_of(found, Path(below))
        skill = place.read()
    if skill is None:
        raise BadInput(f"{place} has no SKILL.md there: name the directory of one skill, or a checkout of many")
    return [skill]
