"""A segment that is tried: the task it would be, and what speaks against it."""

import re
import shlex
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from itertools import starmap
from pathlib import Path
from typing import Any

from trace2skill.domains.shell.trees import RepositoryTree
from trace2skill.domains.shell.workspace import RESERVED
from trace2skill.mined.base import PROJECT, import_paths
from trace2skill.mined.begin_tree import BeginTree
from trace2skill.mined.checks import names, written
from trace2skill.mined.parts import NeededRepository
from trace2skill.mined.replay import Became, Done
from trace2skill.mined.start import MOST_TEXT
from trace2skill.mined.task import MinedCheck, MinedSegment
from trace2skill.mined.work import CHANGES, Operation

MOST_FILES = 200
MISSING = re.compile(
    r"No module named '?[\w.]+'?|[\w./-]{1,80}: command not found|No such file or directory|not a git repository"
)
"""What says best why a command does not run here. Other words of it may be others the next time."""
WANTS = re.compile(r"No module named '?(?P<module>[\w.]+)|[\w./-]{1,80}: command not found")
"""What says that a package or a program is not installed here."""
NOT_IMPORTED = (
    f"it stands in the tree, which has none of {', '.join(PROJECT)} at its top: only with one of these is it imported "
    "from there"
)
PACK = "trees.zip"
"""The file beside the tasks that holds the trees they begin in."""


