"""The `shell` domain."""

from collections.abc import Callable, Mapping
from pathlib import Path

from pydantic import Field

from trace2skill.core.digest import digest_of
from trace2skill.core.record import Record
from trace2skill.domains.base import Audit, CaseGrade, Grade
from trace2skill.domains.changed import changed_files
from trace2skill.domains.files import FIX_CONTRACT, FileDomain, told_apart, values_of
from trace2skill.domains.shell.check import CheckResult, run_check, run_solution
from trace2skill.domains.shell.dataset import load_dataset
from trace2skill.domains.shell.workspace import (
    LEFT,
    changes,
    given_files,
    in_words,
    lay_out,
    lay_out_left,
    left_of,
    tree_of,
)
from trace2skill.safety.change import Variation
from trace2skill.sandbox import Limits, Sandbox, choose_sandbox
from trace2skill.sandbox.tree import scratch_directory
from trace2skill.types.task import Task, TestCase

ABOUT = """\
Tasks are pieces of work on files in a directory, done with a shell and the usual command-line programs: count, sort and
filter lines, make reports from logs and tables, rename and move files, change configuration, write small scripts. The
agent gets a request and the files, and leaves the result in the same directory, under the names that the request gives.
A script that the agent never sees then checks what was left, often byte for byte."""
SHOWN_FILES = 30
SHOWN_OUTPUT = 600


class ShellOptions(Record):
    """What can be said of the domain."""

    check_seconds: float = Field(default=60, gt=0, description="Wall clock of one run of a check or of a solution.")
    show_check: bool = Field(default=False, description="Let the error analyst read the check script.")


