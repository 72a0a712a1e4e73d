"""The simulated roles of an audit, who know commands alone: assertions name them, and answers hold them or do not.

The agent runs the commands of those lines of its skill that are about the request, and knows none by itself.
"""

import re

from trace2skill.sim.conversation import Heard, Spoken, answer_json, blocks
from trace2skill.sim.profile import chance
from trace2skill.sim.roles.chooser import LEAST, telling

STEP = re.compile(r"^## Step (?P<number>\d+) \((?P<source>\w+)\)$", re.MULTILINE)
COMMAND = re.compile(r"^Call of [\w.-]+:\n(?:command|cmd): (?P<command>[^\n`]{4,200})$", re.MULTILINE)
LOOKS = re.compile(r"(?:ls|cat|head|grep|pwd)\b")
CODE = re.compile(r"`([^`\n]{4,200})`")
ASSERTED = re.compile(r"^(?P<number>\d+)\. It runs `(?P<command>[^`]+)`", re.MULTILINE)
MOST = 6


def write(heard: Heard) -> Spoken:
    """One assertion for each command that was run, and for each that the person named afterwards."""
    log = heard.block("trajectory")
    steps = list(STEP.finditer(log))
    found: dict[str, int] = {}
    for place, step in enumerate(steps):
        end = steps[place + 1].start() if place + 1 < len(steps) else len(log)
        for called in COMMAND.finditer(log, step.end(), end):
            if not LOOKS.match(called["command"]):
                found.setdefault(called["command"].strip(), int(step["number"]))
    last = int(steps[-1]["number"]) if steps else 1
    wanted = dict.fromkeys(CODE.findall(heard.block("said next")), last)
    rows = [{"says": f"It runs `{command}`.", "steps": [step]} for command, step in (wanted or found).items()]
    return answer_json({"assertions": rows[:MOST]})


def judge(heard: Heard) -> Spoken:
    """Says what the text shows, but for its mistakes: then the opposite."""
    asserted = [(int(item["number"]), item["command"]) for item in ASSERTED.finditer(heard.block("assertions"))]

    def said(name: str) -> list[dict[str, object]]:
        text, rows = heard.block(name), list[dict[str, object]]()
        for number, command in asserted:
            errs = chance("misjudges", heard.key, name, number) < heard.profile.misjudges
            holds = (command in text) != errs
            rows.append({"number": number, "verdict": "holds" if holds else "does_not_hold"})
        return rows

    if heard.block("trajectory"):
        return answer_json({"verdicts": said("trajectory")})
    return answer_json({"first": said("first answer"), "second": said("second answer")})


def plan(heard: Heard) -> Spoken:
    """What it would do: the commands of its skill's lines about the request."""
    skill = "\n".join(text for name, text in blocks(heard.system) if name == "skill")
    asked = telling(heard.block("request"))
    commands = [
        command for line in skill.splitlines() if len(asked & telling(line)) >= LEAST for command in CODE.findall(line)
    ]
    lines = ["I would look at what is there and write what was asked for."]
    return Spoken(text="\n".join([*lines, *(f"Then I would run `{command}`." for command in dict.fromkeys(commands))]))
