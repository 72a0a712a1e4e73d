"""The simulated merger: groups about the same cause become one, in the wording of the best supported."""

import re

from trace2skill.sim.causes import cause_of, contradicted, habit_of
from trace2skill.sim.conversation import Heard, Spoken, answer_json, blocks
from trace2skill.sim.lessons import CONDITIONAL

GIVEN = re.compile(r"^## (?P<id>G[0-9a-f]+): supported by (?P<tasks>\d+) tasks", re.MULTILINE)


def speak(heard: Heard) -> Spoken:
    """Merged groups, each citing what it stands for."""
    support = {found["id"]: int(found["tasks"]) for found in GIVEN.finditer(heard.opening)}
    texts = {name.removeprefix("group "): text for name, text in blocks(heard.opening) if name.startswith("group ")}
    by_topic: dict[str, list[str]] = {}
    for id in support:
        topic = contradicted(texts[id]) or cause_of(texts[id]) or habit_of(texts[id]) or id
        by_topic.setdefault(topic, []).append(id)
    groups = [_merged(ids, support, texts) for ids in by_topic.values()]
    return answer_json({"groups": groups, "dropped": []})


def _merged(ids: list[str], support: dict[str, int], texts: dict[str, str]) -> dict[str, object]:
    if len(ids) == 1:
        return {"cites": ids, "edits": []}
    told = contradicted(texts[ids[0]])
    if told:
        written = next((texts[id] for id in ids if CONDITIONAL in texts[id]), "")
        edit = _edit(written or texts[ids[0]])
        return {"cites": ids, "edits": [{**edit, "content": f"- {CONDITIONAL}"}]}
    best = min(ids, key=lambda id: (-support[id], len(texts[id]), id))
    return {"cites": ids, "edits": [_edit(texts[best])]}


def _edit(text: str) -> dict[str, object]:
    """The edit back from its description (see `trace2skill.consolidate.groups.describe`)."""
    head, _, rest = text.partition("\n")
    op, _, place = head.partition(" in ")
    file, *section = place.split(" > ")
    title = ""
    if rest.startswith("title: "):
        title, _, rest = rest.removeprefix("title: ").partition("\n")
    return {"op": op, "file": file, "section": section, "title": title, "content": rest}
