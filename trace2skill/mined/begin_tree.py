"""Which commit of which repository a session began at, and where the top of the tree lies among the paths of its log.

A commit that the log names, or the last of its branch before it began, must agree with every file that the log shows,
else there is no task. Where none is named, commits are tried by those files, and one that fits all of them is taken.
"""

import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from trace2skill.core.errors import BadInput
from trace2skill.domains.shell.trees import RepositoryTree
from trace2skill.mined.repository import SourceRepository, TreeNotes, TreeRefused
from trace2skill.mined.shown import Shown
from trace2skill.safety.redaction import MADE, PLACEHOLDER, Redactor

Source = Literal["log", "branch", "files"]
SIGNS = re.compile(r"[\W_]+")


class BeginTree(NamedTuple):
    """The state a session began with."""

    repository: str
    commit: str
    source: Source
    """Who says the commit: the log, its branch and time, or the files that it shows."""
    tree: RepositoryTree
    known: TreeNotes
    top: str
    """The directory of the log that is the top of the tree; '' where its paths are relative."""
    inside: str
    """Where in the tree the session began."""
    kept: frozenset[str] = frozenset()
    """Files that the log shows otherwise than the tree has them, and says that they were changed before."""
    agreed: int = 0
    """So many of what the log shows are as the tree has them."""


class _Lies(NamedTuple):
    """How the paths of a log become paths of a tree: what goes from their beginning, and what comes before."""

    goes: str = ""
    comes: str = ""

    def __call__(self, path: str) -> str | None:
        if self.goes and not path.startswith(f"{self.goes}/"):
            return None
        return posixpath.join(self.comes, path[len(self.goes) + 1 :] if self.goes else path)


def begin_tree(repositories: Mapping[str, SourceRepository], shown: Shown, root: str, hints: str) -> BeginTree | str:
    """Find it; a text says why there is none.

    Args:
        repositories: by name.
        shown: what the log shows.
        root: the directory it worked in, '' where nothing tells it.
        hints: what may name the repository: the log's task, directory and remote.
    """
    ordered = sorted(repositories.values(), key=lambda one: not _named(one.name, hints))
    named = [one for one in ordered if _named(one.name, hints)]
    whys, fits = list[str](), list[BeginTree]()
    for one in ordered:
        try:
            found = _in_one(one, shown, root, alone=len(ordered) == 1 or one in named)
        except (TreeRefused, BadInput) as refused:
            found = f"the tree in {one.name}: {refused}"
        if isinstance(found, str):
            whys.append(found)
        elif found.source == "log":
            return found
        else:
            fits.append(found)
    return max(fits, key=lambda found: found.agreed) if fits else whys[0]  # of equals the first


def _named(name: str, hints: str) -> bool:
    words = [word for word in SIGNS.split(name.lower()) if word]
    return bool(words) and f" {' '.join(words)} " in f" {' '.join(SIGNS.split(hints.lower()))} "


def _in_one(one: SourceRepository, shown: Shown, root: str, *, alone: bool) -> BeginTree | str:
    named = [sha for sha in map(one.commit, shown.commits) if sha]
    if shown.commits and not named:
        return f"the commit {shown.commits[0][:12]}, which its log names, is not in {one.name}"
    tried = [_agreed(one, sha, "log", shown, root) for sha in dict.fromkeys(named)]
    tried += [_agreed(one, sha, "log", shown, root) for sha in filter(None, map(one.commit, shown.said))]
    if fits := next((found for found in tried if not isinstance(found, str)), tried[0] if named else None):
        return fits
    if shown.branch and shown.when and alone and (last := one.at(shown.branch, shown.when)):
        found = _agreed(one, last, "branch", shown, root)
        if not isinstance(found, str) and found.agreed:
            return found  # where nothing that is shown is there, any repository has such a branch
        other = _tried(one, shown, root)
        return found if isinstance(other, str) and isinstance(found, str) else other
    return _tried(one, shown, root)


