"""Asking a forge over its REST API: one token, one host, bounded answers, pages, and what to do where it refuses."""

import json
import re
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import quote, unquote

import httpx

from trace2skill.core import stopping
from trace2skill.core.deadline import Deadline
from trace2skill.core.errors import BadInput

Kind = Literal["github", "gitlab"]
TOKENS: Mapping[Kind, tuple[str, ...]] = {"github": ("GITHUB_TOKEN", "GH_TOKEN"), "gitlab": ("GITLAB_TOKEN",)}
SECONDS, ALL_SECONDS = 30.0, 120.0
"""Of silence, and of a whole answer."""
MOST_BYTES = 8 * 2**20
PAGE, MOST_PAGES = 100, 20
"""Rows of a page, and how many pages are read of one list."""
MOVED = (301, 302, 307, 308)
_LIMIT = re.compile(r"rate limit|abuse detection", re.IGNORECASE)
"""In the text of a refusal: GitHub's secondary limits do not always say so in a header."""
_WEB = re.compile(r"https?://[A-Za-z0-9._~:/?#@!$&'*+,;=%-]{1,500}")


class ForgeRefusal(BadInput):
    """The forge has answered, and not what was asked for: `status` is HTTP's, `limited` where it is asked too often."""

    def __init__(self, message: str, status: int, *, limited: bool = False) -> None:
        super().__init__(message)
        self.status, self.limited = status, limited


