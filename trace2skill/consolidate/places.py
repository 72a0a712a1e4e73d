"""Where a rule is written: the section that most of those who say it wanted, as the skill stands today."""

import functools
from collections import Counter, defaultdict
from collections.abc import Iterable

from trace2skill.consolidate.cut import Place
from trace2skill.consolidate.settle import BookRule
from trace2skill.skills.markdown import sections
from trace2skill.skills.near import find_near, plain_title, same_title, topic
from trace2skill.skills.skill import Skill


def place_of(base: Skill, rule: BookRule) -> Place:
    """Where most tasks wanted a rule: a section that is there, or a new one that at least two ask for by one name."""
    there: Counter[Place] = Counter()
    new: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[tuple[str, Place]]] = defaultdict(list)
    wanted = {(today(base, said.rule.place), said.rule.task_id) for said in rule.said}
    for place, task in sorted(wanted, key=lambda item: (item[0].words, item[1])):
        known = base.text(place.file) is not None
        if known and not place.title:
            there[place] += 2
        elif known and len(place.section) > 1:  # a subsection of one's own still says which section is meant
            there[place.model_copy(update={"title": ""})] += 1
        if not known or place.title:
            new[place.file, place.section, topic(place.title) if known else ()].append((task, place))
    best = min(there, key=lambda place: (-there[place], place.words), default=None)
    asked = max(new.values(), key=lambda some: (len({task for task, _ in some}), some[0][1].words), default=[])
    if asked and (best is None or len({task for task, _ in asked}) * 2 > max(2, there[best])):
        return _made(base, asked[0][1], len({task for task, _ in asked}))
    return best or Place(title="Further rules")


def places_of(base: Skill, rules: Iterable[BookRule]) -> dict[str, Place]:
    """The place of each rule by its id. New sections of one file and parent whose titles name one topic are one.

    It has the title that most tasks asked for, the shorter of two. The set of rules decides, not their order.
    """
    given = {rule.id: rule for rule in rules}
    places = {id: place_of(base, rule) for id, rule in given.items()}
    asked: dict[Place, set[str]] = defaultdict(set)
    for id, place in places.items():
        asked[place].update(given[id].support.tasks)
    alike: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[Place]] = defaultdict(list)
    for place in asked:
        if place.title and base.text(place.file) is not None:
            alike[place.file, place.section, topic(place.title)].append(place)
    best = {
        place: min(some, key=lambda place: (-len(asked[place]), len(place.title), place.title))
        for some in alike.values()
        for place in some
    }
    return {id: best.get(place, place) for id, place in places.items()}


def today(base: Skill, place: Place) -> Place:
    """The place as the skill has it: sections may have come, gone or got another name since the rule was written."""
    text = base.text(place.file)
    return place if text is None else _in_text(text, place)


@functools.lru_cache(maxsize=4_096)
def _in_text(text: str, place: Place) -> Place:
    """The same within one file. Thousands of rules want a few places."""
    if place.title:
        above = find_near(text, place.section) if place.section else None
        there = find_near(text, (*(above.path if above else ()), place.title))
        if there is not None and _names(there.path[-1], place.title):
            return Place(file=place.file, section=there.path)
        return place.model_copy(update={"section": above.path if above else ()})
    if not place.section:
        return place
    near = find_near(text, place.section)
    if near is not None:
        return place.model_copy(update={"section": near.path})
    return Place(file=place.file, title=plain_title(place.section[-1]))


def _names(title: str, wanted: str) -> bool:
    """Is a section that is there the one that is asked for by another title?"""
    return same_title(title, wanted) or topic(title) == topic(wanted)


def _made(base: Skill, place: Place, tasks: int) -> Place:
    """A place that is not there yet. A file of one task alone is not made: its rule gets a section named after it."""
    if base.text(place.file) is not None or tasks > 1:
        return place
    name = place.file.rpartition("/")[2].removesuffix(".md").replace("-", " ").replace("_", " ")
    heads = sections(base.body)
    top = heads[0].path if heads and heads[0].level == 1 else ()
    return Place(section=top, title=plain_title(name).capitalize() or "Further rules")
