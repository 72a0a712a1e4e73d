"""The simulated translator: puts a lost edit into the first section of the outline; anchors it does not find."""

import re

from trace2skill.sim.conversation import Heard, Spoken, answer_json
from trace2skill.skills.markdown import sections

LOST = re.compile(r"^## (?P<id>E[0-9a-f]+): (?P<op>\w+) in ", re.MULTILINE)


def speak(heard: Heard) -> Spoken:
    """A place for every edit that needs none but a section."""
    found = sections(heard.block("skill"))
    lost = [match["id"] for match in LOST.finditer(heard.opening) if match["op"] == "append_to_section"]
    return answer_json({"places": [{"id": id, "section": list(found[0].path)} for id in lost if found]})
