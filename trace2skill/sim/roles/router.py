"""The simulated router: it weighs the words that a lesson shares with each name and description, and nothing else.

What a lesson says first counts more than what it mentions later; a word that many skills have counts little.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping

from trace2skill.sim.conversation import Heard, Spoken, answer_json
from trace2skill.skills.near import stems

LINE = re.compile(r'^(?P<id>l\d+): (?P<text>".*")$', re.MULTILINE)
LEAST, AHEAD = 1.5, 1.2
"""The least weight of shared words, and how far the best skill must be ahead of the next."""
FIRST = 3.0
SHORTEST = 4
ALIKE = 2
"""So many lessons without a skill have to share two words before they are one kind of work."""


def route(heard: Heard) -> Spoken:
    """The skill of each lesson, or none."""
    skills = {one["name"]: _telling(f"{one['name'].replace('-', ' ')} {one['description']}") for one in _skills(heard)}
    spread = Counter(word for words in skills.values() for word in words)
    routes = [{"lesson": id, "skill": _skill(text, skills, spread)} for id, text in _lessons(heard).items()]
    return answer_json({"routes": routes})


def found(heard: Heard) -> Spoken:
    """A skill for the lessons that share the two words which most of those without one share; and again."""
    left = {id: _telling(_first(text)) for id, text in _lessons(heard).items()}
    shown: list[dict[str, object]] = []
    while pair := _commonest(left):
        cited = sorted(id for id, words in left.items() if pair <= words)
        left = {id: words for id, words in left.items() if id not in cited}
        words = sorted(pair)
        name = re.sub(r"[^a-z0-9]+", "-", "-".join(words)).strip("-")
        shown.append({"name": name, "description": f"Work about {words[0]} and {words[1]}.", "cites": cited})
    return answer_json({"skills": shown})


def _skill(text: str, skills: Mapping[str, frozenset[str]], spread: Mapping[str, int]) -> str:
    first, every = _telling(_first(text)), _telling(text)

    def weight(words: frozenset[str]) -> float:
        return sum((FIRST if word in first else 1.0) / spread[word] ** 2 for word in words & every)

    ranked = sorted(((weight(words), name) for name, words in skills.items()), key=lambda item: (-item[0], item[1]))
    best = ranked[0] if ranked else (0.0, "")
    rest = ranked[1][0] if len(ranked) > 1 else 0.0
    return best[1] if best[0] >= LEAST and best[0] >= AHEAD * rest and best[0] > rest else ""


def _commonest(left: Mapping[str, frozenset[str]]) -> frozenset[str]:
    pairs: Counter[frozenset[str]] = Counter(
        frozenset((one, other)) for words in left.values() for one in words for other in words if one < other
    )
    best = min(pairs, key=lambda pair: (-pairs[pair], sorted(pair)), default=frozenset[str]())
    return best if best and pairs[best] >= ALIKE else frozenset()


def _skills(heard: Heard) -> list[dict[str, str]]:
    return [json.loads(line) for line in heard.block("skills").splitlines() if line.startswith("{")]


def _lessons(heard: Heard) -> dict[str, str]:
    return {found["id"]: json.loads(found["text"]) for found in LINE.finditer(heard.block("lessons"))}


def _first(text: str) -> str:
    return text.split(". ", 1)[0]


def _telling(text: str) -> frozenset[str]:
    return frozenset(stem for stem in stems(text) if len(stem) >= SHORTEST)
