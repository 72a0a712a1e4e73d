"""The base of domains whose outcome is files: what an agent gets under `input/`, and what it leaves under `output/`.

A subclass says how to `load` tasks and how to `grade` what was left. A fix is a shell script, which may call any
program. What is said of wrong files never holds the right ones: the error analyst reads it.
"""

import itertools
import os
import re
import shutil
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from trace2skill.core.digest import digest_of
from trace2skill.domains.base import Audit, Grade
from trace2skill.domains.changed import changed_files, is_program, rows_of
from trace2skill.safety.change import Variation, tokens
from trace2skill.safety.leaks import canonical, is_number, numbers_in
from trace2skill.sandbox.tree import Walk
from trace2skill.sandbox.workspace import safe_read
from trace2skill.types.task import Task

LARGEST_FILE = 16 * 2**20
LARGEST_SUM = 64 * 2**20
MOST_FILES = 500
MOST_VALUES = 20_000
LARGEST_READ = 2**20
MOST_LOOKED_AT = 20_000
DEEPEST, LONGEST_PATH = 40, 1_000
"""Levels of folders, and bytes of a path. Whoever lays the files out again has paths of the host before them."""
FIX_CONTRACT = (
    "a bash script `fix.sh` that is run in a fresh workspace as the agent got it, and leaves in it what the task asks "
    "for. It may call Python and whatever else is installed."
)

SCRIPT_CONTRACT = (
    "a Python program that is called as `python NAME.py [options]` in the directory of the task's files, as the agent "
    "got them, and leaves in it what the task asks for. Only the standard library is there."
)


