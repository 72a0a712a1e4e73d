"""A repository on this machine, read by plumbing alone: commits, and the trees they have.

Nothing of it is run or believed: no hook, no filter, no monitor, no submodule, no fetch of what a partial clone lacks.
Contents come as they are kept, whatever its attributes say.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import Field

from trace2skill.core.errors import BadInput
from trace2skill.core.record import Record
from trace2skill.domains.shell.trees import (
    LARGEST,
    LINK,
    MOST_BYTES,
    MOST_FILES,
    RepositoryTree,
    TreeEntry,
    leads_out,
    name_of,
    odd_path,
)
from trace2skill.domains.shell.workspace import RESERVED
from trace2skill.mined.kept_secrets import without_secrets
from trace2skill.skills.git_process import Git

COMMIT = re.compile(r"[0-9a-f]{40}")
LFS = b"version https://git-lfs.github.com/spec/"
MOST_COMMITS = 1000
"""So many commits are tried by the files that a log shows, the newest first."""
MOST_LISTED = 32 * 2**20


class RepositoryAddress(Record):
    """A repository that logs may have begun in: a clone, or a bare one."""

    name: str
    folder: Path

    @classmethod
    def parsed(cls, text: str) -> "RepositoryAddress":
        """`DIR` or `NAME=DIR`; without a name the folder's."""
        name, sign, folder = text.partition("=")
        path = Path(folder if sign else text).expanduser()
        own = os.path.basename(os.path.abspath(path)).removesuffix(".git")  # of `..`, too
        return cls(name=name if sign else own or "repository", folder=path)


class TreeRefused(Exception):
    """A tree that no task can begin in; says why."""


class TreeNotes(Record):
    """What is told of a tree besides its files."""

    redacted: tuple[str, ...] = Field(default=(), description="Files that held what looks like a secret.")
    left_out: tuple[str, ...] = Field(default=(), description="Submodules, and links that lead out.")
    pointers: tuple[str, ...] = Field(default=(), description="Files that Git LFS keeps elsewhere.")


