"""Trace stores on loopback: the parts of their REST APIs that a pull asks, in the form that their own clients know."""

import base64
import json
import threading
from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

KEYS = {
    "braintrust": {"BRAINTRUST_API_KEY": "bt-key-0123456789"},
    "langsmith": {"LANGSMITH_API_KEY": "ls-key-0123456789"},
    "phoenix": {"PHOENIX_API_KEY": "px-key-0123456789"},
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


class FakeTraceStore(ABC):
    """`traces` is what it holds; `asked` every request; `before` may answer in its place, or break the connection."""

    kind = ""
    page = 100

    def __init__(self, *traces: Kept) -> None:
        self.traces = {item.id: item for item in traces}
        self._ordered: list[Kept] = []
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

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:  # whoever asked was killed
                return

        self._server = Server(("127.0.0.1", 0), Handler)
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

    @abstractmethod
    def answer(self, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any]:
        """Status and document for a request."""

    def among(self, ids: list[str] | None = None, first: str = "", end: str = "") -> list[Kept]:
        """Traces by their ids, or those of which something may lie between two times."""
        if ids is not None:
            return [self.traces[id] for id in ids if id in self.traces]
        near = timedelta(minutes=5)
        since, until = time_of(first) - near, time_of(end) + near
        ordered = self.ordered()
        start, stop = (bisect_left(ordered, when, key=lambda item: item.began) for when in (since, until))
        return ordered[start:stop]

    def ordered(self) -> list[Kept]:
        if len(self._ordered) != len(self.traces):
            self._ordered = sorted(self.traces.values(), key=lambda item: (item.began, item.id))
        return self._ordered

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
        ids = query["traceId"][0].split(",") if "traceId" in query else None
        if path.endswith("/v2/observations"):
            if "filter" in query:
                conditions = json.loads(query["filter"][0])
                when = {one["operator"]: one["value"] for one in conditions if one["type"] == "datetime"}
                query = {**query, "fromStartTime": [when[">="]], "toStartTime": [when["<"]]}
            first, end = query.get("fromStartTime"), query.get("toStartTime")
            rows = [
                row for item in self.among(ids, *(first or ()), *(end or ())) for row in langfuse_observations(item)
            ]
            rows = within(rows, "startTime", first, end)
            if "io" not in query["fields"][0]:
                named = ("id", "traceId", "startTime", "endTime", "updatedAt")
                rows = [{key: row[key] for key in named} for row in rows]
            rows = rows[::-1]  # the newest first
        else:
            among = self.ordered() if ids is None else self.among(ids)
            rows = [langfuse_score(item) for item in among if item.right is not None]
            rows = within(rows, "timestamp", query.get("fromTimestamp"), query.get("toTimestamp"))
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


class FakeLangSmith(FakeTraceStore):
    kind = "langsmith"

    def lets_in(self, headers: dict[str, str]) -> bool:
        return {name.lower(): value for name, value in headers.items()}.get("x-api-key") == KEYS["langsmith"][
            "LANGSMITH_API_KEY"
        ]

    def answer(self, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any]:
        if path.endswith("/v2/sessions"):
            found = [{"id": "00000000-0000-0000-0000-000000000001", "name": PROJECT}]
            return 200, {"items": found if query["name"] == [PROJECT] else [], "next_cursor": None}
        assert body["project_ids"] == ["00000000-0000-0000-0000-000000000001"]
        ids = [body["trace_id"]] if "trace_id" in body else None
        among = self.among(ids, body["min_start_time"], body["max_start_time"])
        rows = [run for item in among for run in langsmith_runs(item)]
        first, end = time_of(body["min_start_time"]), time_of(body["max_start_time"])
        rows = [run for run in rows if first <= time_of(run["start_time"]) < end]
        rows = [{name.lower(): run.get(name.lower()) for name in body["selects"]} for run in rows[::-1]]
        found, after = paged(rows, body.get("cursor", ""), min(self.page, body["page_size"]))
        return 200, {"items": found, "next_cursor": after or None}


def langsmith_runs(item: Kept) -> list[dict[str, Any]]:
    """As version 2 of the API has them."""

    def run(place: int, kind: str, given: Any, gave: Any, parents: list[str], **more: Any) -> dict[str, Any]:
        id = item.id if not parents else f"{item.id}-{place}"
        order = ".".join(f"20260101T00000{n}Z{one}" for n, one in enumerate([*parents, f"{place:02}-{id}"]))
        told = {"id": id, "trace_id": item.id, "run_type": kind, "name": kind.lower(), "parent_run_ids": parents}
        times = {
            "start_time": item.at(place),
            "end_time": item.at(place + 1),
            "status": "SUCCESS",
            "is_root": not parents,
        }
        return {**told, **times, "inputs": given, "outputs": gave, "dotted_order": order, "project_id": "p", **more}

    stats = {"correct": {"n": 1, "avg": float(item.right)}} if item.right is not None else {}
    made = [run(0, "CHAIN", {"question": item.asked}, {"output": item.answers[-1]}, [], feedback_stats=stats)]
    for place, (given, gave) in enumerate(item.calls):
        out = {"choices": [{"message": gave}]}
        made.append(
            run(1 + 2 * place, "LLM", {"messages": given}, out, [item.id], prompt_tokens=8, completion_tokens=5)
        )
    return [*made, run(2, "TOOL", {"of": "rows"}, {"output": item.result}, [item.id], name="count")]


def langsmith_export(item: Kept) -> dict[str, Any]:
    """As exports have a trace: runs with the names of version 1."""
    runs = []
    for run in langsmith_runs(item):
        parents = run["parent_run_ids"]
        left = {key: value for key, value in run.items() if key not in ("parent_run_ids", "is_root", "project_id")}
        named = {"run_type": run["run_type"].lower(), "status": "success"}
        runs.append({**left, **named, **({"parent_run_id": parents[-1]} if parents else {})})
    return {"runs": runs}


class FakePhoenix(FakeTraceStore):
    kind = "phoenix"

    def lets_in(self, headers: dict[str, str]) -> bool:
        return headers.get("Authorization") == f"Bearer {KEYS['phoenix']['PHOENIX_API_KEY']}"

    def answer(self, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any]:
        if not path.startswith(f"/v1/projects/{PROJECT}/"):
            return 404, {"detail": "no such project"}
        what = path.removeprefix(f"/v1/projects/{PROJECT}/")
        if what == "traces":
            first, end = (time_of(query[name][0]) for name in ("start_time", "end_time"))
            among = self.among(None, query["start_time"][0], query["end_time"][0])
            rows = [phoenix_trace(item) for item in among if first <= item.began < end]
        elif what == "spans/otlpv1":
            wanted = [self.traces[id] for id in query["trace_id"] if id in self.traces]
            rows = [snake_span(span) for item in wanted for span in otlp_spans(item)][::-1]
        elif what == "trace_annotations":
            wanted = [self.traces[id] for id in query["trace_ids"] if id in self.traces]
            rows = [annotation(item) for item in wanted if item.right is not None]
        else:
            rows = []
        found, after = paged(rows, query.get("cursor", [""])[0], min(self.page, int(query["limit"][0])))
        return 200, {"data": found, "next_cursor": after or None}


def phoenix_trace(item: Kept) -> dict[str, Any]:
    spans = [
        {"span_id": span["spanId"], "parent_id": span["parentSpanId"] or None, "status_code": "OK"}
        for span in otlp_spans(item)
    ]
    return {"id": f"g-{item.id}", "trace_id": item.id, "start_time": item.at(0), "end_time": item.at(9), "spans": spans}


def annotation(item: Kept) -> dict[str, Any]:
    told = {"id": f"a-{item.id}", "name": "correct", "annotator_kind": "HUMAN", "trace_id": item.id}
    return {
        **told,
        "updated_at": iso(item.scored or item.began),
        "result": {"label": None, "score": float(bool(item.right))},
    }


def otlp_spans(item: Kept) -> list[dict[str, Any]]:
    """OpenInference spans as a collector writes them."""

    def span(place: int, kind: str, given: dict[str, Any], parent: str = "r", name: str = "") -> dict[str, Any]:
        start = int(item.began.timestamp()) * 10**9 + place * 10**9
        told = {"openinference.span.kind": kind, **given}
        pairs = [{"key": key, "value": {"stringValue": value}} for key, value in told.items()]
        ids = {"traceId": item.id, "spanId": f"{item.id}-{place if parent else 'r'}"}
        ids["parentSpanId"] = f"{item.id}-{parent}" if parent else ""
        times = {"startTimeUnixNano": str(start), "endTimeUnixNano": str(start + 10**9)}
        return {**ids, "name": name or kind.lower(), **times, "attributes": pairs, "status": {"code": 1}}

    made = [span(0, "AGENT", {"input.value": item.asked, "output.value": item.answers[-1]}, "")]
    for place, (given, gave) in enumerate(item.calls):
        told = {"llm.model_name": "m"}
        for side, said in (("input", given), ("output", [gave])):
            for number, message in enumerate(said):
                told |= {f"llm.{side}_messages.{number}.{key}": value for key, value in flattened(message)}
        made.append(span(1 + 2 * place, "LLM", told))
    return [
        *made,
        span(2, "TOOL", {"tool.name": "count", "input.value": '{"of": "rows"}', "output.value": item.result}),
    ]


def flattened(message: dict[str, Any]) -> list[tuple[str, str]]:
    found = [(f"message.{key}", message[key]) for key in ("role", "content", "tool_call_id") if message.get(key)]
    for number, call in enumerate(message.get("tool_calls", ())):
        at = f"message.tool_calls.{number}.tool_call"
        found += [(f"{at}.id", call["id"])]
        found += [(f"{at}.function.{key}", call["function"][key]) for key in ("name", "arguments")]
    return found


def snake_span(span: dict[str, Any]) -> dict[str, Any]:
    """The same as the server gives it: other names, numbers for times, a null for each kind of value that it is not."""
    nothing = dict.fromkeys(("array_value", "bool_value", "bytes_value", "double_value", "int_value", "kvlist_value"))
    pairs = [
        {"key": pair["key"], "value": {**nothing, "string_value": pair["value"]["stringValue"]}}
        for pair in span["attributes"]
    ]
    ids = {"trace_id": span["traceId"], "span_id": span["spanId"], "parent_span_id": span["parentSpanId"] or None}
    times = {f"{name}_time_unix_nano": int(span[f"{name}TimeUnixNano"]) + 119 for name in ("start", "end")}
    return {
        **ids,
        **times,
        "name": span["name"],
        "attributes": pairs,
        "events": None,
        "status": {"code": 1, "message": None},
    }


def phoenix_export(item: Kept) -> dict[str, Any]:
    """OTLP JSON, with the annotations that Phoenix has beside it."""
    said = {"annotations": [annotation(item)]} if item.right is not None else {}
    return {"resourceSpans": [{"resource": {}, "scopeSpans": [{"spans": otlp_spans(item)}]}], **said}


class FakeBraintrust(FakeTraceStore):
    kind = "braintrust"

    def lets_in(self, headers: dict[str, str]) -> bool:
        return headers.get("Authorization") == f"Bearer {KEYS['braintrust']['BRAINTRUST_API_KEY']}"

    def answer(self, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any]:
        if path == "/v1/project":
            return 200, {"objects": [{"id": "p-1", "name": PROJECT}] if query["project_name"] == [PROJECT] else []}
        clauses = dict(part.strip().split(": ", 1) for part in body["query"].split(" | "))
        assert clauses["from"] == "project_logs('p-1')"
        asked = [condition.split(" ", 2) for condition in clauses["filter"].split(" and ")]
        by = {name + sign: value.strip("'") for name, sign, value in asked}
        first, end = by.get("created>=", ""), by.get("created<", "")
        among = self.among([by["root_span_id="]] if "root_span_id=" in by else None, first, end)
        rows = [row for item in among for row in braintrust_rows(item)]
        rows = within(rows, "created", [first] if first else None, [end] if end else None)
        rows = rows[::-1]
        if clauses["select"] != "*":
            rows = [{name: row[name] for name in clauses["select"].split(", ")} for row in rows]
        found, after = paged(rows, clauses.get("cursor", "").strip("'"), min(self.page, int(clauses["limit"])))
        return 200, {"data": found, "cursor": after or None}


def braintrust_rows(item: Kept) -> list[dict[str, Any]]:
    def row(
        place: int, kind: str, given: Any, gave: Any, above: str = "r", name: str = "", **more: Any
    ) -> dict[str, Any]:
        ids = {
            "id": f"{item.id}-{place}",
            "span_id": f"{item.id}-{place if above else 'r'}",
            "root_span_id": f"{item.id}",
        }
        ids |= {"_xact_id": f"{1000 + item.changed}", "span_parents": [f"{item.id}-{above}"] if above else None}
        told = {"created": item.at(place), "span_attributes": {"name": name or kind, "type": kind}}
        start = {"start": item.began.timestamp() + place}
        return {**ids, **told, "input": given, "output": gave, "metrics": {**start, **more}, "is_root": not above}

    scores = {} if item.right is None else {"correct": float(item.right)}
    made = [{**row(0, "task", item.asked, item.answers[-1], ""), "scores": scores}]
    for place, (given, gave) in enumerate(item.calls):
        said = [{"index": 0, "message": gave}]
        made.append(row(1 + 2 * place, "llm", given, said, prompt_tokens=8, completion_tokens=5))
    return [*made, row(2, "tool", {"of": "rows"}, item.result, name="count")]


FAKES: dict[str, type[FakeTraceStore]] = {
    item.kind: item for item in (FakeBraintrust, FakeLangfuse, FakeLangSmith, FakeMLflow, FakePhoenix)
}
EXPORTS: dict[str, Callable[[Kept], Any]] = {
    "braintrust": braintrust_rows,
    "langfuse": langfuse_export,
    "langsmith": langsmith_export,
    "mlflow": mlflow_export,
    "phoenix": phoenix_export,
}