class Shell(FileDomain):
    """Tasks with a check script. See `trace2skill.domains.base.Domain` for what the methods promise."""

    Options = ShellOptions
    name = "shell"
    audit_version = "2"
    about = ABOUT
    fix_contract = FIX_CONTRACT
    script_writes = ()
    layout = (
        "- the workspace itself, besides `trace/` and `given/`: what the agent left behind\n"
        "- `given/`: the files as the agent got them"
    )

    def __init__(self, check_seconds: float = 60, show_check: bool = False) -> None:
        self.version = "shell 1" + (f" {check_seconds:g} s" if check_seconds != 60 else "")
        self.version += " check shown" if show_check else ""
        self._limits = Limits(wall_seconds=check_seconds, cpu_seconds=max(1, int(check_seconds)))
        self._show_check = show_check
        self._sandbox: Callable[[], Sandbox] = lambda: choose_sandbox("auto", simulated_model=False)
        self._computed: dict[str, frozenset[str]] = {}
        self._needs_input: dict[str, bool] = {}

    def use_sandbox(self, sandbox: Callable[[], Sandbox]) -> None:
        """Checks and solutions run where the agent's commands do."""
        self._sandbox = sandbox

    def load(self, data: Path) -> list[Task]:
        """Task directories, or a JSONL file of tasks."""
        return load_dataset(data, self.name)

    def lay_out(self, task: Task, workspace: Path) -> None:
        """The task's files under their own paths. The check never is in the agent's workspace."""
        lay_out(task, workspace)

    def lay_out_left(self, task: Task, workspace: Path, outputs: Mapping[str, bytes]) -> None:
        """What an agent left, and beside it under `given/` what it got."""
        lay_out_left(task, workspace, outputs)
        lay_out(task, workspace / "given")

    def describe(self, task: Task) -> str:
        """The prompt, the files there are, and that what is left is checked."""
        paths = sorted(given_files(task))
        more = [f"- and {len(paths) - SHOWN_FILES} more"] if len(paths) > SHOWN_FILES else []
        listed = "\n".join([*(f"- `{path}`" for path in paths[:SHOWN_FILES]), *more])
        files = f"Files in the directory you work in:\n{listed}\n\n" if paths else ""
        if (begins := tree_of(task)) is not None:
            besides = f", and besides:\n{listed}" if paths else "."
            whole = f"the {len(begins.tree.entries) - len(begins.removed)} files of the repository {begins.name}"
            files = f"In the directory you work in are {whole}, without its history{besides}\n\n"
        return f"{task.instruction.strip()}\n\n{files}What you leave in that directory is checked.\n"

    def collect(self, task: Task, workspace: Path) -> dict[str, bytes]:
        """What changed in the workspace, within bounds, following no link."""
        return changes(task, workspace)

    def left_out(self, task: Task, workspace: Path) -> list[str]:
        """What `collect` does not read, as it says it itself."""
        left = left_of(changes(task, workspace))
        return list(left.left_out) if left else []

    def grade(self, task: Task, outputs: Mapping[str, bytes]) -> Grade:
        """Run the check over a copy of what was left."""
        found = self._check(task, outputs)
        problem = "" if found.passed else f"{found.how}: {found.said[-SHOWN_OUTPUT:] or '(it printed nothing)'}"
        return Grade(cases=(CaseGrade(case="check", passed=found.passed, problem=problem, score=found.score),))

    def feedback(self, task: Task, outputs: Mapping[str, bytes]) -> str:
        """What the check printed and which files it looked at; the check itself only where that is wanted."""
        found = self._check(task, outputs)
        parts = [found.how or "the check passed", found.said or "(it printed nothing)", in_words(outputs)]
        if self._show_check:
            parts.append(f"The check, {task.detail['check_name']}:\n{task.detail['check']}")
        return "\n\n".join(part for part in parts if part)

    def audit(self, task: Task) -> Audit:
        """Does the check fail where nothing was done, and pass the reference solution if there is one?

        A check that passes the solution is in order, whatever it says where nothing was done. Without a solution only
        its own words that it cannot run count against it.
        """
        untouched = self._check(task, {})
        if untouched.passed:
            reason = "the check passes although nothing was done"
            return Audit(task_id=task.id, verdict="passes_untouched", reason=reason)
        why = self._wrong_with_solution(task)
        if untouched.broken and (why or not self.solution(task)):
            why = f"the check is broken: {untouched.broken}"
        return Audit(task_id=task.id, verdict="never_passes" if why else "usable", reason=why)

    def gold_outputs(self, task: Task) -> dict[str, bytes] | None:
        """What the reference solution leaves."""
        return self._solved(task, emptied=False)[0]

    def gold_only(self, task: Task) -> frozenset[str]:
        """What the reference solution computes: neither the prompt, nor a file, nor the solution itself says it."""
        if task.content not in self._computed:
            gold = {path: content for path, content in (self.gold_outputs(task) or {}).items() if path != LEFT}
            known = f"{self.given(task)}\n{task.detail.get('solution', '')}"
            self._computed[task.content] = told_apart(gold, known)
        return self._computed[task.content]

    def given(self, task: Task) -> str:
        """The prompt, and names and text of the files; of a large tree, of those that the task speaks of first."""
        files = given_files(task)
        begins = tree_of(task)
        words = f"{task.instruction}\n{task.detail.get('solution', '')}"
        of_tree = begins.tree.texts(words) if begins is not None else []
        return "\n".join(
            [task.instruction, *files, *(raw.decode("utf-8", "replace") for raw, _ in files.values()), *of_tree]
        )

    def carried(self, task: Task, outputs: Mapping[str, bytes]) -> list[str]:
        """As of every domain of files; nothing where the reference solution passes on emptied files, too."""
        written = told_apart({path: raw for path, raw in outputs.items() if path != LEFT}, task.instruction)
        if not written or self.grade(task, outputs).hard < 1.0 or not self._depends_on_input(task):
            return []
        return [f"'{line}'" for line in sorted(written)[:3]]

    def changed(self, task: Task, change: Variation, folder: Path) -> Task | None:
        """The task with other values in its files of text."""
        given = given_files(task)
        made = changed_files({path: raw for path, (raw, _) in given.items()}, change)
        if not change.did:
            return None
        cases = []
        for number, (path, content) in enumerate(sorted(made.items())):
            target = folder / str(number)
            target.write_bytes(content)
            target.chmod(0o755 if given[path][1] else 0o644)
            cases.append(TestCase(name=path, input=target))
        detail = {name: value for name, value in task.detail.items() if name != "inline"}
        content_digest = digest_of(task.content, change.name)
        self._needs_input[content_digest] = True
        return task.model_copy(update={"cases": tuple(cases), "detail": detail, "content": content_digest})

    def values(self, task: Task, outputs: Mapping[str, bytes]) -> dict[str, object]:
        """Words and numbers of what was left; none where the reference solution needs nothing of the files."""
        if not self._depends_on_input(task):
            return {}
        return values_of({path: raw for path, raw in outputs.items() if path != LEFT})

    def right_for(self, task: Task, outputs: Mapping[str, bytes], before: Mapping[str, bytes]) -> bool:
        """By the check, where it reads the files and takes what was right before for wrong; else as the solution's."""
        if outputs == before:
            return False
        if self._check(task, outputs).passed and not self._check(task, before).passed:
            return True
        solved, wrong = self._solved(task, emptied=False)
        return solved is not None and not wrong and solved == outputs and solved != before

    def solution(self, task: Task) -> str:
        """The reference solution, '' without one. For the simulated agent, nothing else."""
        return task.detail.get("solution", "")

    def _check(self, task: Task, outputs: Mapping[str, bytes]) -> CheckResult:
        return run_check(task, outputs, self._sandbox(), self._limits)

    def _wrong_with_solution(self, task: Task) -> str:
        outputs, wrong = self._solved(task, emptied=False)
        if wrong:
            return f"the reference solution does not run to its end ({wrong})"
        found = self._check(task, outputs) if outputs is not None else None
        if found is None or found.passed:
            return ""
        return f"the check does not pass the reference solution: {found.broken or found.how}: {found.said[-300:]}"

    def _solved(self, task: Task, *, emptied: bool) -> tuple[dict[str, bytes] | None, str]:
        if not self.solution(task):
            return None, ""
        with scratch_directory(prefix="t2s-solved-") as directory:
            workspace = Path(directory)
            (self.lay_out_emptied if emptied else self.lay_out)(task, workspace)
            return run_solution(task, workspace, self._sandbox(), self._limits)

    def _depends_on_input(self, task: Task) -> bool:
        if task.content not in self._needs_input:
            outputs, _ = self._solved(task, emptied=True)
            passes = outputs is not None and self._check(task, outputs).passed
            self._needs_input[task.content] = not passes
        return self._needs_input[task.content]
