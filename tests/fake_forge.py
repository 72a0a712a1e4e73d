"""A forge on loopback with the two REST APIs as far as pull requests go. It takes one token."""

import base64
import json
import re
import threading
import zlib
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "forge-token-0123456789"
HERE, FORK = 1, 999
"""Numbers of repositories: that of the team, and of somebody's copy."""


@dataclass
class Said:
    """A comment: at a line (`shown` is the line's text), on all of it, or a review that asks for changes."""

    number: int
    person: str
    text: str
    file: str = ""
    line: int = 0
    shown: str = ""
    side: str = "RIGHT"
    changed: str = "2026-01-02T03:04:05Z"
    against: tuple[str, ...] = ()
    asks_changes: bool = False
    more: dict[str, Any] = field(default_factory=dict)
    request: int = 1
    answers: int = 0

    @property
    def kind(self) -> str:
        """In which list it stands."""
        return "line" if self.line else "review" if self.asks_changes else "talk"


@dataclass
class _Refusal:
    status: int


def _user(name: str) -> dict[str, Any]:
    return {"id": zlib.crc32(name.encode()) + 1, "username": name}


def _reaction(who: str) -> dict[str, Any]:
    return {"content": "-1", "user": {"login": who, "type": "User"}}


class FakeForge:
    """`requests` holds pull requests as people see them; `asked` every request, as method and path.

    `may` says who may write: True, False, or None where the token may not ask. `refuses` is a status for all reads of
    what people said, with headers; `hidden` the end of a path that the token may not read.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.requests: list[dict[str, Any]] = []
        self.said: dict[int, Said] = {}
        self.against: list[str] = []
        self.closed_by = ""
        self.may: dict[str, bool | None] = {"ann": True, "bob": True}
        self.refuses: tuple[int, dict[str, str]] | None = None
        self.hidden = ""
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                body = json.loads(self.rfile.read(length)) if length else {}
                status, told = outer.answer(self.command, self.path, body, dict(self.headers))
                content = json.dumps(told).encode()
                self.send_response(status)
                for name, value in (outer.refuses[1] if outer.refuses else {}).items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PATCH = do_PUT = answer

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.api = f"http://127.0.0.1:{self._server.server_port}"

    def answer(self, method: str, path: str, body: dict[str, Any], headers: dict[str, str]) -> tuple[int, Any]:
        self.asked.append(f"{method} {path}")
        given = headers.get("Authorization", "").removeprefix("Bearer ") or headers.get("PRIVATE-TOKEN", "")
        if given != TOKEN:
            return 401, {"message": f"Bad credentials: {given}"}
        if method == "GET":
            asked = parse_qs(urlsplit(path).query)
            if "head" not in asked and "source_branch" not in asked:
                return self._of_one(urlsplit(path).path, asked)
            branch = (asked.get("head") or asked.get("source_branch") or [""])[0].rpartition(":")[2]
            return 200, [self._shown(item) for item in reversed(self.requests) if item["branch"] == branch]
        if method == "POST":
            item = {
                "number": len(self.requests) + 1,
                "state": "open",
                "branch": body.get("head") or body["source_branch"],
                "into": body.get("base") or body["target_branch"],
                "commit": "",
                "from": HERE,
            }
            self.requests.append(item)
        else:
            item = self.requests[int(path.rpartition("/")[2]) - 1]
        item |= {"title": body["title"], "body": body["body"] if self.kind == "github" else body["description"]}
        return 201, self._shown(item)

    def say(self, person: str, text: str, file: str = "", line: int = 0, shown: str = "", **more: Any) -> int:
        """Somebody comments, at a line or on all of it; returns the comment's number."""
        number = 100 + len(self.said)
        self.said[number] = Said(number, person, text, file, line, shown, **more)
        return number

    def _of_one(self, path: str, asked: dict[str, list[str]]) -> tuple[int, Any]:
        """One request, what was said of it, or who somebody is."""
        if self.refuses:
            return self.refuses[0], {"message": "no"}
        if self.hidden and path.endswith(self.hidden):
            return 403, {"message": "Resource not accessible by integration"}
        found = (self._of_github if self.kind == "github" else self._of_gitlab)(path.partition("skills/")[2] or path)
        if isinstance(found, list):
            size, page = int(asked["per_page"][0]), int(asked["page"][0])
            found = found[(page - 1) * size : page * size]
        if isinstance(found, _Refusal):
            return found.status, {"message": "Forbidden"}
        return (404, {"message": "Not Found"}) if found is None else (200, found)

    def _of_github(self, path: str) -> Any:
        def row(one: Said) -> dict[str, Any]:
            counts = {"-1": len(one.against), "confused": 0}
            person = {"login": one.person, "type": "Bot" if one.person.endswith("[bot]") else "User"}
            told = {"id": one.number, "user": person, "body": one.text, "updated_at": one.changed, "reactions": counts}
            told |= {"in_reply_to_id": one.answers} if one.answers else {}
            told |= {"html_url": f"https://forge.example/c/{one.number}", "author_association": "NONE"}
            at_line = {"path": one.file, "line": one.line, "side": one.side, "diff_hunk": f"@@ -1 +1 @@\n+{one.shown}"}
            asks = {"state": "CHANGES_REQUESTED"} if one.asks_changes else {}
            return told | (at_line if one.line else asks) | one.more

        if found := re.search(r"collaborators/([^/]+)/permission$", path):
            may = self.may.get(found[1], False)
            return {"permission": "write" if may else "read"} if may is not None else _Refusal(403)
        if found := re.search(r"pulls/comments/(\d+)/reactions$", path):
            return [_reaction(who) for who in self.said[int(found[1])].against]
        found = re.search(r"(pulls|issues)/(\d+)(?:/(comments|reviews|reactions))?$", path)
        item = self._item(found[2]) if found else None
        if found is None or item is None:
            return None
        kinds = {("pulls", "comments"): "line", ("pulls", "reviews"): "review", ("issues", "comments"): "talk"}
        if kind := kinds.get((found[1], found[3])):
            return [row(one) for one in self._said_of(item) if one.kind == kind]
        if found[3]:
            return [_reaction(who) for who in self.against]
        if found[1] == "pulls":
            return self._shown(item)
        by = {"login": self.closed_by, "type": "Bot" if self.closed_by.endswith("[bot]") else "User"}
        closed = bool(self.closed_by) and item["state"] != "open"  # who merged it has closed it, too
        return {"closed_by": by if closed else None, "reactions": {"-1": len(self.against)}}

    def _of_gitlab(self, path: str) -> Any:
        def row(one: Said) -> dict[str, Any]:
            side = {"new_line": one.line} if one.side == "RIGHT" else {"old_line": one.line}
            sha = {"head_sha": f"{one.number:040x}", "base_sha": f"{one.number:040x}"}
            position = {**sha, **side, "new_path": one.file, "old_path": one.file}
            note = {"id": one.number, "author": _user(one.person), "body": one.text, "updated_at": one.changed}
            return note | {"system": False, "position": position if one.line else None} | one.more

        if found := re.search(r"members/all/(\d+)$", path):
            name = next((name for name in self.may if _user(name)["id"] == int(found[1])), "")
            may = self.may.get(name)
            return (
                None if name not in self.may else _Refusal(403) if may is None else {"access_level": 30 if may else 20}
            )
        if found := re.search(r"repository/files/", path):
            one = next((one for one in self.said.values() if one.line), None)
            lines = [*[""] * (one.line - 1), one.shown] if one else []
            return {"content": base64.b64encode("\n".join(lines).encode()).decode()}
        if found := re.search(r"notes/(\d+)/award_emoji$", path):
            return [{"name": "thumbsdown", "user": _user(who)} for who in self.said[int(found[1])].against]
        if path.endswith("award_emoji"):
            return [{"name": "thumbsdown", "user": _user(who)} for who in self.against]
        found = re.search(r"merge_requests/(\d+)(?:/(discussions|reviewers))?$", path)
        item = self._item(found[1]) if found else None
        if found is None or item is None:
            return None
        said = self._said_of(item)
        if found[2] == "discussions":
            first = [one for one in said if one.kind != "review" and not one.answers]
            return [{"notes": [row(one) for one in said if of.number in (one.number, one.answers)]} for of in first]
        if found[2]:
            asking = [one for one in said if one.kind == "review"]
            return [{"user": _user(one.person), "state": "requested_changes", "created_at": ""} for one in asking]
        closed = self.closed_by and item["state"] == "closed"
        return self._shown(item) | {"closed_by": _user(self.closed_by) if closed else None}

    def _item(self, number: str) -> dict[str, Any] | None:
        return self.requests[int(number) - 1] if 0 < int(number) <= len(self.requests) else None

    def _said_of(self, item: dict[str, Any]) -> list[Said]:
        return [one for one in self.said.values() if one.request == item["number"]]

    def _shown(self, item: dict[str, Any]) -> dict[str, Any]:
        address = f"https://forge.example/team/skills/pull/{item['number']}"
        if self.kind == "github":
            return {
                "number": item["number"], "state": "open" if item["state"] == "open" else "closed",
                "merged_at": "2026-01-01T00:00:00Z" if item["state"] == "merged" else None,
                "head": {"ref": item["branch"], "sha": item["commit"], "repo": {"id": item["from"]}},
                "base": {"ref": item["into"], "repo": {"id": HERE}}, "title": item["title"],
                "user": {"login": item.get("author", "us"), "type": "User"},
                "body": item["body"].replace("\n", "\r\n"), "html_url": address,
            }  # fmt: skip
        state = {"open": "opened", "merged": "merged", "closed": "closed"}[item["state"]]
        return {
            "iid": item["number"], "state": state, "source_branch": item["branch"], "sha": item["commit"],
            "title": item["title"], "description": item["body"], "web_url": address,
            "source_project_id": item["from"], "target_project_id": HERE, "author": _user(item.get("author", "us")),
        }  # fmt: skip

    def __enter__(self) -> "FakeForge":
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
