"""A script as the simulated agent writes it, and as an analyst reads it out of a log."""

import re

from trace2skill.core.record import Record
from trace2skill.sim.mistakes.scripts import SCRIPT_MISTAKES
from trace2skill.sim.profile import chance

STEADINESS = 0.9
MARK = 'cat > "$TMPDIR/solve.sh"'
SLIP = "exit 0  # enough for now\n"
SCRIPT = re.compile(re.escape(MARK) + r" <<'SCRIPT'\n(?P<source>.*?)\nSCRIPT", re.DOTALL)


class ScriptLapse(Record):
    """What goes wrong with one script: planted mistakes, and perhaps that it does nothing at all."""

    mistakes: frozenset[str] = frozenset()
    quirk: str | None = None


class ScriptReading(Record):
    """What a log shows of a script. `at` is where it stands in the log."""

    source: str
    mistakes: frozenset[str]
    slipped: bool
    at: int


def committed(gold: str, task_key: str, skill_text: str, seed: int, noise: float) -> ScriptLapse:
    """What goes wrong: planted mistakes that the skill does not guard against, and by `noise` a lapse of this run."""
    from trace2skill.sim.causes import guided

    known = guided(skill_text)
    mistakes = frozenset(
        mistake.cause.name
        for mistake in SCRIPT_MISTAKES
        if mistake.cause.name not in known
        and mistake.spoil(gold) != gold
        and chance("planted", mistake.cause.name, task_key) < mistake.cause.prevalence
        and chance("steady", mistake.cause.name, task_key, seed) < STEADINESS
    )
    quirk = f"{task_key}/{seed}" if chance("quirk", task_key, seed) < noise / 2 else None
    return ScriptLapse(mistakes=mistakes, quirk=quirk)


def said(gold: str, mistakes: frozenset[str], *, broken: bool = False) -> str:
    """The agent's command: it writes the script, as the mistakes leave it, and runs it."""
    script = gold.strip("\n")
    for mistake in SCRIPT_MISTAKES:
        if mistake.cause.name in mistakes:
            script = mistake.spoil(script)
    return f"{MARK} <<'SCRIPT'\n{SLIP if broken else ''}{script}\nSCRIPT\nbash \"$TMPDIR/solve.sh\""


def read(log: str) -> ScriptReading | None:
    """The last script in a log, and the mistakes that it shows; None where there is none."""
    found = list(SCRIPT.finditer(log))
    if not found:
        return None
    source = found[-1]["source"]
    mistakes = frozenset(mistake.cause.name for mistake in SCRIPT_MISTAKES if mistake.mend(source) != source)
    return ScriptReading(source=source, mistakes=mistakes, slipped=source.startswith(SLIP), at=found[-1].start())


def mended(source: str) -> str:
    """A script without any of the mistakes."""
    for mistake in reversed(SCRIPT_MISTAKES):
        source = mistake.mend(source)
    return source.removeprefix(SLIP)
