"""Which skills a session used, from the records of the agent itself: what it activated, opened and ran.

An activation is a call of the tool by which an agent takes a skill up (Claude Code's `Skill`, Gemini CLI's
`activate_skill`, OpenCode's `skill`). A skill is opened or run where a call names a file in the layout of
https://agentskills.io/specification: `.../skills/NAME/SKILL.md`, `references/`, `assets/`, `scripts/`. A call that
failed or was refused used nothing, and to write a skill's file is not to use it. What an agent was shown and what it
only talked about leaves no such record, and counts for nothing here. Of an argument 20,000 characters are read.
"""

import re
from collections.abc import Collection, Iterator
from typing import Any, Literal, NamedTuple

from trace2skill.types.trajectory import Step, ToolCall, Trajectory

How = Literal["activated", "opened", "ran"]
ACTIVATES = re.compile(r"(?i)\A(?:activate_?|use_?|load_?)?skills?\Z")
NAMED_BY = ("skill", "name", "skill_name", "command")
WRITES = re.compile(r"(?i)write|edit|create|patch|replace|delete|remove|move|insert")
NAME = r"[a-z0-9]{1,64}(?:-[a-z0-9]{1,64}){0,16}"
PART = r"SKILL\.md|(?:references|assets|scripts)/[\w./-]{1,200}"
IN_SKILLS = re.compile(rf"(?<![\w-])skills/(?:[\w.-]{{1,64}}/){{0,3}}?(?P<skill>{NAME})/(?P<file>{PART})(?![\w-])")
ANYWHERE = re.compile(rf"(?<![\w-])(?P<skill>{NAME})/(?P<file>{PART})(?![\w-])")
ENTERED = re.compile(
    rf"\bcd[ \t]+[\"']?[^\s\"';&|]{{0,400}}?(?<![\w-])skills/(?P<skill>{NAME})/?[\"']?[ \t]*(?:&&|[;\n])"
)
RELATIVE = re.compile(rf"(?<![\w/-])(?P<file>{PART})(?![\w-])")
REDIRECTED = re.compile(r">{1,2}[ \t]{0,8}[^\s|;&]{0,400}\Z")
COMMANDS_APART = re.compile(r"&&|[;&|\n]")
CHANGES = frozenset(["rm", "mv", "cp", "tee", "mkdir", "touch", "chmod", "truncate"])
RUNS = re.compile(
    r"(?:python|pypy|node|ruby|perl|php|deno|bun|bash|zsh|dash|sh|uv|npx|exec|env|time|sudo|source|\.)[\d.]*"
)
BY_COMMAND = frozenset(["command", "cmd", "script", "code", "input"])
LONGEST, LONGEST_LINE = 20_000, 2_000


class SkillUse(NamedTuple):
    """One use: of the skill as a whole (`file` is 'SKILL.md'), or of another of its files."""

    skill: str
    how: How
    file: str
    step: int


def skill_uses(trajectory: Trajectory, known: Collection[str] = ()) -> list[SkillUse]:
    """The uses in a trajectory, each once, in their order.

    Args:
        trajectory: as it was read.
        known: names of skills that lie wherever they lie; others are known by a folder called `skills` above them.
    """
    found: dict[tuple[str, How, str], SkillUse] = {}
    for number, step in enumerate(trajectory.steps, start=1):
        for call, worked in _calls(step):
            if not worked:
                continue
            for skill, how, file in _in_call(call, known):
                found.setdefault((skill, how, file), SkillUse(skill, how, file, number))
    return list(found.values())


def _calls(step: Step) -> Iterator[tuple[ToolCall, bool]]:
    answers = {item.call_id: item for item in step.observations}
    for call in step.tool_calls:
        answer = answers.get(call.id)
        yield call, answer is None or answer.state == "worked"


def _in_call(call: ToolCall, known: Collection[str]) -> Iterator[tuple[str, How, str]]:
    if ACTIVATES.match(call.name.rpartition(".")[2]):
        said = next((call.arguments[name] for name in NAMED_BY if call.arguments.get(name)), None)
        if isinstance(said, str) and re.fullmatch(NAME, name := said.strip().rpartition(":")[2].removeprefix("/")):
            yield name, "activated", "SKILL.md"
    elif not WRITES.search(call.name):
        for place, text in _texts(call.arguments):
            yield from _in_text(text, known, command=place in BY_COMMAND)


def _in_text(text: str, known: Collection[str], *, command: bool) -> Iterator[tuple[str, How, str]]:
    for skill, match in _named(text, known):
        before = text[: match.start()][-LONGEST_LINE:]
        own = COMMANDS_APART.split(before)[-1]
        words = own.split()
        path_goes_on = bool(own) and not own[-1].isspace()
        first = [word for word in (words[:-1] if path_goes_on else words) if "=" not in word and word[0] not in "-({"]
        program = first[0].strip("\"'").rpartition("/")[2] if first else ""
        if command and (REDIRECTED.search(before) or program in CHANGES or (program == "sed" and " -i" in own)):
            continue
        file = match["file"].rstrip(".")
        runs = command and (not program or RUNS.fullmatch(program) is not None)
        yield skill, "ran" if runs and file.startswith("scripts/") else "opened", file


def _named(text: str, known: Collection[str]) -> Iterator[tuple[str, re.Match[str]]]:
    for match in IN_SKILLS.finditer(text):
        yield match["skill"], match
    for match in ANYWHERE.finditer(text) if known else ():
        if match["skill"] in known:
            yield match["skill"], match
    for entered in ENTERED.finditer(text):
        for match in RELATIVE.finditer(text, entered.end()):
            yield entered["skill"], match


def _texts(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """The texts in the arguments of a call, each with the name that it stands under."""
    if isinstance(value, str):
        yield place, value[:LONGEST]
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _texts(item, str(name))
    elif isinstance(value, list):  # a command may be a list of its words
        words = [item for item in value if isinstance(item, str)]
        yield place, " ".join(words)[:LONGEST]
        for item in value:
            if not isinstance(item, str):
                yield from _texts(item, place)
