"""What one session shows: which tools it used, with which values, what failed, and what put it right.

Signs are keys with the place at which they show first. A place is a step times a thousand and the call within it. The
text of a key is made of names of tools, programs, flags, argument names and short values; of errors it has the fixed
words, with what differs from case to case taken out.
"""

import re
from collections.abc import Iterator
from operator import not_
from typing import Any, Literal

from pydantic import Field

from trace2skill.analysts.events import Event, events_of, normal_error, telling_line, unasked_failures
from trace2skill.analysts.mining.commands import Segment, changed, installed_by, segments
from trace2skill.core.digest import canonical_json
from trace2skill.core.record import Record
from trace2skill.types.trajectory import OutcomeKind, Trajectory

PLACES = 1000
SOON = 8
OFTEN = 3
MOST_MARKS = 300
MOST_MENDED = 30
LONGEST_ERROR = 200
VALUE = re.compile(r"\A[A-Za-z][\w.+-]{0,23}\Z|\A-?\d{1,3}\Z|\A\Z")
ARGUMENT = re.compile(r"\A[A-Za-z_]\w{0,39}\Z")
FLAG = re.compile(r"\A(--[a-z][\w-]{1,30}|-[A-Za-z]{1,3})(?:=.*)?\Z", re.S)
TEXT_ARGUMENT = re.compile(r"(?i)text|content|message|body|query|prompt|description|reason|thought|title|comment|code")
SEP = "\t"
Lacking = Literal["python", "node", "command", "ruby"]
MISSING: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("python", re.compile(r"No module named '?([A-Za-z_]\w*)")),
    ("node", re.compile(r"Cannot find (?:module|package) '(@?[a-z][\w.-]*(?:/[\w.-]+)?)'")),
    ("command", re.compile(r"(?:\A|[\s:])([A-Za-z][\w.+-]{0,30}): (?:command )?not found\b")),
    ("command", re.compile(r"command not found: ([A-Za-z][\w.+-]{0,30})")),
)


class Mended(Record):
    """A call that failed, and what was different when it worked soon after.

    `how`: 'between' is a command that ran in between, after which the same call worked; 'command' and 'argument' are
    changes of the call itself, with what was taken out (`gone`) and what came instead (`come`).
    """

    tool: str
    error: str = Field(description="The line of the answer that tells, as it is.")
    how: Literal["between", "command", "argument"]
    name: str = Field(default="", exclude_if=not_, description="Of the argument that was changed.")
    gone: tuple[str, ...] = ()
    come: tuple[str, ...] = ()
    failed: int
    worked: int


class Signs(Record, form="Signs", version=1):
    """The signs of one session."""

    id: str
    task: str
    outcome: OutcomeKind
    source: str = "none"
    seed: int = 0
    steps: int = 0
    content: str = Field(default="", exclude_if=not_, description="Digest of the trajectory, as the store has it.")
    first: dict[str, int] = Field(default_factory=dict, description="Of each tool, the place of its first call.")
    last: dict[str, int] = Field(default_factory=dict)
    marks: dict[str, int] = Field(default_factory=dict, description="Other signs, with the place that shows them.")
    mended: tuple[Mended, ...] = ()
    lacking: dict[str, int] = Field(default_factory=dict, description="What was missing: 'python<TAB>asgiref'.")
    installed: dict[str, int] = Field(default_factory=dict, description="What was installed, and it worked.")


class SignsRead(Record, form="SignsRead", version=1):
    """The signs of several sessions, one after the other."""

    signs: tuple[Signs, ...]


def signs_of(trajectory: Trajectory) -> Signs:
    """What a session shows. It depends on that trajectory alone."""
    looked = list(_looked(events_of(trajectory)))
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    marks: dict[str, int] = {}
    for look in looked:
        for tool in look.tools:
            first.setdefault(tool, look.place)
            last[tool] = look.place
        for mark in look.marks():
            if len(marks) < MOST_MARKS:
                marks.setdefault(mark, look.place)
    mended = tuple(_mended(looked))
    for key, place in _unmended(looked, mended):
        marks.setdefault(key, place)
    for key, place in _repeated(looked):
        marks.setdefault(key, place)
    # What nobody asked for says nothing of what the agent did, and as much as any other of what is not there.
    unasked = [(shown, step * PLACES) for step, shown in unasked_failures(trajectory)]
    outcome = trajectory.outcome
    return Signs(
        id=trajectory.id,
        task=trajectory.task_id,
        outcome=outcome.kind,
        source=outcome.source,
        seed=trajectory.seed,
        steps=len(trajectory.steps),
        first=first,
        last=last,
        marks=marks,
        mended=mended[:MOST_MENDED],
        lacking=_lacking([*_failures(looked), *unasked]),
        installed=_installed(looked),
    )


