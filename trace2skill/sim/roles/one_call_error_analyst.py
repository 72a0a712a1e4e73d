"""The simulated one-call error analyst: as able a reader as the agentic one, and nobody tells it when it is wrong."""

from trace2skill.sim.conversation import Heard, Spoken, answer_json
from trace2skill.sim.diagnosis import diagnose, kind_of, lessons, misreads, planted_besides, wrong_guess
from trace2skill.sim.pictures import unseen


def speak(heard: Heard) -> Spoken:
    """The report over one trajectory."""
    found = diagnose(heard.block("trajectory"), heard.block("task"))
    if found is None or unseen(heard, found.kind):
        return answer_json(
            {"surface": "The result is wrong.", "cause": "unknown", "cause_steps": [], "kind": "logic", "lessons": []}
        )
    kind = kind_of(found)
    drawn = (wrong_guess(found, heard.opening) if misreads(heard.profile, heard.opening) else None) or lessons(
        found, heard.opening, heard.block("skill")
    )
    told = heard.observations[-1] if heard.observations else ""
    drawn += planted_besides(heard.profile, heard.opening, found.steps, heard.block("skill"), told)
    return answer_json(
        {
            "surface": "The result is wrong.",
            "cause": f"The program shows: {', '.join(str(lesson['title']) for lesson in drawn)}.",
            "cause_steps": list(found.steps),
            "kind": kind,
            "lessons": [] if kind == "reference" else drawn,
        }
    )
