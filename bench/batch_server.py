"""A provider with a batch API on loopback: OpenAI's files, batches and completions, answered by the simulated model.

    with BatchServer() as provider:
        settings = provider.model("office")    # over the real LiteLLM path, as `openai/office`

It counts what was sent, and misbehaves when it is told to. Its state outlives `stop` and `start`.
"""

import contextlib
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlparse

from trace2skill.sim.conversation import Heard, text_of
from trace2skill.sim.profile import profile_of
from trace2skill.sim.roles import play

PRICE, BATCH_PRICE = (1.0, 4.0), (0.5, 2.0)
"""US dollars per million tokens: half in batches."""
Body = dict[str, Any]


def simulated(body: Body) -> Body:
    """What the simulated model answers to a chat completion."""
    messages = tuple(dict(message) for message in body["messages"])
    heard = Heard(
        profile=profile_of(body["model"]),
        messages=messages,
        native_tools=bool(body.get("tools")),
        seed=body.get("seed") or 0,
    )
    spoken = play(heard)
    message: Body = {"role": "assistant", "content": spoken.text}
    if spoken.tool:
        function = {"name": spoken.tool, "arguments": json.dumps(spoken.arguments)}
        message["tool_calls"] = [{"id": f"call_{heard.turns}", "type": "function", "function": function}]
    prompt = sum(len(text_of(item)) for item in messages) // 4 + 1
    answer = (len(spoken.text) + len(json.dumps(spoken.arguments))) // 4 + 1
    return completion(message, body["model"], prompt, answer, spoken.finish)


def completion(message: Body, model: str, prompt: int = 100, answer: int = 10, finish: str = "stop") -> Body:
    """A chat completion as OpenAI has it."""
    choice = {"index": 0, "finish_reason": finish, "message": message}
    usage = {"prompt_tokens": prompt, "completion_tokens": answer, "total_tokens": prompt + answer}
    return {"id": "c", "object": "chat.completion", "created": 1, "model": model, "choices": [choice], "usage": usage}