def step_of(place: int) -> int:
    """The step of a place."""
    return max(1, place // PLACES)


class _Look:
    """A call as the miner sees it: computed once."""

    def __init__(self, event: Event, place: int) -> None:
        self.event, self.place = event, place
        self.segments = segments(event.command) if event.is_shell else []
        self.failed = event.failed
        self.ran = event.answer is not None and event.answer.state != "not_run"
        answer = event.answer.content if event.answer else ""
        self.line = telling_line(answer)[:LONGEST_ERROR] if self.failed else ""
        self.error = normal_error(answer) if self.failed else ""

    @property
    def tools(self) -> list[str]:
        """The tool; of a shell the programs it runs."""
        if self.event.is_shell:
            return list(dict.fromkeys(item.program for item in self.segments if item.program))
        return [self.event.name]

    @property
    def main(self) -> Segment | None:
        """Of several commands the one that a failure is put down to: the last."""
        return self.segments[-1] if self.segments else None

    @property
    def tool(self) -> str:
        """What failed or worked."""
        return (self.main.program if self.main else "") or self.event.name

    def marks(self) -> Iterator[str]:
        """Values of arguments, flags of commands, and errors."""
        if self.event.is_shell:
            for item in self.segments:
                for word in item.words[1:]:
                    if item.program and (flag := FLAG.match(word)):
                        yield SEP.join(("flag", item.program, flag[1]))
        else:
            for name, value in self.event.call.arguments.items():
                if ARGUMENT.match(name) and (shown := value_of(name, value)) is not None:
                    yield SEP.join(("arg", self.event.name, name, shown))
        if self.error:
            yield SEP.join(("error", self.tool, self.error))


def value_of(name: str, value: Any) -> str | None:
    """A value of few that an argument may have, as text; None for one that differs from case to case."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and -1000 < value < 1000:
        return str(value)
    if isinstance(value, str) and not TEXT_ARGUMENT.search(name) and VALUE.match(value):
        return f'"{value}"'
    return None


def _looked(events: list[Event]) -> Iterator[_Look]:
    step, within = 0, 0
    for event in events:
        step, within = event.step, within + 1 if event.step == step else 0
        yield _Look(event, event.step * PLACES + min(within, PLACES - 1))


def _mended(looked: list[_Look]) -> Iterator[Mended]:
    """Calls that failed, each with the first call soon after that was the same or nearly, and worked."""
    for at, look in enumerate(looked):
        if not look.line or not look.error:
            continue
        for after in range(at + 1, min(at + 1 + SOON, len(looked))):
            later = looked[after]
            if later.event.name != look.event.name or not later.ran or later.failed:
                continue
            found = list(_differences(look, later, looked[at + 1 : after]))
            if found:
                yield from found
                break


def _differences(failed: _Look, worked: _Look, between: list[_Look]) -> Iterator[Mended]:
    common: dict[str, Any] = {"tool": failed.tool, "error": failed.line, "failed": failed.place, "worked": worked.place}
    if not failed.event.is_shell:
        if canonical_json(failed.event.call.arguments) == canonical_json(worked.event.call.arguments):
            for look in between:
                if look.ran and not look.failed and not look.event.reads and look.event.name != failed.event.name:
                    yield Mended(how="between", name=look.event.name, come=(look.event.name,), **common)
            return
        yield from _other_arguments(failed, worked, common)
        return
    main, commands = failed.main, {item.words for item in failed.segments}
    if main is None:
        return
    same = next((item for item in worked.segments if item.words == main.words), None)
    if same is not None:
        run = [item for look in between if look.ran and not look.failed for item in look.segments]
        run += worked.segments[: worked.segments.index(same)]
        for item in run:
            if item.words not in commands and item.program:
                yield Mended(how="between", name=item.program, come=item.words, **common)
        return
    for item in worked.segments:
        gone, come = changed(main, item)
        shared = len(set(main.words) & set(item.words))
        if (shared and 2 * shared >= min(len(main.words), len(item.words))) and (gone or come) and len(come) <= 4:
            yield Mended(how="command", name=item.program, gone=gone[:4], come=come, **common)
            return


def _other_arguments(failed: _Look, worked: _Look, common: dict[str, Any]) -> Iterator[Mended]:
    before, after = failed.event.call.arguments, worked.event.call.arguments
    names = [name for name in dict.fromkeys([*before, *after]) if before.get(name) != after.get(name)]
    if canonical_json(before) == canonical_json(after) or len(names) > 2:
        return
    for name in names:
        if ARGUMENT.match(name):
            gone = (_plain(before[name]),) if name in before else ()
            come = (_plain(after[name]),) if name in after else ()
            yield Mended(how="argument", name=name, gone=gone, come=come, **common)


def _plain(value: Any) -> str:
    return (value if isinstance(value, str) else canonical_json(value))[:120]


def _unmended(looked: list[_Look], mended: tuple[Mended, ...]) -> Iterator[tuple[str, int]]:
    right = {(item.failed, item.tool) for item in mended}
    for look in looked:
        if look.error and (look.place, look.tool) not in right:
            yield SEP.join(("stuck", look.tool, look.error)), look.place


def _repeated(looked: list[_Look]) -> Iterator[tuple[str, int]]:
    """The same call with the same arguments three times and more, whatever it answered."""
    seen: dict[str, int] = {}
    for look in looked:
        if look.event.writes:
            seen.clear()
        elif look.event.call.arguments:
            key = canonical_json([look.event.name, look.event.call.arguments])
            seen[key] = seen.get(key, 0) + 1
            if seen[key] == OFTEN:
                yield SEP.join(("repeat", look.tool)), look.place


def _failures(looked: list[_Look]) -> Iterator[tuple[str, int]]:
    for look in looked:
        if look.failed and look.event.answer:
            yield look.event.answer.content, look.place


def _lacking(failures: list[tuple[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for shown, place in failures:
        for kind, pattern in MISSING:
            for name in pattern.findall(shown[-6000:]):
                found.setdefault(f"{kind}{SEP}{name}", place)
    return found


def _installed(looked: list[_Look]) -> dict[str, int]:
    found: dict[str, int] = {}
    for look in looked:
        for item in look.segments if look.ran and not look.failed else ():
            kind, names = installed_by(item)
            there = (look.event.answer.content if look.event.answer else "").lower()
            for name in names:
                if (
                    f"already satisfied: {name.lower()}" not in there
                    and f"{name.lower()} is already the newest" not in there
                ):
                    found.setdefault(f"{kind}{SEP}{name}", look.place)
    return found


def without_what_was_seen(signs: Signs) -> Signs:
    """Who showed it, and how it ended: what is kept of a session's signs beside a rule."""
    return Signs(id=signs.id, task=signs.task, outcome=signs.outcome, source=signs.source)
