"""Pull requests of GitHub and merge requests of GitLab, over their REST APIs.

GitHub: https://docs.github.com/rest/pulls/pulls. GitLab: https://docs.gitlab.com/api/merge_requests. A token comes from
the environment alone and goes to the forge of the repository's own host, or to the one that a person named.
"""

import os
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import quote, urlsplit

import httpx

from trace2skill.core.errors import BadInput
from trace2skill.skills.git_address import GitAddress
from trace2skill.versions.pull_request import Forge, ForgeRequest

Kind = Literal["github", "gitlab"]
ForgeName = Literal["github", "gitlab", "none"]
"""What settings and commands name: 'none' where a branch is pushed and nobody asked for anything."""
TOKENS: Mapping[Kind, tuple[str, ...]] = {
    "github": ("GITHUB_TOKEN", "GH_TOKEN"),
    "gitlab": ("GITLAB_TOKEN", "CI_JOB_TOKEN"),
}
SECONDS = 30.0
LONGEST_BODY = 60_000
"""Characters; GitHub takes 65,536."""
LONGEST_TITLE = 200
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def forge_of(address: GitAddress, kind: Kind | None = None, api: str = "") -> Forge | None:
    """The forge where an address is, with the token of the environment; None where its host tells none.

    Args:
        address: of the repository.
        kind: what it is, where its host does not say so.
        api: the REST API's address; unless given, the host's usual one.

    Raises:
        BadInput: there is no token, or the API is not one to send it to.
    """
    host = urlsplit(address.url).hostname or ""
    if kind is None:
        names = {"github": "github", "gitlab": "gitlab"}
        found = next((names[part] for part in host.split(".") if part in names), None)
        if found is None:
            return None
        kind = "github" if found == "github" else "gitlab"
    base = api.rstrip("/") or _usual(kind, host)
    parts = urlsplit(base)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise BadInput(f"--api {base.rpartition('@')[2]}: a token is sent over https only")
    if parts.username or parts.query or parts.fragment:
        raise BadInput("--api takes an address without user, query and fragment: the token comes from the environment")
    token = next((os.environ[name] for name in TOKENS[kind] if os.environ.get(name)), "")
    if not token:
        raise BadInput(
            f"a pull request at {parts.hostname} needs a token in {' or '.join(TOKENS[kind])}, one that may write pull "
            "requests of this repository; --forge none pushes the branch alone"
        )
    project = urlsplit(address.url).path.strip("/").removesuffix(".git")
    return (GitHub if kind == "github" else GitLab)(base, project, token)


def _usual(kind: Kind, host: str) -> str:
    if not host:
        raise BadInput("a repository on this machine has no forge: name its API (--api), or take --forge none")
    if kind == "gitlab":
        return f"https://{host}/api/v4"
    return "https://api.github.com" if host == "github.com" else f"https://{host}/api/v3"


class _Rest:
    """What both have in common."""

    kind: Kind

    def __init__(self, base: str, project: str, token: str) -> None:
        self._base, self._project, self._token = base, project, token

    def _headers(self) -> dict[str, str]:
        raise NotImplementedError

    def _ask(self, method: str, path: str, **more: Any) -> Any:
        address = f"{self._base}/{path}"
        try:
            answer = httpx.request(method, address, headers=self._headers(), timeout=SECONDS, **more)
        except httpx.HTTPError as error:
            raise BadInput(
                f"{self._base} cannot be reached ({type(error).__name__}). The branch is pushed: run this again"
            ) from error
        if answer.is_success:
            try:
                return answer.json()
            except ValueError as error:
                raise BadInput(f"{self._base} answers {method} {path} with something else than JSON") from error
        raise BadInput(self._refusal(answer, f"{method} {path.partition('?')[0]}"))

    def _refusal(self, answer: httpx.Response, what: str) -> str:
        said = " ".join(answer.text.split())[:300].replace(self._token, "[token]")
        remedy = {
            401: f"the token in {' or '.join(TOKENS[self.kind])} is not taken",
            403: "the token may not write pull requests there",
            404: f"there is no {self._project}, or the token may not see it",
        }.get(answer.status_code, "run the same command again")
        return f"{self._base} refuses {what} ({answer.status_code}): {said}. {remedy}; the branch is pushed"

    def request(self, branch: str, into: str, title: str, body: str, commit: str) -> ForgeRequest:
        """See `Forge`."""
        title = title[:LONGEST_TITLE]
        if len(body) > LONGEST_BODY:
            body = body[:LONGEST_BODY].rpartition("\n")[0] + "\n\nThe rest is in the report.\n"
        known = self._known(branch, into)
        is_open = next((item for item in known if item["open"]), None)
        if is_open is not None:
            if (is_open["title"], is_open["body"].replace("\r\n", "\n").strip()) == (title, body.strip()):
                return ForgeRequest(is_open["address"], "unchanged")
            self._change(is_open["number"], title, body)
            return ForgeRequest(is_open["address"], "updated")
        closed = next((item for item in known if item["commit"] == commit and not item["merged"]), None)
        if closed is not None:
            return ForgeRequest(closed["address"], "refused")
        return ForgeRequest(self._open(branch, into, title, body), "opened")

    def _known(self, branch: str, into: str) -> list[dict[str, Any]]:
        raise NotImplementedError

    def _change(self, number: int, title: str, body: str) -> None:
        raise NotImplementedError

    def _open(self, branch: str, into: str, title: str, body: str) -> str:
        raise NotImplementedError


