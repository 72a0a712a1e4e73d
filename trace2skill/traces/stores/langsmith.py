"""LangSmith's traces: `POST /api/v2/runs/query`, by the day and for one trace. https://docs.langchain.com/langsmith/

The address is that of `LANGSMITH_ENDPOINT`; servers of one's own have what is asked from version 0.16 on.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from trace2skill.core.errors import BadInput
from trace2skill.traces.stores.address import TraceStoreAddress
from trace2skill.traces.stores.base import AskedStore, TraceRow, of_trace, paged, row, stand
from trace2skill.traces.stores.rest import KeyOfStore, Rest
from trace2skill.traces.values import instant, label, mapping, objects

KEY = KeyOfStore(
    hosts=("api.smith.langchain.com", "eu.api.smith.langchain.com", "apac.api.smith.langchain.com"),
    named_by=("LANGSMITH_ENDPOINT", "LANGCHAIN_ENDPOINT"),
    keys=("LANGSMITH_API_KEY",),
)
WORKSPACES = ("LANGSMITH_WORKSPACE_ID", "LANGSMITH_TENANT_ID")
RUNS, PROJECTS = "api/v2/runs/query", "api/v2/sessions"
PAGE, WHOLE_PAGE = 500, 100
LISTED = ("ID", "TRACE_ID", "START_TIME", "END_TIME", "STATUS", "IS_ROOT", "FEEDBACK_STATS")
READ = (
    *LISTED, "NAME", "RUN_TYPE", "INPUTS", "OUTPUTS", "PARENT_RUN_IDS", "PROJECT_ID", "DOTTED_ORDER", "ERROR", "TAGS",
    "EXTRA", "REFERENCE_EXAMPLE_ID", "PROMPT_TOKENS", "COMPLETION_TOKENS", "TOTAL_TOKENS", "PROMPT_COST",
    "COMPLETION_COST", "TOTAL_COST",
)  # fmt: skip
NOT_EXPORTED = ("project_id", "parent_run_ids", "is_root")
LONGEST_TRACE = timedelta(days=31)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class LangSmithStore(AskedStore):
    """See `TraceStore`. A project is one by its name or its id; a filter is one of the trace's root."""

    format = "langsmith"
    at_once = 50

    def __init__(self, address: TraceStoreAddress) -> None:
        keys = KEY.key_of(address)
        if not keys:
            raise BadInput(f"{address.name} needs {KEY.keys[0]} in the environment")
        workspace = next((os.environ[name] for name in WORKSPACES if os.environ.get(name)), "")
        headers = {"X-API-Key": keys[0], **({"X-Tenant-Id": workspace} if workspace else {})}
        wanted = "; a server of LangSmith has this from version 0.16 on"
        super().__init__(Rest(address, headers, remedy=KEY.keys[0], wanted=wanted))
        self._filter, self._project, self._id = address.filter, address.project, ""
        self._began: dict[str, float] = {}

    def rows(self, first: str, end: str) -> Iterator[list[TraceRow]]:
        """See `TraceStore`."""
        asked: dict[str, Any] = {"min_start_time": first, "max_start_time": end, "page_size": PAGE, "selects": LISTED}
        asked |= {"trace_filter": self._filter} if self._filter else {}
        for found in self._pages(first[:10], asked):
            for run in found:
                self._began[label(run.get("trace_id"))] = instant(run.get("start_time"))
            yield [row(run.get("trace_id"), run.get("start_time"), stand(run)) for run in found]

    def whole(self, traces: Sequence[str]) -> Iterator[tuple[str, Any]]:
        """See `TraceStore`."""
        return self._each(traces, self._one)

    def _one(self, trace: str) -> Any:
        first, end = self._when(trace)
        asked: dict[str, Any] = {"trace_id": trace, "min_start_time": first, "max_start_time": end}
        asked |= {"page_size": WHOLE_PAGE, "selects": READ}
        runs = [_as_exported(run) for page in self._pages(f"trace {trace}", asked) for run in page]
        of_trace(trace, runs, "trace_id")
        return {"runs": runs}

    def _when(self, trace: str) -> tuple[str, str]:
        """Between which times the runs of a trace began: a list shows one of them."""
        began = self._began.get(trace, float("inf"))
        if began == float("inf"):
            return "2020-01-01T00:00:00+00:00", "2100-01-01T00:00:00+00:00"
        when = datetime.fromtimestamp(began, UTC)
        return (when - LONGEST_TRACE).isoformat(), (when + LONGEST_TRACE).isoformat()

    def _pages(self, what: str, asked: Mapping[str, Any]) -> Iterator[list[dict[str, Any]]]:
        project = self._project_id()

        def pages() -> Iterator[tuple[list[Any], str]]:
            cursor, number = "", 0
            while number == 0 or cursor:
                number += 1
                body = {"project_ids": [project], **asked, **({"cursor": cursor} if cursor else {})}
                found = self._rest.post(RUNS, f"page {number} of {what}", body)
                rows = self._rest.listed(found, "items", f"page {number} of {what}")
                cursor = label(found.get("next_cursor"), 4000)
                yield [*map(mapping, rows)], cursor

        return paged(pages())

    def _project_id(self) -> str:
        if not self._id:
            asked = {"name": self._project, "page_size": 1}
            what = f"the project '{self._project}'"
            found = objects(self._rest.listed(self._rest.get(PROJECTS, what, asked), "items", what))
            self._id = next((label(item.get("id")) for item in found if item.get("name") == self._project), "")
            if not self._id and _UUID.fullmatch(self._project):
                self._id = self._project
            if not self._id:
                raise BadInput(f"{self._rest.address.name}: there is no project of that name: look at project=")
        return self._id


def _as_exported(run: Mapping[str, Any]) -> dict[str, Any]:
    """A run as exports, and the API before this one, have it."""
    made = {name: value for name, value in run.items() if value is not None and name not in NOT_EXPORTED}
    above = [item for item in run.get("parent_run_ids") or [] if isinstance(item, str)]
    if above:
        made["parent_run_id"] = above[-1]
    for name in ("run_type", "status"):
        if name in made:
            made[name] = label(made[name]).lower()
    return made
