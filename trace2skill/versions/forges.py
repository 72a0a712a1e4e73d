"""Pull requests of GitHub and merge requests of GitLab, over their REST APIs.

GitHub: https://docs.github.com/rest/pulls/pulls. GitLab: https://docs.gitlab.com/api/merge_requests. A token comes from
the environment alone and goes to the forge of the repository's own host, or to the one that a person named.
"""

import os
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple
from urllib.parse import SplitResult, urlsplit

from trace2skill.core.errors import BadInput
from trace2skill.skills.git_address import GitAddress
from trace2skill.versions.forge_api import TOKENS, ForgeApi, ForgeRefusal, Kind, line_number, mapping, number, text, web
from trace2skill.versions.github_reviews import GitHubReviews
from trace2skill.versions.gitlab_reviews import GitLabReviews
from trace2skill.versions.pull_request import Forge, ForgeRequest
from trace2skill.versions.reviews import NOBODY, Reviewed

ForgeName = Literal["github", "gitlab", "none"]
"""What settings and commands name: 'none' where a branch is pushed and nobody asked for anything."""
HOSTS: Mapping[Kind, tuple[str, ...]] = {"github": ("GH_HOST",), "gitlab": ("GITLAB_HOST", "CI_SERVER_HOST")}
"""Variables by which a person says that the token is for another host than the public one."""
PUBLIC: Mapping[Kind, str] = {"github": "github.com", "gitlab": "gitlab.com"}
LONGEST_BODY = 60_000
"""Characters; GitHub takes 65,536."""
LONGEST_TITLE = 200
LOOPBACK = ("127.0.0.1", "localhost", "::1")
DRAFTS = ("Draft:", "WIP:")


class _Known(NamedTuple):
    """A request as the forge has it."""

    number: int
    open: bool
    merged: bool
    title: str
    body: str
    address: str


def forge_of(address: GitAddress, kind: Kind | None = None, api: str = "") -> Forge | None:
    """The forge where an address is, with the token of the environment; None where its host tells none.

    The token goes to the public forge, to a host that the environment names (`GH_HOST`, `GITLAB_HOST`), or to the API
    that a person named: an address may come from anybody.

    Args:
        address: of the repository.
        kind: what it is, where its host does not say so.
        api: the REST API's address; unless given, the host's usual one.

    Raises:
        BadInput: there is no token, or the API is not one to send it to.
    """
    where = urlsplit(address.url)
    host = where.hostname or ""
    if kind is None:
        kind = next((name for name in PUBLIC if name in host.split(".") or host in _hosts(name)), None)
        if kind is None:
            return None
    base = api.rstrip("/") or _usual(kind, where)
    try:
        parts = urlsplit(base)
        _ = parts.port
    except ValueError as error:
        raise BadInput(f"--api is no address: {error}") from error
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise BadInput(f"--api {base.rpartition('@')[2]}: a token is sent over https only")
    if parts.username or parts.query or parts.fragment:
        raise BadInput("--api takes an address without user, query and fragment: the token comes from the environment")
    token = next((os.environ[name] for name in TOKENS[kind] if os.environ.get(name)), "")
    if not token.isascii() or not token.isprintable():
        raise BadInput(f"the token in {' or '.join(TOKENS[kind])} has signs that no token has")
    if not token:
        raise BadInput(
            f"a pull request at {parts.hostname} needs a token in {' or '.join(TOKENS[kind])}, one that may write pull "
            "requests of this repository; --forge none pushes the branch alone"
        )
    project = where.path.strip("/").removesuffix(".git")
    rest = ForgeApi(kind, base, project, token)
    return GitHub(rest) if kind == "github" else GitLab(rest)


def _usual(kind: Kind, where: SplitResult) -> str:
    host = where.hostname or ""
    if not host:
        raise BadInput("a repository on this machine has no forge: name its API (--api), or take --forge none")
    at = f"{host}:{where.port}" if where.scheme == "https" and where.port else host
    if at == PUBLIC[kind]:
        return "https://api.github.com" if kind == "github" else "https://gitlab.com/api/v4"
    if kind == "github" and host.endswith(".ghe.com"):
        return f"https://api.{host}"
    if host not in _hosts(kind):
        raise BadInput(
            f"{host} is not {PUBLIC[kind]}, and nobody has said that it is to have the token in "
            f"{' or '.join(TOKENS[kind])}: set {HOSTS[kind][0]}={host}, name its API (--api), or take --forge none"
        )
    return f"https://{at}/api/v3" if kind == "github" else f"https://{at}/api/v4"


def _hosts(kind: Kind) -> set[str]:
    return {os.environ.get(name, "").lower() for name in HOSTS[kind]} - {""}