class FileDomain(ABC):
    """A domain whose outcome is files. See `trace2skill.domains.base.Domain` for what the methods promise.

    A subclass has `name`, `version` and `about`, and says how to `load` tasks and how to `grade`. The inputs of a task
    are the `input` of its cases; a case's `gold`, where there is one, is what `output/` should hold under the name of
    the gold file.
    """

    name: str
    version: str
    about: str
    fix_file = "fix.sh"
    fix_contract = FIX_CONTRACT
    script_contract = SCRIPT_CONTRACT
    script_arguments = ""
    script_writes: tuple[str, ...] = ("output/",)

    @abstractmethod
    def load(self, data: Path) -> list[Task]:
        """Every task of a data set, in its order.

        Raises:
            BadInput: a row or file is missing or malformed; names file and row.
        """

    @abstractmethod
    def grade(self, task: Task, outputs: Mapping[str, bytes]) -> Grade:
        """Score what was left, by path as `collect` found it. Never put gold into what it says."""

    def lay_out(self, task: Task, workspace: Path) -> None:
        """The task's input files under `input/`, by their own names, and an empty `output/`."""
        (workspace / "input").mkdir()
        (workspace / "output").mkdir()
        for case in task.cases:
            if case.input is not None:
                shutil.copyfile(case.input, workspace / "input" / case.input.name)

    def describe(self, task: Task) -> str:
        """The task's words, its files, and where results go."""
        files = "".join(f"- `input/{case.input.name}`\n" for case in task.cases if case.input is not None)
        given = f"\nFiles:\n{files}" if files else ""
        return f"{task.instruction.strip()}\n{given}\nLeave your results in `output/`.\n"

    def collect(self, task: Task, workspace: Path) -> dict[str, bytes]:
        """The regular files under `output/`, within bounds, following no link."""
        return read_files(workspace, tree_under(workspace, "output"))[0]

    def left_out(self, task: Task, workspace: Path) -> list[str]:
        """What `collect` leaves out of what lies under `output/`."""
        return read_files(workspace, tree_under(workspace, "output"))[1]

    def gold_outputs(self, task: Task) -> dict[str, bytes] | None:
        """Outputs that `grade` takes for right; None where there are none to be had."""
        golds = [case.gold for case in task.cases if case.gold is not None]
        return {f"output/{gold.name}": gold.read_bytes() for gold in golds} or None

    def audit(self, task: Task) -> Audit:
        """Does gold itself pass, and does a workspace pass in which nothing was done?"""
        gold = self.gold_outputs(task)
        if gold is not None and self.grade(task, gold).hard < 1.0:
            why = self.grade(task, gold).reason
            return Audit(task_id=task.id, verdict="never_passes", reason=f"gold itself does not pass: {why}")
        if self.grade(task, {}).hard == 1.0:
            return Audit(task_id=task.id, verdict="passes_untouched", reason="it passes although nothing was done")
        return Audit(task_id=task.id, verdict="usable")

    def gold_only(self, task: Task) -> frozenset[str]:
        """Numbers and lines of gold that neither the task's words nor its inputs hold. A program is no data."""
        return told_apart(_data(self.gold_outputs(task) or {}), self.given(task))

    def given(self, task: Task) -> str:
        """All text that the agent is given."""
        inputs = [case.input.read_bytes() for case in task.cases if case.input is not None]
        return "\n".join([task.instruction, *(content.decode("utf-8", "replace") for content in inputs)])

    def lay_out_emptied(self, task: Task, workspace: Path) -> None:
        """The same files without a single byte in them."""
        self.lay_out(task, workspace)
        for path in sorted(workspace.rglob("*")):
            if path.is_file() and not path.is_symlink():
                os.truncate(path, 0)

    def carried(self, task: Task, outputs: Mapping[str, bytes]) -> list[str]:
        """What passes although all inputs were empty, where something was written that the task does not give away.

        A program that was written is right whatever the inputs are: that says nothing.
        """
        outputs = _data(outputs)
        if not outputs:
            return []
        if self.grade(task, outputs).hard < 1.0:
            return []
        written = told_apart(outputs, task.instruction)
        return [f"'{line}'" for line in sorted(written)[:3]]

    def changed(self, task: Task, change: Variation, folder: Path) -> Task | None:
        """The task with other values in its files of text."""
        files = {str(number): case.input for number, case in enumerate(task.cases) if case.input is not None}
        by_name = {f"{number}/{path.name}": path.read_bytes() for number, path in files.items()}
        made = changed_files(by_name, change)
        if not change.did:
            return None
        cases = list(task.cases)
        for name, content in made.items():
            (folder / name).parent.mkdir()
            (folder / name).write_bytes(content)
            number = int(name.partition("/")[0])
            cases[number] = cases[number].model_copy(update={"input": folder / name})
        return task.model_copy(update={"cases": tuple(cases), "content": digest_of(task.content, change.name)})

    def values(self, task: Task, outputs: Mapping[str, bytes]) -> dict[str, object]:
        """Words and numbers of every output that is no program."""
        return values_of(outputs)

    def fix_command(self, task: Task) -> str | None:
        """`fix.sh`, by bash."""
        return f"bash {self.fix_file}"

    def script_command(self, task: Task, script: str, options: str) -> str:
        """The script, by Python, in the workspace."""
        return f"python {script} {options}".rstrip()


def _data(outputs: Mapping[str, bytes]) -> dict[str, bytes]:
    """The outputs that are data. Where a program is the result, its lines are what the task asks for, and no answer."""
    return {path: content for path, content in outputs.items() if not is_program(path, content)}


def values_of(outputs: Mapping[str, bytes]) -> dict[str, object]:
    """Every word and number of outputs that are data, wherever it stands in its file, and the cells of tables."""
    found: dict[str, object] = {}
    for path, content in sorted(_data(outputs).items()):
        text = content[:LARGEST_READ].decode("utf-8", "replace")
        found |= {f"{path}: '{token}'": token for token in sorted(tokens(text))} or {f"{path}: text": text.strip()}
        for number, row in enumerate(rows_of(path, text) or [], start=1):
            found |= {f"{path}: column {column}, line {number}": cell for column, cell in enumerate(row, start=1)}
    return dict(itertools.islice(found.items(), MOST_VALUES))


