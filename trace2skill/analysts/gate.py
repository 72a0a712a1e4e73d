"""The quality gate: the harness itself runs a fix, from the original input, where neither gold nor the analyst is.

A fix opens the gate when it passes every test case and computes its result: no value of the answer that the task does
not give away may stand in it as a literal, and run on changed inputs its result must change with them. Where nothing in
the inputs can be changed it is run on emptied ones and must not be right.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import Field

from trace2skill.analysts.feedback import feedback_on
from trace2skill.core.digest import digest_of_bytes
from trace2skill.core.errors import Trace2SkillError
from trace2skill.core.record import Record
from trace2skill.domains.base import (
    ANSWER,
    CaseGrade,
    Changing,
    Domain,
    Grade,
    Rechecking,
    fix_file,
    graded,
)
from trace2skill.domains.files import read_files, tree_under
from trace2skill.safety.carried import Stays, Values, compared, confirmed, drawn_alike, empty, fingerprints
from trace2skill.safety.change import Variation, tokens
from trace2skill.safety.leaks import in_program, strings_of
from trace2skill.sandbox import CommandResult, Limits, Sandbox
from trace2skill.sandbox.tree import scratch_directory
from trace2skill.types.task import Task

log = logging.getLogger(__name__)
NAMED = 5
UNENDED = "did not run to its end"
DRAWS = 4


class GateResult(Record):
    """What the harness found. `leaks` names values or places that show the fix to hold the answer."""

    grade: Grade
    leaks: tuple[str, ...] = Field(default=())
    feedback: str = Field(default="", description="The domain's own words on what did not pass, if it has any.")

    @property
    def opened(self) -> bool:
        """Did the fix prove its cause?"""
        return self.grade.hard == 1.0 and not self.leaks

    @property
    def reason(self) -> str:
        """Why the gate stays shut, '' where it opened."""
        if self.leaks:
            return f"the fix holds the answer instead of computing it: {', '.join(self.leaks[:NAMED])}"
        return "" if self.opened else f"the fix did not pass: {self.grade.reason}"


@dataclass(frozen=True)
class RunnableProgram:
    """A program, and how it is run in a workspace that is laid out."""

    source: str
    command: str
    name: str
    """What it is called when it fails, such as 'fix'."""
    file: str = ""
    """Where in the workspace it is written; '' for one that is mounted."""
    mounts: Mapping[str, Path] = field(default_factory=dict)
    writes: tuple[str, ...] = ()
    """Beginnings of the paths that it may change or add; none for wherever it likes."""


def run_gate(domain: Domain, task: Task, sandbox: Sandbox, fix: str, limits: Limits) -> GateResult:
    """Run a fix, a program or an answer, and judge it.

    Raises:
        InfrastructureFault: the sandbox could not run it at all.
    """
    command = domain.fix_command(task)
    if command is None:
        return GateResult(grade=graded(domain, task, {ANSWER: fix.encode("utf-8", "replace")}))
    program = RunnableProgram(source=fix, command=command, name="fix", file=fix_file(domain))
    return run_program(domain, task, sandbox, program, limits)


def run_program(
    domain: Domain, task: Task, sandbox: Sandbox, program: RunnableProgram, limits: Limits, *, changed: bool = True
) -> GateResult:
    """Run a program on a task and judge it; `changed`: on other inputs, too, if it passes.

    Raises:
        InfrastructureFault: the sandbox could not run it at all.
    """
    outputs, result = _run(domain, task, sandbox, program, limits, domain.lay_out)
    if result.exit_code != 0:
        why = result.stopped or f"exit code {result.exit_code}"
        problem = f"the {program.name} program {UNENDED} ({why}): {result.output.strip()[-600:]}"
        return GateResult(grade=Grade(cases=(CaseGrade(case=program.name, passed=False, problem=problem),)))
    grade = graded(domain, task, outputs)
    if grade.hard < 1.0:
        return GateResult(grade=grade, feedback=feedback_on(domain, task, outputs))
    gold = domain.gold_only(task)
    telling = {value for value in gold if not isinstance(domain, Changing) or value[0] in "-0123456789"}
    leaks = in_program(program.source, telling)
    if not leaks and changed:
        leaks = _Trial(domain, task, sandbox, program, limits).leaks(outputs)
    return GateResult(grade=grade, leaks=tuple(leaks))


class _Trial:
    """One program, run on other inputs than the task's. Works in a folder of its own per input."""

    def __init__(self, domain: Domain, task: Task, sandbox: Sandbox, program: RunnableProgram, limits: Limits) -> None:
        self._domain, self._task, self._sandbox, self._limits = domain, task, sandbox, limits
        self._program, self._fix = program, program.source
        self._words = domain.describe(task)
        self._given = tokens(task.instruction)

    def leaks(self, outputs: dict[str, bytes]) -> list[str]:
        """What shows that the fix holds its result, given what it left for the task's own inputs."""
        domain = self._domain
        if not isinstance(domain, Changing):
            return self._when_emptied()
        real = domain.values(self._task, outputs)
        if not real:
            return []
        asked_for, failed = strings_of(self._fix), ""
        named = f"{self._words}\n{asked_for}"
        for mild in (False, True):
            change = Variation(self._task.content, named, mild=mild)
            found = self._on(change, outputs)
            if found is None:
                return self._when_emptied()
            if known := fingerprints(self._fix, self._words, change):
                return [f"it asks for this one input ({known[0]})"]
            if found.proven:
                return []
            failed = found.failed
            if not failed and not empty(real, found.values, self._given):
                verdict = compared(real, found.values, change, self._given, asked_for)
                carried = [f"{place} stays the same whatever the input holds" for place in verdict.carried]
                carried = carried or self._drawn(verdict, real, outputs, named)
                return carried or (self._with_fewer(verdict, real, outputs) if verdict.open else [])
        return [f"it gives no result for any input but this one{failed}"]

    def _with_fewer(self, verdict: Stays, real: Values, outputs: dict[str, bytes]) -> list[str]:
        """The open places of a verdict that an input with fewer rows does not clear."""
        named = f"{self._words}\n{strings_of(self._fix)}"
        for change in (
            Variation(self._task.content, self._words, rows="fewer"),
            Variation(self._task.content, named, mild=True, rows="fewer"),
        ):
            found = self._on(change, outputs)
            if found is not None and found.proven:
                return []
            if found is not None and not found.failed:
                places = confirmed(verdict, real, found.values, change, self._given)
                return [f"{place} stays the same whatever the input holds" for place in places]
        return [f"{place} stays the same, and with fewer rows there is no result" for place in verdict.open]

    def _drawn(self, verdict: Stays, real: Values, outputs: dict[str, bytes], named: str) -> list[str]:
        """The numbers that might be counts and stay, whatever rows are drawn; a small one may stay once by chance."""
        asked = set(verdict.counts)
        for draw in range(DRAWS if asked else 0):
            found = self._on(Variation(f"{self._task.content} {draw}", named, rows="drawn"), outputs)
            if found is not None and (found.proven or not found.failed):
                verdict.counts = [] if found.proven else drawn_alike(verdict, real, found.values)
            if not verdict.counts:
                break
        verdict.open = [place for place in verdict.open if place not in asked.difference(verdict.counts)]
        return [f"{place} stays the same whatever is counted" for place in verdict.counts]

    def _on(self, change: Variation, outputs: dict[str, bytes]) -> "_Found | None":
        """What the fix gives for a changed input; None where nothing in the input can be changed."""
        domain = self._domain
        assert isinstance(domain, Changing)
        with scratch_directory(prefix="t2s-changed-") as directory:
            other = _changed(domain, self._task, change, Path(directory))
            if other is None:
                return None
            left, result = _run(domain, other, self._sandbox, self._program, self._limits, domain.lay_out)
            failed = "" if result.exit_code == 0 else f": {result.output.strip()[-200:]}"
            proven = isinstance(domain, Rechecking) and not failed and domain.right_for(other, left, outputs)
            return _Found(domain.values(other, left), failed, proven)

    def _when_emptied(self) -> list[str]:
        outputs, _ = _run(
            self._domain, self._task, self._sandbox, self._program, self._limits, self._domain.lay_out_emptied
        )
        return [f"{place} is right even for an empty input" for place in self._domain.carried(self._task, outputs)]


