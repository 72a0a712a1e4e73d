"""Trying a script: on the tasks it was made from and on others, as the skill's reader would call it, without a model.

A script passes a task as a fix does: run from the original input in the sandbox, graded by the domain, and on tasks
that it was made from with changed inputs, too. How it is called is read out of the request by the script's patterns.
"""

import json
import shlex
from collections.abc import Mapping, Sequence
from operator import not_
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import Field, TypeAdapter, ValidationError

from trace2skill.analysts.feedback import in_words
from trace2skill.analysts.gate import UNENDED, GateResult, RunnableProgram, run_program
from trace2skill.consolidate.groups import EditGroup
from trace2skill.consolidate.routines import Routine
from trace2skill.consolidate.scripts import InducedScript
from trace2skill.core.record import Record
from trace2skill.domains.base import Domain, Feedback, Scripted
from trace2skill.sandbox import Limits, Sandbox
from trace2skill.sandbox.tree import scratch_directory
from trace2skill.types.task import Task

READER = Path(__file__).with_name("call_reader.py")
MOUNT = "skill"
LONGEST_VALUE = 300
MOST_TOLD = 2_000
FOUND = TypeAdapter(dict[str, list[str | None]])
Seen = Literal["source", "unseen"]


class ScriptRun(Record):
    """One task that a script was tried on: one it was made from, or one that nobody showed to who wrote it."""

    task_id: str
    seen: Seen
    command: str
    passed: bool
    reason: str = Field(
        default="", exclude_if=not_, description="Why it did not pass, for people: gold may stand in it."
    )
    told: str = Field(default="", exclude_if=not_, description="The same as whoever wrote the script may know it.")


class TriedScript(Record, form="TriedScript", version=1):
    """What became of a routine: its script, what it was tried on, and why it is not in the skill, if it is not."""

    routine: str = Field(description="Id of the routine.")
    trajectories: tuple[str, ...] = Field(description="Those whose programs it has.")
    tasks: tuple[str, ...] = Field(description="Their tasks, in the order of the trajectories.")
    fixes: int = Field(description="How many of the programs are fixes; the others are agents' own.")
    rules: tuple[str, ...] = Field(
        default=(), exclude_if=not_, description="Rules of the book that its fixes speak for."
    )
    made: InducedScript
    runs: tuple[ScriptRun, ...] = ()
    reason: str = Field(default="", exclude_if=not_, description="Why it does not enter the skill; '' where it does.")
    group: EditGroup | None = Field(default=None, exclude_if=lambda group: group is None)
    quarantined: str = Field(default="", exclude_if=not_, description="As the store names what the screening kept out.")
    is_there: bool = Field(default=False, exclude_if=not_, description="Has the skill had the script before?")

    @classmethod
    def of(cls, routine: Routine, rules: tuple[str, ...], made: InducedScript, reason: str = "") -> "TriedScript":
        """A script of a routine that was tried on nothing yet."""
        return cls(
            routine=routine.id,
            trajectories=tuple(program.trajectory_id for program in routine.programs),
            tasks=routine.tasks,
            fixes=sum(program.by == "fix" for program in routine.programs),
            rules=rules,
            made=made,
            reason=reason or made.refused,
        )

    def named(self, name: str) -> "TriedScript":
        """The same under another name, in its edits and its calls, too."""
        made = self.made.model_copy(update={"name": name})

        def moved(text: str) -> str:
            return text.replace(self.made.path, made.path)

        runs = tuple(run.model_copy(update={"command": moved(run.command)}) for run in self.runs)
        group = self.group
        if group:
            edits = [
                edit.model_copy(update={"file": made.path})
                if edit.file == self.made.path
                else edit.model_copy(update={"content": moved(edit.content)})
                for edit in group.edits
            ]
            group = group.model_copy(update={"edits": tuple(edits)})
        return self.model_copy(update={"made": made, "runs": runs, "group": group})

    def passes(self, seen: Seen) -> int:
        """How many tasks it passed."""
        return sum(run.passed for run in self.runs if run.seen == seen)

    @property
    def name(self) -> str:
        """What a reader calls it."""
        return self.made.path if self.made.name else f"routine {self.routine}"

    @property
    def in_words(self) -> str:
        """A line for a reader."""
        told = f"{len(self.tasks)} tasks did the same, {self.fixes} by a fix"
        tried = f"passed {self.passes('source')} tasks it was made from and {self.passes('unseen')} unseen ones"
        ended = f"not in the skill: {self.reason}" if self.reason and not self.is_there else self.reason or tried
        return f"{self.name} ({told}): {ended}"


class ScriptCall(NamedTuple):
    """How a script is called on a task, or why that cannot be said."""

    command: str
    problem: str = ""