def told_apart(outputs: Mapping[str, bytes], given: str) -> frozenset[str]:
    """Numbers and lines of text outputs that do not stand in what was given, as `safety.leaks.canonical` has them."""
    known, found = numbers_in(given), set[str]()
    for content in outputs.values():
        text = content.decode("utf-8", "replace")
        found |= numbers_in(text)
        found |= {canonical(line) for line in text.splitlines() if not re.fullmatch(r"[\W\d]*", line)}
    flat = " ".join(given.split())
    return frozenset(
        value
        for value in found - {"", "0", "1"}
        if not value.startswith("-") and (value not in known if is_number(value) else value not in flat)
    )


def read_files(workspace: Path, tree: "Tree") -> tuple[dict[str, bytes], list[str]]:
    """The regular files of a tree by path, and what was left out: too large, too many, no files, or not looked at.

    Links are not followed, devices and pipes are not opened.
    """
    found: dict[str, bytes] = {}
    left_out: list[str] = []
    total = 0
    for path in tree.files:
        room = min(LARGEST_FILE, LARGEST_SUM - total)
        content = safe_read(workspace, path, room) if len(found) < MOST_FILES else None
        if content is None:
            left_out.append(path)
            continue
        total += len(content)
        found[path] = content
    return found, [*left_out, *tree.others, *tree.left_out]


@dataclass(frozen=True)
class Tree:
    """What lies below a folder, by path from the workspace, sorted; nothing of it has been opened."""

    files: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()
    """Folders that hold nothing."""
    others: tuple[str, ...] = ()
    """Pipes, sockets and devices."""
    left_out: tuple[str, ...] = ()
    """In words: what was not looked at, and why."""


def tree_under(workspace: Path, folder: str = "") -> Tree:
    """What lies below a folder, following no link, by descriptor: however deep, many or odd the names are.

    Looked at are 20,000 entries, 40 levels, and paths of 1,000 bytes; names that are no UTF-8 are not.
    """
    parts = Path(folder).parts
    if any((workspace / Path(*parts[: end + 1])).is_symlink() for end in range(len(parts))):
        return Tree()
    found: dict[str, list[str]] = {"files": [], "links": [], "folders": [], "empty": [], "others": []}
    why: Counter[str] = Counter()
    walk = Walk(workspace / folder, MOST_LOOKED_AT, force=True)
    for inside, _, entries in walk:
        if inside and not entries:
            found["empty"].append("/".join((*parts, *inside)))
        for entry in list(entries):
            path = "/".join((*parts, *inside, entry.name))
            if reason := _not_taken(path, len(inside)):
                why[reason] += 1
                entries.remove(entry)
                continue
            found[_kind_of(entry)].append(path)
    if walk.ended:
        why[f"there are more than {MOST_LOOKED_AT} files and folders"] += 1
    if walk.unread and (workspace / folder).exists():
        why["folders that cannot be read"] += len(walk.unread)
    said = tuple(f"({count} left out: {reason})" for reason, count in sorted(why.items()))
    return Tree(**{kind: tuple(sorted(paths)) for kind, paths in found.items()}, left_out=said)


def is_text(name: str) -> bool:
    """Can a name be written down? One that is no UTF-8 cannot."""
    return not any("\ud800" <= letter <= "\udfff" for letter in name)


def _not_taken(path: str, depth: int) -> str:
    """Why something is not looked at, '' where it is."""
    if not is_text(path):
        return "names that are no UTF-8"
    if depth >= DEEPEST:
        return f"nested deeper than {DEEPEST} levels"
    return f"paths longer than {LONGEST_PATH} bytes" if len(path.encode()) > LONGEST_PATH else ""


def _kind_of(entry: "os.DirEntry[str]") -> str:
    try:
        if entry.is_symlink():
            return "links"
        if entry.is_dir(follow_symlinks=False):
            return "folders"
        return "files" if entry.is_file(follow_symlinks=False) else "others"
    except OSError:
        return "others"
