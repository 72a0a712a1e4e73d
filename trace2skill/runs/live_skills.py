"""Skills as they are in use where a run begins: the one that is worked on, or all of a library."""

from pathlib import Path

from trace2skill.core.errors import BadInput
from trace2skill.core.record import Record
from trace2skill.skills.library import is_library, places_in, skills_in
from trace2skill.skills.skill import Skill
from trace2skill.store import Store
from trace2skill.versions.places import SkillPlace, place_of, read_there
from trace2skill.versions.registry import Registry


class LibraryRead(Record, form="LibraryRead", version=1):
    """The skills of a library when a run began: digests by names."""

    skills: dict[str, str]


def live_skill(store: Store, place: SkillPlace, newest: SkillPlace) -> Skill:
    """The skill in use; a promotion that a crash left half done is finished first.

    That is done where the skill stands by now. A run that is held to a commit reads this one before and after.
    """
    Registry(store).recover(read_there(place).name, newest)
    return read_there(place)


def live_library(store: Store, where: object, read_by: str) -> dict[Path, Skill]:
    """The skills of a library by their directories, each as it is in use, or as the run of that id read it; empty where
    it is none.

    Raises:
        BadInput: the store has lost what that run read.
    """
    if not isinstance(where, Path) or not is_library(where):
        return {}
    for directory in places_in(where):
        place = place_of(directory, store.beside)
        live_skill(store, place, place)
    live = dict(zip(places_in(where), skills_in(where), strict=True))
    read = store.get("library", read_by, LibraryRead) if read_by else None
    if read is None:
        return live
    digests = {place: read.skills[skill.name] for place, skill in live.items() if skill.name in read.skills}
    found = {place: store.get("skill", digest, Skill) for place, digest in digests.items()}
    if lost := [str(place) for place, skill in found.items() if skill is None]:
        raise BadInput(
            f"the store {store.path} has no longer what run '{read_by}' read of {', '.join(lost)}: run again"
        )
    return {place: skill for place, skill in found.items() if skill is not None}
