"""A directory of a Git repository, read and written without ever checking it out.

The repository may be anybody's. A bare copy of its newest commit alone lies below the store; files are read out of its
objects and a change is a commit made of objects, so there is no working tree in which a link, a filter, a hook or a
submodule could do anything. Git gets addresses that were taken apart and put together again (`git_address`), is held to
their one transport, and asks nobody for a password.
"""

import fcntl
import logging
import posixpath
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

from pydantic import ValidationError

from trace2skill.core import stopping
from trace2skill.core.digest import digest_of
from trace2skill.skills import fast_import
from trace2skill.skills.directory import IGNORED, MOST_BYTES, MOST_FILES, bad_name
from trace2skill.skills.git_address import GitAddress
from trace2skill.skills.git_process import MOST_LISTED, Git
from trace2skill.skills.skill import Skill, SkillFile

log = logging.getLogger(__name__)
MOST_PACKS = 100
"""With each commit fetched there is one more; then all is fetched anew."""
MOST_STEPS = 8
"""Of a link that leads to a link, and so on."""
SILENT_SECONDS = 2.0
"""How long a turn is waited for before it is said."""
NOTHING_LEFT = b"no commits selected for shallow requests"
LINK, SUBMODULE = "120000", "160000"
MOVED = ("[rejected]", "cannot lock ref", "failed to update ref", "incorrect old value")


class Tip(NamedTuple):
    """What an address names now. `branch` is '' where that is a tag or a commit, which nobody can add to."""

    commit: str
    branch: str


class _Entry(NamedTuple):
    mode: str
    object: str
    size: int


