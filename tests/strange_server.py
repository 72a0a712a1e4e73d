"""An OpenAI-compatible server on loopback that answers as strange servers do: one answer for each request, in order."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

GOOD = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
ABSENT = object()


def said(text: str | None = "fine", usage: Any = GOOD, **message: Any) -> dict[str, Any]:
    """A completion; `usage` as the server has it, or `ABSENT`."""
    answer = {
        "id": "1", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text, **message}}],
    }  # fmt: skip
    return answer if usage is ABSENT else {**answer, "usage": usage}


class StrangeServer:
    """`replies` are (status, body, headers), each after so many `seconds`; the last is given again and again."""

    def __init__(self, *replies: tuple[int, Any, dict[str, str]], seconds: float = 0.0) -> None:
        self.replies = list(replies)
        self.requests: list[dict[str, Any]] = []
        self.released = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.requests.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                outer.released.wait(seconds)
                status, body, headers = outer.replies[min(len(outer.requests), len(outer.replies)) - 1]
                content = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else json.dumps(body).encode()
                self.send_response(status)
                for name, value in {
                    "content-type": "application/json",
                    "content-length": str(len(content)),
                    **headers,
                }.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> "StrangeServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
