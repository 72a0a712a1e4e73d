"""A trajectory as a sequence of calls with their answers: which failed, which wrote, and what worked in the end."""

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import NamedTuple

from trace2skill.core.here_documents import without_here_documents
from trace2skill.safety.screening import screened
from trace2skill.types.trajectory import Observation, ToolCall, Trajectory

SOON = 6
FAILED = re.compile(
    r"\A\s*(?:<[^>]{0,40}>\s*)*(?:\w*Error\b|error:|ERROR\b|fatal:|Traceback \(most recent call last\)|Failed to )"
    r"|command not found|No such file or directory|Traceback \(most recent call last\)",
)
TELLS = re.compile(
    r"((?:\b\w*(?:Error|Exception)|error|ERROR|fatal|Failed to|[Cc]ommand not found|No such)[^\n]{0,160})"
)
WRITES = re.compile(
    r"\A(?:update|create|delete|cancel|book|add|remove|set|modify|write|edit|insert|replace|send|apply|multi_?edit|"
    r"return|exchange|refund|deploy|publish|submit|commit|push|apply|restart|start|stop|pay)(?:_|[A-Z]|\Z)",
    re.I,
)
READS = re.compile(
    r"\A(?:get|read|list|search|find|view|show|look|fetch|query|open|cat|ls|grep|glob|check)(?:_|[A-Z]|\Z)", re.I
)
SHELLS = {
    "bash",
    "shell",
    "sh",
    "terminal",
    "run_shell_command",
    "local_shell",
    "execute_bash",
    "exec_command",
    "run_command",
}
SHELL_WRITES = re.compile(
    r">{1,2}\s*[\w./~\"'$]|\b(?:tee|mv|cp|rm|mkdir|patch|truncate)\s|\bsed\s+-i|\bgit\s+(?:commit|apply|checkout)"
)
SHELL_READS = re.compile(
    r"\A(?:cat|ls|head|tail|grep|rg|find|wc|stat|less|more|tree|pwd|which|git (?:status|log|diff|show|branch))\b"
)
OTHER_WORDS = (
    (re.compile(r"https?://\S+"), "…"),
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), "…"),
    (re.compile(r"\"[^\"\n]*\"|'[^'\n]*'|`[^`\n]*`|[‘“][^’”\n]*[’”]"), "…"),
    (re.compile(r"\[REDACTED:[\w-]+:\d+\]"), "…"),
    (re.compile(r"(?:[A-Za-z]:)?(?:[\\/][\w.@+-]+){2,}[\\/]?|[\w.-]+/[\w./-]+"), "…"),
    (re.compile(r"\b[\w-]*\d[\w-]*\b(?:\.\d+)*"), "…"),
    (re.compile(r"…(?:[ ,]*…)+"), "…"),
)
BENIGN = re.compile(
    r"\A(?:grep|egrep|fgrep|rg|ag|diff|cmp|find|test|\[|which|pgrep|git (?:diff|grep)|command -v)(?:\s|\Z)"
)
"""Programs whose exit code 1 is an answer: no match, a difference, not there."""
TESTS_RAN = re.compile(
    r"(?m)^=+ .{0,200}?\b\d{1,9} (?:passed|failed)\b.{0,200}=$|^Ran \d+ tests? in |^Tests:[ \t]{1,40}.{0,200}?\d total"
    r"|^test result: |^(?:FAIL|ok)[ \t]{1,40}\S{1,300}[ \t]{1,40}[\d.]{1,20}s$"
)
"""A test runner that came to its end: what it says of the code is no failure of the call."""
WRAPPER = re.compile(
    r"\A\s*(?:<returncode>\s*-?\d+\s*</returncode>\s*|<(?:output|stdout|stderr|error|tool_use_error|system)>\s*|"
    r"\(?(?:Exit|exit|Process exited with|Command exited with|Command failed with)(?: status| code)+:? -?\d+\)?[.:]?[ \t]*(?:\n|\Z)|"
    r"(?:Wall time|Chunk ID|Output|Total output lines|Original token count):[^\n]*\n\s*)"
)
"""What tools put around an answer; it is not the error."""
IN_ERRORS = {"address of a host", "dangerous command", "encoded text", "HTML", "hidden link or comment of Markdown"}
"""What ordinary error messages hold, and what is taken out of them with everything else that differs."""
QUOTED = re.compile(r"'[^']*'|(?<!\\)\"(?:[^\"\\]|\\.)*\"", re.DOTALL)
HIDES_CODE = re.compile(
    r"(?<![|>])\|(?![|])|\|\|\s*(?:true|:|echo|exit 0)\b|[;\n][ \t]*(?:true|:|echo\b[^;\n]*|exit 0)\s*\Z"
)
"""What stands behind a command and gives it an exit code of its own; in a quoted text or a document it means nothing."""
MOST_QUOTED = 600
ALIKE, NO_LESS, NEAR, A_SLIP = 0.5, 0.75, 0.6, 0.95
NAME = re.compile(r"\A[A-Za-z_][\w.:-]{0,47}\Z")
WORD = re.compile(r"\A[a-z][a-z0-9+_-]{0,20}\Z")
FLAG = re.compile(r"\A--?[A-Za-z][\w-]{0,24}\Z")


