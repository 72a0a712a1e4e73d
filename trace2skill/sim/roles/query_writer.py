"""The simulated writer of requests: those of users in other words, and near misses about the same words."""

import json
import re
from collections.abc import Iterator
from itertools import cycle, islice

from trace2skill.core.digest import digest_of
from trace2skill.core.similarity import similarity, words
from trace2skill.sim.conversation import Heard, Spoken, answer_json

ASKED = re.compile(r"Write (\d+) requests that should call for `[^`]*`, and (\d+) near misses")
SHORTEST_WORD = 5
TRIED, ALIKE = 2000, 0.7
BEGINNINGS = (
    "Please do this for me: {}",
    "{}",
    "I have to hand this in tonight and do not know where to begin. {} Tell me when it is done, and what you changed.",
    "{} and be quick",
)
STYLES = ("plain", "short", "long", "typos")
MISSES = (
    "What does {0} mean?",
    "Who invented {0} and {1}, and when was that?",
    "Translate {1} and {0} into Finnish.",
    "Write a poem of four lines in which {0} meets {1}.",
    "Which book about {1} would you give to a friend who likes {0}?",
)


def speak(heard: Heard) -> Spoken:
    """Writes what was asked for, and nothing that stands there already in about the same words."""
    found = ASKED.search(heard.opening)
    should, should_not = (int(found[1]), int(found[2])) if found else (0, 0)
    own = heard.opening.partition("The skill `")[2].partition("`")[0]
    rows = [row for row in _rows(heard.block("requests")) if row.get("for") in ("", own)]
    before = [json.loads(line) for line in heard.block("written").splitlines()]
    mine = list(islice(_new(({**item, "skill": own} for item in _wanted(heard, rows)), before), should))
    others = [row["name"] for row in _rows(heard.block("others"))]
    about = _telling(" ".join([heard.block("skill"), *(row["request"] for row in rows)]))
    near = ({"query": query, "skill": "", "style": "plain", "like": ""} for query in _misses(about))
    misses = list(islice(_new(near, before), should_not))
    for miss, row in zip(misses[::3], _rows(heard.block("others")) if others else (), strict=False):
        miss |= {"query": f"I need help with {' '.join(_telling(row['description'])[:4])}", "skill": row["name"]}
    return answer_json({"queries": mine + misses})


def _new(items: Iterator[dict[str, str]], before: list[str]) -> Iterator[dict[str, str]]:
    """Of so many items those that are not much like what was said before."""
    said = [*before]
    for item in islice(items, TRIED):
        if all(similarity(item["query"], other) < ALIKE for other in said):
            said.append(item["query"])
            yield item


def _wanted(heard: Heard, rows: list[dict[str, str]]) -> Iterator[dict[str, str]]:
    """Each request, or line of the skill, in turn: other words of it in another style each time."""
    lines = [(row["request"], row["id"]) for row in rows]
    lines += [(line.strip("-# "), "") for line in heard.block("skill").splitlines() if len(words(line)) > 3]
    for number, (text, id) in enumerate(cycle(lines or [("Do it.", "")])):
        told = _telling(text)
        turn = number // max(1, len(lines))
        said = " ".join([*told[turn % 3 :], *told[: turn % 3]][:6])
        style = number % len(STYLES)
        query = BEGINNINGS[style].format(said)
        if STYLES[style] == "typos":
            query = re.sub(r"\b(\w)(\w)(\w{3,})", r"\1\3\2", query)
        yield {"query": query, "style": STYLES[style], "like": id}


def _misses(about: list[str]) -> Iterator[str]:
    known = sorted(about, key=digest_of) or ["it"]
    for number, one in enumerate(cycle(known)):
        other = known[(number * 7 + 3) % len(known)]
        yield MISSES[number % len(MISSES)].format(one, other)


def _rows(text: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def _telling(text: str) -> list[str]:
    return list(dict.fromkeys(word for word in words(text) if len(word) >= SHORTEST_WORD))
