"""A small world of shell tasks with two routines behind them, and a scripted model that works on it.

Agents pass every task with a program of their own; what is tried is what becomes of those programs.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nights_world import READER, propose
from run_settings import run_settings

from trace2skill.analysts.script_trial import TriedScript
from trace2skill.consolidate.routines import Routine, WorkedProgram
from trace2skill.llm import ModelSettings, Roles
from trace2skill.runs.runtime import runtime
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.steps.script import SCRIPT, ScriptJob
from trace2skill.sim.conversation import Heard, Spoken, answer_json, blocks, call
from trace2skill.sim.roles import book

SUM = "Add up the numbers in `{file}` and write {times} times their sum into `out.txt`."
LONG = "Write the words of `{file}` that have more than {times} letters into `out.txt`, a line each."
SKILL = """\
---
name: files
description: "Works on files."
---

# Files

## Fields

- Read the request first.
"""
PROGRAMS = {
    "sum": "total = sum(int(line) for line in open('{file}'))\n"
    "with open('out.txt', 'w') as out:\n    out.write(str(total * {times}) + chr(10))\n",
    "long": "words = open('{file}').read().split()\n"
    "with open('out.txt', 'w') as out:\n    for word in words:\n"
    "        if len(word) > {times}:\n            print(word, file=out)\n",
}
HEAD = """\
import argparse
parser = argparse.ArgumentParser(description="Does it.")
parser.add_argument("--file", required=True)
parser.add_argument("--times", type=int, required=True)
args = parser.parse_args()
"""
SCRIPTS = {
    name: HEAD + text.replace("'{file}'", "args.file").replace("{times}", "args.times")
    for name, text in PROGRAMS.items()
}
OPTIONS = [
    {"name": "--file", "patterns": ["`(\\w+\\.txt)` (?:and|that)"]},
    {"name": "--times", "patterns": [" (\\d+) "]},
]
ANSWERS: dict[str, dict[str, Any]] = {
    "sum": {
        "name": "add_up",
        "line": "To add up the numbers of a file, run this script instead of writing a program.",
        "script": SCRIPTS["sum"],
        "when": ["^Add up the numbers in `\\w+\\.txt` and write \\d+ times their sum"],
        "options": OPTIONS,
    },
    "long": {
        "name": "long_words",
        "line": "To find the long words of a file, run this script instead of writing a program.",
        "script": SCRIPTS["long"],
        "when": ["^Write the words of `\\w+\\.txt` that have more than \\d+ letters"],
        "options": OPTIONS,
    },
}
"""What an honest writer of scripts answers."""


def write_world(folder: Path, each: int = 12) -> None:
    """The data and the skill: so many tasks of each routine."""
    rows = []
    for number in range(each):
        file, times = f"f{number}.txt", number % 5 + 2
        numbers = [7 * number + step for step in (3, 41, 8)]
        words = [f"{'abcdefgh'[: 1 + step]}{number}" for step in range(8)]
        wanted = {"sum": str(times * sum(numbers)), "long": "\n".join(w for w in words if len(w) > times)}
        given = {"sum": "".join(f"{n}\n" for n in numbers), "long": " ".join(words) + "\n"}
        for kind, request in (("sum", SUM), ("long", LONG)):
            rows.append(
                {
                    "id": f"{kind}-{number}",
                    "kind": kind,
                    "prompt": request.format(file=file, times=times),
                    "files": {file: given[kind]},
                    "check": f"printf '%s\\n' '{wanted[kind]}' | cmp - out.txt",
                }
            )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tasks.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "files").mkdir()
    (folder / "files" / "SKILL.md").write_text(SKILL)


def routine_settings(folder: Path, **more: Any) -> RunSettings:
    """A run over the world with scripts on."""
    values = {
        "data": folder / "tasks.jsonl",
        "domain": "shell",
        "skill": folder / "files",
        "roles": Roles.all_played_by(ModelSettings(name="sim/scripted")),
        "sandbox": "process",
        "scripts": {"make": True},
        "second_look": False,
        "store": folder / "s.duckdb",
        "output": folder / "runs",
    }
    return run_settings(**{**values, **more})


def tried(settings: RunSettings, of: int | None = None) -> dict[str, TriedScript]:
    """What becomes of the routines over (so many of) the evolve tasks, by kind: the step alone, with fixes for programs."""
    rt = runtime(settings)
    assert rt.given_skill
    rt.store.put("skill", rt.given_skill.digest, rt.given_skill)
    found = {}
    for kind in PROGRAMS:
        ids = sorted(id for id in rt.splits.evolve if rt.task(id).kind == kind)[:of]
        programs = tuple(
            WorkedProgram(
                trajectory_id=f"T{id}",
                task_id=id,
                by="fix",
                source=PROGRAMS[kind].format(**asked_for(rt.task(id).instruction)[1]),
            )
            for id in ids
        )
        routine = Routine(programs=programs)
        rt.store.put("routine", routine.digest, routine)
        found[kind] = SCRIPT(rt, ScriptJob(content=routine.digest, tasks=len(ids)), rt.given_skill.digest)
    return found


def asked_for(text: str) -> tuple[str, dict[str, str]]:
    """The routine and the values of a request."""
    found = re.search(r"`(?P<file>\w+\.txt)` (?:and|that)[^\d]*(?P<times>\d+)", text)
    assert found
    return "sum" if "Add up" in text else "long", found.groupdict()


def speaker(
    answer: Callable[[str], dict[str, Any]], heard_of: list[str] | None = None, trailer: str = ""
) -> Callable[[Heard], Spoken]:
    """Who answers: `answer` gives the script of a routine; requests for one are added to `heard_of`; `trailer` stands at
    the end of every agent's program.
    """

    def speak(heard: Heard) -> Spoken:
        if heard.system.startswith("You are an agent"):
            kind, values = asked_for(heard.opening)
            if heard.turns:
                return Spoken(text="Done.")
            source = PROGRAMS[kind].format(**values) + trailer
            return call(
                heard, "A program.", "bash", command=f"cat > solve.py <<'P'\n{source}P\npython solve.py; rm solve.py"
            )
        if heard.system.startswith("You turn a routine"):
            if heard_of is not None:
                heard_of.append(heard.opening)
            return answer_json(answer(asked_for(heard.opening)[0]))
        if heard.system.startswith("You are a success analyst"):
            lesson = {
                "title": "Read it",
                "description": "Applies always.",
                "content": f"Open the {'numbers' if 'Add up' in heard.opening else 'words'} file before you write.",
                "steps": [3],
                "proved_by": "what the step wrote",
                "certainty": "shown",
                "stands": "new",
            }
            return answer_json({"lessons": [lesson]})
        if heard.system.startswith("You keep a skill"):
            return propose(heard)
        for opening, role in book.ROLES.items():
            if heard.system.startswith(opening):
                return role(heard, READER)
        return answer_json({"withhold": []})

    return speak


def shown_requests(opening: str) -> list[str]:
    """The requests that a prompt for a script holds."""
    return [text for name, text in blocks(opening) if re.fullmatch(r"r\d+", name)]
