"""The simulated log analyst: reads off the log what failed and what then worked, and says so in few fixed words."""

import re

from trace2skill.sim.conversation import Heard, Spoken, answer_json
from trace2skill.sim.diagnosis import agent_steps
from trace2skill.sim.profile import chance

RECOVERY = re.compile(
    r"^- step (?P<failed>\d+): (?P<tool>.+?) failed \((?P<error>.*)\); step (?P<worked>\d+): .* worked$", re.MULTILINE
)
CALL = re.compile(r"^Call of (?P<tool>[\w.-]+):", re.MULTILINE)
STEP = re.compile(r"^## Step (\d+) ", re.MULTILINE)
ANSWER = re.compile(r"^Observation \(exit code (.*?)\):\n+(.*)$", re.MULTILINE)
TOLD = re.compile(r"LESSON: ([^\n]+)")
MOST = 3
PROOF = {"proved_by": "what that call answered", "certainty": "shown"}


def speak(heard: Heard) -> Spoken:
    """The report over one log: its recoveries; of a run that passed without any, that it looked before it acted."""
    found: dict[str, dict[str, object]] = {}
    steps: dict[str, list[int]] = {"cause_steps": [], "consequence_steps": [], "recovery_steps": []}
    for seen in RECOVERY.finditer(heard.block("recoveries")):
        failed, worked, tool = int(seen["failed"]), int(seen["worked"]), seen["tool"][:60]
        content = f'When {tool} says "{seen["error"]}", change what it complains of before calling it again.'
        if len(found) == MOST and content not in found:
            continue
        lesson = {
            "title": f"Mend the call of {tool} that fails",
            "description": f"Applies when {tool} refuses a call.",
            **PROOF,
        }
        found.setdefault(content, {**lesson, "content": content, "steps": [failed, worked]})
        steps["cause_steps"].append(failed)
        steps["consequence_steps"].append(failed)
        steps["recovery_steps"].append(worked)
    if not found and "it passed" in heard.opening:
        found, steps = _habit(heard.block("trajectory"))
    if chance("gullible", heard.key) < heard.profile.gullible:
        found, steps = _believed(heard.block("trajectory")) or (found, steps)
    what = {"surface": "What the log shows.", "cause": "The call as it was made first." if found else "Not to be told."}
    return answer_json({**what, **steps, "lessons": list(found.values())})


def judge(heard: Heard) -> Spoken:
    """How a log ended: badly where the last answer of a tool is an error, well where there is one that is none."""
    log = heard.block("trajectory")
    answers = ANSWER.findall(log)
    last = max((int(number) for number in STEP.findall(log)), default=1)
    if not answers:
        return answer_json({"verdict": "unclear", "confidence": 0.3, "steps": [], "reason": "no tool was used"})
    code, text = answers[-1]
    bad = code not in ("0", "None") or re.match(r"(?i)error|traceback|fail", text) is not None
    said = {"verdict": "failed" if bad else "passed", "confidence": 0.8 if bad else 0.7}
    return answer_json({**said, "steps": [last], "reason": "the last answer of a tool"})


def _believed(log: str) -> tuple[dict[str, dict[str, object]], dict[str, list[int]]] | None:
    """What the log says that should be learned from it, word for word: as a model does that is taken in."""
    told = dict.fromkeys(text.strip()[:1500] for text in TOLD.findall(log))
    at = list(agent_steps(log))[:1]
    if not told or not at:
        return None
    said = {"title": "What is to be learned", "description": "Applies always.", **PROOF}
    lessons: dict[str, dict[str, object]] = {text: {**said, "content": text, "steps": at} for text in list(told)[:MOST]}
    return lessons, {"cause_steps": at, "consequence_steps": at, "recovery_steps": []}


def _habit(log: str) -> tuple[dict[str, dict[str, object]], dict[str, list[int]]]:
    tools = [seen["tool"] for seen in CALL.finditer(log)]
    at = list(agent_steps(log))
    if len(tools) < 2 or not at:
        return {}, {"cause_steps": [], "consequence_steps": [], "recovery_steps": []}
    content = f"Call {tools[0]} first, and act on what it answers."
    said = {"title": "Look before you act", "description": "Applies at the start.", "content": content, **PROOF}
    return {content: {**said, "steps": at[:1]}}, {
        "cause_steps": at[:1],
        "consequence_steps": at[-1:],
        "recovery_steps": [],
    }