class GitHub(_Rest):
    """GitHub's pull requests."""

    kind: Kind = "github"

    def _headers(self) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self._token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        }

    @property
    def _pulls(self) -> str:
        return f"repos/{quote(self._project)}/pulls"

    def _known(self, branch: str, into: str) -> list[dict[str, Any]]:
        owner = self._project.partition("/")[0]
        asked = {"head": f"{owner}:{branch}", "base": into, "state": "all", "per_page": "100"}
        return [
            {
                "number": _number(item.get("number")),
                "open": item.get("state") == "open",
                "merged": bool(item.get("merged_at")),
                "commit": _mapping(item.get("head")).get("sha"),
                "title": item.get("title"),
                "body": _text(item.get("body")),
                "address": _web(item.get("html_url")),
            }
            for item in _rows(self._ask("GET", self._pulls, params=asked))
            if _mapping(item.get("head")).get("ref") == branch
        ]

    def _change(self, number: int, title: str, body: str) -> None:
        self._ask("PATCH", f"{self._pulls}/{number}", json={"title": title, "body": body})

    def _open(self, branch: str, into: str, title: str, body: str) -> str:
        made = self._ask("POST", self._pulls, json={"title": title, "head": branch, "base": into, "body": body})
        return _web(_mapping(made).get("html_url"))


class GitLab(_Rest):
    """GitLab's merge requests."""

    kind: Kind = "gitlab"

    def _headers(self) -> dict[str, str]:
        return {"PRIVATE-TOKEN": self._token}

    @property
    def _requests(self) -> str:
        return f"projects/{quote(self._project, safe='')}/merge_requests"

    def _known(self, branch: str, into: str) -> list[dict[str, Any]]:
        asked = {"source_branch": branch, "target_branch": into, "state": "all", "per_page": "100"}
        return [
            {
                "number": _number(item.get("iid")),
                "open": item.get("state") == "opened",
                "merged": item.get("state") == "merged",
                "commit": item.get("sha"),
                "title": item.get("title"),
                "body": _text(item.get("description")),
                "address": _web(item.get("web_url")),
            }
            for item in _rows(self._ask("GET", self._requests, params=asked))
            if item.get("source_branch") == branch
        ]

    def _change(self, number: int, title: str, body: str) -> None:
        self._ask("PUT", f"{self._requests}/{number}", json={"title": title, "description": body})

    def _open(self, branch: str, into: str, title: str, body: str) -> str:
        given = {"source_branch": branch, "target_branch": into, "title": title, "description": body}
        return _web(_mapping(self._ask("POST", self._requests, json=given)).get("web_url"))


def _rows(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _number(value: Any) -> int:
    if type(value) is not int or value < 1:
        raise BadInput("the forge names a request by something that is no number")
    return value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _web(value: Any) -> str:
    """An address to be shown: whatever else a server calls one is none."""
    told = _text(value)
    return told[:500] if urlsplit(told).scheme in ("http", "https") and not any(map(str.isspace, told)) else ""
