"""What a log shows of the state that a session began with: its commit, its branch and time, and what files held."""

import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from trace2skill.mined.replay import does_something
from trace2skill.mined.start import inside
from trace2skill.mined.work import CHANGES, Operation
from trace2skill.types.trajectory import Trajectory

SHA = re.compile(r"\b[0-9a-f]{40}\b")
HEAD_OF = re.compile(r"\bgit (?:-\w \S{1,200} ){0,2}(?:rev-parse|log|show)\b")
OF_HEAD = re.compile(
    r"-\d{1,3}|-n|-n\d{1,3}|\d{1,3}|HEAD|--(?:max-count=\d{1,3}|oneline|stat|shortstat|name-only|name-status|no-color|"
    r"color=never|no-patch|no-decorate|decorate(?:=\w{1,9})?|graph|verify|short(?:=\d{1,2})?|date=[\w-]{1,20})|-[sp]"
)
"""Words after which the first commit that is shown is the last one."""
GOES = re.compile(r"(?:\bcd|-C|--git-dir=?|--work-tree=?)[ \t]{0,9}[\"']?([^\s\"';&|]{1,300})")
OF_GIT, BASE = ("commit_hash", "commit"), ("base_commit", "base_sha")
"""Names of a commit in what a log says of git, and elsewhere, where `commit` may be that of the agent's program."""
ONE_LINE = re.compile(r"\A\*?\s*([0-9a-f]{7,40})\b")
SHELL = re.compile(r"[\n;&|>]|2>")
LOG = re.compile(r"\Acommit ([0-9a-f]{40})\b")
INDEX = re.compile(
    r"^diff --git a/(?P<path>[^\s\"]+) b/(?P=path)\n(?:[a-z ]+\d{6}\n){0,2}"
    r"index (?P<blob>[0-9a-f]{7,40})\.\.[0-9a-f]{7,40}",
    re.M,
)
DIFF_TO = re.compile(r"\bgit diff\b[^\n|;&>]{0,300}>[ \t]{0,9}([\w./-]{1,300})")
MOVES = re.compile(
    r"\bgit (?:-\w \S{1,200} ){0,2}(?:commit|checkout|switch|reset|merge|rebase|pull|cherry-pick|am|stash|apply)\b"
)
MODIFIED = re.compile(r"^(?: M|M |MM|A |AM|\tmodified:|\tnew file:)[ \t]{1,20}(\S[^\n]{0,500})$", re.M)
TOP = re.compile(r"\bgit rev-parse --show-toplevel\b")
WORD = re.compile(r"[\w./-]+")
MOST_FILES = 40


class Shown(NamedTuple):
    """What a log shows of its beginning. Paths are as `start.placed` has them."""

    commits: tuple[str, ...] = ()
    """What the program that wrote the log says of it."""
    said: tuple[str, ...] = ()
    """What commands printed as the last commit: it may be that of another directory or branch."""
    branch: str = ""
    when: str = ""
    top: str = ""
    files: Mapping[str, str] = {}
    """Whole files, as they were read."""
    parts: Mapping[str, tuple[str, ...]] = {}
    """What the first edit of a file took out."""
    blobs: Mapping[str, str] = {}
    """By path from the top, the beginning of git's name for its content."""
    modified: frozenset[str] = frozenset()
    """Files that were changed and not committed, as git said: from the top, or from where it was asked."""

    @property
    def paths(self) -> list[str]:
        """Files that a state of the repository can be told by."""
        return [*dict.fromkeys([*self.files, *self.parts])][:MOST_FILES]


