"""A forge on loopback with the two REST APIs as far as pull requests go. It takes one token."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "forge-token-0123456789"


class FakeForge:
    """`requests` holds pull requests as people see them; `asked` every request, as method and path."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.requests: list[dict[str, Any]] = []
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                body = json.loads(self.rfile.read(length)) if length else {}
                status, told = outer.answer(self.command, self.path, body, dict(self.headers))
                content = json.dumps(told).encode()
                self.send_response(status)
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
            branch = (asked.get("head") or asked.get("source_branch") or [""])[0].rpartition(":")[2]
            return 200, [self._shown(item) for item in self.requests if item["branch"] == branch]
        if method == "POST":
            item = {
                "number": len(self.requests) + 1,
                "state": "open",
                "branch": body.get("head") or body["source_branch"],
                "into": body.get("base") or body["target_branch"],
                "commit": "",
            }
            self.requests.append(item)
        else:
            item = self.requests[int(path.rpartition("/")[2]) - 1]
        item |= {"title": body["title"], "body": body["body"] if self.kind == "github" else body["description"]}
        return 201, self._shown(item)

    def _shown(self, item: dict[str, Any]) -> dict[str, Any]:
        address = f"https://forge.example/team/skills/pull/{item['number']}"
        if self.kind == "github":
            return {
                "number": item["number"], "state": "open" if item["state"] == "open" else "closed",
                "merged_at": "2026-01-01T00:00:00Z" if item["state"] == "merged" else None,
                "head": {"ref": item["branch"], "sha": item["commit"]}, "title": item["title"],
                "body": item["body"].replace("\n", "\r\n"), "html_url": address,
            }  # fmt: skip
        state = {"open": "opened", "merged": "merged", "closed": "closed"}[item["state"]]
        return {
            "iid": item["number"], "state": state, "source_branch": item["branch"], "sha": item["commit"],
            "title": item["title"], "description": item["body"], "web_url": address,
        }  # fmt: skip

    def __enter__(self) -> "FakeForge":
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
