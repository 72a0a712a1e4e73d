"""What a simulated analyst reads out of an agent's log: the program, and the mistakes with which it was written.

It is told nothing. Now and then, as the profile says, it blames the wrong cause.
"""

import re
from collections.abc import Callable
from itertools import combinations

from trace2skill.core.record import Record
from trace2skill.sim import answers, scripts
from trace2skill.sim.causes import ALL_CAUSES, CAUSES, applies, cause_of, guided, habit_of, quirk_lesson
from trace2skill.sim.copying import copy_program, read_values
from trace2skill.sim.lessons import SERVING, Wording
from trace2skill.sim.mistakes.answers import names_of
from trace2skill.sim.mistakes.scripts import SCRIPT_CAUSES
from trace2skill.sim.office import parse, program
from trace2skill.sim.profile import Profile, chance, pick

PROGRAM = re.compile(r"cat > solve\.py <<'PROGRAM'\n(?P<source>.*?)\nPROGRAM", re.DOTALL)
STEP = re.compile(r"^## Step (?P<number>\d+) \(agent\)", re.MULTILINE)
MOST = 3
SAID_ALREADY = "the skill says it already"
FORM = frozenset({"formula_without_value", "numbers_as_text", "dates_as_text", "saved_elsewhere"})
"""Mistakes in how a result is stored, and not in what it is."""


class Diagnosis(Record):
    """What was found: planted mistakes by name, whether a one-off slip stands at the end, and the mended program."""

    source: str
    steps: tuple[int, ...]
    mistakes: frozenset[str]
    slipped: bool
    mended: str
    candidates: tuple[str, ...]
    kind: str = ""
    ran: bool = True


def diagnose(log: str, description: str) -> Diagnosis | None:
    """Find the agent's program in a log and with which mistakes it reads so; None where there is none to be read."""
    if answers.is_question(description):
        return _of_answer(log, answers.form_of(description))
    if scripts.MARK in log:
        return _of_script(log)
    found = PROGRAM.search(log)
    if found is None:
        return None
    source, job = found["source"], parse(description)
    values = read_values(source) if job is None else None
    if job is None and values is None:
        return None

    def build(mistakes: frozenset[str]) -> str:
        return program(job, mistakes) if job is not None else copy_program(values or {}, mistakes)

    names = tuple(cause.name for cause in CAUSES if applies(cause, job))
    mistakes = _mistakes(source, names, build)
    step = max((match for match in STEP.finditer(log) if match.start() < found.start()), key=_at, default=None)
    return Diagnosis(
        source=source,
        steps=(int(step["number"]),) if step else (),
        mistakes=mistakes or frozenset(),
        slipped="os.truncate" in source,
        mended=build(frozenset()),
        candidates=names,
        ran="python solve.py" in log,
    )


def _of_answer(log: str, form: str) -> Diagnosis | None:
    """The same for an answer: what the agent worked out, and what it said in the end."""
    read = answers.read(log)
    if read is None:
        return None
    steps = [int(match["number"]) for match in STEP.finditer(log[: read.at])]
    return Diagnosis(
        source=read.answer,
        steps=tuple(steps[-1:]),
        mistakes=read.mistakes,
        slipped=not read.answer,
        mended=answers.said(read.kind, read.working, frozenset(), form),
        candidates=names_of(read.kind),
        kind=read.kind,
    )


def _of_script(log: str) -> Diagnosis | None:
    """The same for a shell script."""
    read = scripts.read(log)
    if read is None:
        return None
    return Diagnosis(
        source=read.source,
        steps=tuple([int(match["number"]) for match in STEP.finditer(log[: read.at])][-1:]),
        mistakes=read.mistakes,
        slipped=read.slipped,
        mended=scripts.mended(read.source),
        candidates=tuple(cause.name for cause in SCRIPT_CAUSES),
    )


