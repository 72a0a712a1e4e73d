"""MLflow's traces: `POST /api/3.0/mlflow/traces/search` for a day, `GET .../traces/get` for one with its spans.

https://mlflow.org/docs/latest/api_reference/rest-api.html; the address of the server is that of `MLFLOW_TRACKING_URI`.
"""

import json
import os
from collections.abc import Iterator, Sequence
from typing import Any

from trace2skill.core.errors import BadInput
from trace2skill.traces.stores.address import TraceStoreAddress
from trace2skill.traces.stores.base import AskedStore, TraceRow, of_trace, paged, row, stand
from trace2skill.traces.stores.rest import KeyOfStore, NotPulled, Rest
from trace2skill.traces.values import instant, label, mapping, objects

TOKEN = KeyOfStore(named_by=("MLFLOW_TRACKING_URI",), keys=("MLFLOW_TRACKING_TOKEN",))
USER = KeyOfStore(named_by=("MLFLOW_TRACKING_URI",), keys=("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"))
REMEDY = "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
PAGE = 200
SEARCH, GET, EXPERIMENT = "api/3.0/mlflow/traces/search", "api/3.0/mlflow/traces/get", "api/2.0/mlflow/experiments"
DEEPEST = 100
NUMBERS = {"int_value": int, "double_value": float, "bool_value": bool}


class MLflowStore(AskedStore):
    """See `TraceStore`. A project is an experiment, by its name or its id."""

    format = "mlflow"
    at_once = 50

    def __init__(self, address: TraceStoreAddress) -> None:
        user = USER.key_of(address) if os.environ.get(USER.keys[0]) else ()
        token = () if user else TOKEN.key_of(address)
        headers = {"Authorization": f"Bearer {token[0]}"} if token else {}
        super().__init__(Rest(address, headers, (user[0], user[1]) if user else None, REMEDY))
        self._filter, self._project, self._id = address.filter, address.project, ""

    def rows(self, first: str, end: str) -> Iterator[list[TraceRow]]:
        """See `TraceStore`."""
        day = first[:10]
        within = f"trace.timestamp_ms >= {_milliseconds(first)} AND trace.timestamp_ms < {_milliseconds(end)}"
        asked = {
            "locations": [{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": self._experiment()}}],
            "filter": f"{within} AND {self._filter}" if self._filter else within,
            "max_results": PAGE,
            "order_by": ["timestamp_ms ASC"],
        }

        def pages() -> Iterator[tuple[list[Any], str]]:
            token, number = "", 0
            while number == 0 or token:
                number += 1
                more = {"page_token": token} if token else {}
                what = f"page {number} of {day}"
                found = self._rest.post(SEARCH, what, {**asked, **more})
                rows = self._rest.listed(found, "traces", what, may_lack=("next_page_token",))
                token = label(found.get("next_page_token"), 2000)
                yield rows, token

        for infos in paged(pages()):
            yield [row(info.get("trace_id"), info.get("request_time"), stand(info)) for info in map(mapping, infos)]

    def whole(self, traces: Sequence[str]) -> Iterator[tuple[str, Any]]:
        """See `TraceStore`."""
        return self._each(traces, self._one)

    def _one(self, trace: str) -> Any:
        what = f"trace {trace}"
        found = mapping(mapping(self._rest.get(GET, what, {"trace_id": trace})).get("trace"))
        info = mapping(found.get("trace_info"))
        spans = objects(self._rest.listed(found, "spans", what, may_lack=("trace_info",) if info else None))
        of_trace(trace, [info], "trace_id")
        made = [_as_exported(span) for span in spans]
        of_trace(trace, [info, *({"trace_id": _named(span, trace)} for span in made)], "trace_id")
        return {"info": info, "data": {"spans": made}}

    def _experiment(self) -> str:
        if not self._id:
            asked: tuple[str, dict[str, str]] = ("get-by-name", {"experiment_name": self._project})
            what = f"the experiment '{self._project}'"
            try:
                found = self._rest.get(f"{EXPERIMENT}/{asked[0]}", what, asked[1])
            except NotPulled as error:
                if error.again or not self._project.isdigit():
                    raise
                found = self._rest.get(f"{EXPERIMENT}/get", what, {"experiment_id": self._project})
            self._id = label(mapping(mapping(found).get("experiment")).get("experiment_id"))
            if not self._id:
                raise BadInput(f"{self._rest.address.name} has no experiment of that name or id: name it by project=")
        return self._id


def _milliseconds(time: str) -> int:
    return round(instant(time) * 1000)


def _as_exported(span: dict[str, Any]) -> dict[str, Any]:
    """A span as `Trace.to_json()` writes it: attributes by name, each as JSON in a string."""
    given = {label(item.get("key")): _value(item.get("value"), 0) for item in objects(span.get("attributes"))}
    return {**span, "attributes": {key: json.dumps(value, ensure_ascii=False) for key, value in given.items()}}


def _named(span: dict[str, Any], trace: str) -> str:
    """The trace that a span names; the given one where it names none."""
    said = mapping(span.get("attributes")).get("mlflow.traceRequestId")
    return trace if said is None or said == json.dumps(trace, ensure_ascii=False) else ""


def _value(value: Any, depth: int) -> Any:
    """A value of a protocol buffer in JSON."""
    for kind, inner in mapping(value).items():
        if kind in NUMBERS:
            try:
                return NUMBERS[kind](inner)
            except (TypeError, ValueError):
                return inner
        if depth > DEEPEST:
            return None
        if kind == "array_value":
            return [_value(item, depth + 1) for item in objects(mapping(inner).get("values"))]
        if kind == "kvlist_value":
            pairs = objects(mapping(inner).get("values"))
            return {label(pair.get("key")): _value(pair.get("value"), depth + 1) for pair in pairs}
        return inner
    return None
