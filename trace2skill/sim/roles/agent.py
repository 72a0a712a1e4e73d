"""The simulated agent: looks, opens the references the skill names, writes a program, checks now and then, ends."""

import re

from trace2skill.sim import answers, scripts
from trace2skill.sim.answer_key import answer_for, gold_for, script_for
from trace2skill.sim.causes import committed, harmed
from trace2skill.sim.conversation import Heard, Spoken, blocks, call
from trace2skill.sim.copying import copy_program
from trace2skill.sim.offered import OfferedScript, offered
from trace2skill.sim.office import parse, program
from trace2skill.sim.pictures import unseen
from trace2skill.sim.profile import chance
from trace2skill.sim.roles.chooser import LEAST, telling

LOOK = """\
python - <<'EOF'
import glob, openpyxl
for path in sorted(glob.glob("input/*.xlsx")):
    book = openpyxl.load_workbook(path)
    for sheet in book:
        print(path, sheet.title, sheet.dimensions)
        for row in sheet.iter_rows(min_row=1, max_row=4, values_only=True):
            print(row)
EOF"""
RUN = 'for f in input/*.xlsx; do python solve.py "$f" "output/$(basename "$f")"; done'
FAILED = re.compile(r"^Traceback|\berror:", re.MULTILINE)
HAND_IN = "cp input/*.xlsx output/"
CHECK = """\
python - <<'EOF'
import glob, openpyxl
for path in sorted(glob.glob("output/*.xlsx")):
    book = openpyxl.load_workbook(path, data_only=True)
    print(path, [(sheet.title, sheet.dimensions) for sheet in book])
EOF"""

OF_LIBRARY = re.compile(r"^- \[[^\]]+\]\((skills/[\w-]+/SKILL\.md)\): (.*)$", re.MULTILINE)


def speak(heard: Heard) -> Spoken:
    """One turn of the agent."""
    description = heard.opening.removeprefix("# Task").strip()
    if told := answer_for(description):
        return _answer(heard, description, *told)
    if script := script_for(description):
        return _script(heard, description, script)
    if chance("hasty", heard.profile.seed, asked_in(description), heard.seed) < heard.profile.hasty:
        return _hasty(heard, description)
    if taken := _taken_up(heard, description):
        if heard.turns == 0:
            return call(heard, "The skill has a script for this: I run it.", "bash", command=taken.command)
        if not FAILED.search(heard.observations[0]):
            return Spoken(text="The script has written the workbook. Done.")
    turns = heard.turns - bool(taken)
    if turns == 0:
        opened = " ".join(f"skill/{path}" for path in _references(heard))
        command = f"cat {opened}\n{LOOK}" if opened else LOOK
        return call(heard, "I look at the workbook first.", "bash", command=command)
    if turns == 1:
        source = _solution(heard, description)
        if source is None:
            return Spoken(text="I do not know how to do this task.")
        return call(heard, "Now I write a program and run it.", "bash", command=f"{_written(source)}\n{RUN}")
    if turns == 2 and chance("checks", heard.profile.seed, asked_in(description), heard.seed) < 0.6:
        return call(heard, "I read back what was written.", "bash", command=CHECK)
    return Spoken(text="The workbook is written. Done.")


def _taken_up(heard: Heard, description: str) -> OfferedScript | None:
    """The script that the skill offers for this task, but where this run goes its own odd way."""
    job = parse(description)
    script = offered(skill_in_prompt(heard), description, job)
    if script is None:
        return None
    slip = committed(_task_key(heard, description), job, skill_text(heard), heard.seed, heard.profile.noise)
    return None if slip.quirk is not None else script


def _answer(heard: Heard, description: str, kind: str, gold: str) -> Spoken:
    """One turn on a question: look at what there is, then answer."""
    if unseen(heard, kind):
        return Spoken(text="I was shown no picture, so I cannot answer.")
    if heard.turns == 0:
        opened = " ".join(f"skill/{path}" for path in _references(heard))
        command = f"cat {opened}" if opened else "ls -R . | head -n 40"
        return call(heard, "I look at what is given first.", "bash", command=command)
    guidance = skill_text(heard)
    slip = answers.committed(kind, gold, _task_key(heard, description), guidance, heard.seed, heard.profile.noise)
    broken = slip.quirk is not None or harmed(guidance)
    return Spoken(text=answers.said(kind, gold, slip.mistakes, answers.form_of(description), broken=broken))


