"""A session's work done again in the sandbox, segment by segment, from the files it began with.

Commands of a log are anybody's: nothing of them, and no operation on a file, runs outside of the sandbox. What the log
showed of a file is held against what is there; a file that a log shows and nobody made was there from the beginning.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from trace2skill.core.record import Record
from trace2skill.domains.files import read_files, tree_under
from trace2skill.domains.shell.workspace import SOLUTION, stays_inside
from trace2skill.mined import driver
from trace2skill.mined.looks import looks
from trace2skill.mined.work import Operation
from trace2skill.sandbox import Limits, Sandbox
from trace2skill.sandbox.tree import scratch_directory

WORKSPACE = "/workspace"
SECONDS, EACH = 60.0, 20.0
"""Wall clock of a segment's work, and of one of its commands."""
NOISE = frozenset({
    "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", ".git", ".venv", "venv",
    "node_modules", ".tox", ".cache",
})  # fmt: skip
"""Folders that programs leave beside the work."""


class Became(Record):
    """What became of one operation, as the sandbox tells it: it may be anything, and decides about one task alone."""

    did: str = Field(max_length=80)
    exit_code: int | None = None
    same: bool = Field(default=False, description="Did the command print what it printed in the log?")
    said: str = Field(default="", max_length=1000)
    folder: str = Field(default=".", max_length=1000)
    changed: tuple[str, ...] = Field(default=(), max_length=driver.NAMED, description="Files that a command changed.")


class _Report(Record):
    told: tuple[Became, ...]
    stands: str = Field(default=".", max_length=1000)


class Done(Record):
    """One segment done again: the files before and after it, and what became of its operations."""

    before: dict[str, bytes]
    after: dict[str, bytes]
    told: tuple[Became, ...] = ()
    ended: Literal["", "stopped", "unreadable"] = Field(default="", description="Why there is nothing of it, if so.")
    added: dict[str, str] = Field(default_factory=dict, description="Files that the log shows and nobody made.")


def replayed(
    start: Mapping[str, str], segments: Sequence[Sequence[Operation]], root: str, sandbox: Sandbox
) -> list[Done]:
    """All segments, one after the other in one directory.

    Where a log shows a file after commands ran, and none of these made it, all is done once more with that file.

    Raises:
        InfrastructureFault: the sandbox could not start.
    """
    files = dict(start)
    done = _once(files, segments, root, sandbox)
    added = {path: text for item in reversed(done) for path, text in item.added.items()}
    return _once({**added, **files}, segments, root, sandbox) if added else done


def as_told(work: Sequence[Operation], root: str) -> list[dict[str, object]]:
    """Operations as the driver reads them, with the directory of the log as the sandbox calls it."""
    told: list[dict[str, object]] = []
    for item in work:
        given = item.model_dump(include={"kind", "path", "text", "old", "every", "line", "command", "output"})
        folder = moved(item.folder, root)
        given |= {"command": moved(item.command, root), "output": item.output[: driver.READ]}
        told.append({**given, "folder": folder.removeprefix(f"{WORKSPACE}/") if item.folder else None})
    return told


def moved(text: str, root: str) -> str:
    """A text with the directory of the log as the sandbox calls it."""
    return re.sub(rf"{re.escape(root)}(?![\w.-])", WORKSPACE, text) if root else text


def does_something(item: Operation) -> bool:
    """Is it to be done again: an operation on a file, or a command of which a line is more than a look?"""
    return item.kind != "run" or not looks(item.command)


def _once(files: Mapping[str, str], segments: Sequence[Sequence[Operation]], root: str, sandbox: Sandbox) -> list[Done]:
    done: list[Done] = []
    with scratch_directory(prefix="t2s-mined-") as directory:
        workspace, aside = Path(directory) / "work", Path(directory) / "aside"
        workspace.mkdir()
        aside.mkdir()
        (aside / "driver.py").write_bytes(Path(driver.__file__).read_bytes())
        try:
            _lay_out(files, workspace)
        except (OSError, ValueError):  # a name or a text that no file can have
            return [Done(before={}, after={}, ended="unreadable")]
        stands, before = ".", files_of(workspace)
        for number, work in enumerate(segments):
            earlier = [item for segment in segments[:number] for item in segment if item.kind == "run"]
            report = _run(work, root, stands, workspace, aside, sandbox)
            after = files_of(workspace)
            if report is None:
                return [*done, Done(before=before, after=after, ended="unreadable")]
            done.append(Done(before=before, after=after, told=report.told, added=_added(work, earlier, report.told)))
            stands, before = report.stands, after
    return done


def _lay_out(files: Mapping[str, str], workspace: Path) -> None:
    for path, text in files.items():
        target = workspace / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        target.chmod(0o755 if text.startswith("#!") else 0o644)


def files_of(workspace: Path) -> dict[str, bytes]:
    """The files of a workspace, without what programs leave beside their work; no link is followed."""
    found, _ = read_files(workspace, tree_under(workspace))
    return {path: raw for path, raw in found.items() if not NOISE & set(Path(path).parts) and not _ours(path)}


def _ours(path: str) -> bool:
    return path.startswith(f"{SOLUTION}/") or path.endswith((".pyc", ".pyo"))


def _run(
    work: Sequence[Operation], root: str, stands: str, workspace: Path, aside: Path, sandbox: Sandbox
) -> _Report | None:
    if not work:
        return _Report(told=(), stands=stands)
    given = {
        "work": as_told(work, root),
        "stands": stands,
        "seconds": SECONDS - 5,
        "each": EACH,
        "noise": sorted(NOISE),
    }
    (aside / "work.json").write_text(json.dumps(given), encoding="ascii")
    command = f"exec python -I {SOLUTION}/driver.py {SOLUTION}/work.json"
    limits = Limits(wall_seconds=SECONDS, cpu_seconds=int(SECONDS))
    result = sandbox.run(command, workspace, read_only={SOLUTION: aside}, limits=limits)
    if result.stopped or result.exit_code != 0:
        return None
    try:
        report = _Report.model_validate_json(result.output.strip().rpartition("\n")[2])
    except ValidationError:
        return None
    return report if len(report.told) == len(work) and (stays_inside(report.stands) or report.stands == ".") else None


def _added(work: Sequence[Operation], earlier: Sequence[Operation], told: Sequence[Became]) -> dict[str, str]:
    """Files that were read and are not there, where no command before speaks of them."""
    found: dict[str, str] = {}
    ran = list(earlier)
    for item, became in zip(work, told, strict=True):
        if item.kind == "run":
            ran.append(item)
        elif item.kind == "read" and item.whole and became.did == "missing" and item.path not in found:
            name = item.path.rpartition("/")[2]
            if not any(name in other.command for other in ran):
                found[item.path] = item.text
    return found