class ScriptTrial:
    """Runs one script. What it may do to its workspace the sandbox and the domain decide.

    Args:
        domain: grades, and says how a script is called.
        sandbox: where it runs.
        limits: of each command.
        made: the script.
    """

    def __init__(self, domain: Domain, sandbox: Sandbox, limits: Limits, made: InducedScript) -> None:
        assert isinstance(domain, Scripted)
        self._domain, self._sandbox, self._limits, self._made = domain, sandbox, limits, made
        self._says: Scripted = domain

    def help_problem(self) -> str:
        """What is wrong with `--help`, '' for nothing.

        Raises:
            InfrastructureFault: the sandbox could not run it at all.
        """
        with scratch_directory(prefix="t2s-script-") as directory:
            folder, workspace = self._written(Path(directory))
            command = f"python {MOUNT}/{self._made.path} --help"
            result = self._sandbox.run(command, workspace, read_only={MOUNT: folder}, limits=self._limits)
        if result.exit_code != 0:
            return f"--help does not run to its end: {result.output.strip()[-300:]}"
        missing = [option.name for option in self._made.options if option.name not in result.output]
        return f"--help does not name {', '.join(missing)}" if missing else ""

    def calls(self, tasks: Sequence[Task]) -> tuple[dict[str, ScriptCall], str]:
        """How it is called on each task that it is meant for, by id; and why that is not known, '' where it is.

        Raises:
            InfrastructureFault: the sandbox could not run the reader at all.
        """
        requests = {task.id: self._domain.describe(task) for task in tasks}
        patterns = [option.patterns for option in self._made.options]
        job = {"when": self._made.when, "options": patterns, "requests": requests}
        with scratch_directory(prefix="t2s-calls-") as directory:
            workspace = Path(directory)
            (workspace / "job.json").write_text(json.dumps(job), encoding="utf-8")
            (workspace / READER.name).write_text(READER.read_text(encoding="utf-8"), encoding="utf-8")
            result = self._sandbox.run(f"python -W ignore {READER.name} job.json", workspace, limits=self._limits)
        if result.exit_code != 0:
            why = result.stopped or result.output.strip()[-300:]
            return {}, f"its patterns cannot be used ({why})"
        try:
            found = FOUND.validate_json(result.output.strip().rpartition("\n")[2])
        except ValidationError:
            return {}, "its patterns cannot be used: what they found cannot be read"
        return {task.id: self._call(task, found[task.id]) for task in tasks if task.id in found}, ""

    def run(self, task: Task, seen: Seen, call: ScriptCall) -> ScriptRun:
        """Run it on one task; on changed inputs, too, where it was made from that task.

        Raises:
            InfrastructureFault: the sandbox could not run it at all.
        """
        if call.problem:
            return ScriptRun(
                task_id=task.id, seen=seen, command="", passed=False, reason=call.problem, told=call.problem
            )
        with scratch_directory(prefix="t2s-script-") as directory:
            folder, _ = self._written(Path(directory))
            program = RunnableProgram(
                source=self._made.script,
                command=call.command,
                name="script",
                mounts={MOUNT: folder},
                writes=self._says.script_writes,
            )
            changed = seen == "source"
            judged = run_program(self._domain, task, self._sandbox, program, self._limits, changed=changed)
        reason, told = ("", "") if judged.opened else (_in_short(judged), self._without_gold(task, judged))
        return ScriptRun(
            task_id=task.id, seen=seen, command=call.command, passed=judged.opened, reason=reason, told=told
        )

    def _without_gold(self, task: Task, judged: GateResult) -> str:
        """Why it did not pass, without what a check printed: `diff` prints the answer.

        What the script itself said is told, places that differ, and what a grader says of outputs that it cannot
        compare, unless a value of gold is in that. All else is that the check failed.
        """
        cases = [case for case in judged.grade.cases if not case.passed]
        if judged.leaks or any(f"the script program {UNENDED}" in case.problem for case in cases):
            return _in_short(judged)
        gold = self._domain.gold_only(task)
        worded = isinstance(self._domain, Feedback) or any(
            value in case.problem for case in cases for value in gold if value.strip()
        )
        if worded or not cases:
            return "the check failed"
        return in_words(judged.grade)[:MOST_TOLD]

    def _call(self, task: Task, values: Sequence[str | None]) -> ScriptCall:
        names = [option.name for option in self._made.options]
        given: Mapping[str, str | None] = dict(zip(names, values, strict=True))
        wrong = [name for name, value in given.items() if value is not None and not 0 < len(value) <= LONGEST_VALUE]
        if wrong:
            return ScriptCall("", f"its patterns find no usable value of {', '.join(wrong)} in the request")
        found = ((name, value) for name, value in given.items() if value is not None)  # else its default holds
        options = " ".join(f"{name}={shlex.quote(value)}" for name, value in found)
        return ScriptCall(self._says.script_command(task, f"{MOUNT}/{self._made.path}", options))

    def _written(self, directory: Path) -> tuple[Path, Path]:
        """A folder with the script at its place in a skill, and an empty workspace."""
        folder, workspace = directory / "mounted", directory / "workspace"
        (folder / "scripts").mkdir(parents=True)
        workspace.mkdir()
        (folder / self._made.path).write_text(self._made.script, encoding="utf-8")
        return folder, workspace


def _in_short(judged: GateResult) -> str:
    """Why it did not pass, on one line: of a traceback its end, for the rest is the script's own text."""
    said = judged.reason.removeprefix("the fix did not pass: ").replace("the fix holds", "it holds")
    head, mark, trace = said.partition("Traceback (most recent call last)")
    return " ".join(f"{head}{trace.strip().splitlines()[-1] if mark and trace.strip() else ''}".split())[:300]
