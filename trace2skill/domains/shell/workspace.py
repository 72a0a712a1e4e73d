"""The workspace of a shell task: laid out, read back as what changed in it, and laid out again from that.

What an agent left is hostile: links are not followed, nothing is opened that could block, and sizes are bounded.
"""

import json
import os
import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from pydantic import Field, ValidationError

from trace2skill.core.record import Record
from trace2skill.domains.files import MOST_FILES, Tree, is_text, read_files, tree_under
from trace2skill.domains.shell.trees import LINK, TEST_FILE, RepositoryTree, TreeReference, tree_in
from trace2skill.types.task import Task

LEFT = ".left.json"
"""The output that holds what is no content of a file: what was removed, made executable, linked."""

CHECK, SOLUTION, GIVEN = ".check", ".solution", "given"
RESERVED = frozenset({"skill", "trace", "fix.sh", LEFT, CHECK, SOLUTION, GIVEN})
"""Names in a workspace that are the product's: nothing under them is an outcome."""


class Left(Record):
    """What changed in a workspace besides the content of its files."""

    removed: tuple[str, ...] = ()
    executable: tuple[str, ...] = Field(default=(), description="Regular files that can be executed.")
    links: dict[str, str] = Field(default_factory=dict, description="Symbolic links that stay in the workspace.")
    folders: tuple[str, ...] = Field(default=(), description="Empty folders.")
    left_out: tuple[str, ...] = Field(default=(), description="Files not read: too large, too many, or no files.")


class TreeOfTask(NamedTuple):
    """The tree that a task begins in, and what differs from it at once."""

    tree: RepositoryTree
    removed: tuple[str, ...]
    restored: bool
    name: str
    commit: str


def tree_of(task: Task) -> TreeOfTask | None:
    """The tree of a repository that a task begins in; None where it begins with files of its own alone.

    Raises:
        BadInput: the pack beside the data set does not hold it.
    """
    if "tree" not in task.detail:
        return None
    told = TreeReference.model_validate({"pack": task.detail["pack"], **json.loads(task.detail["tree"])})
    tree = tree_in(Path(told.pack), told.tree)
    return TreeOfTask(tree, told.removed, told.restored, task.detail.get("repository", ""), told.commit)


def lay_out(task: Task, workspace: Path) -> None:
    """The task's files under their own paths; those made from text that begins with '#!' can be executed."""
    workspace.mkdir(exist_ok=True)
    if (begins := tree_of(task)) is not None:
        begins.tree.lay_out(workspace)
        for path in begins.removed:
            if stays_inside(path):
                (workspace / path).unlink(missing_ok=True)
                _remove_empty(workspace, path)
    for path, text in inline(task).items():
        target = workspace / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode())
        target.chmod(0o755 if text.startswith("#!") else 0o644)
    for case in task.cases:
        if case.input is not None:
            target = workspace / case.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(case.input, target)
            target.chmod(0o755 if os.access(case.input, os.X_OK) else 0o644)


def inline(task: Task) -> dict[str, str]:
    """The files whose text stands in the data set, by path."""
    files: dict[str, str] = json.loads(task.detail.get("inline", "{}"))
    return files


def given_files(task: Task) -> dict[str, tuple[bytes, bool]]:
    """Content and whether it can be executed, of every file that the agent gets besides those of a tree."""
    found = {path: (text.encode(), text.startswith("#!")) for path, text in inline(task).items()}
    cases = [case for case in task.cases if case.input is not None]
    return found | {
        case.name: (case.input.read_bytes(), os.access(case.input, os.X_OK)) for case in cases if case.input
    }


def changes(task: Task, workspace: Path) -> dict[str, bytes]:
    """New and changed files by path, and `LEFT` where there is more to be said."""
    given = given_files(task)
    tree, begins = tree_under(workspace), tree_of(task)
    if begins is not None:
        tree = _but_as_they_were(workspace, tree, begins.tree, given)
    read, left_out = read_files(workspace, tree)
    found = {path: content for path, content in read.items() if _theirs(path)}
    links, folders = _links(workspace, tree.links), [path for path in tree.empty if _theirs(path)]
    executable = {path for path in found if os.stat(workspace / path, follow_symlinks=False).st_mode & 0o100}
    gone = [path for path in given if path not in found and path not in left_out]
    if begins is not None:
        there = begins.tree.entries.keys() - {*begins.removed, *given, *found}
        gone += [path for path in there if not os.path.lexists(workspace / path)]
    left = Left(
        removed=tuple(sorted(gone)),
        executable=tuple(sorted(executable)),
        links=links,
        folders=tuple(folders[:MOST_FILES]),
        left_out=tuple(path for path in left_out if _theirs(path))[:MOST_FILES],
    )
    changed = {path: content for path, content in found.items() if given.get(path, (None, False))[0] != content}
    untouched = Left(executable=tuple(sorted(path for path, (_, runs) in given.items() if runs)))
    return changed if left == untouched else {**changed, LEFT: left.model_dump_json().encode()}


