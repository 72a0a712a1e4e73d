"""The quality gate: the harness itself runs a fix, from the original input, where neither gold nor the analyst is.

A fix opens the gate when it passes every test case and computes its result: no value of the answer that the task does
not give away may stand in it as a literal, and run on emptied inputs it must not produce one.
"""

from collections.abc import Callable
from pathlib import Path

from pydantic import Field

from trace2skill.analysts.feedback import feedback_on
from trace2skill.core.record import Record
from trace2skill.domains.base import ANSWER, CaseGrade, Domain, Grade, fix_file, graded
from trace2skill.safety.leaks import in_program
from trace2skill.sandbox import CommandResult, Limits, Sandbox
from trace2skill.sandbox.tree import scratch_directory
from trace2skill.types.task import Task

NAMED = 5


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


def run_gate(domain: Domain, task: Task, sandbox: Sandbox, fix: str, limits: Limits) -> GateResult:
    """Run a fix, a program or an answer, and judge it.

    Raises:
        InfrastructureFault: the sandbox could not run it at all.
    """
    command = domain.fix_command(task)
    if command is None:
        return GateResult(grade=graded(domain, task, {ANSWER: fix.encode("utf-8", "replace")}))
    outputs, result = _run(domain, task, sandbox, fix, limits, domain.lay_out)
    if result.exit_code != 0:
        why = result.stopped or f"exit code {result.exit_code}"
        problem = f"the fix program did not run to its end ({why}): {result.output.strip()[-600:]}"
        return GateResult(grade=Grade(cases=(CaseGrade(case="fix", passed=False, problem=problem),)))
    grade = graded(domain, task, outputs)
    if grade.hard < 1.0:
        return GateResult(grade=grade, feedback=feedback_on(domain, task, outputs))
    leaks = in_program(fix, domain.gold_only(task))
    if not leaks:
        outputs, _ = _run(domain, task, sandbox, fix, limits, domain.lay_out_emptied)
        leaks = [f"{place} is right even for an empty input" for place in domain.carried(task, outputs)]
    return GateResult(grade=grade, leaks=tuple(leaks))


def _run(
    domain: Domain, task: Task, sandbox: Sandbox, fix: str, limits: Limits, lay_out: Callable[[Task, Path], None]
) -> tuple[dict[str, bytes], CommandResult]:
    """Outputs and command result of a fix program in a fresh workspace."""
    with scratch_directory(prefix="t2s-gate-") as directory:
        workspace = Path(directory)
        lay_out(task, workspace)
        (workspace / fix_file(domain)).write_text(fix, encoding="utf-8", errors="replace")
        result = sandbox.run(domain.fix_command(task) or "", workspace, limits=limits)
        return domain.collect(task, workspace), result
