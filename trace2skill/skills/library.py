"""A library of skills: a directory with a SKILL.md, or one of such directories."""

from pathlib import Path

from trace2skill.core.errors import BadInput
from trace2skill.skills.skill import Skill, read_skill


def skills_in(folder: Path) -> list[Skill]:
    """The skill in a directory, or the skills in its directories, by their places.

    Raises:
        BadInput: there is none, two have one name, or one is no valid skill.
    """
    if (folder / "SKILL.md").is_file():
        return [read_skill(folder)]
    found = [read_skill(path.parent) for path in sorted(folder.glob("*/SKILL.md"))]
    if not found:
        raise BadInput(f"{folder} holds no skill: give a directory with a SKILL.md, or one of such directories")
    names = [skill.name for skill in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise BadInput(f"{folder} has two skills called {twice[0]}: nobody could tell which of them is meant")
    return found
