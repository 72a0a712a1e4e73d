"""The quality gate: the harness itself runs a fix, from the original input, where neither gold nor the analyst is."""

import tempfile
from pathlib import Path

from trace2skill.agents.sandbox import Limits, Sandbox
from trace2skill.domains.base import CaseGrade, Domain, Grade
from trace2skill.task import Task


def run_fix(domain: Domain, task: Task, sandbox: Sandbox, program: str, limits: Limits) -> Grade:
    """Run a fix program in a fresh workspace and grade what it writes.

    Raises:
        InfrastructureFault: the sandbox could not run it at all.
    """
    with tempfile.TemporaryDirectory(prefix="t2s-gate-") as directory:
        workspace = Path(directory)
        domain.lay_out(task, workspace)
        (workspace / "fix.py").write_text(program, encoding="utf-8", errors="replace")
        result = sandbox.run(domain.fix_command(task), workspace, limits=limits)
        if result.exit_code != 0:
            why = result.stopped or f"exit code {result.exit_code}"
            problem = f"the fix program did not run to its end ({why}): {result.output.strip()[-600:]}"
            return Grade(cases=(CaseGrade(case="fix", passed=False, problem=problem),))
        return domain.grade(task, domain.collect(task, workspace))