class ForgeApi:
    """A project at a forge.

    Args:
        kind: what the forge is.
        base: its REST API's address.
        project: owner and name, or the whole path.
        token: goes into a header, and into nothing that is said or kept.
    """

    def __init__(self, kind: Kind, base: str, project: str, token: str) -> None:
        self.kind, self.base, self.project, self._token = kind, base, project, token

    @property
    def at(self) -> str:
        """Path of the project in the API."""
        return f"repos/{quote(self.project)}" if self.kind == "github" else f"projects/{quote(self.project, safe='')}"

    def ask(self, method: str, path: str, **more: Any) -> Any:
        """One answer, as JSON.

        Raises:
            ForgeRefusal: the forge refuses; says what to do.
            BadInput: it cannot be reached, or answers something else than JSON.
        """
        what = f"{method} {path.partition('?')[0]}"
        status, headers, content = self._answer(method, path, what, more)
        if not 200 <= status < 300:
            raise self._refusal(status, content.decode(errors="replace"), what, headers)
        try:
            return json.loads(content)
        except (ValueError, RecursionError) as error:
            raise BadInput(f"{self.base} answers {what} with something else than JSON") from error

    def _answer(
        self, method: str, path: str, what: str, more: Mapping[str, Any]
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and content. Headers count to the whole, too: a line every few seconds is no silence."""
        until, content, deadline = time.monotonic() + ALL_SECONDS, b"", Deadline()
        try:
            with (
                deadline.within(ALL_SECONDS),
                httpx.Client(headers=self._headers(), timeout=SECONDS, follow_redirects=False) as client,
                client.stream(method, f"{self.base}/{path}", extensions={"trace": deadline.seen}, **more) as answer,
            ):
                for piece in answer.iter_bytes():
                    stopping.check()
                    content += piece
                    if len(content) > MOST_BYTES or time.monotonic() > until:
                        raise self._endless(what)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            stopping.check()
            if deadline.passed:
                raise self._endless(what) from error
            raise BadInput(
                f"{self.base} cannot be reached ({type(error).__name__}): run the same command again"
            ) from error
        if deadline.passed:  # an answer without a length ends where its connection does
            raise self._endless(what)
        return answer.status_code, answer.headers, content

    def _endless(self, what: str) -> BadInput:
        return BadInput(f"{self.base} answers {what} without an end. Run the same command again")

    def rows(self, path: str, **asked: str) -> Iterator[dict[str, Any]]:
        """The rows of a list, page after page.

        Raises:
            BadInput: as `ask`; it is no list of objects, or has more pages than are read.
        """
        for page in range(1, MOST_PAGES + 1):
            found = self.ask("GET", path, params={**asked, "per_page": str(PAGE), "page": str(page)})
            yield from self.listed(found, path)
            if len(found) < PAGE:
                return
        raise BadInput(f"{self.base}: {path} has more than {MOST_PAGES * PAGE} rows, and none of them was taken")

    def listed(self, value: Any, what: str) -> list[dict[str, Any]]:
        """An answer that is to be a list of objects: whatever else comes is not taken for an empty one.

        Raises:
            BadInput: it is none.
        """
        if isinstance(value, list) and all(isinstance(item, dict) for item in value):
            return value
        raise BadInput(f"{self.base} answers GET {what} with something else than a list. Run the same command again")

    def right_of(self, path: str) -> dict[str, Any] | None:
        """What the forge says of a person's right: empty of one it does not know there, None where it says nothing.

        Raises:
            ForgeRefusal: it is asked too often, or refuses otherwise.
        """
        try:
            return mapping(self.ask("GET", path))
        except ForgeRefusal as refused:
            if refused.status == 404:
                return {}
            if refused.status == 403 and not refused.limited:
                return None
            raise

    def request_id(self, number: int) -> str:
        """Names a request among those of all forges."""
        return f"{self.base}/{self.project}{'#' if self.kind == 'github' else '!'}{number}"

    def _headers(self) -> dict[str, str]:
        if self.kind == "gitlab":
            return {"PRIVATE-TOKEN": self._token}
        return {
            "Authorization": f"Bearer {self._token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        }

    def _refusal(self, status: int, text: str, what: str, headers: Mapping[str, str]) -> ForgeRefusal:
        said = " ".join(text.replace(self._token, "[token]").split())[:300]
        may = "read" if what.startswith("GET") else "write"
        remedy = {
            401: f"the token in {' or '.join(TOKENS[self.kind])} is not taken",
            403: f"the token may not {may} pull requests there",
            404: f"there is no {self.project}, or the token may not see it",
        }.get(status, "run the same command again")
        often = headers.get("x-ratelimit-remaining") == "0" or "retry-after" in headers or bool(_LIMIT.search(said))
        limited = status == 429 or (status == 403 and often)
        if limited:
            remedy = f"it was asked too often{_until(headers)}: run the same command again then"
        if status in MOVED:
            remedy = f"it has moved{self._moved(said, headers)}: name its new address (--to)"
        return ForgeRefusal(f"{self.base} refuses {what} ({status}): {said}. {remedy}", status, limited=limited)

    def _moved(self, said: str, headers: Mapping[str, str]) -> str:
        """Where a project that was renamed is now, as far as the forge says so; nothing is asked of another place."""
        told = (headers.get("location", ""), *_WEB.findall(said))
        at = next((one for one in told if one.startswith(f"{self.base}/")), "")
        if named := re.match(r"(?:repos/([\w.-]+/[\w.-]+)|projects/([\w.%-]*%2F[\w.%-]+))", at[len(self.base) + 1 :]):
            return f" to {unquote(named[1] or named[2])}"
        if by_number := re.match(r"repositories/\d{1,12}", at[len(self.base) + 1 :]):
            try:
                name = text(mapping(self.ask("GET", by_number[0])).get("full_name"))
            except BadInput:
                name = ""
            return f" to {name}" if re.fullmatch(r"[\w.-]{1,100}/[\w.-]{1,100}", name) else ""
        return ""


def _until(headers: Mapping[str, str]) -> str:
    """When a forge is to be asked again, as far as it says so."""
    after = headers.get("retry-after", "")
    at = headers.get("x-ratelimit-reset") or headers.get("ratelimit-reset") or ""
    if re.fullmatch(r"\d{1,6}", after):
        return f", for {after} seconds more"
    if re.fullmatch(r"\d{9,11}", at):
        return f", until {datetime.fromtimestamp(int(at), UTC):%Y-%m-%d %H:%M} UTC"
    return ""


def mapping(value: Any) -> dict[str, Any]:
    """An object that a server gave, an empty one where it is none."""
    return value if isinstance(value, dict) else {}


def number(value: Any) -> int:
    """The number of a request.

    Raises:
        BadInput: it is none.
    """
    if type(value) is not int or value < 1:
        raise BadInput("the forge names a request by something that is no number")
    return value


def line_number(value: Any) -> int:
    """The number of a line, 0 where it is none."""
    return value if type(value) is int and value > 0 else 0


def text(value: Any) -> str:
    """A text that a server gave, '' where it is none."""
    return value if isinstance(value, str) else ""


def web(value: Any) -> str:
    """An address to be shown: whatever else a server calls one is none."""
    told = text(value)
    return told if _WEB.fullmatch(told) else ""