class Event(NamedTuple):
    """One call with its answer, and the step it stands in."""

    step: int
    call: ToolCall
    answer: Observation | None

    @property
    def name(self) -> str:
        """The tool's name, 'tool' where that is more than a name: a log may hold a sentence there."""
        return self.call.name if NAME.match(self.call.name) else "tool"

    @property
    def is_shell(self) -> bool:
        """Does it run a command?"""
        return self.name.lower() in SHELLS

    @property
    def command(self) -> str:
        """The command of a shell, without the change of directory before it; '' for another tool."""
        if not self.is_shell:
            return ""
        given = self.call.arguments.get("command", self.call.arguments.get("cmd", ""))
        text = " ".join(map(str, given)) if isinstance(given, list) else str(given)
        return re.sub(r"\A\s*+(?:bash -l?c )?[\"']?\s*+cd [^&;\n]+(?:&&|;)", "", text).strip()

    @property
    def tool(self) -> str:
        """The tool; for a shell its program, too."""
        words = re.split(r"&&|\|\||;|\n", self.command)[0].split()
        program = next((word for word in words if "=" not in word), "")
        return f"{self.name} {program}" if re.fullmatch(r"[a-z][a-z0-9+-]{1,20}", program) else self.name

    @property
    def failed(self) -> bool:
        """Does the answer say that it did not work?"""
        if self.answer is None or self.answer.state == "not_run":
            return False
        if self.answer.state == "failed":
            return not self.is_answer
        return self.answer.exit_code is None and FAILED.search(unwrapped(self.answer.content)[:2000]) is not None

    @property
    def is_answer(self) -> bool:
        """Did it end with an exit code other than 0 that only says what it found: no match, a difference, red tests?"""
        if self.answer is None or not self.is_shell:
            return False
        said = unwrapped(self.answer.content)
        if TESTS_RAN.search(said[-4000:]):
            return True
        last = re.split(r"&&|\|\||;|\n|\|", self.command)[-1].strip()
        ended = self.answer.exit_code in (None, 1)
        return ended and bool(BENIGN.match(last) or BENIGN.match(self.command)) and not TELLS.search(said[:2000])

    @property
    def worked(self) -> bool:
        """Did it run, and is it known that it worked? A call that was stopped did neither fail nor work.

        Behind a pipe, `|| true` or `; echo` the exit code is that of something else: then it is unknown.
        """
        if self.answer is None or self.answer.state != "worked" or self.failed:
            return False
        return not (
            self.is_shell
            and HIDES_CODE.search(QUOTED.sub("", without_here_documents(self.command)))
            and "pipefail" not in self.command
        )

    @property
    def writes(self) -> bool:
        """Does it change something?"""
        return bool(SHELL_WRITES.search(self.command) if self.is_shell else WRITES.match(self.name))

    @property
    def reads(self) -> bool:
        """Does it do nothing but look something up?"""
        return bool(SHELL_READS.match(self.command) and not self.writes if self.is_shell else READS.match(self.name))

    @property
    def error(self) -> str:
        """The fixed words of its error, '' where it did not fail or says nothing that tells."""
        return normal_error(self.answer.content) if self.failed and self.answer else ""


class Recovery(NamedTuple):
    """A candidate: something that failed, and a later call that asks for the same, in another way, and worked."""

    failed: int
    worked: int
    tool: str
    error: str

    def __str__(self) -> str:
        return f"- step {self.failed}: {self.tool} failed ({self.error}); step {self.worked}: {self.tool} worked"


def events_of(trajectory: Trajectory) -> list[Event]:
    """The agent's calls, in order."""
    found = []
    for step in trajectory.steps:
        if step.source == "agent":
            answers = {answer.call_id: answer for answer in step.observations}
            found += [Event(step.number, call, answers.get(call.id)) for call in step.tool_calls]
    return found


