"""Where the skill in use stands: a directory on this machine, or one on a branch of a Git repository."""

from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Protocol

from trace2skill.core.errors import BadInput, SkillInvalid
from trace2skill.skills.git_address import GitAddress
from trace2skill.skills.repository import Repository, Tip
from trace2skill.skills.skill import Skill, check_writable, faults, is_named, read_skill, write_skill

TRIES = 5
"""How often a commit is made anew for a branch that others keep moving."""


class SkillPlace(Protocol):
    """What the registry and a run need of it."""

    @property
    def commit(self) -> str:
        """The commit that was read, '' for a directory."""

    @property
    def is_newest(self) -> bool:
        """Is what stands there what people want, whatever the store remembers? A directory may be an old checkout."""

    @property
    def found(self) -> str:
        """In words, where what was read stands: how it came to be champion, where people have put it there."""

    def read(self) -> Skill | None:
        """The skill, None where there is none yet.

        Raises:
            BadInput: it cannot be read.
        """

    def misnamed(self, name: str) -> str:
        """What is wrong where a skill of that name is not to stand there, '' where nothing is."""

    def check(self, skill: Skill, expected: str | None = None) -> None:
        """See that a skill can be put there, before it is written down that it is.

        Args:
            skill: what is to be put there.
            expected: digest of what it is to replace.

        Raises:
            SkillInvalid: the skill has faults, or the place another name.
            BadInput: the place cannot be written to, or holds something else by now.
        """

    def put(self, skill: Skill, expected: str, message: str, when: str) -> None:
        """Put a skill there in place of `expected`. Done again it changes nothing. Arguments: see `Repository.add`.

        Raises:
            BadInput: the place cannot be written to, or holds something else by now.
        """


class Directory:
    """A directory, which is replaced as a whole."""

    commit, is_newest, found = "", False, "found in its directory"

    def __init__(self, path: Path) -> None:
        self._path = path

    def __str__(self) -> str:
        return str(self._path)

    def read(self) -> Skill | None:
        """See `SkillPlace`."""
        return read_skill(self._path) if (self._path / "SKILL.md").is_file() else None

    def misnamed(self, name: str) -> str:
        """See `SkillPlace`."""
        return "" if is_named(self._path, name) else _two_names(self._path.resolve().name, name)

    def check(self, skill: Skill, expected: str | None = None) -> None:
        """See `SkillPlace`."""
        del expected  # the registry says what is in use: people's changes became champion when they were seen
        check_name(skill, self)
        check_writable(self._path)

    def put(self, skill: Skill, expected: str, message: str, when: str) -> None:
        """See `SkillPlace`."""
        del expected, message, when
        write_skill(skill, self._path)


class Branch:
    """A directory in a repository. What is read is what the address named when it was first asked for."""

    def __init__(self, address: GitAddress, below: Path, commit: str = "") -> None:
        self._address, self._below, self._given = address, below, commit
        self._repository = Repository.below(address, below)

    def __str__(self) -> str:
        return str(self._address)

    @cached_property
    def _tip(self) -> Tip:
        return self._repository.fetch(self._given)

    @property
    def commit(self) -> str:
        """See `SkillPlace`."""
        return self._tip.commit

    @property
    def is_newest(self) -> bool:
        """See `SkillPlace`: a tag or a commit stays what it was, a branch has moved to where people want it."""
        return bool(self._tip.branch)

    @property
    def found(self) -> str:
        """See `SkillPlace`."""
        branch = f"on branch '{self._tip.branch}' " if self._tip.branch else ""
        return f"found {branch}at commit {self._tip.commit[:12]}"

    def read(self) -> Skill | None:
        """See `SkillPlace`."""
        return self._repository.read(self._tip.commit)

    def misnamed(self, name: str) -> str:
        """See `SkillPlace`. A skill that is a repository of its own may have any name."""
        own = not self._address.path or self._address.name == name
        return "" if own else _two_names(self._address.name, name)

    def around(self) -> tuple["Branch", str]:
        """The skill in which that is what the address names, and its path there: '' for the skill itself.

        Raises:
            BadInput: there is no skill there.
        """
        root, path = self._repository.root_of(self.commit)
        return Branch(replace(self._address, path=root), self._below, self.commit), path

    def check(self, skill: Skill, expected: str | None = None) -> None:
        """See `SkillPlace`. Asks the repository, so that what it refuses is known before it is written down."""
        check_name(skill, self)
        tip = self._writable()
        if expected is not None:
            self._check_unmoved(tip, skill, expected)
        if not self._repository.push(tip.commit, tip.branch, dry_run=True):
            raise BadInput(f"{self}: branch '{tip.branch}' moves while it is looked at: run the same command again")

    def put(self, skill: Skill, expected: str, message: str, when: str) -> None:
        """See `SkillPlace`. A commit on top of what the branch has by now, pushed and never forced."""
        for _ in range(TRIES):
            tip = self._writable()
            live = self._check_unmoved(tip, skill, expected)
            if live is not None and live.digest == skill.digest:  # pushed before somebody ended this process
                commit = tip.commit
            else:
                commit = self._repository.add(tip.commit, live, skill, message, when)
            if commit == tip.commit or self._repository.push(commit, tip.branch):
                self._given, self.__dict__["_tip"] = "", Tip(commit, tip.branch)
                return
        raise BadInput(f"{self}: branch '{tip.branch}' moved {TRIES} times while this was pushed: run it again")

    def _writable(self) -> Tip:
        tip = self._repository.fetch()
        if not tip.branch:
            raise BadInput(
                f"{self} is no branch but a tag or a commit, to which nothing can be added: name the branch (@BRANCH), "
                "or leave the candidate beside it (--promote stage)"
            )
        return tip

    def _check_unmoved(self, tip: Tip, skill: Skill, expected: str) -> Skill | None:
        """The skill as it is there by now, which is the expected one or the one that is to be there."""
        live = self._repository.read(tip.commit)
        if live is not None and live.digest not in (expected, skill.digest):
            raise BadInput(
                f"{self}: the skill's files have changed on branch '{tip.branch}' (commit {tip.commit[:12]}), so that "
                f"{skill.digest[:12]} is no longer compared with what it would replace, and nothing was pushed. Run "
                f"again, which starts from what is there now; or `trace2skill promote {skill.digest[:12]} '{self}' "
                "--why ...` puts it there all the same"
            )
        return live


def place_of(where: Path | GitAddress, below: Path, commit: str = "") -> SkillPlace:
    """The place that settings or a command name.

    Args:
        where: a directory or an address.
        below: a store's directory, for the copy of a repository.
        commit: the one to read, in place of what the address names by now.
    """
    return Branch(where, below, commit) if isinstance(where, GitAddress) else Directory(where)


def read_there(place: SkillPlace) -> Skill:
    """The skill of a place that has to hold one.

    Raises:
        BadInput: it holds none.
    """
    found = place.read()
    if found is not None:
        return found
    if isinstance(place, Directory):
        return read_skill(Path(str(place)))  # says what is wrong
    raise BadInput(f"{place} has no SKILL.md there: what follows '#' is its directory, seen from the repository's root")


def check_name(skill: Skill, place: SkillPlace) -> None:
    """See that a skill can stand at a place.

    Raises:
        SkillInvalid: it cannot; says all that is wrong.
    """
    found = faults(skill) or [*filter(None, [place.misnamed(skill.name)])]
    if found:
        raise SkillInvalid(str(place), found)


def _two_names(directory: str, skill: str) -> str:
    return f"the directory is called '{directory}' and the skill '{skill}'"