def lessons(diagnosis: Diagnosis, salt: str, skill: str = "") -> list[dict[str, object]]:
    """A lesson for each mistake, in one of its wordings, and one for a one-off slip; `skill` is what the agent read."""
    found = [
        cause.wordings[pick(len(cause.wordings), "wording", cause.name, salt)]
        for cause in ALL_CAUSES
        if cause.name in diagnosis.mistakes
    ]
    if diagnosis.slipped or not found:
        found.append(quirk_lesson(salt))
    return worded(found[:MOST], diagnosis.steps, skill)


def kind_of(diagnosis: Diagnosis) -> str:
    """The kind of the cause. What ran without a mistake, and failed all the same, was held to a wrong reference."""
    if not diagnosis.mistakes:
        return "logic" if diagnosis.slipped or not diagnosis.ran else "reference"
    return "form" if diagnosis.mistakes & FORM else "logic"


def planted_besides(
    profile: Profile, salt: str, steps: tuple[int, ...], skill: str, told: str
) -> list[dict[str, object]]:
    """What the profile plants beside the lessons: one that serves the check, and a line of the skill as news.

    An analyst that was told that the skill says it already leaves the latter out.
    """
    found = []
    if chance("serves", profile.seed, salt) < profile.serves:
        found += worded([SERVING[pick(len(SERVING), "serving", salt)]], steps)
    lines = [line.strip("-* ") for line in skill.splitlines() if line.startswith("- ") and len(line.split()) > MOST * 2]
    if lines and chance("repeats", profile.seed, salt) < profile.repeats and SAID_ALREADY not in told:
        line = lines[pick(len(lines), "line", salt)]
        found += worded([Wording(title=line[:60], description="Applies always.", content=line)], steps)
    return found


def wrong_guess(diagnosis: Diagnosis, salt: str) -> list[dict[str, object]] | None:
    """The lesson of an analyst who blames what was not the cause; None where nothing else could be blamed."""
    others = [name for name in diagnosis.candidates if name not in diagnosis.mistakes]
    if not others:
        return None
    blamed = others[pick(len(others), "blamed", salt)]
    cause = next(cause for cause in ALL_CAUSES if cause.name == blamed)
    return worded([cause.wordings[pick(len(cause.wordings), "wording", blamed, salt)]], diagnosis.steps)


def misreads(profile: Profile, salt: str) -> bool:
    """Does the analyst get the cause of this failure wrong at first?"""
    return chance("misread", profile.seed, salt) < profile.misread


def worded(
    wordings: list[Wording], steps: tuple[int, ...], skill: str = "", *, followed: bool = False
) -> list[dict[str, object]]:
    """Lessons as an analyst hands them in, each with how it stands to the skill that the agent read."""
    proof: dict[str, object] = {"steps": list(steps), "proved_by": "what that step wrote", "certainty": "shown"}
    return [{**wording.model_dump(), **proof, **standing(wording.content, skill, followed)} for wording in wordings]


def standing(content: str, skill: str, followed: bool) -> dict[str, str]:
    """Is there a line in the skill that gives the guidance of a lesson?"""
    about = cause_of(content) or habit_of(content)
    if not about:
        return {"stands": "new", "line": "", "note": ""}
    line = next((line for line in skill.splitlines() if about in guided(line)), "")
    if not line:
        return {"stands": "new", "line": "", "note": ""}
    note = "The agent followed it." if followed else "The agent did not follow it."
    return {"stands": "stated" if followed else "stated_not_followed", "line": line, "note": note}


def agent_steps(log: str) -> tuple[int, ...]:
    """The numbers of the agent's steps in a log."""
    return tuple(int(found["number"]) for found in STEP.finditer(log))


def _at(match: re.Match[str]) -> int:
    return match.start()


def _mistakes(source: str, names: tuple[str, ...], build: Callable[[frozenset[str]], str]) -> frozenset[str] | None:
    """The set of mistakes with which a program would read like `source`, or None."""
    for size in range(len(names) + 1):
        for some in combinations(names, size):
            if source.startswith(build(frozenset(some)).rstrip("\n")):
                return frozenset(some)
    return None
