"""The simulated rewriter: one line for each topic it still has in mind after so many lessons at once.

It counts no support, so that what one run alone showed stands beside what all of them show; and it loses sight of some
topics where there are many.
"""

import re

from trace2skill.sim.causes import cause_of, guided, habit_of
from trace2skill.sim.conversation import Heard, Spoken, answer_json, blocks
from trace2skill.sim.profile import chance

MOST, FORGETS = 14, 0.25


def speak(heard: Heard) -> Spoken:
    """The skill with the topics of the lessons."""
    documents = {name.removeprefix("file "): text for name, text in blocks(heard.opening) if name.startswith("file ")}
    text = documents.pop("SKILL.md", "")
    body = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL).strip()
    known, lines = guided(text), {}
    for name, lesson in blocks(heard.opening):
        about = cause_of(lesson) or habit_of(lesson) or name
        if not name.startswith("lesson ") or about in known or about in lines:
            continue
        if chance("forgets", heard.profile.seed, about) >= FORGETS:
            lines[about] = "- " + re.sub(r"\s+", " ", lesson.split("\n\n")[-1]).strip()
    rules = "\n".join(list(lines.values())[:MOST])
    references = [{"path": path, "content": content} for path, content in documents.items() if path != "SKILL.md"]
    return answer_json({"body": f"{body}\n\n## Rules from experience\n\n{rules}\n", "references": references})
