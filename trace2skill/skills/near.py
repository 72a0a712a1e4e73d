"""Finding the section that somebody meant: numbers, endings and small words do not count, a doubt does.

Authors write `Testing` for `4. Tests`, number anew, or leave a word out. The one section that comes closest is meant;
where two come equally close, none is.
"""

import functools
import re

from trace2skill.skills.markdown import Section, find_section, sections

NUMBER = re.compile(r"^\s*(?:(?:step|part|section|phase)\s+)?(?:\d+(?:\.\d+)*|[ivx]+|[a-z])[.):]\s+", re.IGNORECASE)
SMALL = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "by",
        "for",
        "from",
        "how",
        "in",
        "into",
        "is",
        "it",
        "of",
        "on",
        "or",
        "the",
        "to",
        "what",
        "when",
        "with",
        "your",
    ]
)
SAYS_LITTLE = frozenset(
    [
        "about",
        "convention",
        "detail",
        "guidance",
        "guideline",
        "handling",
        "hint",
        "matter",
        "note",
        "practice",
        "rule",
        "specific",
        "tip",
        "topic",
        "usage",
    ]
)
"""Words that a title may have besides its topic and still names that topic, in the singular."""
OF_THIS = re.compile(
    r"\s+(?:of|in|for|at|on|from)\s+(?:this|these|our|your)\b(?:\s+[\w-]+){1,2}$|\s+here$", re.IGNORECASE
)
"""Where all of a skill holds anyway: 'of this house'."""
ENDINGS = ("ications", "ication", "ations", "ation", "ings", "ing", "ers", "er", "ies", "es", "ed", "s", "e", "y")
LEAST_ALIKE = 0.5
TURNS = frozenset(["and", "or", "from", "to", "into"])
"""Small words that make another topic of the same words: what is listed is more than one, and a way has two ends."""


def plain_title(title: str) -> str:
    """A title without its number, its marks and its emphasis."""
    bare = " ".join(title.strip().lstrip("#").replace("*", "").replace("`", "").split())
    return NUMBER.sub("", bare).rstrip(" :")


@functools.lru_cache(maxsize=16_384)
def stems(title: str) -> frozenset[str]:
    """The words of a title that say something, without their endings."""
    found = {_stem(word) for word in re.findall(r"\w+", plain_title(title).lower()) if word not in SMALL}
    return frozenset(found)


def same_title(a: str, b: str) -> bool:
    """Do two titles name one thing, numbers, endings and small words aside?"""
    left, right = stems(a), stems(b)
    return left == right if left and right else plain_title(a).lower() == plain_title(b).lower()


@functools.lru_cache(maxsize=16_384)
def topic(title: str) -> tuple[str, ...]:
    """What a title is about: its words without those that say little, and without what says where it holds.

    Two titles of one topic name one thing, so that two sections of them are one: 'Dates' and 'Date handling'. A word
    more that says something makes another topic: 'Dates' and 'Due dates', 'Dates and amounts', 'No dates'. Where a
    small word joins or turns the others their order counts: 'Text to dates'.
    """
    bare = OF_THIS.sub("", plain_title(title))
    said = stems(bare) - _little()
    words = re.findall(r"\w+", bare.lower())
    if said and TURNS & set(words):
        return tuple(word if word in TURNS else _stem(word) for word in words if word in TURNS or _stem(word) in said)
    return tuple(sorted(said or stems(title)))


def find_near(text: str, path: tuple[str, ...]) -> Section | None:
    """The section that a path means: the one of that name, else the one of the most alike name; None where two are.

    Outer headings help to choose, and do not stand in the way: a section is looked for under the parent first, then
    anywhere.
    """
    exact = find_section(text, path)
    if exact is not None or not path:
        return exact
    every = sections(text)
    under = [item for item in every if _under(item, path[:-1])]
    return _most_alike(under, path[-1]) or _most_alike(every, path[-1])


def _under(section: Section, parents: tuple[str, ...]) -> bool:
    above = section.path[:-1]
    return len(above) >= len(parents) and all(any(same_title(part, name) for name in above) for part in parents)


def _most_alike(candidates: list[Section] | tuple[Section, ...], title: str) -> Section | None:
    wanted = stems(title)
    rated = [(_alike(wanted, stems(item.path[-1])), item) for item in candidates]
    best = max((rate for rate, _ in rated), default=0.0)
    found = [item for rate, item in rated if rate == best]
    return found[0] if best >= LEAST_ALIKE and len(found) == 1 else None


def _alike(a: frozenset[str], b: frozenset[str]) -> float:
    """Share of common stems, 0 to 1 (Dice)."""
    return 2 * len(a & b) / (len(a) + len(b)) if a and b else 0.0


@functools.cache
def _little() -> frozenset[str]:
    return frozenset(map(_stem, SAYS_LITTLE))


def _stem(word: str) -> str:
    for ending in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending)
    return word
