"""Phoenix's traces: `GET /v1/projects/P/traces` for a day, `/spans/otlpv1` for one, with the annotations of both.

https://arize.com/docs/phoenix/sdk-api-reference; the address is that of `PHOENIX_COLLECTOR_ENDPOINT`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from trace2skill.traces.stores.address import TraceStoreAddress
from trace2skill.traces.stores.base import AskedStore, TraceRow, is_id, of_batch, of_trace, paged, row, stand
from trace2skill.traces.stores.rest import KeyOfStore, NotPulled, Rest
from trace2skill.traces.values import label, mapping, objects

KEY = KeyOfStore(
    hosts=("app.phoenix.arize.com",),
    named_by=("PHOENIX_COLLECTOR_ENDPOINT", "PHOENIX_ENDPOINT", "PHOENIX_BASE_URL"),
    keys=("PHOENIX_API_KEY",),
)
PAGE, SPAN_PAGE, ANNOTATIONS = 50, 500, 1000
DEEPEST = 50
KINDS = {
    "string_value": "stringValue", "bool_value": "boolValue", "int_value": "intValue", "double_value": "doubleValue",
    "bytes_value": "bytesValue",
}  # fmt: skip


class PhoenixStore(AskedStore):
    """See `TraceStore`. A project is one by its name or id; what is said of a trace's first span is said of it."""

    format = "otlp"
    at_once = PAGE

    def __init__(self, address: TraceStoreAddress) -> None:
        keys = KEY.key_of(address)
        headers = {"Authorization": f"Bearer {keys[0]}"} if keys else {}
        super().__init__(Rest(address, headers, remedy=KEY.keys[0]))
        self._at, self._filter = f"v1/projects/{quote(address.project, safe='')}", address.filter

    def rows(self, first: str, end: str) -> Iterator[list[TraceRow]]:
        """See `TraceStore`."""
        asked: list[tuple[str, Any]] = [("start_time", first), ("end_time", end), ("order", "asc"), ("limit", PAGE)]
        asked += [("include_spans", "true"), *([("filter", self._filter)] if self._filter else [])]
        for found in self._pages("traces", first[:10], asked):
            listed = [item for item in found if is_id(item.get("trace_id"))]
            yield [row(item.get("trace_id"), item.get("start_time"), stand(item)) for item in found]
            roots = {
                label(span.get("span_id")): item["trace_id"]
                for item in listed
                for span in objects(item.get("spans"))
                if not span.get("parent_id")
            }
            said = self._annotations([item["trace_id"] for item in listed], roots)
            yield [
                row(trace, "", stand(one.get("id"), one.get("updated_at")), only_known=True)
                for trace, told in said.items()
                for one in told
            ]

    def whole(self, traces: Sequence[str]) -> Iterator[tuple[str, Any]]:
        """See `TraceStore`."""
        spans: dict[str, list[dict[str, Any]] | NotPulled] = {}
        for trace in traces:
            try:
                with self._rest.one_trace():
                    spans[trace] = self._spans(trace)
            except NotPulled as error:
                spans[trace] = error
        roots = {
            label(span.get("spanId")): trace
            for trace, found in spans.items()
            for span in ([] if isinstance(found, NotPulled) else found)
            if not span.get("parentSpanId")
        }
        there = [trace for trace, found in spans.items() if not isinstance(found, NotPulled)]
        try:
            said = self._annotations(there, roots)
        except NotPulled as error:
            said, spans = {}, spans | dict.fromkeys(there, of_batch(error))
        for trace, found in spans.items():
            if isinstance(found, NotPulled):
                yield trace, found
                continue
            batch = {"resource": {}, "scopeSpans": [{"spans": found}]}
            yield trace, {"resourceSpans": [batch], "annotations": said.get(trace, [])}

    def _spans(self, trace: str) -> list[dict[str, Any]]:
        pages = self._pages("spans/otlpv1", f"trace {trace}", [("trace_id", trace), ("limit", SPAN_PAGE)])
        spans = [_as_exported(span) for page in pages for span in page]
        of_trace(trace, spans, "traceId")
        return spans

    def _annotations(self, traces: Sequence[str], roots: Mapping[str, str]) -> Mapping[str, list[dict[str, Any]]]:
        """What is said of traces, and of the first spans of them, by trace."""
        found: dict[str, list[dict[str, Any]]] = {}
        for path, name, ids in (
            ("trace_annotations", "trace_ids", list(traces)),
            ("span_annotations", "span_ids", [id for id in roots if is_id(id)]),
        ):
            for start in range(0, len(ids), PAGE):
                asked = [(name, id) for id in ids[start : start + PAGE]] + [("limit", ANNOTATIONS)]
                for page in self._pages(path, f"the annotations of traces from {traces[0]} on", asked):
                    for one in page:
                        trace = label(one.get("trace_id")) or roots.get(label(one.get("span_id")), "")
                        found.setdefault(trace, []).append({**one, "trace_id": trace})
        return {trace: sorted(told, key=lambda one: label(one.get("id"))) for trace, told in found.items()}

    def _pages(self, path: str, what: str, asked: Sequence[tuple[str, Any]]) -> Iterator[list[dict[str, Any]]]:
        def pages() -> Iterator[tuple[list[Any], str]]:
            cursor, number = "", 0
            while number == 0 or cursor:
                number += 1
                more = [("cursor", cursor)] if cursor else []
                found = self._rest.get(f"{self._at}/{path}", f"page {number} of {what}", [*asked, *more])
                rows = self._rest.listed(found, "data", f"page {number} of {what}")
                cursor = label(found.get("next_cursor"), 2000)
                yield [*map(mapping, rows)], cursor

        return paged(pages())


def _as_exported(span: Mapping[str, Any]) -> dict[str, Any]:
    """A span as OTLP JSON has it: names without underscores, times in whole microseconds, as the server keeps them."""
    status = mapping(span.get("status"))
    return {
        "traceId": span.get("trace_id"),
        "spanId": span.get("span_id"),
        "parentSpanId": label(span.get("parent_span_id")),
        "name": label(span.get("name")),
        "startTimeUnixNano": str(_whole(span.get("start_time_unix_nano"))),
        "endTimeUnixNano": str(_whole(span.get("end_time_unix_nano"))),
        "attributes": _attributes(span.get("attributes"), 0),
        "events": [
            {"name": label(event.get("name")), "attributes": _attributes(event.get("attributes"), 0)}
            for event in objects(span.get("events"))
        ],
        "status": {name: value for name, value in status.items() if value is not None},
    }


def _whole(time: Any) -> int:
    """A time in nanoseconds that went through a float."""
    digits = label(time)
    return round(int(digits) / 1000) * 1000 if digits.isascii() and digits.isdigit() and len(digits) < 20 else 0


def _attributes(given: Any, depth: int) -> list[dict[str, Any]]:
    return [{"key": item.get("key"), "value": _value(item.get("value"), depth)} for item in objects(given)]


def _value(value: Any, depth: int) -> dict[str, Any]:
    for kind, inner in mapping(value).items():
        if inner is None or depth > DEEPEST:
            continue
        if kind == "array_value":
            return {
                "arrayValue": {"values": [_value(item, depth + 1) for item in objects(mapping(inner).get("values"))]}
            }
        if kind == "kvlist_value":
            return {"kvlistValue": {"values": _attributes(mapping(inner).get("values"), depth + 1)}}
        if kind in KINDS:
            return {KINDS[kind]: str(inner) if kind == "int_value" else inner}
    return {}
