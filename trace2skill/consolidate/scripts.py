"""One script out of the programs of a routine: what a model is asked, what its answer must be, and which edits it is.

How a script is called on a task must follow from the task's request without a model: the answer says for which requests
it is meant, and how each option is read out of one. A routine whose calls cannot be said so has no script.
"""

import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from operator import not_
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from trace2skill.consolidate.bounded import Asker, answered, tokens
from trace2skill.consolidate.groups import EditGroup, Saying, Support
from trace2skill.consolidate.routines import Routine, WorkedProgram
from trace2skill.core.program import parse_program
from trace2skill.core.record import Record
from trace2skill.types.patch import Edit

PROMPT = "script"
SECTION = "Scripts"
LEAST_SHOWN, MOST_SHOWN = 3, 6
"""Programs of a routine that the model sees, more where more have to pass; the others are to try the script on."""
VALUE = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"|`[^`\n]*`|\b[A-Z]{1,3}\b|\d+")
"""What of a request is of one task: two requests are worded alike where the rest is the same."""
LONGEST_WORDING, LONGEST_WORD_TO_PEOPLE = 300, 300
MOST_LINES, MOST_CHARS, LONGEST_LINE = 300, 16_000, 400
MOST_PATTERNS, LONGEST_PATTERN, MOST_OPTIONS = 12, 1_000, 12
PASSED = {"fix": "by a fix that was run and passed", "agent": "by the program of a run that passed"}
NAME = re.compile(r"[a-z][a-z0-9_]{2,40}")
OPTION = re.compile(r"--[a-z][a-z0-9-]{0,30}")


class ScriptOption(BaseModel):
    """How an option is read out of a request: patterns of one group, of which the first that is found counts."""

    model_config = ConfigDict(extra="ignore")
    name: str
    patterns: list[str] = Field(default_factory=list)


class WrittenScript(BaseModel):
    """What the model answers."""

    model_config = ConfigDict(extra="ignore")
    refused: str = ""
    name: str = ""
    line: str = ""
    warning: str = ""
    script: str = ""
    when: list[str] = Field(default_factory=list)
    options: list[ScriptOption] = Field(default_factory=list)


class CallOption(Record):
    """An option of a script, and the patterns that read its value out of a request."""

    name: str
    patterns: tuple[str, ...]


class InducedScript(Record, form="InducedScript", version=1):
    """A script as a model wrote it, in form; nothing of it has been run. `refused` says why there is none."""

    name: str = ""
    line: str = ""
    script: str = ""
    when: tuple[str, ...] = ()
    options: tuple[CallOption, ...] = ()
    refused: str = Field(default="", exclude_if=not_)
    warning: str = Field(
        default="", exclude_if=not_, description="What its writer says of the programs to whoever reviews it."
    )

    @property
    def path(self) -> str:
        """Where it stands in a skill."""
        return f"scripts/{self.name}.py"

    def usage(self, arguments: str) -> str:
        """How it is called, for a reader: `python scripts/NAME.py INPUT OUTPUT --sheet SHEET`."""
        options = (f"{option.name} {option.name.strip('-').replace('-', '_').upper()}" for option in self.options)
        return " ".join(part for part in (f"python {self.path}", arguments, *options) if part)


class RefusedScript(NamedTuple):
    """A script that was tried, and what was wrong with it: a second one may be right."""

    made: InducedScript
    why: str

    @property
    def as_said(self) -> tuple[str, str]:
        """The answer that it was, and what is said to it."""
        options = [ScriptOption(name=item.name, patterns=list(item.patterns)) for item in self.made.options]
        answer = WrittenScript(
            name=self.made.name,
            line=self.made.line,
            warning=self.made.warning,
            script=self.made.script,
            when=list(self.made.when),
            options=options,
        )
        why = f"The script was tried: {self.why}.\nAnswer again, whole; or say in `refused` why no script can do it."
        return answer.model_dump_json(), why


def wording(request: str) -> str:
    """How a request is worded: what of it is not of one task."""
    return VALUE.sub("", request[:LONGEST_WORDING])


def divided(
    routine: Routine, unseen: int, requests: Mapping[str, str] | None = None, sources: int = LEAST_SHOWN
) -> tuple[tuple[WorkedProgram, ...], tuple[WorkedProgram, ...]]:
    """The programs that the model sees, and those whose tasks it does not, those that tell most first.

    Wordings of requests take turns, fixes come before agents' own programs, and of equal programs one. Where there are
    enough distinct ones, some are held back: a task that is done by a program which was shown says little.

    Args:
        routine: the programs.
        unseen: tasks that the script has to pass besides.
        requests: of each task, by its id; without them all count as worded alike.
        sources: tasks of those programs that it has to pass: so many are shown at least, if there are.
    """
    least = max(LEAST_SHOWN, sources)
    alike: dict[tuple[str, str], list[WorkedProgram]] = {}
    for program in sorted(routine.programs, key=lambda program: (program.by == "agent", program.order)):
        words = wording((requests or {}).get(program.task_id, ""))
        alike.setdefault((program.source, words), []).append(program)
    turn: Counter[str] = Counter()
    turns = list[tuple[int, list[WorkedProgram]]]()
    for (_, words), some in alike.items():
        turn[words] += 1
        turns.append((turn[words], some))
    distinct = [some for _, some in sorted(turns, key=lambda item: item[0])]
    back = distinct[len(distinct) - unseen :] if len(distinct) >= least + unseen else []
    front = distinct[: len(distinct) - len(back)]
    firsts, repeats = [some[0] for some in front], [program for some in front for program in some[1:]]
    most = max(least, min(MOST_SHOWN, len(routine.programs) - unseen))
    held = [some[0] for some in back] + [program for some in back for program in some[1:]]
    return tuple([*firsts, *repeats][:most]), (*held, *[*firsts, *repeats][most:])


