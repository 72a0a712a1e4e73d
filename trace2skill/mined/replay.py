"""A session's work done again in the sandbox, segment by segment, from the files it began with.

Commands of a log are anybody's: nothing of them, and no operation on a file, runs outside of the sandbox. What the log
showed of a file is held against what is there; a file that a log shows and nobody made was there from the beginning.
"""

import json
import posixpath
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from trace2skill.core.record import Record
from trace2skill.domains.files import read_files, tree_under
from trace2skill.domains.shell.workspace import SOLUTION, stays_inside
from trace2skill.mined import driver
from trace2skill.mined.base import Base
from trace2skill.mined.looks import looks
from trace2skill.mined.work import Operation
from trace2skill.sandbox import Limits, Sandbox
from trace2skill.sandbox.tree import scratch_directory

WORKSPACE = "/workspace"
CHECKER = re.compile(
    r"(?i)(?:\A|[_./-])(?:check|verif|valid|lint)\w*\.\w+\Z|(?:check|checker|validator|verifier)\.\w+\Z"
)
"""Names of programs that say whether something is right."""
SECONDS, EACH = 60.0, 20.0
"""Wall clock of a segment's work, and of one of its commands."""
SECONDS_IN_TREE, EACH_IN_TREE = 300.0, 60.0
"""The same in a repository: its tests, and the work of its agents, are longer."""
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
    gone: frozenset[str] = Field(default=frozenset(), description="Files of the tree that were not there before it.")


def replayed(
    start: Mapping[str, str],
    segments: Sequence[Sequence[Operation]],
    root: str,
    sandbox: Sandbox,
    base: Base | None = None,
) -> list[Done]:
    """All segments, one after the other in one directory.

    Where a log shows a file after commands ran, and none of these made it, all is done once more with that file.

    Args:
        start: the files that the log shows; in a tree, those that it does not have.
        segments: what is to be done.
        root: the directory of the log.
        sandbox: where it is done.
        base: the tree it is done in, if the session began in one.

    Raises:
        InfrastructureFault: the sandbox could not start.
    """
    files = dict(start)
    done = _once(files, segments, root, sandbox, base)
    added = {path: text for item in reversed(done) for path, text in item.added.items()}
    return _once({**added, **files}, segments, root, sandbox, base) if added else done


def as_told(work: Sequence[Operation], root: str, stands: str = "") -> list[dict[str, object]]:
    """Operations as the driver reads them, with the directory of the log as the sandbox calls it."""
    told: list[dict[str, object]] = []
    for item in work:
        given = item.model_dump(include={"kind", "path", "text", "old", "every", "line", "to", "command", "output"})
        folder = moved(item.folder, root)
        folder = folder if folder.startswith("/") else posixpath.normpath(posixpath.join(stands, folder))
        given |= {"command": moved(item.command, root), "output": item.output[: driver.READ]}
        told.append({**given, "folder": folder.removeprefix(f"{WORKSPACE}/") if item.folder else None})
    return told


def moved(text: str, root: str) -> str:
    """A text with the directory of the log as the sandbox calls it."""
    return re.sub(rf"{re.escape(root)}(?![\w.-])", WORKSPACE, text) if root else text


def does_something(item: Operation) -> bool:
    """Is it to be done again: an operation on a file, or a command of which a line is more than a look?"""
    return item.kind != "run" or not looks(item.command)


