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
RELATIVE = re.compile(rf"(?<![\w/.-])(?:\./)?(?P<file>{PART})(?![\w-])")
LEFT = re.compile(r"(?:\A|[;&|\n(])[ \t]*cd[ \t]")
REDIRECTED = re.compile(r">{1,2}[ \t]{0,8}[^\s|;&]{0,400}\Z")
COMMANDS_APART = re.compile(r"&&|[;&|\n]")
RUNS = re.compile(
    r"(?:python|pypy|node|ruby|perl|php|deno|bun|bash|zsh|dash|sh|uv|npx|exec|env|time|sudo|source|\.)[\d.]*"
)
READS = frozenset([
    "cat", "bat", "head", "tail", "less", "more", "nl", "wc", "sed", "awk", "grep", "egrep", "rg", "ag", "diff", "cmp",
    "cp", "ls", "stat", "file", "open", "view", "jq", "xxd", "strings", "md5sum",
])  # fmt: skip
OPENS = re.compile(r"\b(?:open|Path|read\w{0,20}|load\w{0,20}|readFile\w{0,10})\(\s{0,8}[rf]?[\"'][^\"'\s]{0,400}\Z")
"""In a program: what opens the file whose name comes next."""
COMMANDS = frozenset(["command", "cmd", "script", "code", "input"])
PATHS = re.compile(r"(?i)(?:.*_)?(?:file_?paths?|paths?|files?|file_?names?|absolute_?path|target_?file|uri)\Z")
"""Names of arguments that hold a command or a program, and a path. What others hold is talk."""
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
    answered = any(step.observations for step in trajectory.steps)
    for number, step in enumerate(trajectory.steps, start=1):
        for call in _that_worked(step, answered=answered):
            for skill, how, file in _in_call(call, known):
                found.setdefault((skill, how, file), SkillUse(skill, how, file, number))
    return list(found.values())


def _that_worked(step: Step, *, answered: bool) -> Iterator[ToolCall]:
    """A call without an answer did nothing that is known, but where a log has no answers at all."""
    answers = {item.call_id: item for item in step.observations}
    for call in step.tool_calls:
        answer = answers.get(call.id)
        if answer.state == "worked" if answer else not answered:
            yield call


def _in_call(call: ToolCall, known: Collection[str]) -> Iterator[tuple[str, How, str]]:
    if ACTIVATES.match(call.name.rpartition(".")[2]):
        said = next((call.arguments[name] for name in NAMED_BY if call.arguments.get(name)), None)
        if isinstance(said, str) and re.fullmatch(NAME, name := said.strip().rpartition(":")[2].removeprefix("/")):
            yield name, "activated", "SKILL.md"
    elif not WRITES.search(call.name):
        for place, text in _texts(call.arguments):
            if place in COMMANDS:
                yield from _in_command(text, known)
            elif PATHS.match(place) and "://" not in text and "\n" not in text:
                yield from ((skill, "opened", match["file"].rstrip(".")) for skill, match in _named(text, known))


def _in_command(text: str, known: Collection[str]) -> Iterator[tuple[str, How, str]]:
    for skill, match in _named(text, known):
        before = text[: match.start()][-LONGEST_LINE:]
        own = COMMANDS_APART.split(before)[-1]
        words, goes_on = own.split(), bool(own) and not own[-1].isspace()
        if "://" in (words[-1] if goes_on else "") or REDIRECTED.search(before):
            continue
        first = [word for word in (words[:-1] if goes_on else words) if "=" not in word and word[0] not in "-({"]
        program = first[0].strip("\"'").rpartition("/")[2] if first else ""
        file, is_script = match["file"].rstrip("."), match["file"].startswith("scripts/")
        if is_script and (not program or RUNS.fullmatch(program)):
            yield skill, "ran", file
        elif _opens(program, own, COMMANDS_APART.split(text[match.end() :])[0]) or OPENS.search(before):
            yield skill, "opened", file


def _opens(program: str, own: str, after: str) -> bool:
    """Does a program read the file that is named? What `cp` names last it writes."""
    if program == "cp":
        return bool(after.strip(" \t\"')"))
    return RUNS.fullmatch(program) is not None or (program in READS and not (program == "sed" and " -i" in own))


def _named(text: str, known: Collection[str]) -> Iterator[tuple[str, re.Match[str]]]:
    for match in IN_SKILLS.finditer(text):
        yield match["skill"], match
    for match in ANYWHERE.finditer(text) if known else ():
        if match["skill"] in known:
            yield match["skill"], match
    for entered in ENTERED.finditer(text):
        left = LEFT.search(text, entered.end() - 1)
        for match in RELATIVE.finditer(text, entered.end(), left.start() if left else len(text)):
            yield entered["skill"], match


def _texts(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """The texts in the arguments of a call, each with the name that it stands under."""
    if isinstance(value, str):
        yield place, value[:LONGEST]
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _texts(item, str(name))
    elif isinstance(value, list):
        words = [item for item in value if isinstance(item, str)]
        if place in COMMANDS and len(words) > 2 and words[1].startswith("-") and words[1].endswith("c"):
            yield place, words[-1][:LONGEST]  # ["bash", "-lc", "..."]
        elif place in COMMANDS:
            yield place, " ".join(words)[:LONGEST]
        else:
            yield from ((place, word[:LONGEST]) for word in words)
        for item in value:
            if not isinstance(item, str):
                yield from _texts(item, place)
