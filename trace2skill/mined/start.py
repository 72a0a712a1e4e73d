"""What a session began with: the directory it worked in, and the files that were there, as far as its log tells.

A file that was read whole before anything changed it was there as it was read. One that was edited first and read
later is what the edits leave when they are taken back, where each can be. A file that was written before anybody read
it was not there: the programs that write these logs have a file read before they let it be overwritten.
"""

import posixpath
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from trace2skill.mined.replay import does_something
from trace2skill.mined.work import CHANGES, Operation
from trace2skill.traces.values import mapping
from trace2skill.types.trajectory import Trajectory

CHANGED_TO = re.compile(r"(?:\A|[;&|\n(])[ \t]{0,20}cd[ \t]{1,20}[\"']?(/[^\s\"';&|]+)")
MOST_TEXT = 1_000_000
NO_PROJECT = ("/", "/tmp", "/home", "/root", "/usr", "/etc", "/var", "/opt")


class Begun(NamedTuple):
    """The files at the start by their path in the directory, and those the log does not hold, with why not."""

    files: dict[str, str]
    unknown: dict[str, str]


def root_of(trajectory: Trajectory, work: Sequence[Operation]) -> str:
    """The directory that a session worked in, '' where nothing tells it."""
    info = mapping(mapping(trajectory.extra.get("info")).get("config"))
    told = trajectory.extra.get("cwd") or mapping(info.get("environment")).get("cwd")  # mini-swe-agent
    if isinstance(told, str) and told.startswith("/"):
        return posixpath.normpath(told)
    folders = [item.folder for item in work if item.folder.startswith("/")]
    folders += [match for item in work for match in CHANGED_TO.findall(item.command)]
    folders += [posixpath.dirname(item.path) for item in work if item.path.startswith("/") and item.kind != "read"]
    folders = [folder for folder in map(posixpath.normpath, folders) if not folder.startswith("/tmp")]
    common = posixpath.commonpath(folders) if folders else ""
    return "" if common in NO_PROJECT else common


def inside(path: str, root: str, stands: str = "") -> str | None:
    """A path of a log as one in the directory, None where it leads out of it.

    Without a root, relative paths alone are inside; they begin where the session `stands` in the directory.
    """
    if path.startswith("/"):
        if not root or not (path == root or path.startswith(f"{root.rstrip('/')}/")):
            return None
        path = posixpath.relpath(posixpath.normpath(path), root)
    elif stands:
        path = posixpath.join(stands, path)
    path = posixpath.normpath(path)
    return None if path in (".", "..") or path.startswith(("../", "/", "~")) else path


def placed(work: Sequence[Operation], root: str, stands: str = "") -> tuple[list[Operation], str]:
    """The operations with paths in the directory, and why it cannot be done again where one leads out of it."""
    found: list[Operation] = []
    for item in work:
        if item.kind == "run":
            found.append(item)
            continue
        path = inside(item.path, root, stands)
        if path is None and item.path.startswith("/tmp/") and ".." not in item.path:
            if item.kind != "read":
                found.append(item)  # the sandbox has a /tmp of its own
            continue
        if path is None and item.kind == "read":
            continue
        to = inside(item.text, root, stands) if item.kind == "move" else item.text
        if path is None or to is None:
            return [], f"it changes {item.path[:200]}, which is not in the directory it works in"
        if len(item.text) > MOST_TEXT:
            return [], f"{path} is too large"
        found.append(item.model_copy(update={"path": path, "text": to}))
    return found, ""


def begun(work: Iterable[Operation]) -> Begun:
    """What the files were at the start, by operations whose paths are in the directory.

    What is read after a command ran may be the command's: it counts when the work is done again and the file is not
    there (see `replay`), and is left out here.
    """
    files, unknown, seen = dict[str, str](), dict[str, str](), set[str]()
    pending: dict[str, list[Operation]] = {}
    ran = False
    for item in work:
        if item.kind == "run":
            ran = ran or does_something(item)
            continue
        path = item.path
        if path in pending:
            if item.kind == "read" and item.whole:
                _take_back(path, item.text, pending.pop(path), files, unknown)
            elif item.kind in CHANGES:
                pending[path].append(item)
            continue
        if path in seen:
            continue
        if item.kind == "read" and not item.whole:
            unknown.setdefault(path, "it was read in part")
            continue
        seen.add(path)
        if item.kind == "read":
            if not ran:
                files[path] = item.text
                unknown.pop(path, None)
        elif item.kind == "write":
            unknown.pop(path, None)
            if item.over and not ran:
                unknown[path] = "it was written over, and nobody had read it whole"
        elif not ran or path in unknown:
            pending[path] = [item]
    for path in pending:
        unknown.setdefault(path, "it was changed, and never read whole")
    return Begun(files, {path: why for path, why in unknown.items() if path not in files})


def _take_back(
    path: str, after: str, edits: Sequence[Operation], files: dict[str, str], unknown: dict[str, str]
) -> None:
    """What a file was before edits, from what it was after them."""
    text: str | None = after
    for item in reversed(edits):
        text = _before(text, item) if text is not None else None
    if text is None:
        unknown[path] = "it was changed before it was read, in a way that cannot be taken back"
    else:
        unknown.pop(path, None)
        files[path] = text


def _before(after: str, edit: Operation) -> str | None:
    """One edit taken back: only what stands there once came from it for sure."""
    if edit.kind != "edit" or edit.every or not edit.text or after.count(edit.text) != 1:
        return None
    return after.replace(edit.text, edit.old)