@dataclass(frozen=True)
class Repository:
    """A repository and the bare copy of it below a store. Processes that share the copy take turns."""

    address: GitAddress
    folder: Path

    @classmethod
    def below(cls, address: GitAddress, directory: Path) -> "Repository":
        """With its copy below a store's directory."""
        return cls(address, directory / "git" / f"{digest_of('git', address.url)[:16]}.git")

    @property
    def _git(self) -> Git:
        return Git(self.address, self.folder)

    def fetch(self, commit: str = "") -> Tip:
        """Fetch what the address names, or one commit; returns what that is.

        Raises:
            BadInput: the repository cannot be reached or has no such branch, tag or commit.
        """
        with self._turn(renews=True):
            if commit:
                self._bring(commit)
                return Tip(commit, "")
            source, branch = self._source()
            return Tip(self._commit_at(self._fetched(source)), branch)

    def fetch_beside(self, branch: str, into: str) -> tuple[str, bool]:
        """Fetch a branch that is to be merged into another: its commit, '' where there is none; is it merged by now?

        A server that cannot tell (it does not know how to leave out what another branch has) says no.

        Raises:
            BadInput: the repository cannot be reached.
        """
        name = f"refs/heads/{branch}"
        with self._turn(renews=True):
            if not self._git.answer("ls-remote", "--", self.address.url, name, most=MOST_LISTED):
                return "", False
            alone = self._fetch(f"--shallow-exclude=refs/heads/{into}", name)
            merged = alone.returncode != 0 and NOTHING_LEFT in alone.stderr
            return self._commit_at(self._fetched(name)), merged

    def read(self, commit: str) -> Skill | None:
        """The skill as a commit has it, None where it has no SKILL.md there.

        Raises:
            BadInput: something there cannot be a file of a skill, or all of it is too much; names it. Or the commit is
                neither in the copy, which another process may have begun anew, nor to be had.
        """
        with self._turn():
            self._bring(commit)
            entries = self._entries(commit)
            if "SKILL.md" not in entries:
                return None
            found = {path: entries[way[-1]] for path, way in self._ways(entries).items()}
            self._check_size([entry.size for entry in found.values()])  # many links may lead to one large file
            contents = self._contents(sorted({entry.object for entry in found.values()}))
        files = []
        for path, leads_to in sorted(found.items()):
            executable = leads_to.mode == "100755"
            try:
                files.append(SkillFile(path=path, content=contents[leads_to.object], executable=executable))
            except ValidationError as error:
                raise self._git.wrong(f"'{path}' is no path inside a skill") from error
        return Skill(files=tuple(files))

    def root_of(self, commit: str) -> tuple[str, str]:
        """The skill's directory in which that is what the address names, and its path there: '' for the skill itself.

        Raises:
            BadInput: no directory of that path has a SKILL.md.
        """
        names = self.address.path.split("/") if self.address.path else []
        with self._turn():
            self._bring(commit)
            for depth in range(len(names), -1, -1):
                marker = "/".join([*names[:depth], "SKILL.md"])
                if self._git.run("cat-file", "-e", f"{commit}:{marker}").returncode == 0:
                    return "/".join(names[:depth]), "/".join(names[depth:])
        raise self._git.wrong("it has no SKILL.md there: what follows '#' is a skill's directory or a file in one")

    def add(self, parent: str, before: Skill | None, after: Skill, message: str, when: str) -> str:
        """Make the commit on top of another that turns one skill into the other; returns it. Nothing is pushed.

        The same arguments make the same commit. A link stays one where all that it leads to stays as it is.
        """
        inside = f"{self.address.path}/" if self.address.path else ""
        with self._turn():
            self._bring(parent)
            ways = self._ways(self._entries(parent))
            stream = fast_import.change("refs/trace2skill/made", parent, inside, before, after, message, when, ways)
            self._git.answer("fast-import", "--quiet", "--force", given=stream)
            made = self._commit_at("refs/trace2skill/made")
            self._not_cut_off(made)
            return made

    def push(self, commit: str, branch: str, *, dry_run: bool = False) -> bool:
        """Put a commit on a branch, never by force. False where the branch has moved, or the copy was begun anew.

        Raises:
            BadInput: the repository does not take it; says why.
        """
        how = ("--porcelain", "--no-verify", "--no-follow-tags", *(["--dry-run"] if dry_run else []))
        with self._turn():
            if not self._has(commit):
                return False
            done = self._git.run("push", *how, "--", self.address.url, f"{commit}:refs/heads/{branch}")
        said = (done.stdout + done.stderr).decode(errors="replace")
        if done.returncode and any(word in said for word in MOVED):
            return False
        if done.returncode:
            raise self._git.wrong(f"branch '{branch}' cannot be pushed to", said)
        return True

    def _source(self) -> tuple[str, str]:
        """The full name of what is fetched, and the branch that it is."""
        ref = self.address.ref
        names = [f"refs/heads/{ref}", f"refs/tags/{ref}"] if ref else ["HEAD"]
        said = self._git.answer("ls-remote", "--symref", "--", self.address.url, *names, most=MOST_LISTED).decode()
        lines = [line.partition("\t") for line in said.splitlines()]
        found = {name for what, _, name in lines if not what.startswith("ref: ")}
        leads = [what.removeprefix("ref: ") for what, _, _ in lines if what.startswith("ref: refs/heads/")]
        if not ref:
            if not leads or "HEAD" not in found:
                raise self._git.wrong("it has no default branch: name one with @BRANCH")
            return leads[0], leads[0].removeprefix("refs/heads/")
        if names[0] in found:
            return names[0], ref
        if names[1] in found:
            return names[1], ""
        if len(ref) == 40 and all(sign in "0123456789abcdef" for sign in ref):
            return ref, ""
        raise self._git.wrong(f"it has no branch, tag or whole commit '{ref}'")

    def _has(self, commit: str) -> bool:
        return self._git.run("cat-file", "-e", f"{commit}^{{commit}}").returncode == 0

    def _bring(self, commit: str) -> None:
        """See that the copy has a commit: it is everybody's, and may have been begun anew since."""
        if not self._has(commit):
            self._fetched(commit)

    def _fetched(self, source: str) -> str:
        """Fetch something by its full name; returns the ref of the copy that holds it."""
        done = self._fetch("--depth=1", source)
        if done.returncode:
            raise self._git.wrong("", done.stderr.decode(errors="replace"))
        return _kept(source)

    def _fetch(self, depth: str, source: str) -> "subprocess.CompletedProcess[bytes]":
        how = (depth, "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--quiet")
        return self._git.run("fetch", *how, "--", self.address.url, f"+{source}:{_kept(source)}")

    def _not_cut_off(self, commit: str) -> None:
        """A commit that was fetched alone once, and is made again: its parent is here, and it can be pushed."""
        listed = self.folder / "shallow"
        if not listed.exists():
            return
        lines = listed.read_text().splitlines()
        if commit in lines:
            left = listed.with_suffix(".new")
            left.write_text("".join(f"{line}\n" for line in lines if line != commit))
            left.replace(listed)

    def _commit_at(self, ref: str) -> str:
        return self._git.answer("rev-parse", "--verify", f"{ref}^{{commit}}").decode().strip()

    def _entries(self, commit: str) -> dict[str, _Entry]:
        """Every file of the directory by its path, none where there is no such directory."""
        place = f"{commit}:{self.address.path}"
        if self.address.path and not self._git.answer(
            "ls-tree", "-z", "--full-tree", commit, "--", self.address.path, most=MOST_LISTED
        ):
            return {}
        listed = self._git.answer("ls-tree", "-r", "-z", "-l", "--full-tree", place, most=MOST_LISTED)
        found: dict[str, _Entry] = {}
        for line in filter(None, listed.split(b"\0")):
            head, _, raw = line.partition(b"\t")
            mode, _, object, size = head.decode().split()
            path = raw.decode("utf-8", "surrogateescape")
            names = path.split("/")
            if IGNORED & set(names):
                continue
            if problem := next(filter(None, map(bad_name, names)), ""):
                raise self._git.wrong(f"{path!a}: {problem}")
            if mode == SUBMODULE:
                raise self._git.wrong(f"'{path}' is a submodule: put the files themselves there")
            found[path] = _Entry(mode, object, int(size))
        self._check_size([entry.size for entry in found.values()])
        return found

    def _check_size(self, sizes: list[int]) -> None:
        if len(sizes) > MOST_FILES or sum(sizes) > MOST_BYTES:
            much = f"{len(sizes)} files" if len(sizes) > MOST_FILES else f"{sum(sizes) / 2**20:.0f} MB"
            raise self._git.wrong(
                f"it holds {much}, and a skill {MOST_FILES} files and {MOST_BYTES // 2**20} MB at most"
            )

    def _contents(self, objects: list[str]) -> dict[str, bytes]:
        if not objects:
            return {}
        said = self._git.answer("cat-file", "--batch", given="".join(f"{name}\n" for name in objects).encode())
        found, at = {}, 0
        for name in objects:
            end = said.index(b"\n", at)
            size = int(said[at:end].split()[2])
            found[name] = said[end + 1 : end + 1 + size]
            at = end + size + 2
        return found

    def _ways(self, entries: Mapping[str, _Entry]) -> dict[str, tuple[str, ...]]:
        """By path of a file the ways to what is read there: itself, and of a link all that it leads to, one by one."""
        links = self._contents(sorted({entry.object for entry in entries.values() if entry.mode == LINK}))
        return {path: self._way(path, entries, links) for path in entries}

    def _way(self, path: str, entries: Mapping[str, _Entry], links: Mapping[str, bytes]) -> tuple[str, ...]:
        """A link that leads out of the skill is refused."""
        way = [path]
        while len(way) <= MOST_STEPS:
            entry = entries.get(way[-1])
            if entry is None:
                raise self._git.wrong(f"'{path}' is a link that leads out of the skill or to no file of it")
            if entry.mode != LINK:
                return tuple(way)
            target = links[entry.object].decode("utf-8", "replace")
            way.append(posixpath.normpath(posixpath.join(posixpath.dirname(way[-1]), target)))
        raise self._git.wrong(f"'{path}' is a link that leads to itself")

    @contextmanager
    def _turn(self, *, renews: bool = False) -> Iterator[None]:
        """Alone with the copy, which is made where it is missing; what a killed git has locked is free again.

        Where `renews`, a copy that has grown is begun anew: by whoever fetches next, and under nobody who reads.
        """
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with self.folder.with_suffix(".turn").open("w") as turn:
            self._wait_for(turn)
            if renews and len([*self.folder.glob("objects/pack/*.pack")]) > MOST_PACKS:
                self._put_away()
            if not (self.folder / "HEAD").exists():
                self._git.answer("init", "--bare", "--quiet", "--template=", str(self.folder), at=self.folder.parent)
            for left in [*self.folder.glob("*.lock"), *self.folder.glob("refs/**/*.lock")]:
                left.unlink()
            yield

    def _wait_for(self, turn: IO[str]) -> None:
        """Until no other process is at the copy. One that fetches may take minutes."""
        until, said = time.monotonic() + SILENT_SECONDS, False
        while True:
            try:
                fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if not said and time.monotonic() >= until:
                    said = True
                    log.warning("waiting for another process that reads or writes %s", self.address)
                stopping.sleep(stopping.LOOK_SECONDS)

    def _put_away(self) -> None:
        """Delete the copy, under another name: half a copy would be taken for one."""
        away = self.folder.with_suffix(".old")
        shutil.rmtree(away, ignore_errors=True)
        self.folder.rename(away)
        shutil.rmtree(away, ignore_errors=True)


def _kept(source: str) -> str:
    """The ref of the copy that holds what was fetched under a full name."""
    return f"refs/trace2skill/{digest_of('ref', source)[:16]}"
