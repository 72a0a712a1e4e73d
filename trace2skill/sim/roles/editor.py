"""The simulated editor: each rule on one line, ended by a full stop. The repairer: shorter descriptions.

Who looks over lines finds nothing to withhold: a simulated model knows mistakes and not intents.
"""

import re

from trace2skill.sim.conversation import Heard, Spoken, answer_json, blocks

LONGEST_DESCRIPTION = 1024


def speak(heard: Heard) -> Spoken:
    """Every rule once, in tidier words."""
    rules = [
        {"id": name.removeprefix("rule "), "content": re.sub(r"[ \t]+", " ", text).rstrip(" .") + "."}
        for name, text in blocks(heard.opening)
        if name.startswith("rule ")
    ]
    return answer_json({"rules": rules})


def repair(heard: Heard) -> Spoken:
    """The file, with a description that is too long cut at a sentence."""
    text = heard.block("file")
    found = re.search(r'^description: "(?P<said>.*)"$', text, re.MULTILINE)
    if found and len(found["said"]) > LONGEST_DESCRIPTION:
        short = found["said"][:LONGEST_DESCRIPTION].rpartition(". ")[0] + "."
        text = text.replace(found[0], f'description: "{short}"')
    return answer_json({"content": text})


def look(heard: Heard) -> Spoken:
    """Nothing is named."""
    return answer_json({"withhold": []})
