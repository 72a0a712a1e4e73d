"""The simulated success analyst: names good habits, sometimes with a remark that holds for this one task only."""

from trace2skill.sim.answers import is_question
from trace2skill.sim.causes import HABITS, HARMFUL, OPPOSED, quirk_lesson
from trace2skill.sim.conversation import Heard, Spoken, answer_json
from trace2skill.sim.diagnosis import agent_steps, worded
from trace2skill.sim.mistakes.answers import ANSWER_HABITS
from trace2skill.sim.mistakes.scripts import SCRIPT_HABITS
from trace2skill.sim.profile import chance, pick
from trace2skill.sim.scripts import MARK


def speak(heard: Heard) -> Spoken:
    """The report over one trajectory."""
    known = ANSWER_HABITS if is_question(heard.block("task")) else HABITS
    known = SCRIPT_HABITS if MARK in heard.block("trajectory") else known
    first = pick(len(known), "habit", heard.key)
    habits = [known[first], known[(first + 1) % len(known)]][: 1 + (chance("second", heard.key) < 0.4)]
    wordings = [habit.wordings[pick(len(habit.wordings), "wording", heard.key)] for habit in habits]
    if chance("remark", heard.key) < heard.profile.noise:
        wordings.append(quirk_lesson(heard.key))
    if chance("opposed", heard.key) < heard.profile.opposed:
        pair = OPPOSED[0]
        wordings.append(pair[pick(2, "side", heard.key)])
    if chance("harmful", heard.key) < heard.profile.harmful:
        wordings = [HARMFUL[0], *wordings]
    steps = agent_steps(heard.block("trajectory"))[:1]
    return answer_json({"lessons": worded(wordings[:3], steps, heard.block("skill"), followed=True)})