def _changed(domain: Changing, task: Task, change: Variation, folder: Path) -> Task | None:
    """The task with changed inputs; None where none can be. An input that nobody thought of loses no analysis."""
    try:
        return domain.changed(task, change, folder)
    except Trace2SkillError:
        raise
    except Exception as error:  # noqa: BLE001 - as in `graded`
        log.warning("%s: its inputs cannot be changed: %s: %s", task.id, type(error).__name__, error)
        return None


@dataclass(frozen=True)
class _Found:
    """What came of one changed input: values by place, why it failed, and whether it is right by its own check."""

    values: Values
    failed: str
    proven: bool


def _run(
    domain: Domain,
    task: Task,
    sandbox: Sandbox,
    program: RunnableProgram,
    limits: Limits,
    lay_out: Callable[[Task, Path], None],
) -> tuple[dict[str, bytes], CommandResult]:
    """Outputs and command result of a program in a fresh workspace."""
    with scratch_directory(prefix="t2s-gate-") as directory:
        workspace = Path(directory)
        lay_out(task, workspace)
        if program.file:
            (workspace / program.file).write_text(program.source, encoding="utf-8", errors="replace")
        before = _others(workspace, program)
        result = sandbox.run(program.command, workspace, read_only=program.mounts, limits=limits)
        if touched := sorted(dict(before.items() ^ _others(workspace, program).items())):
            said = f"it changed what it may only read: {', '.join(touched[:NAMED])}"
            result = CommandResult(exit_code=1, output=said)
        return domain.collect(task, workspace), result


def _others(workspace: Path, program: RunnableProgram) -> dict[str, str]:
    """Digests of the files of a workspace by path, but of those that a program may write, and of its own."""
    if not program.writes:
        return {}
    own = (*program.writes, *(f"{mount}/" for mount in program.mounts))
    tree = tree_under(workspace)
    files, _ = read_files(workspace, tree)
    found = {path: digest_of_bytes(content) for path, content in files.items()}
    found |= dict.fromkeys((*tree.links, *tree.others), "no file")
    return {path: digest for path, digest in found.items() if not path.startswith(own)}