def unasked_failures(trajectory: Trajectory) -> Iterator[tuple[int, str]]:
    """What a log shows as failed and no call of the agent asked for, with its step: a person's command, a check."""
    for step in trajectory.steps:
        asked = {call.id for call in step.tool_calls} if step.source == "agent" else set()
        for seen in step.observations:
            told = seen.exit_code is None and FAILED.search(unwrapped(seen.content)[:2000])
            if seen.call_id not in asked and (seen.state == "failed" or (told and seen.state == "worked")):
                yield step.number, seen.content


def recovered(events: list[Event]) -> Iterator[tuple[Event, Event]]:
    """Calls that failed, each with the call that soon after asked for the same in another way and worked.

    With a shell, the same tool is the shell: `python` that is not there is put right by `python3`.
    """
    for at, event in enumerate(events):
        if not event.error:
            continue
        for later in events[at + 1 : at + 1 + SOON]:
            if later.name != event.name or not later.worked or later.call.arguments == event.call.arguments:
                continue
            if _alike(event, later) if event.is_shell else _asks_the_same(event, later):
                yield event, later
                break


def recoveries(trajectory: Trajectory) -> list[Recovery]:
    """The recoveries of a trajectory."""
    pairs = recovered(events_of(trajectory))
    return [Recovery(failed.step, worked.step, failed.tool, failed.error) for failed, worked in pairs]


def unwrapped(text: str) -> str:
    """An answer without what its tool put around it: `<returncode>`, `Exit code 1`."""
    while (found := WRAPPER.match(text)) and found.end():
        text = text[found.end() :]
    return text


def telling_line(text: str) -> str:
    """The line of an error message that says what is wrong, from where it begins to say it."""
    text = unwrapped(text)
    if "Traceback (most recent call last)" in text:
        lines = (line for line in reversed(text.split("\n")) if re.match(r"\w+(?:\.\w+)*(?:Error|Exception)\b", line))
        text = next(lines, text)
    found = TELLS.search(text[:4000])
    return (found[1] if found else text.strip().split("\n")[0])[:160]


def normal_error(text: str) -> str:
    """The fixed words of an error message, '' where there are too few of them to tell anything.

    A message that is suspicious is not made harmless by what is taken out of it: it is given as it is.
    """
    said = telling_line(text)
    if any(finding.reason not in IN_ERRORS for finding in screened(text[:2000])):
        return " ".join(text[:MOST_QUOTED].split())  # word for word: the screening must see it, and withholds it
    for pattern, word in OTHER_WORDS:
        said = pattern.sub(word, said)
    said = re.sub(r"[^\w…:;,.()'/ -]+", " ", re.sub(r"(?i)\A(?:error: ?)+", "", said))
    said = " ".join(said.split()).strip(" .:,;-")[:110]
    return said if len(re.findall(r"[^\W\d_]{3,}", said)) >= 2 else ""


def normal_command(command: str) -> str:
    """A command by its programs, subcommands and flags; everything that differs from case to case is `…`."""
    parts = re.split(r"(&&|\|\||;|\||\n)", command)
    shown: list[str] = []
    for part in parts[:5]:
        words = part.split()
        for place, word in enumerate(words):
            plain = (WORD.match(word) and place < 2) or FLAG.match(word) or part in ("&&", "||", ";", "|")
            shown += [word] if plain else ["…"] if shown[-1:] != ["…"] else []
    return " ".join(shown)[:80]


def _alike(failed: Event, worked: Event) -> bool:
    """Are two commands about the same thing: do they share most of what is not a program or flag?

    A slip of a letter is put right, too, where the command does more than look at something.
    """
    near = SequenceMatcher(None, failed.command[:400], worked.command[:400])
    if failed.tool == worked.tool and not failed.reads and near.ratio() >= A_SLIP:
        return True
    one, other = (
        {word for word in event.command.split()[1:] if len(word) > 2 and not word.startswith("-")}
        for event in (failed, worked)
    )
    return bool(one & other) and len(one & other) / len(one | other) >= ALIKE


def _asks_the_same(failed: Event, worked: Event) -> bool:
    """Does a later call of a tool ask for no less than the one that failed, and for most of the same?"""
    one, other = (list(_leaves(event.call.arguments)) for event in (failed, worked))
    if len(one) == len(other) == 1:  # who changes something meant the same; who looks at another thing may not
        return failed.writes or SequenceMatcher(None, one[0][-1][:400], other[0][-1][:400]).ratio() >= NEAR
    shared = len(set(one) & set(other))
    return len(other) >= NO_LESS * len(one) and shared >= ALIKE * min(len(set(one)), len(set(other)))


def _leaves(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    """The values in arguments, each with the names above it."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, f"{name}.{key}")
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _leaves(item, name)
    else:
        yield name, str(value)