def _once(
    files: Mapping[str, str], segments: Sequence[Sequence[Operation]], root: str, sandbox: Sandbox, base: Base | None
) -> list[Done]:
    done: list[Done] = []
    with scratch_directory(prefix="t2s-mined-") as directory:
        workspace, aside = Path(directory) / "work", Path(directory) / "aside"
        workspace.mkdir()
        aside.mkdir()
        (aside / "driver.py").write_bytes(Path(driver.__file__).read_bytes())
        try:
            if base is not None:
                base.tree.lay_out(workspace)
            _lay_out(files, workspace)
        except (OSError, ValueError):  # a name or a text that no file can have
            return [Done(before={}, after={}, ended="unreadable")]
        states = [_state_of(workspace, base)]
        stands, first = (base.inside or ".", base.first(segments)) if base else (".", "")
        for number, work in enumerate(segments):
            earlier = [item for segment in segments[:number] for item in segment if item.kind == "run"]
            report = _run(work, root, stands, workspace, aside, sandbox, base, first)
            states.append(_state_of(workspace, base))
            if report is None:
                done.append(Done(before={}, after={}, ended="unreadable"))
                break
            added = _added(work, earlier, report.told, base)
            done.append(Done(before={}, after={}, told=report.told, added=added))
            stands, first = report.stands, ""
    return _with_files(done, states, segments, base)


def _state_of(workspace: Path, base: Base | None) -> tuple[dict[str, bytes], frozenset[str]]:
    if base is None:
        return files_of(workspace), frozenset()
    changed, gone = base.changed(workspace, NOISE)
    return {path: raw for path, raw in changed.items() if not _ours(path)}, gone


def _with_files(
    done: Sequence[Done],
    states: Sequence[tuple[dict[str, bytes], frozenset[str]]],
    segments: Sequence[Sequence[Operation]],
    base: Base | None,
) -> list[Done]:
    """The same with the files before and after each; in a tree, those of it that matter."""
    matter = set[str]()
    if base is not None:
        matter = {path for changed, gone in states for path in (*changed, *gone)}
        matter |= {item.path for work in segments for item in work if item.path in base.tree}
        said = "\n".join(item.command for work in segments for item in work)
        matter |= {path for path in base.tree.entries if CHECKER.search(path) and path.rpartition("/")[2] in said}
    files = [base.whole(changed, gone, matter) if base else changed for changed, gone in states]
    return [
        item.model_copy(update={"before": files[number], "after": files[number + 1], "gone": states[number][1]})
        for number, item in enumerate(done)
    ]


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
    work: Sequence[Operation],
    root: str,
    stands: str,
    workspace: Path,
    aside: Path,
    sandbox: Sandbox,
    base: Base | None,
    first: str,
) -> _Report | None:
    if not work:
        return _Report(told=(), stands=stands)
    seconds, each = (SECONDS, EACH) if base is None else (SECONDS_IN_TREE, EACH_IN_TREE)
    given = {
        "work": as_told(work, root, base.inside) if base else as_told(work, root),
        "environment": base.environment if base else {},
        "first": first,
        "stands": stands,
        "seconds": seconds - 5,
        "each": each,
        "noise": sorted(NOISE),
    }
    (aside / "work.json").write_text(json.dumps(given), encoding="ascii")
    command = f"exec python -I {SOLUTION}/driver.py {SOLUTION}/work.json"
    limits = Limits(wall_seconds=seconds, cpu_seconds=int(seconds))
    result = sandbox.run(command, workspace, read_only={SOLUTION: aside}, limits=limits)
    if result.stopped or result.exit_code != 0:
        return None
    try:
        report = _Report.model_validate_json(result.output.strip().rpartition("\n")[2])
    except ValidationError:
        return None
    return report if len(report.told) == len(work) and (stays_inside(report.stands) or report.stands == ".") else None


def _added(
    work: Sequence[Operation], earlier: Sequence[Operation], told: Sequence[Became], base: Base | None
) -> dict[str, str]:
    """Files that were read and are not there, where no command before speaks of them."""
    found: dict[str, str] = {}
    ran = list(earlier)
    for item, became in zip(work, told, strict=True):
        if item.kind == "run":
            ran.append(item)
        elif item.kind == "read" and item.whole and became.did == "missing" and item.path not in found:
            if base is not None and item.path in base.tree:
                continue  # the work took it away
            name = item.path.rpartition("/")[2]
            if not any(name in other.command for other in ran):
                found[item.path] = item.text
    return found