class Trial:
    """A segment that is tried: what it asks, what was done, and what it needs."""

    def __init__(
        self,
        about: MinedSegment,
        request: str,
        work: Sequence[Operation],
        done: Done,
        lost: Mapping[str, str],
        repository: NeededRepository,
        root: str,
        *,
        accepted: bool,
        at: BeginTree | None = None,
    ) -> None:
        self.about, self.request, self.work, self.done, self.root, self.at = about, request, work, done, root, at
        self._lost, self._repository, self._accepted = lost, repository, accepted

    @property
    def odd(self) -> str:
        """Why it cannot be tried, '' where it can."""
        if self._lost:
            return "what it began with is not known"
        if self.done.ended:
            return "its work does not run to its end in the sandbox"
        if any(Path(path).parts[0] in RESERVED for path in (*self.done.before, *self.done.after)):
            return "a file has a name that is ours"
        if any(_not_text(raw) for raw in self.files.values()):
            return "it begins with files that are no text"
        left = {
            path: raw for path, raw in self.done.after.items() if self.at is None or self.done.before.get(path) != raw
        }
        sizes = [len(raw) for raw in (*self.files.values(), *left.values())]
        return "its files are too large or too many" if len(sizes) > MOST_FILES or sum(sizes) > MOST_TEXT else ""

    @property
    def tree(self) -> RepositoryTree | None:
        """The tree that it began in, if it did in one."""
        return self.at.tree if self.at else None

    @property
    def files(self) -> dict[str, bytes]:
        """The files that it began with, besides those that its tree has."""
        before = self.done.before
        return (
            before if self.tree is None else {path: raw for path, raw in before.items() if raw != self.tree.read(path)}
        )

    def row(self, check: MinedCheck) -> dict[str, Any]:
        """The task as a line of a data set of the domain."""
        row = {
            "id": self.about.id,
            "prompt": self.request,
            "files": {path: raw.decode("utf-8") for path, raw in sorted(self.files.items())},
            "check": check.script,
            "solution": _solution(self.done),
            "kind": check.kind,
        }
        if self.at is None:
            return row
        gone = sorted(self.done.gone & self.at.tree.entries.keys())
        told = {"pack": PACK, "tree": self.at.tree.id, "name": self.at.repository, "commit": self.at.commit}
        return {**row, "tree": {**told, "removed": gone, "restored": check.kind == "tests"}}

    @property
    def emptied(self) -> dict[str, bytes]:
        """What was made or changed, with nothing in it; nothing where that is what the log ended with."""
        changed = {path: raw for path, raw in self.done.after.items() if self.done.before.get(path) != raw}
        return dict.fromkeys(changed, b"") if any(raw.strip() for raw in changed.values()) else {}

    def not_accepted(self, check: MinedCheck) -> str:
        """Why what the log ended with is not to be taken for right, though its check passes; '' where it is."""
        if self.about.outcome == "failed":
            return f"it failed ({self.about.source}): what it ended with is not right"
        if why := self._came_otherwise(check.files):
            return why
        if check.kind != "state" or self.about.outcome == "passed" or self._accepted:
            return ""
        return "nobody says that what it ended with is right"

    def refused(self, why: str) -> MinedSegment:
        """The segment as one that became no task: for want of its repository, where that is why."""
        lacks = self.lacks
        said = f"{lacks}; {why}" if lacks else why
        if self.at is not None:
            wants = WANTS.search(said)
            there = wants is not None and self._has(wants)
            kind = "needs-environment" if wants and not there else "not-replayable"
            if there and self.tree and not import_paths(self.tree):
                said = f"{said}; {NOT_IMPORTED}"
            return self.about.model_copy(update={"replayable": kind, "why": said})
        if not lacks:
            return self.about.model_copy(update={"why": why})
        if not self._repository.there:
            return self.about.model_copy(update={"why": said})
        needs = {"replayable": "needs-repository", "commit": self._repository.commit, "why": said}
        return self.about.model_copy(update=needs)

    @cached_property
    def lacks(self) -> str:
        """What the log does not hold of what the work needs, in words."""
        if self._lost:
            path, why = next(iter(self._lost.items()))
            more = f" (and {len(self._lost) - 1} more files)" if len(self._lost) > 1 else ""
            return f"the log does not hold {path}: {why}{more}"
        return next(filter(None, starmap(_differs, self._told)), "")

    def _has(self, wants: re.Match[str]) -> bool:
        """Is what cannot be found a part of the tree, so that it is not the environment that lacks it?"""
        name = (wants["module"] or "").partition(".")[0]
        return bool(name) and any(
            re.search(rf"(?:\A|/){re.escape(name)}(?:/|\.py\Z)", path) for path in self.tree_paths
        )

    @property
    def tree_paths(self) -> list[str]:
        """The paths of its tree."""
        return list(self.tree.entries) if self.tree else []

    @property
    def _told(self) -> list[tuple[Operation, Became]]:
        return list(zip(self.work, self.done.told, strict=not self.done.ended))

    def _came_otherwise(self, files: Collection[str]) -> str:
        """What did not go as in the log of that by which files came to hold what they hold; '' for nothing."""
        made = [number for number, (_, became) in enumerate(self._told) if not set(files).isdisjoint(became.changed)]
        differs = (
            _differs(item, became)
            for number, (item, became) in enumerate(self._told)
            if number <= max(made, default=-1)
            or item.path in files
            or any(names(item.command, path, there=True) for path in files)
        )
        return next(filter(None, differs), "")


def _differs(item: Operation, became: Became) -> str:
    """What did not go as in the log, in words; '' where it did, or where it failed there, too."""
    if item.kind == "run" and item.worked and became.exit_code != (item.exit_code or 0):
        if item.exit_code is None and _last_line(item.output) and _last_line(item.output) == _last_line(became.said):
            return ""  # the log has no exit code, and it said the same
        told = MISSING.search(became.said)
        how = told[0] if told else f"exit code {became.exit_code}" if became.exit_code else became.did
        return f"`{' '.join(item.command.split())[:80]}` does not end here as in the log ({how})"
    if item.kind in CHANGES and became.did != "done":
        return f"{item.path} cannot be changed as in the log ({became.did})"
    return ""


def _last_line(said: str) -> str:
    return said.strip().rpartition("\n")[2].strip()


def _not_text(raw: bytes) -> bool:
    try:
        return "\0" in raw.decode("utf-8")
    except UnicodeDecodeError:
        return True


def _solution(done: Done) -> str:
    """A script that leaves what the log ended with."""
    gone = sorted(done.before.keys() - done.after.keys())
    lines = [f"rm -f -- {shlex.quote(path)}" for path in gone]
    lines += [written(path, raw) for path, raw in sorted(done.after.items()) if done.before.get(path) != raw]
    return "\n".join([*lines, ""])
