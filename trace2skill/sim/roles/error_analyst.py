"""The simulated error analyst: reads the trace, has the output compared, hands in a fix that is really run.

Where it blames the wrong cause it hands in the agent's own program again, which the gate refuses; then it looks again.
"""

import re

from trace2skill.sim.answers import is_question
from trace2skill.sim.conversation import Heard, Spoken, call
from trace2skill.sim.diagnosis import Diagnosis, diagnose, kind_of, lessons, misreads, planted_besides, wrong_guess
from trace2skill.sim.pictures import unseen
from trace2skill.sim.profile import chance

READ_ANSWER = "cat trace/index.md\ncat trace/steps/*.md | tail -c 6000"
READ = "cat trace/index.md\ncat $(grep -lE 'cat > .*solve[.](py|sh)' trace/steps/*.md | head -n 1)"
GIVES_UP, EVALUATES = 0.03, 0.3
FIX_FILE = re.compile(r"Write it to a file in `/workspace`, such as `(?P<file>[^`]+)`")


def speak(heard: Heard) -> Spoken:
    """One turn of the analyst."""
    if heard.turns == 0:
        command = READ_ANSWER if is_question(heard.block("task")) else READ
        return call(heard, "I read what the agent did.", "bash", command=command)
    turn = heard.turns - 1
    if chance("evaluates", heard.opening) < EVALUATES:
        if turn == 0:
            return call(heard, "I compare its output with what was expected.", "evaluate")
        turn -= 1
    found = diagnose(heard.observations[0], heard.block("task"))
    if found is None or unseen(heard, found.kind) or chance("gives up", heard.opening) < GIVES_UP:
        return Spoken(text="I could not find the cause.")
    if kind_of(found) == "reference":
        return call(heard, "The agent did as it was asked.", "submit", **_report(found, [], ""))
    if misreads(heard.profile, heard.opening) and (blamed := wrong_guess(found, heard.opening)):
        if turn < 2:
            return _proved(heard, turn, found, blamed, found.source)
        turn -= 2
    if turn > 2:
        return Spoken(text="My fix does not hold; I give up.")
    skill, told = heard.block("skill"), heard.observations[-1]
    drawn = lessons(found, heard.opening, skill)
    drawn += planted_besides(heard.profile, heard.opening, found.steps, skill, told)
    return _proved(heard, turn, found, drawn, found.mended)


def _proved(heard: Heard, turn: int, found: Diagnosis, drawn: list[dict[str, object]], fix: str) -> Spoken:
    """First the fix is written to a file, then it is handed in."""
    named = FIX_FILE.search(heard.system)
    file = named["file"] if named else "fix.py"
    if turn == 0:
        return call(heard, "I write the fix.", "bash", command=f"cat > {file} <<'FIX'\n{fix}\nFIX")
    return call(heard, "I hand in the cause, the fix and the lessons.", "submit", **_report(found, drawn, file))


def _report(found: Diagnosis, drawn: list[dict[str, object]], file: str) -> dict[str, object]:
    titles = ", ".join(str(lesson["title"]) for lesson in drawn)
    kind = kind_of(found)
    return {
        "surface": "The output differs from what was expected.",
        "cause": "The program does what the task asks for." if kind == "reference" else f"The program shows: {titles}.",
        "cause_steps": list(found.steps),
        "kind": kind,
        "fix_file": file,
        "lessons": drawn,
    }
