"""Braintrust's traces: `POST /btql` over a project's logs, by the day and for one trace.

https://www.braintrust.dev/docs/reference/btql; the address is that of `BRAINTRUST_API_URL`.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from trace2skill.core.errors import BadInput
from trace2skill.traces.stores.address import TraceStoreAddress
from trace2skill.traces.stores.base import AskedStore, TraceRow, is_id, of_trace, paged, row, stand
from trace2skill.traces.stores.rest import KeyOfStore, NotPulled, Rest
from trace2skill.traces.values import label, mapping, objects

KEY = KeyOfStore(
    hosts=("api.braintrust.dev", "api-eu.braintrust.dev"),
    named_by=("BRAINTRUST_API_URL",),
    keys=("BRAINTRUST_API_KEY",),
)
PAGE, WHOLE_PAGE = 500, 100
Condition = dict[str, Any]


class BraintrustStore(AskedStore):
    """See `TraceStore`. A project is one by its name or its id; a filter is an expression over spans."""

    format = "braintrust"
    at_once = 50

    def __init__(self, address: TraceStoreAddress) -> None:
        keys = KEY.key_of(address)
        if not keys:
            raise BadInput(f"{address.name} needs {KEY.keys[0]} in the environment")
        super().__init__(Rest(address, {"Authorization": f"Bearer {keys[0]}"}, remedy=KEY.keys[0]))
        self._filter, self._project, self._id = address.filter, address.project, ""

    def rows(self, first: str, end: str) -> Iterator[list[TraceRow]]:
        """See `TraceStore`. A transaction's id changes with every change of a span, its scores among them."""
        when = [f"created >= '{first}'", f"created < '{end}'", *([f"({self._filter})"] if self._filter else [])]
        for found in self._pages("id, root_span_id, created, _xact_id", when, first[:10], PAGE):
            yield [
                row(span.get("root_span_id"), span.get("created"), stand(span.get("id"), span.get("_xact_id")))
                for span in found
            ]

    def whole(self, traces: Sequence[str]) -> Iterator[tuple[str, Any]]:
        """See `TraceStore`."""
        return self._each(traces, self._one)

    def _one(self, trace: str) -> Any:
        pages = self._pages("*", [f"root_span_id = '{trace}'"], f"trace {trace}", WHOLE_PAGE)
        rows = [span for page in pages for span in page]
        of_trace(trace, rows, "root_span_id")
        return {"data": sorted(rows, key=lambda span: (label(span.get("created")), label(span.get("id"))))}

    def _pages(self, select: str, when: Sequence[str], what: str, limit: int) -> Iterator[list[dict[str, Any]]]:
        logs = f"project_logs('{self._project_id()}')"
        query = f"select: {select} | from: {logs} | filter: {' and '.join(when)} | limit: {limit}"

        def pages() -> Iterator[tuple[list[Any], str]]:
            cursor, number = "", 0
            while number == 0 or cursor:
                number += 1
                asked = f"{query} | cursor: '{cursor}'" if cursor else query
                body = {"query": asked, "fmt": "json", "use_columnstore": False, "brainstore_realtime": True}
                found = self._rest.post("btql", f"page {number} of {what}", body)
                rows = self._rest.listed(found, "data", f"page {number} of {what}")
                given = found.get("cursor")
                cursor = label(given) if is_id(given) else ""
                if given and not cursor:
                    raise NotPulled(f"page {number} of {what} ends in no cursor that can be", again=True)
                yield [*map(mapping, rows)], cursor

        return paged(pages())

    def _project_id(self) -> str:
        if not self._id:
            asked = {"project_name": self._project}
            what = f"the project '{self._project}'"
            found = objects(self._rest.listed(self._rest.get("v1/project", what, asked), "objects", what))
            named = [item for item in found if item.get("name") == self._project]
            id = label(named[0].get("id")) if named else self._project
            if not is_id(id):
                raise BadInput(f"{self._rest.address.name}: there is no project of that name: look at project=")
            self._id = id
        return self._id
