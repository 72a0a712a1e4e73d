"""The simulated writer of descriptions: the words of the requests that it should be taken up for, and of no others."""

import json
from collections import Counter

from trace2skill.core.similarity import words
from trace2skill.sim.conversation import Heard, Spoken, answer_json

SHORTEST = 4
MOST_WORDS = 40


def speak(heard: Heard) -> Spoken:
    """Keeps the words of the old description that no wrong request has, and adds those of the right ones."""
    rows = [json.loads(line) for line in heard.block("requests").splitlines() if line.startswith("{")]
    own = heard.opening.partition("The skill `")[2].partition("`")[0]
    wanted = Counter(word for row in rows if row["for"] == own for word in _telling(row["request"]))
    strange = {word for row in rows if row["for"] != own for word in _telling(row["request"])}
    kept = [word for word in _telling(heard.block("description")) if word not in strange or wanted[word] > 1]
    new = [word for word, _ in wanted.most_common() if word not in strange and word not in kept]
    return answer_json({"description": f"Use it for {', '.join([*kept, *new][:MOST_WORDS])}."})


def _telling(text: str) -> list[str]:
    return list(dict.fromkeys(word for word in words(text) if len(word) >= SHORTEST))