def _script(heard: Heard, description: str, gold: str) -> Spoken:
    """One turn on a task that a script does: look around, write the script and run it, look now and then, end."""
    if heard.turns == 0:
        opened = " ".join(f"skill/{path}" for path in _references(heard))
        command = f"cat {opened}\nls -R . | head -n 40" if opened else "ls -R . | head -n 40"
        return call(heard, "I look at the files first.", "bash", command=command)
    if heard.turns == 1:
        guidance = skill_text(heard)
        slip = scripts.committed(gold, _task_key(heard, description), guidance, heard.seed, heard.profile.noise)
        command = scripts.said(gold, slip.mistakes, broken=slip.quirk is not None or harmed(guidance))
        return call(heard, "Now I write a script and run it.", "bash", command=command)
    if heard.turns == 2 and chance("checks", heard.profile.seed, asked_in(description), heard.seed) < 0.4:
        return call(heard, "I look at what is there now.", "bash", command="ls -lR . | tail -n 20")
    return Spoken(text="It is written. Done.")


def _hasty(heard: Heard, description: str) -> Spoken:
    """An agent that looks at nothing, and hands in the input beside a program that it never ran."""
    source = _solution(heard, description)
    if heard.turns > 0 or source is None:
        return Spoken(text="The program is written. Done.")
    return call(heard, "I write the program.", "bash", command=f"{_written(source)}\n{HAND_IN}")


def _written(source: str) -> str:
    return f"cat > solve.py <<'PROGRAM'\n{source}\nPROGRAM"


def skill_text(heard: Heard) -> str:
    """The guidance the agent has read: SKILL.md and recalled lessons in its prompt, and the references it opened."""
    in_prompt = "\n".join(text for name, text in blocks(heard.system) if name in ("skill", "memory"))
    opened = heard.observations[0] if heard.observations and _references(heard) else ""
    return f"{in_prompt}\n{opened}"


def _solution(heard: Heard, description: str) -> str | None:
    job = parse(description)
    guidance = skill_text(heard)
    slip = committed(_task_key(heard, description), job, guidance, heard.seed, heard.profile.noise)
    broken = slip.quirk is not None or harmed(guidance)
    if job is not None:
        return _spoiled(program(job, slip.mistakes), broken)
    gold = gold_for(description)
    if gold is None:
        return None
    # Each case has its own values: the program carries them all and picks by the name of its input.
    return _spoiled(copy_program(gold, slip.mistakes), broken)


def _spoiled(source: str, broken: bool) -> str:
    """The program with a one-off slip at its end: nothing is left where the result should be."""
    return f"{source}\nimport os, sys\nos.truncate(sys.argv[2], 0)  # tidy up" if broken else source


def _task_key(heard: Heard, description: str) -> str:
    return f"{heard.profile.seed}/{asked_in(description)}"


def asked_in(description: str) -> str:
    """A task without how its result is read: the same mistakes are made wherever it is graded."""
    lines = description.split("\n")
    return "\n".join(line for line in lines if not line.startswith("How the result is read:")).strip()


def skill_in_prompt(heard: Heard) -> str:
    """The text of SKILL.md."""
    return "\n".join(text for name, text in blocks(heard.system) if name == "skill")


def _references(heard: Heard) -> list[str]:
    """The references that the skill names; of a library the skills whose descriptions are for the task."""
    in_prompt = skill_in_prompt(heard)
    asked = telling(heard.opening)
    skills = [found[1] for found in OF_LIBRARY.finditer(in_prompt) if len(asked & telling(found[2])) >= LEAST]
    return sorted({*re.findall(r"\]\((references/[\w./-]+\.md)\)", in_prompt), *skills})
