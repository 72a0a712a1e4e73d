"""The simulated error analyst: reads the trace, has the output compared, hands in a fix that is really run.

Where it blames the wrong cause it hands in the agent's own program again, which the gate refuses; then it looks again.
"""

from trace2skill.sim.answers import is_question
from trace2skill.sim.conversation import Heard, Spoken, call
from trace2skill.sim.diagnosis import Diagnosis, diagnose, lessons, misreads, wrong_guess
from trace2skill.sim.pictures import unseen
from trace2skill.sim.profile import chance

READ_ANSWER = "cat trace/index.md\ncat trace/steps/*.md | tail -c 6000"
READ = "cat trace/index.md\ncat $(grep -lE 'cat > .*solve[.](py|sh)' trace/steps/*.md | head -n 1)"
GIVES_UP = 0.03


def speak(heard: Heard) -> Spoken:
    """One turn of the analyst."""
    if heard.turns == 0:
        command = READ_ANSWER if is_question(heard.block("task")) else READ
        return call(heard, "I read what the agent did.", "bash", command=command)
    if heard.turns == 1:
        return call(heard, "I compare its output with what was expected.", "evaluate")
    found = diagnose(heard.observations[0], heard.block("task"))
    if found is None or unseen(heard, found.kind) or chance("gives up", heard.opening) < GIVES_UP:
        return Spoken(text="I could not find the cause.")
    if heard.turns > 3:
        return Spoken(text="My fix does not hold; I give up.")
    report = _report(found, lessons(found, heard.opening), found.mended)
    if heard.turns == 2 and misreads(heard.profile, heard.opening):
        blamed = wrong_guess(found, heard.opening)
        report = _report(found, blamed, found.source) if blamed else report
    return call(heard, "I hand in the cause, the fix and the lessons.", "submit", **report)


def _report(found: Diagnosis, drawn: list[dict[str, object]], fix: str) -> dict[str, object]:
    return {
        "surface": "The output differs from what was expected.",
        "cause": f"The program shows: {', '.join(str(lesson['title']) for lesson in drawn)}.",
        "cause_steps": list(found.steps),
        "fix": fix,
        "lessons": drawn,
    }