class _Requests(ABC):
    """What both have in common. `_number` and `_address` are what a request's number and address are called."""

    _number: str
    _address: str

    def __init__(self, rest: ForgeApi) -> None:
        self._rest = rest

    @property
    def kind(self) -> Kind:
        """See `Forge`."""
        return self._rest.kind

    @property
    def api(self) -> str:
        """See `Forge`."""
        return self._rest.base

    def reviewed(
        self, branches: Sequence[str], version: str, request: str = "", may_write: Mapping[str, bool] = NOBODY
    ) -> Reviewed:
        """See `Forge`."""
        known = self._numbered(request)
        reader = (GitHubReviews if self._rest.kind == "github" else GitLabReviews)(self._rest, may_write)
        try:
            return reader.read(known or self._of_version(branches, version))
        except ForgeRefusal as refusal:
            if refusal.status != 404 or not known:
                raise
            raise BadInput(
                f"{self._rest.base}: {self._rest.project} has no pull request {known}, or the token may not see it: it "
                "was deleted, perhaps (`trace2skill propose-pr` opens another); what was read of it before stays"
            ) from refusal

    def _numbered(self, request: str) -> int:
        """The number of a request by what names it, 0 where that names none of this project."""
        digits = request.removeprefix(self._rest.request_id(0)[:-1])
        return int(digits) if digits != request and re.fullmatch(r"[1-9]\d{0,11}", digits) else 0

    def _of_version(self, branches: Sequence[str], version: str) -> int:
        """The number of the request in whose text a version stands: others on its branch are of other versions."""
        found = [item for branch in branches for item in self._known(branch, "")]
        known = next((item for item in found if version in item.body), None)
        if known is None:
            has = f"has {len(found)}, and none of this version," if found else "has no pull request"
            raise BadInput(
                f"{self._rest.base}: {self._rest.project} {has} of a branch {' or '.join(branches)}: it was deleted, "
                "is of a later version by now, or was never opened (`trace2skill propose-pr` opens it); what was read "
                "of it before stays"
            )
        return known.number

    def closed(self, branch: str, into: str, version: str) -> str:
        """See `Forge`."""
        for item in self._known(branch, into):
            if not item.open and not item.merged and version in item.body:
                return item.address or "(without an address)"
        return ""

    def request(self, branch: str, into: str, title: str, body: str, version: str) -> ForgeRequest:
        """See `Forge`."""
        title = title[:LONGEST_TITLE]
        if len(body) > LONGEST_BODY:
            body = body[:LONGEST_BODY].rpartition("\n")[0] + f"\n\nThe rest is in the report.\n\nversion `{version}`\n"
        known = next((item for item in self._known(branch, into) if item.open), None)
        if known is None:
            made = self._open(branch, into, title, body)
            told, address = line_number(made.get(self._number)), web(made.get(self._address))
            return ForgeRequest(address, "opened", self._rest.request_id(told) if told else "")
        if version in known.body:  # what people made of title and text stays theirs
            return ForgeRequest(known.address, "unchanged", self._rest.request_id(known.number))
        draft = next((word for word in DRAFTS if known.title.startswith(word)), "")
        self._change(known.number, f"{draft} {title}".strip(), body)
        return ForgeRequest(known.address, "updated", self._rest.request_id(known.number))

    @abstractmethod
    def _known(self, branch: str, into: str) -> list[_Known]:
        """All requests for a branch into another, or into any (''), closed ones too, the newest first.

        A branch of that name in another repository is anybody's, and so is what its request says. Who opens one from a
        branch of the project itself may write there.
        """

    @abstractmethod
    def _change(self, number: int, title: str, body: str) -> None:
        """Give a request another title and body."""

    @abstractmethod
    def _open(self, branch: str, into: str, title: str, body: str) -> dict[str, Any]:
        """Open one; returns it as the forge has it."""


class GitHub(_Requests):
    """GitHub's pull requests."""

    _number, _address = "number", "html_url"

    @property
    def _pulls(self) -> str:
        return f"{self._rest.at}/pulls"

    def _known(self, branch: str, into: str) -> list[_Known]:
        owner = self._rest.project.partition("/")[0]
        asked = {"head": f"{owner}:{branch}", "state": "all", "per_page": "100"} | ({"base": into} if into else {})
        return [
            _Known(
                number(item.get("number")),
                item.get("state") == "open",
                bool(item.get("merged_at")),
                text(item.get("title")),
                text(item.get("body")),
                web(item.get("html_url")),
            )
            for item in self._rest.listed(self._rest.ask("GET", self._pulls, params=asked), self._pulls)
            if mapping(item.get("head")).get("ref") == branch and _repository(item, "head") == _repository(item, "base")
        ]

    def _change(self, number: int, title: str, body: str) -> None:
        self._rest.ask("PATCH", f"{self._pulls}/{number}", json={"title": title, "body": body})

    def _open(self, branch: str, into: str, title: str, body: str) -> dict[str, Any]:
        given = {"title": title, "head": branch, "base": into, "body": body}
        return mapping(self._rest.ask("POST", self._pulls, json=given))


def _repository(pull: dict[str, Any], end: str) -> int:
    """The number of the repository where one end of a pull request is; below 0 where it is gone."""
    found = line_number(mapping(mapping(pull.get(end)).get("repo")).get("id"))
    return found or {"head": -1, "base": -2}[end]


class GitLab(_Requests):
    """GitLab's merge requests."""

    _number, _address = "iid", "web_url"

    @property
    def _requests(self) -> str:
        return f"{self._rest.at}/merge_requests"

    def _known(self, branch: str, into: str) -> list[_Known]:
        asked = {"source_branch": branch, "state": "all", "per_page": "100"}
        asked |= {"target_branch": into} if into else {}
        return [
            _Known(
                number(item.get("iid")),
                item.get("state") == "opened",
                item.get("state") == "merged",
                text(item.get("title")),
                text(item.get("description")),
                web(item.get("web_url")),
            )
            for item in self._rest.listed(self._rest.ask("GET", self._requests, params=asked), self._requests)
            if item.get("source_branch") == branch
            and line_number(item.get("source_project_id")) == line_number(item.get("target_project_id")) > 0
        ]

    def _change(self, number: int, title: str, body: str) -> None:
        self._rest.ask("PUT", f"{self._requests}/{number}", json={"title": title, "description": body})

    def _open(self, branch: str, into: str, title: str, body: str) -> dict[str, Any]:
        given = {"source_branch": branch, "target_branch": into, "title": title, "description": body}
        return mapping(self._rest.ask("POST", self._requests, json=given))