def _agreed(one: SourceRepository, commit: str, source: Source, shown: Shown, root: str) -> BeginTree | str:
    """The tree of a commit, where all that the log shows agrees with it."""
    tree, known = one.tree(commit)
    lies = _lies(shown.paths, tree.entries)
    kept, agreed = set[str](), 0
    for path in shown.paths:
        at = lies(path)
        if at is None or at not in tree:
            continue  # it was there, and no part of what was committed
        content = tree.read(at)
        if at in known.pointers:
            return f"{at} at {commit[:12]} of {one.name} is kept by Git LFS, and only its pointer is there"
        if content is None or _agrees(content, shown, path):
            agreed += content is not None
            continue
        if at in shown.modified or path in shown.modified:
            kept.add(at)
            continue
        return f"{at} at {commit[:12]} of {one.name} is not what the log shows"
    for at, blob in shown.blobs.items():
        entry = tree.entries.get(at)
        if entry is not None and at not in known.redacted and not entry.blob.startswith(blob):
            return f"{at} at {commit[:12]} of {one.name} is not the one that its diff began with"
        agreed += entry is not None
    top = posixpath.normpath(posixpath.join(root, lies.goes)) if root and lies.goes else root
    up = "/".join([".."] * len(lies.comes.split("/"))) if lies.comes else ""
    top = posixpath.normpath(posixpath.join(root, up)) if root and up else top
    return BeginTree(one.name, commit, source, tree, known, top, lies.comes, frozenset(kept), agreed)


def _tried(one: SourceRepository, shown: Shown, root: str) -> BeginTree | str:
    """The newest commit before the session, else the newest, that agrees with all that the log shows."""
    commits = one.commits(shown.when)
    if not commits:
        return f"{one.name} has no commit"
    by_blob = dict(list(shown.blobs.items())[:40])
    paths = shown.paths
    listed = [path for commit in dict.fromkeys((commits[0], commits[-1])) for path in one.paths(commit)]
    lies = _lies(paths, dict.fromkeys(listed))
    places = {path: at for path in paths if (at := lies(path)) is not None}
    wanted = [*dict.fromkeys([*places.values(), *by_blob])]
    whole = {places[path] for path in shown.files if path in places}
    if not whole and not by_blob:
        return "its log shows no whole file by which its commit could be told, and names none"
    there = one.blobs(commits, wanted)
    names = {blob for found in there for blob in found.values()}
    contents = one.contents(names)
    right: dict[tuple[str, str], bool] = {}
    best, least = "", len(wanted) + 1
    for place, (commit, found) in enumerate(zip(commits, there, strict=True)):
        wrong = []
        for path, at in places.items():
            blob = found.get(at, "")
            if (at, blob) not in right:
                right[at, blob] = bool(blob) and blob in contents and _agrees(contents[blob], shown, path)
            if not right[at, blob] and (blob or at in whole):
                wrong.append(at)
        wrong += [at for at, blob in by_blob.items() if not found.get(at, "").startswith(blob)]
        known = [at for at in wanted if found.get(at)]
        if not wrong and known:
            return _agreed(one, commits[place], "files", shown, root)
        if len(wrong) < least and known:
            best, least = f"{wrong[0]} at {commit[:12]}", len(wrong)
    nearest = f"; nearest is one in which {least} of {len(wanted)} differ ({best})" if best else ""
    return f"no commit of {one.name} fits the files that the log shows ({len(commits)} tried{nearest})"


def _agrees(content: bytes, shown: Shown, path: str) -> bool:
    text = _plain(content.decode("utf-8", "replace"))
    whole, parts = shown.files.get(path), [_plain(part) for part in shown.parts.get(path, ())]
    if (whole is None or text == _plain(whole)) and all(part in text for part in parts):
        return True
    if MADE not in f"{whole} {parts}":
        return False
    text = _unnumbered(Redactor().text(text))  # the log was read without its secrets, and counts them from its start
    return (whole is None or text == _unnumbered(_plain(whole))) and all(_unnumbered(part) in text for part in parts)


def _unnumbered(text: str) -> str:
    return PLACEHOLDER.sub(lambda found: found[0].rpartition(":")[0], text)


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").rstrip("\n")


def _lies(paths: Sequence[str], entries: Iterable[str]) -> _Lies:
    """How most of the paths are found: as they are, below a directory of the tree, or from one of theirs on."""
    there = set(entries)
    ends: dict[str, list[str]] = {}
    for path in there:
        ends.setdefault(posixpath.basename(path), []).append(path)
    counts: dict[_Lies, int] = {_Lies(): sum(path in there for path in paths)}
    for path in paths:
        for other in ends.get(posixpath.basename(path), ())[:200]:
            lies = _between(path, other)
            if lies is not None and lies not in counts:
                counts[lies] = sum(lies(one) in there for one in paths)
    return max(counts, key=lambda lies: (counts[lies], lies == _Lies(), -len(lies.comes), -len(lies.goes)))


def _between(path: str, other: str) -> _Lies | None:
    if path == other:
        return _Lies()
    if other.endswith(f"/{path}"):
        return _Lies(comes=other[: -len(path) - 1])
    if path.endswith(f"/{other}"):
        return _Lies(goes=path[: -len(other) - 1])
    return None
