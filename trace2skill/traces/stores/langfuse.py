"""Langfuse's traces: `GET /api/public/v2/observations` and `/v3/scores`, by the day and for one trace.

These are what its servers from version 4 on have (https://langfuse.com/docs/api); a trace is what its observations and
scores name. The address is that of `LANGFUSE_BASE_URL`.
"""

from collections.abc import Iterator, Mapping, Sequence
from json import JSONDecodeError, dumps, loads
from typing import Any

from trace2skill.core.errors import BadInput
from trace2skill.traces.stores.address import TraceStoreAddress
from trace2skill.traces.stores.base import AskedStore, TraceRow, of_batch, of_trace, paged, row, stand
from trace2skill.traces.stores.rest import KeyOfStore, NotPulled, Rest
from trace2skill.traces.values import label, mapping

KEY = KeyOfStore(
    hosts=("cloud.langfuse.com", "us.cloud.langfuse.com", "hipaa.cloud.langfuse.com", "jp.cloud.langfuse.com"),
    named_by=("LANGFUSE_BASE_URL", "LANGFUSE_HOST"),
    keys=("LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY"),
)
REMEDY = "LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY"
OBSERVATIONS, SCORES = "api/public/v2/observations", "api/public/v3/scores"
PAGE, SCORE_PAGE = 500, 100
WHOLE = "basic,time,io,metadata,model,usage,trace_context"


class LangfuseStore(AskedStore):
    """See `TraceStore`. The keys say which project."""

    format = "langfuse"
    at_once = 50

    def __init__(self, address: TraceStoreAddress) -> None:
        keys = KEY.key_of(address)
        if not keys:
            raise BadInput(f"{address.name} needs {' and '.join(KEY.keys)} in the environment")
        super().__init__(
            Rest(address, {}, (keys[0], keys[1]), REMEDY, "; a server of Langfuse has this from version 4 on")
        )
        self._filter = _conditions(address.filter)

    def rows(self, first: str, end: str) -> Iterator[list[TraceRow]]:
        """See `TraceStore`. A score is listed on the day that it was given, whenever its trace began."""
        day = first[:10]
        asked: dict[str, Any] = {"fields": "time", "limit": PAGE, "fromStartTime": first, "toStartTime": end}
        if self._filter:  # it takes the place of the others
            asked["filter"] = dumps([*self._filter, _when(">=", first), _when("<", end)])
        for found in self._pages(OBSERVATIONS, day, asked):
            yield [row(_one_id(item.get("traceId")), item.get("startTime"), _stands(item)) for item in found]
        scored = {"fields": "subject", "limit": SCORE_PAGE, "fromTimestamp": first, "toTimestamp": end}
        for found in self._pages(SCORES, f"the scores of {day}", scored):
            yield [
                row(_one_id(_scored(item)), item.get("timestamp"), _stands(item), only_known=True)
                for item in found
                if mapping(item.get("subject")).get("kind") in ("trace", "observation")
            ]

    def whole(self, traces: Sequence[str]) -> Iterator[tuple[str, Any]]:
        """See `TraceStore`."""
        try:
            scores = self._scores_of(traces)
        except NotPulled as error:
            yield from ((trace, of_batch(error)) for trace in traces)
            return
        yield from self._each(traces, lambda trace: self._one(trace, scores.get(trace, [])))

    def _one(self, trace: str, scores: list[dict[str, Any]]) -> Any:
        asked = {"fields": WHOLE, "limit": SCORE_PAGE, "traceId": trace}
        rows = [one for page in self._pages(OBSERVATIONS, f"trace {trace}", asked) for one in page]
        of_trace(trace, rows, "traceId")
        first = min(rows, key=lambda one: (bool(one.get("parentObservationId")), label(one.get("startTime"))))
        told = {"id": trace, "timestamp": first.get("startTime"), "name": label(first.get("traceName"))}
        kept = {
            name: first[name]
            for name in ("sessionId", "userId", "release", "version", "tags", "environment")
            if first.get(name)
        }
        return {**told, **kept, "scores": scores, "observations": rows}

    def _scores_of(self, traces: Sequence[str]) -> Mapping[str, list[dict[str, Any]]]:
        asked = {"fields": "subject", "limit": SCORE_PAGE, "traceId": ",".join(traces)}
        found: dict[str, list[dict[str, Any]]] = {}
        for page in self._pages(SCORES, f"the scores of {len(traces)} traces from {traces[0]} on", asked):
            for score in page:
                found.setdefault(_scored(score), []).append(score)
        return {trace: sorted(scores, key=lambda score: label(score.get("id"))) for trace, scores in found.items()}

    def _pages(self, path: str, what: str, asked: Mapping[str, Any]) -> Iterator[list[dict[str, Any]]]:
        def pages() -> Iterator[tuple[list[Any], str]]:
            cursor, number = "", 0
            while number == 0 or cursor:
                number += 1
                more = {"cursor": cursor} if cursor else {}
                found = self._rest.get(path, f"page {number} of {what}", {**asked, **more})
                rows = self._rest.listed(found, "data", f"page {number} of {what}")
                cursor = label(mapping(found.get("meta")).get("cursor"), 2000)
                yield [*map(mapping, rows)], cursor

        return paged(pages())


def _conditions(given: str) -> list[Any]:
    """A filter: a JSON list of conditions, as the API takes it.

    Raises:
        BadInput: it is none.
    """
    try:
        found = loads(given) if given else []
    except (JSONDecodeError, RecursionError):
        found = None
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise BadInput("filter= of langfuse is a JSON list of conditions, as its observations API takes it")
    return found


def _one_id(trace: Any) -> Any:
    """The id of a trace; '' for one that would be two where scores are asked for, which takes them between commas."""
    return "" if "," in label(trace) else trace


def _stands(item: Mapping[str, Any]) -> str:
    return stand(item.get("id"), item.get("updatedAt"), item.get("endTime"))


def _when(operator: str, time: str) -> dict[str, str]:
    return {"type": "datetime", "column": "startTime", "operator": operator, "value": time}


def _scored(score: Mapping[str, Any]) -> str:
    """The trace that a score is of; '' for that of a session or an experiment."""
    subject = mapping(score.get("subject"))
    return label(subject.get("id") if subject.get("kind") == "trace" else subject.get("traceId"))