class BatchServer:
    """The provider. What is counted: `single` calls, batches by the name in their metadata, calls in batches by id."""

    def __init__(self, speak: Callable[[Body], Body] = simulated) -> None:
        self.speak = speak
        self.looks = 1
        """So many times a batch is looked at before it has ended."""
        self.ends = "completed"
        self.twist: Callable[[list[Body]], list[Body]] = lambda lines: lines
        self.errors: Callable[[list[Body]], list[Body]] = lambda lines: []
        self.lost: set[str] = set()
        """'answers': the connection breaks once a batch is made; 'output': files of answers cannot be read."""
        self.refuses = 0
        """So many requests get an error in place of an answer."""
        self.refusal = 503
        self.watched: Callable[[str], None] = lambda what: None
        """Is told of every request, once before it is looked at and once before it is answered."""
        self.age: float | None = 0.0
        """Seconds by which batches are older than they are; None where it does not say how old they are."""
        self.counts: Body | None = {}
        """What it says of how many calls a batch has, has done and has failed in, besides what is so; None: nothing."""
        self.deaf = 0
        """So many requests to end a batch fail."""
        self.single: list[Body] = []
        self.uploaded: list[bytes] = []
        self.names: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        self.in_batches: set[str] = set()
        self.again = 0
        """So many single calls were in a batch already."""
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, Body] = {}
        self._looked: Counter[str] = Counter()
        self._guard = threading.RLock()
        self._port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    def model(self, name: str = "office", **more: Any) -> dict[str, Any]:
        """Settings of a model of this provider."""
        prices = {"price": PRICE, "batch_price": BATCH_PRICE}
        return {
            "name": f"openai/{name}",
            "api_base": self.url,
            "tools": "native",
            "answers": "schema",
            **prices,
            **more,
        }

    def __enter__(self) -> "BatchServer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Answer, at the address of before."""
        self._server = _Quiet(("127.0.0.1", self._port), _handler(self))
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        """Answer nobody any more; what there is stays."""
        self._server.shutdown()
        self._server.server_close()

    def answer(self, method: str, path: str, content: bytes, kind: str) -> tuple[int, Any]:
        """Status and body; None for a connection that breaks."""
        where = urlparse(path)
        parts = where.path.removeprefix("/v1/").split("/")
        with self._guard:
            if self.refuses > 0:
                self.refuses -= 1
                return self.refusal, {"error": {"message": "overloaded"}}
            if method == "POST" and parts == ["chat", "completions"]:
                self.single.append(json.loads(content))
                self.again += json.dumps(self.single[-1], sort_keys=True) in self.in_batches
                return 200, self.speak(self.single[-1])
            if parts[0] == "files":
                return self._file(method, parts, content, kind)
            if parts[0] == "batches":
                return self._batch(method, parts, content, parse_qs(where.query))
        return 404, {"error": {"message": f"no {path}"}}

    def _file(self, method: str, parts: list[str], content: bytes, kind: str) -> tuple[int, Any]:
        if method == "POST":
            id = f"file-{len(self.files) + 1}"
            self.files[id] = _uploaded(content, kind)
            self.uploaded.append(self.files[id])
            return 200, _file(id, len(self.files[id]))
        if parts[1] not in self.files or ("output" in self.lost and parts[1].startswith("file-out")):
            return 404, {"error": {"message": f"no file {parts[1]}"}}
        if method == "DELETE":
            self.files[parts[1]] = b""
            return 200, {"id": parts[1], "object": "file", "deleted": True}
        return 200, self.files[parts[1]]

    def _batch(self, method: str, parts: list[str], content: bytes, query: dict[str, list[str]]) -> tuple[int, Any]:
        if method == "GET" and len(parts) == 1:
            ids = [*reversed(self.batches)]
            after = ids.index(query["after"][0]) + 1 if "after" in query else 0
            page = ids[after : after + int(query.get("limit", ["20"])[0])]
            found = [self.batches[id] for id in page]
            return 200, {"object": "list", "data": found, "has_more": bool(page) and page[-1] != ids[-1]}
        if method == "POST" and len(parts) == 1:
            return self._made(json.loads(content))
        batch = self.batches.get(parts[1])
        if batch is None:
            return 404, {"error": {"message": f"no batch {parts[1]}"}}
        if method == "POST":
            if self.deaf > 0:
                self.deaf -= 1
                return 500, {"error": {"message": "not now"}}
            batch["status"] = "cancelling"
            return 200, batch
        self._looked[parts[1]] += 1
        if (self._looked[parts[1]] >= self.looks or batch["status"] == "cancelling") and not batch["output_file_id"]:
            self._end(batch)
        return 200, batch

    def _made(self, asked: Body) -> tuple[int, Any]:
        id = f"batch_{len(self.batches) + 1}"
        lines = [json.loads(line) for line in self.files[asked["input_file_id"]].splitlines()]
        self.names[str((asked.get("metadata") or {}).get("trace2skill"))] += 1
        self.calls.update(line["custom_id"] for line in lines)
        self.in_batches.update(json.dumps(line["body"], sort_keys=True) for line in lines)
        self.batches[id] = {
            "id": id,
            "object": "batch",
            "endpoint": asked["endpoint"],
            "errors": None,
            "input_file_id": asked["input_file_id"],
            "completion_window": "24h",
            "status": "in_progress",
            "output_file_id": None,
            "error_file_id": None,
            "created_at": 0 if self.age is None else int(time.time() - self.age),
            "metadata": asked.get("metadata"),
            "request_counts": {"total": len(lines), "completed": 0, "failed": 0},
        }
        return (0, None) if "answers" in self.lost else (200, self.batches[id])

    def _end(self, batch: Body) -> None:
        asked = [json.loads(line) for line in self.files[batch["input_file_id"]].splitlines()]
        wrong = self.errors(asked)
        failed = {line.get("custom_id") for line in wrong}
        right = [
            {
                "id": "r",
                "custom_id": line["custom_id"],
                "response": {"status_code": 200, "request_id": "q", "body": self.speak(line["body"])},
                "error": None,
            }
            for line in asked
            if line["custom_id"] not in failed
        ]
        number = batch["id"].rpartition("_")[2]
        made = self.twist(right)
        for name, lines in ((f"file-out-{number}", made), (f"file-err-{number}", wrong)):
            if lines:
                self.files[name] = b"".join(_raw(line) + b"\n" for line in lines)
                batch["output_file_id" if "out" in name else "error_file_id"] = name
        ended = "cancelled" if batch["status"] == "cancelling" else self.ends
        batch["status"] = ended
        done = len(right) if ended == "completed" else len(made)
        said = {"total": len(asked), "completed": done, "failed": len(wrong)}
        batch["request_counts"] = None if self.counts is None else {**said, **self.counts}


class _Quiet(ThreadingHTTPServer):
    """A server whose clients may die."""

    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        return


def _file(id: str, size: int) -> Body:
    known = {"id": id, "object": "file", "bytes": size, "created_at": 1}
    return {**known, "filename": "calls.jsonl", "purpose": "batch", "status": "processed"}


def _raw(line: Any) -> bytes:
    """A line of a file; text is one that is none."""
    return line.encode() if isinstance(line, str) else json.dumps(line).encode()


def _uploaded(content: bytes, kind: str) -> bytes:
    """The file of a form."""
    form = BytesParser().parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + content)
    parts = [part for part in form.get_payload() if isinstance(part, type(form)) and part.get_filename()]
    return bytes(parts[0].get_payload(decode=True))  # type: ignore[arg-type]


def _handler(provider: BatchServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            content = self.rfile.read(int(self.headers.get("content-length") or 0))
            kind = self.headers.get("content-type") or ""
            provider.watched(f"{self.command} {self.path}")
            status, body = provider.answer(self.command, self.path, content, kind)
            provider.watched(f"{self.command} {self.path} done")
            if status == 0:
                self.close_connection = True
                return
            payload = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(payload)))
            self.end_headers()
            with contextlib.suppress(BrokenPipeError):  # whoever asked may be dead
                self.wfile.write(payload)

        do_GET = do_POST = do_DELETE = _serve

        def log_message(self, *_: object) -> None:
            return

    return Handler