def induced(
    ask: Asker,
    contract: str,
    requests: Sequence[str],
    programs: Sequence[WorkedProgram],
    there: Sequence[str],
    room: int,
    before: "RefusedScript | None" = None,
) -> InducedScript:
    """Ask for the script of these programs; asked once more where the answer is not in form.

    Args:
        ask: whoever answers.
        contract: how the domain calls a script.
        requests: of each program's task, as an agent reads it; neither gold nor anything of a held-out task.
        programs: what did them.
        there: names of scripts that the skill has.
        room: tokens of a prompt's items: what does not fit is left out, from the last on.
        before: a script that was given before, and what was wrong with it.

    Raises:
        InfrastructureFault, ModelUnusable, BudgetReached: as `Client.complete`.
    """
    items = [*zip(requests, programs, strict=True)]
    while len(items) > 2 and tokens([text for request, program in items for text in (request, program.source)]) > room:
        items.pop()

    def once(_: Sequence[str], said: Sequence[str]) -> WrittenScript:
        shown = [{"request": request, "program": program.source} for request, program in items]
        values = {"contract": contract, "there": ", ".join(there), "items": shown}
        return ask(PROMPT, WrittenScript, values, [*(before.as_said if before else ()), *said])

    def broken(answer: WrittenScript, _: Sequence[str]) -> list[str]:
        return [] if answer.refused.strip() else _problems(answer, there)

    ((_, answer),) = answered(["the routine"], lambda _: True, once, broken)
    if answer is None:
        return InducedScript(refused="the model gave no script in form, asked twice")
    if answer.refused.strip():
        refused = f"the model says: {_short(answer.refused)}"
        return InducedScript(refused=refused, warning=_short(answer.warning))
    return InducedScript(
        name=answer.name,
        line=" ".join(answer.line.split()).removeprefix("- "),
        script=answer.script.strip("\n") + "\n",
        when=tuple(answer.when),
        options=tuple(CallOption(name=item.name, patterns=tuple(item.patterns)) for item in answer.options),
        warning=_short(answer.warning),
    )


def as_group(made: InducedScript, arguments: str, programs: Sequence[WorkedProgram]) -> EditGroup:
    """The file and the line that leads to it, which stand or fall together, with those whose programs it came from."""
    lessons = tuple(sorted({id for program in programs for id in program.lessons}))
    link = f"- {made.line.rstrip('.')}: [`{made.usage(arguments)}`]({made.path})\n"
    return EditGroup(
        edits=(
            Edit(op="create", file=made.path, content=made.script, lessons=lessons),
            Edit(op="add_section", title=SECTION, content=link, lessons=lessons),
        ),
        support=Support.union(
            Support.of(program.trajectory_id, program.task_id, "error" if program.by == "fix" else "success")
            for program in programs
        ),
        said=tuple(
            Saying(
                trajectory_id=program.trajectory_id,
                task_id=program.task_id,
                text=PASSED[program.by],
                lessons=program.lessons,
            )
            for program in programs
        ),
    )


def _short(text: str) -> str:
    return " ".join(text.split())[:LONGEST_WORD_TO_PEOPLE]


def _problems(answer: WrittenScript, there: Sequence[str]) -> list[str]:
    """Why an answer is no script in form, in words for who gave it."""
    found = []
    if not NAME.fullmatch(answer.name):
        found.append("name: lower case letters, digits and underscores, 3 to 41 of them, without .py")
    elif answer.name in there:
        found.append(f"name: the skill has a script '{answer.name}': take another name")
    elif answer.name in sys.stdlib_module_names or answer.name == "openpyxl":
        found.append(f"name: '{answer.name}' is a module of Python: a script beside it would import this one")
    line = " ".join(answer.line.split())
    if not line or len(line) > LONGEST_LINE or "`" in line or "](" in line:
        found.append(f"line: one plain sentence of at most {LONGEST_LINE} characters, without code or link")
    found += _of_program(answer.script)
    if not answer.when or len(answer.when) > MOST_PATTERNS:
        found.append(f"when: 1 to {MOST_PATTERNS} patterns")
    if len(answer.options) > MOST_OPTIONS:
        found.append(f"options: at most {MOST_OPTIONS}")
    for option in answer.options:
        if not OPTION.fullmatch(option.name) or option.name not in answer.script:
            found.append(f"options: {option.name!r} is none that the script takes")
        if not option.patterns or len(option.patterns) > MOST_PATTERNS:
            found.append(f"options: {option.name!r} needs 1 to {MOST_PATTERNS} patterns")
    patterns = [*answer.when, *(pattern for option in answer.options for pattern in option.patterns)]
    if any(len(pattern) > LONGEST_PATTERN or not pattern.strip() for pattern in patterns):
        found.append(f"a pattern has 1 to {LONGEST_PATTERN} characters")
    return found


def _of_program(script: str) -> list[str]:
    if len(script) > MOST_CHARS or script.count("\n") > MOST_LINES:
        return [f"script: at most {MOST_LINES} lines and {MOST_CHARS} characters"]
    try:
        tree = parse_program(script)
    except SyntaxError as error:
        return [f"script: it does not parse: {error}"]
    return [] if tree.body and "argparse" in script else ["script: it takes its arguments with argparse"]
