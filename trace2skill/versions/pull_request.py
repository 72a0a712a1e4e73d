"""Proposing a version of a skill to the people of a repository: a branch of its own, with a commit a version.

All versions that would replace the same skill share one branch, so that people have one proposal to read, and a newer
one is a commit on top. Once what they have changes (they merged it, or edited the skill) the next proposal begins a
branch anew. Nothing is ever forced, and no branch but such a one is pushed to.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from trace2skill.core.errors import BadInput
from trace2skill.core.record import Record
from trace2skill.skills.git_address import GitAddress
from trace2skill.skills.repository import Repository, Tip
from trace2skill.skills.skill import Skill
from trace2skill.versions.places import TRIES, Branch, check_name
from trace2skill.versions.reviews import NOBODY, Reviewed

PREFIX = "trace2skill"


class ForgeRequest(NamedTuple):
    """A pull request as a forge has it, what was done about it, and what names it, '' unknown."""

    address: str
    did: Literal["opened", "updated", "unchanged"]
    id: str = ""


class Forge(Protocol):
    """Where pull requests are."""

    @property
    def kind(self) -> Literal["github", "gitlab"]:
        """What it is."""

    @property
    def api(self) -> str:
        """Address of its REST API."""

    def reviewed(
        self, branches: Sequence[str], version: str, request: str = "", may_write: Mapping[str, bool] = NOBODY
    ) -> Reviewed:
        """What people have said of the request that proposes a version.

        Args:
            branches: those that it may be on.
            version: the digest that stands in the request's text.
            request: its `ForgeRequest.id`, where that is known: then neither branch nor text is looked at.
            may_write: who may, as it was known last; it counts where the forge does not tell now.

        Raises:
            BadInput: there is none, the forge cannot be reached, or refuses; says what to do.
        """

    def closed(self, branch: str, into: str, version: str) -> str:
        """Address of a request for that version which people have closed without merging it, '' where there is none.

        Args:
            branch: what was to be merged.
            into: where.
            version: the digest that stands in the request's text.

        Raises:
            BadInput: the forge cannot be reached, or refuses; says what to do.
        """

    def request(self, branch: str, into: str, title: str, body: str, version: str) -> ForgeRequest:
        """Open a pull request, or bring the open one of that branch up to date where it is of another version.

        Args:
            branch, into, version: as `closed`.
            title, body: as the forge's Markdown; the version stands in the body.

        Raises:
            BadInput: as `closed`.
        """


class ProposedVersion(Record):
    """What was proposed, and where."""

    branch: str
    into: str
    commit: str
    pushed: bool
    request: str = ""
    did: Literal["opened", "updated", "unchanged", "refused", "pushed"] = "pushed"


class PullRequest:
    """A version on its way to a branch that people look after.

    Args:
        address: where the skill stands for them, with the branch that they merge into.
        below: a store's directory, for the copy of the repository.
        is_ours: is a digest that of a version which was written here? What people changed is left alone.
    """

    def __init__(self, address: GitAddress, below: Path, is_ours: Callable[[str], bool]) -> None:
        self._address, self._is_ours = address, is_ours
        self._repository = Repository.below(address, below)
        self._place = Branch(address, below)

    def check(self, skill: Skill) -> None:
        """See that a version of a skill could be proposed: nothing is pushed.

        Raises:
            SkillInvalid, BadInput: it could not; says why.
        """
        tip, _ = self._into(skill, None)
        self._repository.push(tip.commit, f"{PREFIX}/{skill.name}/check", dry_run=True)

    def planned(self, skill: Skill, base: str) -> tuple[str, str]:
        """Name of the branch that a proposal would be pushed to, and of the one that it would be merged into.

        Raises:
            SkillInvalid, BadInput: it cannot be proposed; see `propose`.
        """
        tip, live = self._into(skill, base)
        return self._branch(skill, live, tip.branch)[0], tip.branch

    def propose(self, skill: Skill, base: str, message: str, when: str) -> ProposedVersion:
        """Push a version to its branch. Done again it changes nothing.

        Args:
            skill: the version.
            base: digest of what it was made from.
            message: of the commit.
            when: the commit's time, ISO 8601, so that the same version makes the same commit.

        Raises:
            SkillInvalid: the skill has faults, or the place another name.
            BadInput: the repository cannot be reached or pushed to, or people's skill is another one by now.
        """
        for _ in range(TRIES):
            tip, live = self._into(skill, base)
            branch, commit = self._branch(skill, live, tip.branch)
            before = self._repository.read(commit) if commit else live
            if before is not None and before.digest == skill.digest:
                return ProposedVersion(branch=branch, into=tip.branch, commit=commit, pushed=False)
            made = self._repository.add(commit or tip.commit, before, skill, message, when)
            if self._repository.push(made, branch):
                return ProposedVersion(branch=branch, into=tip.branch, commit=made, pushed=True)
        raise BadInput(f"{self._address}: branch '{branch}' moved {TRIES} times while this was pushed: run it again")

    @staticmethod
    def branches(skill: Skill, base: str) -> tuple[str, ...]:
        """Every name that the branch of a version may have, as `_branch` gives them."""
        shared = [f"{PREFIX}/{skill.name}/{part}" for part in (base[:12], "new")]
        return tuple(f"{one}{more}" for more in (f"-{skill.digest[:12]}", "") for one in shared)

    def _into(self, skill: Skill, base: str | None) -> tuple[Tip, Skill | None]:
        """The branch of the people, and the skill as it stands there: `base`, where that is known."""
        check_name(skill, self._place)
        tip = self._repository.fetch()
        if not tip.branch:
            raise BadInput(f"{self._address} is a tag or a commit, and not merged into: name a branch (@BRANCH)")
        live = self._repository.read(tip.commit)
        if base is None:
            return tip, live
        if live is not None and live.digest == skill.digest:
            raise BadInput(f"{self._address} holds this version already: nothing is left to propose")
        if live is not None and live.digest != base:
            raise BadInput(
                f"{self._address}: the skill on branch '{tip.branch}' (commit {tip.commit[:12]}) is "
                "another one than the run began with, and a proposal would take that back: run again with it as --skill"
            )
        return tip, live

    def _branch(self, skill: Skill, live: Skill | None, into: str) -> tuple[str, str]:
        """The branch of the proposal and its commit, '' where it is new.

        One that was merged (and taken back, as the skill is what it was) or that people have changed is left alone.
        """
        shared = f"{PREFIX}/{skill.name}/{live.digest[:12] if live else 'new'}"
        for branch in (shared, f"{shared}-{skill.digest[:12]}"):
            commit, merged = self._repository.fetch_beside(branch, into)
            if not commit:
                return branch, ""
            there = None if merged else self._repository.read(commit)
            if there is not None and (there.digest == skill.digest or self._is_ours(there.digest)):
                return branch, commit
        raise BadInput(
            f"{self._address}: branch '{branch}' was merged and taken back, or people have changed what it proposed: "
            f"`trace2skill promote {skill.digest[:12]} '{self._address}' --why ...` puts this one there"
        )
