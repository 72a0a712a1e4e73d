"""The simulated error analyst: reads the trace, has the output compared, hands in a fix that is really run.

It is told nothing: which mistake was made it finds by reading the agent's program in the trace.
"""

import re
from collections.abc import Callable
from itertools import combinations

from trace2skill.sim.causes import CAUSES, applies, quirk_lesson
from trace2skill.sim.conversation import Heard, Spoken, call
from trace2skill.sim.copying import copy_program, read_values
from trace2skill.sim.office import parse, program
from trace2skill.sim.profile import chance, pick

READ = "cat trace/index.md\ncat $(grep -l 'cat > solve.py' trace/steps/*.md | head -n 1)"
PROGRAM = re.compile(r"cat > solve\.py <<'PROGRAM'\n(?P<source>.*?)\nPROGRAM", re.DOTALL)
STEP = re.compile(r"^## Step (?P<number>\d+) \(agent\)", re.MULTILINE)
GIVES_UP = 0.03


def speak(heard: Heard) -> Spoken:
    """One turn of the analyst."""
    if heard.turns == 0:
        return call(heard, "I read what the agent did.", "bash", command=READ)
    if heard.turns == 1:
        return call(heard, "I compare its output with what was expected.", "evaluate")
    found = PROGRAM.search(heard.observations[0])
    source = found["source"] if found else ""
    report = _report(heard, source)
    if report is None or chance("gives up", heard.opening) < GIVES_UP:
        return Spoken(text="I could not find the cause.")
    if heard.turns == 2 and chance("first try fails", heard.opening) < 0.1:
        report = {**report, "fix": "import shutil, sys\nshutil.copy(sys.argv[1], sys.argv[2])\n"}
    if heard.turns > 3:
        return Spoken(text="My fix does not hold; I give up.")
    return call(heard, "I hand in the cause, the fix and the lessons.", "submit", **report)


def _report(heard: Heard, source: str) -> dict[str, object] | None:
    job = parse(heard.block("task"))
    if job is not None:
        fix = program(job, frozenset())
        mistakes = _mistakes(source, [c.name for c in CAUSES if applies(c, job)], lambda m: program(job, m))
    else:
        values = read_values(source)
        if values is None:
            return None
        fix = copy_program(values, frozenset())
        names = [c.name for c in CAUSES if applies(c, None)]
        mistakes = _mistakes(source, names, lambda m: copy_program(values, m))
    step = STEP.search(heard.observations[0])
    steps = [int(step["number"])] if step else []
    wordings = [
        cause.wordings[pick(len(cause.wordings), "wording", cause.name, heard.opening)]
        for cause in CAUSES
        if cause.name in (mistakes or frozenset())
    ]
    if not wordings or chance("remark", heard.opening) < heard.profile.noise:
        wordings.append(quirk_lesson(heard.opening))
    named = ", ".join(sorted(mistakes or ())) or "a one-off slip at the end"
    return {
        "surface": "The output differs from what was expected.",
        "cause": f"The program shows: {named}.",
        "cause_steps": steps,
        "fix": fix,
        "lessons": [{**wording.model_dump(), "steps": steps} for wording in wordings[:3]],
    }


def _mistakes(source: str, names: list[str], build: Callable[[frozenset[str]], str]) -> frozenset[str] | None:
    """The set of mistakes with which a program would read like `source`, or None."""
    for size in range(len(names) + 1):
        for some in combinations(names, size):
            if source.startswith(build(frozenset(some)).rstrip("\n")):
                return frozenset(some)
    return None