def shown(trajectory: Trajectory, work: Sequence[Operation], there: Sequence[Operation], root: str = "") -> Shown:
    """Gather it.

    Args:
        trajectory: the session.
        work: all it did, paths as the log has them.
        there: the same with paths in the directory.
        root: the directory it worked in, '' where nothing tells it.
    """
    git = trajectory.extra.get("git")
    told = [str(where.get(key) or "") for where, keys in _places(trajectory, git) for key in keys]
    commits, top, modified = [sha for sha in told if re.fullmatch(r"[0-9a-f]{6,40}", sha)], "", set[str]()
    said = list[str]()
    blobs, diffs = dict[str, str](), set[str]()
    moved = False
    for item in work:
        if item.kind == "read" and posixpath.basename(item.path) in diffs:
            _add_blobs(blobs, item.text)
        if item.kind != "run":
            continue
        diffs |= {posixpath.basename(path) for path in DIFF_TO.findall(item.command)}
        if item.worked and not moved:
            said += _head_in(item, root)
            if TOP.search(item.command) and item.output.strip().startswith("/"):
                top = item.output.strip().splitlines()[-1].strip()
            if "git status" in item.command and not any(other.kind in CHANGES for other in _before(work, item)):
                modified |= {path.strip() for path in MODIFIED.findall(item.output)}
        moved = moved or bool(MOVES.search(item.command))
        if not moved or "stash" in item.command:
            _add_blobs(blobs, item.output)
    files, parts = _files(there)
    branch = git.get("branch") if isinstance(git, dict) else trajectory.extra.get("gitBranch")
    return Shown(
        commits=tuple(dict.fromkeys(commits)),
        said=tuple(dict.fromkeys(said)),
        branch=str(branch or ""),
        when=_with_zone(next((step.timestamp for step in trajectory.steps if step.timestamp), "")),
        top=top,
        files=files,
        parts=parts,
        blobs=blobs,
        modified=frozenset(modified),
    )


def _add_blobs(blobs: dict[str, str], said: str) -> None:
    for found in INDEX.finditer(said):
        if set(found["blob"]) != {"0"}:
            blobs.setdefault(found["path"], found["blob"])


def _places(trajectory: Trajectory, git: object) -> Iterable[tuple[Mapping[str, object], Sequence[str]]]:
    extra = trajectory.extra
    named = [extra.get("info"), extra.get("instance"), extra.get("environment"), extra]
    places = [(git, (*OF_GIT, *BASE)), *((where, BASE) for where in named)]
    return [(where, keys) for where, keys in places if isinstance(where, dict)]


def _with_zone(when: str) -> str:
    """A time that says no zone is one of UTC, whatever this machine's is."""
    return f"{when}Z" if re.search(r"T[\d:.]+\Z", when) else when


def _before(work: Sequence[Operation], item: Operation) -> Iterable[Operation]:
    for other in work:
        if other is item:
            return
        yield other


def _head_in(item: Operation, root: str) -> list[str]:
    """The commit that a command showed as the last one of the repository it worked in."""
    command, said = item.command.strip(), item.output.strip()
    goes = [posixpath.normpath(place) for place in (*GOES.findall(command), item.folder) if place]
    away = any(inside(place, root) is None for place in goes if place not in (".", root))
    if away or not HEAD_OF.search(command):
        return []
    asked = SHELL.split(HEAD_OF.split(command)[-1])[0].split()
    kind = HEAD_OF.findall(command)[-1].rpartition(" ")[2]
    if not all(map(OF_HEAD.fullmatch, asked)):
        return []  # of another branch, of a file, or of some that are looked for
    if kind == "rev-parse":
        return SHA.findall(said)[:1] if "HEAD" in asked else []
    found = LOG.match(said) or (ONE_LINE.match(said) if "--oneline" in asked else None)
    return [found[1]] if found else []


def _files(there: Sequence[Operation]) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """Files that were read whole before anything spoke of changing them, and what first edits of others took out.

    A command that names no file may have changed any: then the state is another than that of any commit, and says so.
    """
    files, parts = dict[str, str](), dict[str, tuple[str, ...]]()
    touched, ran = set[str](), set[str]()
    for item in there:
        if item.kind == "run":
            if does_something(item):
                ran |= {posixpath.basename(word) for word in WORD.findall(item.command)}
        elif item.path in touched or posixpath.basename(item.path) in ran:
            continue
        elif item.kind == "read" and item.whole:
            files.setdefault(item.path, item.text)
        elif item.kind in CHANGES:
            touched.add(item.path)
            if item.kind == "edit" and item.path not in files:
                parts[item.path] = (item.old,)
    return files, parts
