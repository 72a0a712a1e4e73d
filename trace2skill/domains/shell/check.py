"""Running a check: in the sandbox, without network, under limits, over a copy of what was left.

Exit code 0 is passed, any other is failed. A last line `score: 0.5` is the soft score of what failed. The check and its
files are mounted read-only from outside the copy, and programs it calls do not take modules from there: what an agent
leaves can neither replace a check nor stand in for a part of it.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from trace2skill.core.record import Record
from trace2skill.domains.shell.workspace import CHECK, SOLUTION, changes, lay_out_left, restore_tests
from trace2skill.sandbox import CommandResult, Limits, Sandbox
from trace2skill.sandbox.tree import scratch_directory
from trace2skill.types.task import Task

SCORE = re.compile(r"score:\s*(?P<score>[01](?:\.\d+)?|\.\d+)\s*")
OWN_FAULT = re.compile(
    r"\.check/[^\s:]{1,300}: line \d{1,9}: (?:syntax error.*|unexpected EOF.*)"
    r"|\.check/[^\s:]{1,300}: line \d{1,9}: (?P<program>[\w.+-]+): command not found"
    r"|\.check/[^\s:]{1,300}: (?:cannot execute.*|Permission denied.*|bad interpreter.*)$"
    r'|File "[^"\n]{0,300}\.check/[^"\n]{0,300}", line \d{1,9}.{0,300}\n'
    r"(?:(?! *File ).*\n){0,4}(?:Syntax|Indentation)Error: .*"
    r'|File "[^"\n]{0,300}\.check/[^"\n]{0,300}", line \d{1,9}, in .{0,300}\n'
    r"(?:(?! *File ).*\n){0,2}ModuleNotFoundError: No module named "
    r"'(?P<module>[\w.]+)'",
    re.MULTILINE,
)
"""What a check says where it cannot run itself. That a file is not there is nothing of the kind: the agent was to make
it. A program or a module that the prompt speaks of may be the agent's to make, too."""
RUNNERS = {".sh": "bash ", ".py": "python "}
SHOWN, LOOKED_AT = 4000, 100_000


class CheckResult(Record):
    """What a check said. `broken` says why it is the check that failed, and not what it looked at."""

    passed: bool
    score: float | None = None
    said: str = ""
    how: str = ""
    broken: str = ""


def run_check(task: Task, outputs: Mapping[str, bytes], sandbox: Sandbox, limits: Limits) -> CheckResult:
    """Judge what was left.

    Raises:
        InfrastructureFault: the sandbox could not run it at all.
    """
    with scratch_directory(prefix="t2s-check-") as directory:
        workspace, check = Path(directory) / "left", Path(directory) / "check"
        workspace.mkdir()
        lay_out_left(task, workspace, outputs)
        restore_tests(task, workspace)
        _write_check(task, check)
        name = task.detail["check_name"]
        command = (
            f'export PYTHONSAFEPATH=1 CHECK="$PWD/{CHECK}" PYTHONPATH="$PWD/{CHECK}"; '
            f'exec {RUNNERS.get(Path(name).suffix, "")}"$CHECK/{name}"'
        )
        return _verdict(task, sandbox.run(command, workspace, read_only={CHECK: check}, limits=limits), limits)


def run_solution(task: Task, workspace: Path, sandbox: Sandbox, limits: Limits) -> tuple[dict[str, bytes], str]:
    """What the reference solution leaves in a laid-out workspace, and what is wrong with it, '' for nothing."""
    with scratch_directory(prefix="t2s-solution-") as directory:
        folder = Path(directory) / "solution"
        folder.mkdir()
        (folder / "solution.sh").write_text(task.detail["solution"], encoding="utf-8")
        result = sandbox.run(f"bash {SOLUTION}/solution.sh", workspace, read_only={SOLUTION: folder}, limits=limits)
    ended = result.stopped or (f"exit code {result.exit_code}" if result.exit_code else "")
    return changes(task, workspace), f"{ended}: {result.output.strip()[-300:]}" if ended else ""


def _write_check(task: Task, folder: Path) -> None:
    """The check and the files that belong to it."""
    if source := task.detail.get("check_folder"):
        for path in sorted(Path(source).rglob("*")):
            if path.is_file():
                target = folder / path.relative_to(source)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(path.read_bytes())
                target.chmod(0o755)
    folder.mkdir(exist_ok=True)
    script = folder / task.detail["check_name"]
    script.write_text(task.detail["check"], encoding="utf-8")
    script.chmod(0o755)


def _verdict(task: Task, result: CommandResult, limits: Limits) -> CheckResult:
    said = result.output.strip()
    if result.stopped:
        limit = {"time": f"{limits.wall_seconds:g} seconds", "output": "its output", "disk": "disk space"}
        limit |= {"files": f"{limits.files} files", "memory": "memory"}
        how = f"the check was stopped: it reached the limit of {limit[result.stopped]}"
        return CheckResult(passed=False, said=said[-SHOWN:], how=how, broken=how)
    if result.exit_code == 0:
        return CheckResult(passed=True, said=said[-SHOWN:])
    last = SCORE.fullmatch(said.splitlines()[-1].strip()) if said else None
    return CheckResult(
        passed=False,
        score=min(1.0, float(last["score"])) if last else None,
        said=said[-SHOWN:],
        how=f"the check ended with exit code {result.exit_code}",
        broken=_own_fault(task, said),
    )


def _own_fault(task: Task, said: str) -> str:
    for found in OWN_FAULT.finditer(said[-LOOKED_AT:]):
        needed = found["program"] or (found["module"] or "").partition(".")[0]
        if not needed or needed not in task.instruction:
            return found[0].strip().splitlines()[-1] if found["module"] else " ".join(found[0].split())
    return ""
