"""The simulated router: it weighs the words that a lesson shares with each name and description, and nothing else.

What a lesson says first counts more than what it mentions later; a word that many skills have counts little.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from trace2skill.sim.conversation import Heard, Spoken, answer_json
from trace2skill.skills.near import stems

LINE = re.compile(r'^(?P<id>l\d+): (?P<text>".*")$', re.MULTILINE)
LEAST, AHEAD = 2.5, 1.2
"""The least weight of shared words, and how far the best skill must be ahead of the next."""
NAMED, FIRST, LATER = 2.0, 2.0, 1.0
"""What a word is worth: so many times more in the name of a skill, and in the first half of what is said."""
CLAUSES = re.compile(r"(?<=[.:;,]) ")
BESIDE = re.compile(r"(?i)(?:while|when|after|before|during|once|by then)\b")
SHORTEST = 3
COMMON = frozenset(
    stem
    for word in (
        "work",
        "use",
        "user",
        "when",
        "such",
        "apply",
        "has",
        "any",
        "write",
        "what",
        "was",
        "that",
        "come",
        "file",
    )
    for stem in stems(word)
)
"""What every description says."""
ALIKE = 6
"""So many lessons without a skill have to share two words before they are one kind of work."""


def route(heard: Heard) -> Spoken:
    """The skill of each lesson, or none."""
    skills = {one["name"]: _telling(f"{in_words(one['name'])} {one['description']}") for one in _skills(heard)}
    spread = Counter(word for words in skills.values() for word in words)
    routes = [{"lesson": id, "skill": _skill(text, skills, spread)} for id, text in _lessons(heard).items()]
    return answer_json({"routes": routes})


def found(heard: Heard) -> Spoken:
    """A skill for the lessons that share the two words which most of those without one share; and again."""
    texts = _lessons(heard)
    left = {id: _heading(text) for id, text in texts.items()}
    often = Counter(word for words in left.values() for word in words)
    left = {id: frozenset(word for word in words if 2 * often[word] <= len(left)) for id, words in left.items()}
    shown: list[dict[str, object]] = []
    while pair := _commonest(left):
        cited = sorted(id for id, words in left.items() if pair <= words)
        left = {id: words for id, words in left.items() if id not in cited}
        words = [_plainly(stem, (texts[id] for id in cited)) for stem in sorted(pair)]
        shown.append({"name": "-".join(words), "description": f"Work about {words[0]} and {words[1]}.", "cites": cited})
    return answer_json({"skills": shown})


def _skill(text: str, skills: Mapping[str, frozenset[str]], spread: Mapping[str, int]) -> str:
    said = _said(text)
    first = [(words, worth) for words, worth in said if worth == FIRST]

    def weight(name: str, clauses: Sequence[tuple[frozenset[str], float]]) -> float:
        known, called, best = skills[name], _telling(in_words(name)), dict[str, float]()
        for words, worth in clauses:
            for word in words & known:
                best[word] = max(best.get(word, 0.0), worth * (NAMED if word in called else 1.0) / spread[word] ** 2)
        return sum(best.values())

    def best_by(clauses: Sequence[tuple[frozenset[str], float]]) -> tuple[str, float, float]:
        ranked = sorted(((weight(name, clauses), name) for name in skills), key=lambda item: (-item[0], item[1]))
        return ranked[0][1], ranked[0][0], ranked[1][0] if len(ranked) > 1 else 0.0

    name, most, rest = best_by(said) if skills else ("", 0.0, 0.0)
    sure = most >= LEAST and most >= AHEAD * rest and best_by(first)[:1] == (name,) and weight(name, first) > 0
    return name if sure else ""


def _said(text: str) -> list[tuple[frozenset[str], float]]:
    """The clauses of a text without those that tell what else went on, each with what its words are worth."""
    clauses = [clause for clause in CLAUSES.split(text) if not BESIDE.match(clause)]
    half, before, found = sum(map(len, clauses)) / 2, 0, []
    for clause in clauses:
        found.append((_telling(clause), FIRST if before <= half else LATER))
        before += len(clause)
    return found


def in_words(name: str) -> str:
    """The name of a skill as words."""
    return name.replace("-", " ")


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


def _heading(text: str) -> frozenset[str]:
    """The words of what a text says first."""
    return frozenset(word for words, worth in _said(text) if worth == FIRST for word in words)


def _plainly(stem: str, texts: Iterable[str]) -> str:
    """The commonest word of that stem."""
    words = Counter(word for text in texts for word in re.findall(r"[a-z0-9]+", text.lower()) if stems(word) == {stem})
    return min(words, key=lambda word: (-words[word], word), default=stem)


def _telling(text: str) -> frozenset[str]:
    return frozenset(stem for stem in stems(text) - COMMON if len(stem) >= SHORTEST)