def lay_out_left(task: Task, workspace: Path, outputs: Mapping[str, bytes]) -> None:
    """The workspace as an agent left it: the task's files, with the changes on top."""
    lay_out(task, workspace)
    left = left_of(outputs)
    if left is not None:
        for path in left.removed:
            (workspace / path).unlink(missing_ok=True)
            _remove_empty(workspace, path)
    for path, content in outputs.items():
        if path != LEFT:
            _make_room(workspace, path)  # a tree may have a link there, or above
            (workspace / path).write_bytes(content)
    if left is None:
        return
    for path in {*given_files(task), *outputs} - {LEFT, *left.removed}:
        (workspace / path).chmod(0o755 if path in left.executable else 0o644)
    for path in left.folders:
        _real_folders(workspace, path)
    for path, target in left.links.items():
        _make_room(workspace, path)
        (workspace / path).symlink_to(target)


def restore_tests(task: Task, workspace: Path) -> None:
    """The tests of a task's tree as they were, where the task says so, whatever was left in their place."""
    begins = tree_of(task)
    if begins is None or not begins.restored:
        return
    for path, entry in begins.tree.entries.items():
        if TEST_FILE.search(path) and entry.mode != LINK and not begins.tree.is_as_it_was(workspace, path):
            _make_room(workspace, path)
            (workspace / path).write_bytes(begins.tree.blobs[entry.blob])
            (workspace / path).chmod(0o755 if entry.mode == "100755" else 0o644)


def _make_room(workspace: Path, path: str) -> None:
    """Real folders above what comes to a path, and nothing in its place."""
    _real_folders(workspace, path.rpartition("/")[0])
    target = workspace / path
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    target.unlink(missing_ok=True)


def _real_folders(workspace: Path, path: str) -> None:
    at = workspace
    for part in Path(path).parts:
        at = at / part
        if at.is_symlink() or (at.exists() and not at.is_dir()):
            at.unlink()
        at.mkdir(exist_ok=True)


def _but_as_they_were(workspace: Path, found: Tree, tree: RepositoryTree, given: Collection[str]) -> Tree:
    """What was found, without what is as the tree has it."""
    unseen = tree.there(workspace) - {*found.files, *found.links, *found.folders, *found.others, *tree.links}
    files = sorted({*found.files, *unseen})  # of many files, not all are looked at
    same = {path for path in files if path in tree.entries and path not in given and tree.is_as_it_was(workspace, path)}
    links = tree.links
    left = [path for path in found.links if path not in links or links[path] != os.readlink(workspace / path)]
    return replace(found, files=tuple(path for path in files if path not in same), links=tuple(left))


def left_of(outputs: Mapping[str, bytes]) -> Left | None:
    """What changed besides contents; None where nothing did."""
    try:
        return Left.model_validate_json(outputs[LEFT]) if LEFT in outputs else None
    except ValidationError:
        return None


def in_words(outputs: Mapping[str, bytes]) -> str:
    """What was left, for whoever reads about it."""
    left = left_of(outputs) or Left()
    parts = {
        "new or changed": sorted(path for path in outputs if path != LEFT),
        "removed": left.removed,
        "links": left.links,
        "not looked at, too large or too many or no files": left.left_out,
    }
    return "\n".join(f"{what}: {', '.join(list(paths)[:30])}" for what, paths in parts.items() if paths)


def stays_inside(path: str) -> bool:
    """Is a path relative, without a step upwards?"""
    pure = PurePosixPath(path)
    return bool(pure.parts) and not pure.is_absolute() and ".." not in pure.parts


def _theirs(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return not parts or parts[0] not in RESERVED


def _links(workspace: Path, paths: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in paths[:MOST_FILES]:
        try:
            target = os.readlink(workspace / path)
        except OSError:
            continue
        inside = os.path.normpath(os.path.join("/workspace", Path(path).parent, target))
        if _theirs(path) and is_text(target) and (inside == "/workspace" or inside.startswith("/workspace/")):
            found[path] = target
    return found


def _remove_empty(workspace: Path, path: str) -> None:
    """Folders that hold nothing after a file of theirs went; empty ones that were left stand in `Left.folders`."""
    for parent in Path(path).parents[:-1]:
        try:
            (workspace / parent).rmdir()
        except OSError:
            return
