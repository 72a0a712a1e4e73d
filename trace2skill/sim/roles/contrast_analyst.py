"""The simulated contrast analyst: names the mistakes that the failed run shows and the run that passed does not."""

from trace2skill.sim.conversation import Heard, Spoken, answer_json
from trace2skill.sim.diagnosis import agent_steps, diagnose, lessons


def speak(heard: Heard) -> Spoken:
    """The report over one pair."""
    description, passed = heard.block("task"), heard.block("passed")
    good, bad = diagnose(passed, description), diagnose(heard.block("failed"), description)
    if good is None or bad is None or not bad.mistakes - good.mistakes:
        return answer_json({"lessons": []})
    steps = good.steps or agent_steps(passed)[:1]
    only_bad = bad.model_copy(update={"mistakes": bad.mistakes - good.mistakes, "slipped": False, "steps": steps})
    return answer_json({"lessons": lessons(only_bad, heard.opening, heard.block("skill"))})
