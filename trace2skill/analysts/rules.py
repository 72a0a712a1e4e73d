"""The miner: lessons from trajectories by rules alone, without a model.

It looks for what can be seen in the calls and their answers: a call that failed and, changed, then worked; an error
that comes again unchanged; the same fact read again and again; a write after which nothing is read. What differs from
case to case (paths, numbers, ids, quoted values, addresses) is taken out of every text, so that the same finding has
the same words in every session and the program unites its support. Nothing of a conversation's content gets in but
names of tools and arguments and the fixed words of error messages.

The proof is `observed`: the steps show it, and nobody ran a fix.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from trace2skill.digest import canonical_json
from trace2skill.lesson import Evidence, Extraction, Lesson
from trace2skill.patch import Edit, Patch
from trace2skill.skill import Skill
from trace2skill.trajectory import Observation, ToolCall, Trajectory

VERSION = "rules 1"
SECTION = "Learned from traces"
LESSONS_EACH = 3
SOON = 6
OFTEN = 3

FAILED = re.compile(
    r"\A\s*(?:<[^>]{0,40}>\s*)*(?:\w*Error\b|error:|ERROR\b|fatal:|Traceback \(most recent call last\)|Failed to )"
    r"|command not found|No such file or directory|Traceback \(most recent call last\)",
)
TELLS = re.compile(
    r"(?:^|\n)[^\n]*?((?:\w*(?:Error|Exception)|error|ERROR|fatal|Failed to|[Cc]ommand not found|No such)[^\n]{0,160})"
)
WRITES = re.compile(
    r"\A(?:update|create|delete|cancel|book|add|remove|set|modify|write|edit|insert|replace|send)(?:_|[A-Z]|\Z)", re.I
)
READS = re.compile(r"\A(?:get|read|list|search|find|view|show|look|fetch|query|open|cat|ls|grep)(?:_|[A-Z]|\Z)", re.I)
SHELLS = {"bash", "shell", "sh", "terminal", "run_shell_command", "local_shell", "execute_bash"}
OTHER_WORDS = (
    (re.compile(r"https?://\S+"), "…"),
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), "…"),
    (re.compile(r"\"[^\"\n]*\"|'[^'\n]*'|`[^`\n]*`|[‘“][^’”\n]*[’”]"), "…"),
    (re.compile(r"(?:[A-Za-z]:)?(?:[\\/][\w.@+-]+){2,}[\\/]?|[\w.-]+/[\w./-]+"), "…"),
    (re.compile(r"\b[\w-]*\d[\w-]*\b(?:\.\d+)*"), "…"),
    (re.compile(r"…(?:[ ,]*…)+"), "…"),
)


class Event(NamedTuple):
    """One call with its answer, and the step it stands in."""

    step: int
    call: ToolCall
    answer: Observation | None

    @property
    def tool(self) -> str:
        """The tool; for a shell its program, too."""
        name = _plain_name(self.call.name)
        if name not in SHELLS:
            return name
        command = str(self.call.arguments.get("command", self.call.arguments.get("cmd", "")))
        words = re.split(r"&&|\|\||;|\n", re.sub(r"\A\s*cd [^&;\n]+(?:&&|;)", "", command).strip())[0].split()
        program = next((word for word in words if "=" not in word), "")
        return f"{name} {program}" if re.fullmatch(r"[a-z][a-z0-9+-]{1,20}", program) else name

    @property
    def failed(self) -> bool:
        """Does the answer say that it did not work?"""
        if self.answer is None or self.answer.extra.get("rejected"):
            return False
        if self.answer.error or self.answer.exit_code not in (None, 0):
            return True
        return self.answer.exit_code is None and FAILED.search(self.answer.content[:2000]) is not None


class Finding(NamedTuple):
    """What a rule found in one trajectory. Title and content are the same wherever the rule finds the same."""

    title: str
    content: str
    first: int
    last: int


def mine(trajectories: Iterable[Trajectory]) -> list[Extraction]:
    """What the rules find in each trajectory: extractions of at most three lessons, in the order of the rules.

    A trajectory with nothing to find gives one extraction with the verdict `nothing_learned`.
    """
    return [extraction for trajectory in trajectories for extraction in mine_one(trajectory)]


def mine_one(trajectory: Trajectory) -> list[Extraction]:
    """What the rules find in one trajectory. It depends on that trajectory alone."""
    events = list(_events(trajectory))
    found: dict[str, list[Finding]] = {}
    for finding in (*_fixed(events), *_repeated(events), *_read_again(events), *_unverified(events)):
        found.setdefault(finding.content, []).append(finding)
    kind = "success" if trajectory.outcome.kind == "passed" else "error"  # whose vote it is; a pass has its flaws, too
    common: dict[str, Any] = {"trajectory_id": trajectory.id, "task_id": trajectory.task_id, "kind": kind}
    lessons = [
        Lesson(
            **common,
            proof="observed",
            title=same[0].title[:120],
            description=f"Seen in the log: {same[0].title[:1].lower()}{same[0].title[1:]}."[:400],
            content=same[0].content[:1500],
            evidence=tuple(Evidence(first=item.first, last=item.last) for item in same[:5]),
        )
        for same in found.values()
    ]
    if not lessons:
        return [Extraction(**common, verdict="nothing_learned", reason="no rule found anything")]
    parts = [lessons[at : at + LESSONS_EACH] for at in range(0, len(lessons), LESSONS_EACH)]
    return [Extraction(**common, verdict="lessons", lessons=tuple(part)) for part in parts]


def patch_of(extraction: Extraction, base: Skill) -> Patch:
    """The lessons of an extraction as a patch of `base`, written by program: a bullet each."""
    edits = tuple(
        Edit(op="add_section", title=SECTION, content=f"- {lesson.content}", lessons=(lesson.id,))
        for lesson in extraction.lessons
        if lesson.content not in base.body
    )
    return Patch(
        trajectory_id=extraction.trajectory_id,
        task_id=extraction.task_id,
        base=base.digest,
        verdict="patch" if edits else "nothing_to_add",
        edits=edits,
        reason="" if edits else "the skill says it already",
    )


def normal_error(text: str) -> str:
    """The fixed words of an error message, '' where there are too few of them to tell anything."""
    if "Traceback (most recent call last)" in text:
        text = next(
            (line for line in reversed(text.split("\n")) if re.match(r"\w+(?:\.\w+)*(?:Error|Exception)\b", line)), text
        )
    found = TELLS.search(text[:4000])
    said = (found[1] if found else text.strip().split("\n")[0])[:160]
    for pattern, word in OTHER_WORDS:
        said = pattern.sub(word, said)
    said = re.sub(r"[^\w…:;,.()'/ -]+", " ", re.sub(r"(?i)\A(?:error: ?)+", "", said))
    said = " ".join(said.split()).strip(" .:,;-")[:110]
    return said if len(re.findall(r"[A-Za-z]{3,}", said)) >= 2 else ""


def _events(trajectory: Trajectory) -> Iterator[Event]:
    for step in trajectory.steps:
        if step.source != "agent":
            continue
        answers = {answer.call_id: answer for answer in step.observations}
        for call in step.tool_calls:
            yield Event(step.number, call, answers.get(call.id))


def _fixed(events: list[Event]) -> Iterator[Finding]:
    """A call that failed, and the same tool called with other arguments soon after, which worked."""
    for at, event in enumerate(events):
        error = normal_error(event.answer.content) if event.failed and event.answer else ""
        if not error:
            continue
        for later in events[at + 1 : at + 1 + SOON]:
            if (
                later.tool == event.tool
                and later.answer
                and not later.failed
                and later.call.arguments != event.call.arguments
            ):
                changed = _changed(event.call, later.call)
                yield Finding(
                    f"{event.tool} failed, and worked with other arguments",
                    f'When `{event.tool}` answers "{error}", read the message, correct {changed} and call it again; '
                    "do not repeat the same call.",
                    event.step,
                    later.step,
                )
                break


def _repeated(events: list[Event]) -> Iterator[Finding]:
    """The same error from the same tool twice and more in one session."""
    seen: dict[tuple[str, str], list[int]] = {}
    for event in events:
        if event.failed and event.answer and (error := normal_error(event.answer.content)):
            seen.setdefault((event.tool, error), []).append(event.step)
    for (tool, error), steps in seen.items():
        if len(steps) >= 2:
            yield Finding(
                f"{tool} failed in the same way again and again",
                f'Before calling `{tool}`, check what leads to "{error}"; after it happened once, find out why before '
                "trying again.",
                steps[0],
                steps[-1],
            )


def _read_again(events: list[Event]) -> Iterator[Finding]:
    """The same read with the same arguments three times and more, and no write in between."""
    seen: dict[str, list[Event]] = {}
    for event in events:
        name = _plain_name(event.call.name)
        if WRITES.match(name):
            seen.clear()
        elif READS.match(name) and not event.failed and event.call.arguments:
            key = canonical_json([name, event.call.arguments])
            seen.setdefault(key, []).append(event)
            if len(seen[key]) == OFTEN:
                yield Finding(
                    f"{name} was asked for the same thing {OFTEN} times",
                    f"Keep what `{name}` answered and use it again: do not ask for the same thing while nothing "
                    "was changed.",
                    seen[key][0].step,
                    event.step,
                )


def _unverified(events: list[Event]) -> Iterator[Finding]:
    """A last write that worked, after which nothing was read, in a session that has a tool to read with."""
    readers = {_plain_name(event.call.name) for event in events if READS.match(_plain_name(event.call.name))}
    writes = [at for at, event in enumerate(events) if WRITES.match(_plain_name(event.call.name)) and not event.failed]
    if not writes or not readers:
        return
    last = writes[-1]
    if not any(READS.match(_plain_name(event.call.name)) for event in events[last + 1 :]):
        name = _plain_name(events[last].call.name)
        yield Finding(
            f"nothing was read after {name}",
            f"After `{name}`, read the result back and compare it with what was asked before you say that it is done.",
            events[last].step,
            events[last].step,
        )


def _changed(before: ToolCall, after: ToolCall) -> str:
    names = sorted(
        name
        for name in before.arguments.keys() | after.arguments.keys()
        if before.arguments.get(name) != after.arguments.get(name) and re.fullmatch(r"[A-Za-z_]{1,40}", name)
    )
    if before.name in SHELLS:
        return "the command"
    return f"`{names[0]}`" if len(names) == 1 else "its arguments"


def _plain_name(name: str) -> str:
    return re.sub(r"[^\w.-]", "", name)[:60] or "tool"