class SourceRepository:
    """Reads one. The trees that were read last are kept."""

    def __init__(self, address: RepositoryAddress) -> None:
        folder = address.folder
        if not ((folder / ".git").exists() or ((folder / "HEAD").is_file() and (folder / "objects").is_dir())):
            raise BadInput(f"{folder} is no git repository: name a clone or a bare one (--repository NAME=DIR)")
        self.name, self._git = address.name, Git(None, folder)
        where = folder / ".git" if (folder / ".git").exists() else folder  # and never that of a folder above
        self._safe = (*SAFE, f"--git-dir={where.absolute()}")
        self._clean: dict[tuple[str, str], bytes | None] = {}
        self._trees: dict[str, tuple[RepositoryTree, TreeNotes]] = {}
        self._answer("rev-parse", "--git-dir")

    def commit(self, named: str) -> str:
        """The commit of that name, in full; '' where there is none."""
        if not re.fullmatch(r"[0-9a-f]{6,40}", named):
            return ""
        found = self._run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{named}^{{commit}}")
        return found.strip() if COMMIT.fullmatch(found.strip()) else ""

    def at(self, branch: str, when: str) -> str:
        """The last commit of a branch before a time (ISO 8601); '' where there is none."""
        if not re.fullmatch(r"\w[\w./-]{0,200}", branch) or ".." in branch:
            return ""
        for name in (f"refs/heads/{branch}", f"refs/remotes/origin/{branch}"):
            found = self._run("rev-list", "-1", "--first-parent", f"--before={when}", name, "--").strip()
            if COMMIT.fullmatch(found):
                return found
        return ""

    def commits(self, when: str = "") -> list[str]:
        """The newest of all branches and tags, those before a time first; `MOST_COMMITS` at most."""
        found = dict.fromkeys(self._listed(f"--before={when}")) if when else {}
        return [*found, *(item for item in self._listed() if item not in found)][:MOST_COMMITS]

    def blobs(self, commits: Sequence[str], paths: Sequence[str]) -> list[dict[str, str]]:
        """For each commit the names of the contents of those paths that it has."""
        asked = [(place, path) for place in range(len(commits)) for path in paths if "\n" not in path]
        given = "".join(f"{commits[place]}:{path}\n" for place, path in asked).encode()
        lines = self._answer("cat-file", "--batch-check=%(objectname) %(objecttype)", given=given).split("\n")
        found: list[dict[str, str]] = [{} for _ in commits]
        for (place, path), line in zip(asked, lines, strict=False):
            if line.endswith(" blob"):
                found[place][path] = line.partition(" ")[0]
        return found

    def contents(self, blobs: Iterable[str]) -> dict[str, bytes]:
        """Contents by their names. A name that is none is left out."""
        return dict(self._contents([*dict.fromkeys(blobs)]))

    def paths(self, commit: str) -> list[str]:
        """The paths of a commit's files."""
        return [path for path, _, _ in self._listing(commit)]

    def tree(self, commit: str) -> tuple[RepositoryTree, TreeNotes]:
        """The tree of a commit, and what is told of it. What looks like a secret is taken out of its files.

        Raises:
            TreeRefused: it is too large, or a path in it is one that nobody may have.
        """
        if commit not in self._trees:
            self._trees = {**dict([*self._trees.items()][-1:]), commit: self._read(commit)}
        return self._trees[commit]

    def _read(self, commit: str) -> tuple[RepositoryTree, TreeNotes]:
        listed, left_out = list[tuple[str, str, str]](), list[str]()
        for path, mode, blob in self._listing(commit):
            if mode == "160000":
                left_out.append(path)
            elif odd_path(path) or not path.isprintable():
                raise TreeRefused(f"a file of it has a name that none may have: {path[:100]!r}")
            elif path.partition("/")[0] in RESERVED:
                raise TreeRefused(f"a name in it is one of ours: {path.partition('/')[0]}")
            else:
                listed.append((path, mode, blob))
        if len(listed) > MOST_FILES:
            raise TreeRefused(f"it has {len(listed)} files, and {MOST_FILES} are the most")
        contents = self.contents(blob for _, _, blob in listed)
        if missing := next((path for path, _, blob in listed if blob not in contents), ""):
            raise TreeRefused(f"the repository lacks the content of {missing} (a partial clone?), or it is too large")
        entries, blobs, redacted, pointers = dict[str, TreeEntry](), dict[str, bytes](), [], []
        for path, mode, blob in listed:
            content = contents[blob]
            if mode == LINK and leads_out(path, content.decode("utf-8", "replace")):
                left_out.append(path)
                continue
            pointers += [path] if content.startswith(LFS) else []
            if mode != LINK and (clean := self._redacted(path, blob, content)) is not None:
                redacted.append(path)
                content, blob = clean, name_of(clean)
            entries[path] = TreeEntry(LINK if mode == LINK else "100755" if mode == "100755" else "100644", blob)
            blobs[blob] = content
        about = {"redacted": redacted, "left_out": left_out, "pointers": pointers}
        return RepositoryTree(entries, blobs), TreeNotes.model_validate(
            {name: tuple(paths) for name, paths in about.items()}
        )

    def _redacted(self, path: str, blob: str, content: bytes) -> bytes | None:
        if (path, blob) not in self._clean:  # the same content may be a secret under one name alone
            self._clean[path, blob] = without_secrets(path, content)
        return self._clean[path, blob]

    def _listing(self, commit: str) -> Iterator[tuple[str, str, str]]:
        """Path, mode and name of each file of a commit, and of its submodules."""
        for record in self._answer("ls-tree", "-r", "-z", "--full-tree", commit).split("\0"):
            about, tab, path = record.partition("\t")
            if tab:
                mode, _, name = about.split(" ")
                yield path, mode, name

    def _listed(self, *more: str) -> list[str]:
        words = ("rev-list", "--all", "--date-order", f"--max-count={MOST_COMMITS}", *more)
        return [line for line in self._answer(*words).split("\n") if COMMIT.fullmatch(line)]

    def _contents(self, blobs: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        given = "".join(f"{blob}\n" for blob in blobs).encode()
        sizes = self._answer("cat-file", "--batch-check=%(objectname) %(objecttype) %(objectsize)", given=given)
        told = [line.split(" ") for line in sizes.split("\n")]
        known = [(words[0], int(words[2])) for words in told if len(words) == 3 and words[1] == "blob"]
        if sum(size for _, size in known) > MOST_BYTES:
            raise TreeRefused(f"its files are larger than {MOST_BYTES // 2**20} MB together")
        wanted = [name for name, size in known if size <= LARGEST]
        given = "".join(f"{name}\n" for name in wanted).encode()
        raw = self._git.answer(*self._safe, "cat-file", "--batch", given=given, most=2 * MOST_BYTES)
        at = 0
        for name in wanted:
            end = raw.index(b"\n", at)
            size = int(raw[at:end].rpartition(b" ")[2])
            yield name, raw[end + 1 : end + 1 + size]
            at = end + 2 + size

    def _answer(self, *words: str, given: bytes = b"") -> str:
        return self._git.answer(*self._safe, *words, given=given, most=MOST_LISTED).decode("utf-8", "surrogateescape")

    def _run(self, *words: str) -> str:
        return self._git.run(*self._safe, *words, most=MOST_LISTED).stdout.decode("utf-8", "replace")


SAFE = ("-c", "safe.directory=*", "-c", "core.attributesFile=/dev/null")
"""Whoever owns the files: nothing in them is run."""


def opened(addresses: Iterable[RepositoryAddress]) -> Mapping[str, SourceRepository]:
    """Repositories by name.

    Raises:
        BadInput: one is none, or two have one name.
    """
    found: dict[str, SourceRepository] = {}
    for address in addresses:
        if address.name in found:
            raise BadInput(f"two repositories are called {address.name}: name one otherwise (--repository NAME=DIR)")
        found[address.name] = SourceRepository(address)
    return found
