"""Trace stores on loopback: the parts of their REST APIs that a pull asks, in the form that their own clients know."""

import base64
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

KEYS = {
    "langfuse": {"LANGFUSE_PUBLIC_KEY": "pk-lf-0123456789", "LANGFUSE_SECRET_KEY": "sk-lf-0123456789"},
    "mlflow": {"MLFLOW_TRACKING_USERNAME": "someone", "MLFLOW_TRACKING_PASSWORD": "mlflow-0123456789"},
}  # fmt: skip
PROJECT = "airline"


@dataclass
class Kept:
    """A trace: a question, a call of a tool, an answer; and how it ended, where somebody said so."""

    id: str
    began: datetime
    asked: str = "How many rows?"
    result: str = "7 rows"
    answers: list[str] = field(default_factory=lambda: ["Seven."])
    right: bool | None = None
    scored: datetime | None = None
    changed: int = 0
    session: str = ""

    def more(self, answer: str) -> None:
        """It goes on: one more call of the model."""
        self.answers.append(answer)
        self.changed += 1

    def score(self, right: bool, when: datetime) -> None:
        """Somebody says how it ended."""
        self.right, self.scored, self.changed = right, when, self.changed + 1

    @property
    def wants(self) -> dict[str, Any]:
        return {"id": f"c-{self.id}", "type": "function", "function": {"name": "count", "arguments": '{"of": "rows"}'}}

    @property
    def calls(self) -> list[tuple[list[dict[str, Any]], dict[str, Any]]]:
        """The calls of the model: what it was given, what it gave."""
        given: list[dict[str, Any]] = [{"role": "user", "content": self.asked}]
        made = [(list(given), {"role": "assistant", "content": None, "tool_calls": [self.wants]})]
        given += [made[0][1], {"role": "tool", "tool_call_id": f"c-{self.id}", "content": self.result}]
        for answer in self.answers:
            said = {"role": "assistant", "content": answer}
            made.append((list(given), said))
            given.append(said)
        return made

    def at(self, second: int) -> str:
        return iso(self.began + timedelta(seconds=second))


