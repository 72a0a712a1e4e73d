"""The simulated chooser: the skill that is named, or the one whose description shares most words with the request."""

import json

from trace2skill.core.similarity import words
from trace2skill.sim.conversation import Heard, Spoken, answer_json

LEAST = 2
SHORTEST = 4


def speak(heard: Heard) -> Spoken:
    """Names one skill or none."""
    request = heard.block("request")
    skills = [json.loads(line) for line in heard.block("skills").splitlines() if line.startswith("{")]
    named = [one["name"] for one in skills if one["name"] in request]
    if named:
        return answer_json({"skill": named[0]})
    asked = telling(request)
    shared = {one["name"]: len(asked & telling(one["description"])) for one in skills}
    best = max(shared, key=lambda name: shared[name], default="")
    return answer_json({"skill": best if best and shared[best] >= LEAST else ""})


def telling(text: str) -> set[str]:
    """The words that say what a text is about."""
    return {word for word in words(text) if len(word) >= SHORTEST}