def iso(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def time_of(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


Answer = tuple[int, Any, dict[str, str]]


class FakeTraceStore:
    """`traces` is what it holds; `asked` every request; `before` may answer in its place, or break the connection."""

    kind = ""
    page = 100

    def __init__(self, *traces: Kept) -> None:
        self.traces = {item.id: item for item in traces}
        self.asked: list[str] = []
        self.bodies: list[Any] = []
        self.before: Callable[[str], Answer | None] = lambda _: None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize, disable_nagle_algorithm = -1, True  # one packet an answer

            def reply(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                body = json.loads(self.rfile.read(length)) if length else {}
                status, told, headers = outer.reply(self.command, self.path, body, dict(self.headers))
                content = told if isinstance(told, bytes) else json.dumps(told).encode()
                self.send_response(status)
                for name, value in {"content-length": str(len(content)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = reply

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def address(self, *more: str) -> str:
        query = "&".join([*([f"project={PROJECT}"] * (self.kind != "langfuse")), *more])
        return f"{self.kind}+http://127.0.0.1:{self._server.server_port}{'?' if query else ''}{query}"

    def add(self, *traces: Kept) -> None:
        self.traces |= {item.id: item for item in traces}

    def reply(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Answer:
        self.asked.append(f"{method} {path}")
        self.bodies.append(body)
        if (instead := self.before(path)) is not None:
            return instead
        if not self.lets_in(headers):
            return 401, {"message": f"no such key: {headers.get('Authorization', '')}"}, {}
        parts = urlsplit(path)
        return (*self.answer(parts.path, parse_qs(parts.query), body), {})

    def lets_in(self, headers: dict[str, str]) -> bool:
        pair = ":".join(KEYS[self.kind].values())
        return headers.get("Authorization") == "Basic " + base64.b64encode(pair.encode()).decode()

    def answer(self, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any]:
        raise NotImplementedError

    def ordered(self) -> list[Kept]:
        return sorted(self.traces.values(), key=lambda item: (item.began, item.id))

    def __enter__(self) -> "FakeTraceStore":
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def paged(rows: list[Any], cursor: str, limit: int) -> tuple[list[Any], str]:
    """A page of rows, and the cursor of the next one."""
    start = int(base64.b64decode(cursor)) if cursor else 0
    after = start + limit
    return rows[start:after], base64.b64encode(str(after).encode()).decode() if after < len(rows) else ""


class FakeMLflow(FakeTraceStore):
    kind = "mlflow"

    def answer(self, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any]:
        if path.endswith("/experiments/get-by-name"):
            if query["experiment_name"] == [PROJECT]:
                return 200, {"experiment": {"experiment_id": "1", "name": PROJECT}}
            return 404, {"error_code": "RESOURCE_DOES_NOT_EXIST"}
        if path.endswith("/traces/search"):
            words = body["filter"].split()
            first, end = (int(words[words.index(sign) + 1]) for sign in (">=", "<"))
            found = [self.info(item) for item in self.ordered() if first <= round(item.began.timestamp() * 1000) < end]
            rows, token = paged(found, body.get("page_token", ""), min(self.page, body["max_results"]))
            return 200, {"traces": rows, **({"next_page_token": token} if token else {})}
        item = self.traces.get(query["trace_id"][0])
        if item is None:
            return 404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no such trace"}
        spans = [{**span, "attributes": attributes(span["attributes"])} for span in mlflow_spans(item)]
        return 200, {"trace": {"trace_info": self.info(item), "spans": spans}}

    def info(self, item: Kept) -> dict[str, Any]:
        sizes = {"mlflow.trace.sizeStats": json.dumps({"num_spans": len(item.calls) + 2})}
        meta = {**sizes, **({"mlflow.trace.session": item.session} if item.session else {})}
        made = {"trace_id": item.id, "request_time": iso(item.began), "state": "OK", "trace_metadata": meta}
        return {**made, "tags": {"mlflow.traceName": "agent"}, "assessments": assessments(item)}


def assessments(item: Kept) -> list[dict[str, Any]]:
    if item.right is None:
        return []
    by = {"source_type": "HUMAN", "source_id": "x"}
    return [{"assessment_name": "correct", "source": by, "feedback": {"value": item.right}, "trace_id": item.id}]


def mlflow_spans(item: Kept) -> list[dict[str, Any]]:
    """Spans with attributes as they were set; the server has them as protocol buffers, an export as JSON in strings."""

    def span(place: int, kind: str, given: Any, gave: Any, parent: str = "r", name: str = "") -> dict[str, Any]:
        told = {"mlflow.traceRequestId": item.id, "mlflow.spanType": kind, "mlflow.spanInputs": given}
        start = int(item.began.timestamp()) * 10**9 + place * 10**9
        ids = {"span_id": "r" if not parent else f"s{place}", **({"parent_span_id": parent} if parent else {})}
        times = {"start_time_unix_nano": start, "end_time_unix_nano": start + 1}
        told |= {"mlflow.spanOutputs": gave}
        return {**ids, "name": name or kind.lower(), **times, "status": {"code": "STATUS_CODE_OK"}, "attributes": told}

    made = [span(0, "AGENT", {"question": item.asked}, item.answers[-1], "")]
    for place, (given, gave) in enumerate(item.calls):
        asked = {"messages": given, "model": "m"}
        made.append(span(1 + 2 * place, "CHAT_MODEL", asked, {"choices": [{"message": gave}]}))
    return [*made, span(2, "TOOL", {"of": "rows"}, item.result, name="count")]


def attributes(given: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": value_of(value)} for key, value in given.items()]


def value_of(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        pairs = [{"key": key, "value": value_of(inner)} for key, inner in value.items()]
        return {"kvlist_value": {"values": pairs}}
    if isinstance(value, list):
        return {"array_value": {"values": [value_of(inner) for inner in value]}}
    return {"string_value": value} if isinstance(value, str) else {} if value is None else {"int_value": value}


def mlflow_export(item: Kept) -> dict[str, Any]:
    """What `Trace.to_json()` writes."""
    spans = [
        {**span, "attributes": {key: json.dumps(value) for key, value in span["attributes"].items()}}
        for span in mlflow_spans(item)
    ]
    return {"info": FakeMLflow.info(FakeMLflow, item), "data": {"spans": spans}}  # type: ignore[arg-type]


class FakeLangfuse(FakeTraceStore):
    kind = "langfuse"

    def answer(self, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any]:
        limit, cursor = int(query["limit"][0]), query.get("cursor", [""])[0]
        if path.endswith("/v2/observations"):
            rows = [row for item in self.ordered() for row in langfuse_observations(item)]
            if "filter" in query:
                when = {
                    one["operator"]: one["value"] for one in json.loads(query["filter"][0]) if one["type"] == "datetime"
                }
                query = {**query, "fromStartTime": [when[">="]], "toStartTime": [when["<"]]}
            rows = within(rows, "startTime", query.get("fromStartTime"), query.get("toStartTime"))
            if "traceId" in query:
                rows = [row for row in rows if row["traceId"] == query["traceId"][0]]
            if "io" not in query["fields"][0]:
                rows = [
                    {key: row[key] for key in ("id", "traceId", "startTime", "endTime", "updatedAt")} for row in rows
                ]
            rows = rows[::-1]  # the newest first
        else:
            rows = [langfuse_score(item) for item in self.ordered() if item.right is not None]
            rows = within(rows, "timestamp", query.get("fromTimestamp"), query.get("toTimestamp"))
            if "traceId" in query:
                rows = [row for row in rows if row["subject"]["id"] in query["traceId"][0].split(",")]
        found, after = paged(rows, cursor, min(limit, self.page))
        return 200, {"data": found, "meta": {"limit": limit, **({"cursor": after} if after else {})}}


def within(rows: list[Any], field: str, first: list[str] | None, end: list[str] | None) -> list[Any]:
    if first is None or end is None:
        return rows
    return [row for row in rows if time_of(first[0]) <= time_of(row[field]) < time_of(end[0])]


def langfuse_observations(item: Kept) -> list[dict[str, Any]]:
    def row(place: int, kind: str, given: Any, gave: Any, parent: str | None = "r", **more: Any) -> dict[str, Any]:
        ids = {"id": f"{item.id}-{'r' if parent is None else place}", "traceId": item.id, "projectId": "p"}
        above = None if parent is None else f"{item.id}-r"
        times = {"startTime": item.at(place), "endTime": item.at(place + 1), "updatedAt": item.at(60 + item.changed)}
        io = {"input": json.dumps(given), "output": gave if isinstance(gave, str) else json.dumps(gave)}
        told = {"type": kind, "name": kind.lower(), "level": "DEFAULT", "traceName": "counting", **more}
        return {**ids, "parentObservationId": above, **times, **io, **told}

    made = [row(0, "AGENT", {"question": item.asked}, item.answers[-1], None)]
    for place, (given, gave) in enumerate(item.calls):
        usage = {"usageDetails": {"input": 8, "output": 5}, "model": "m"}
        made.append(row(1 + 2 * place, "GENERATION", given, gave, **usage))
    made.append(row(2, "TOOL", {"of": "rows"}, item.result, name="count"))
    return [{**one, "sessionId": item.session} for one in made] if item.session else made


def langfuse_score(item: Kept) -> dict[str, Any]:
    when = iso(item.scored or item.began)
    told = {"id": f"score-{item.id}", "name": "correct", "value": bool(item.right), "dataType": "BOOLEAN"}
    more = {"source": "ANNOTATION", "timestamp": when, "updatedAt": iso(item.began + timedelta(seconds=item.changed))}
    return {**told, **more, "subject": {"kind": "trace", "id": item.id}}


def langfuse_export(item: Kept) -> dict[str, Any]:
    """What its interface and its older API give of a trace."""
    scored = [{**langfuse_score(item), "traceId": item.id}] if item.right is not None else []
    told = {"id": item.id, "timestamp": iso(item.began), "name": "counting", "scores": scored}
    return {
        **told,
        **({"sessionId": item.session} if item.session else {}),
        "observations": langfuse_observations(item),
    }


FAKES: dict[str, type[FakeTraceStore]] = {"langfuse": FakeLangfuse, "mlflow": FakeMLflow}
EXPORTS: dict[str, Callable[[Kept], Any]] = {"langfuse": langfuse_export, "mlflow": mlflow_export}
