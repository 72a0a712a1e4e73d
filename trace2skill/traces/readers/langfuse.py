"""Langfuse: traces with their observations as its API gives them, pages of observations, and blob storage exports.

A trajectory is a trace: its generations and tool runs in their order. Field names are those of the API (`traceId`) or
of the exports (`trace_id`); inputs and outputs may be JSON in a string. https://langfuse.com/docs/api
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from trace2skill.traces.base import Notes, Source
from trace2skill.traces.exported import first_rows, opened, rows_of
from trace2skill.traces.model_io import messages_given, messages_said
from trace2skill.traces.scores import Score, agreed
from trace2skill.traces.session import Session
from trace2skill.traces.span_tree import TreeSpan, tell
from trace2skill.traces.spans import Call, SpanTool
from trace2skill.traces.values import arguments, content, instant, label, mapping, moment, money, number, objects, text
from trace2skill.types.trajectory import Trajectory, Usage

Row = dict[str, Any]
MODELS, TOOLS = {"GENERATION"}, {"TOOL", "RETRIEVER"}
TYPES = MODELS | TOOLS | {"SPAN", "EVENT", "AGENT", "CHAIN", "EVALUATOR", "EMBEDDING", "GUARDRAIL"}
KEPT = ("id", "name", "userId", "release", "version", "tags", "environment", "metadata")


class Langfuse:
    """Reader of what Langfuse's API and exports give."""

    name = "langfuse"
    turn = 42
    fields = frozenset({"observations", "traceId", "trace_id", "data"})

    def claims(self, source: Source) -> bool:
        """Traces with a list of observations, or observations that name their trace."""
        return any(_is_trace(row) or _is_observation(row) for row in first_rows(source, "data"))

    def read(self, source: Source, notes: Notes) -> Iterator[Trajectory]:
        """One trajectory a trace that has a generation or a tool run; else its input and output, where it has these."""
        traces: dict[str, Row] = {}
        below: dict[str, list[Row]] = defaultdict(list)
        for line, row in rows_of(source, notes, "data"):
            if isinstance(row, dict) and _is_trace(row):
                traces[label(row.get("id"))] = row
                below[label(row.get("id"))] += objects(row["observations"])
                if row["observations"] and not objects(row["observations"]):
                    notes.problem(source, line, "a trace only names its observations: export it whole")
            elif isinstance(row, dict) and _is_observation(row):
                below[label(_of(row, "traceId"))].append(row)
            else:
                notes.unknown(source, line, ", ".join(sorted(row)[:6]) if isinstance(row, dict) else row)
        for id in sorted({*traces, *below}):
            session = _session(self.name, id, traces.get(id, {}), below[id], notes)
            if len(session):
                yield session.finish(task_id=id, outcome=agreed(_scores(traces.get(id, {}))))


def _session(format: str, id: str, trace: Row, rows: list[Row], notes: Notes) -> Session:
    unique = {label(row.get("id")) or place: row for place, row in enumerate(rows)}  # a page may come twice
    ordered = sorted(unique.values(), key=lambda row: (instant(_of(row, "startTime")), label(row.get("id"))))
    root = next((row for row in ordered if not _of(row, "parentObservationId")), {})
    named = label(trace.get("name")) or label(root.get("name")) or format
    talk = label(_of(trace, "sessionId")) or label(_of(root, "sessionId"))
    session = Session(format, id, name=talk or id, agent=named)
    session.copied_by_calls = True  # a later trace of a session begins with what was said before
    tell(session, [_span(row) for row in ordered], notes)
    if not len(session) and (trace.get("input") or trace.get("output")):
        said = Call(messages_given(opened(trace.get("input"))), messages_said(opened(trace.get("output"))))
        tell(session, [TreeSpan(id, "", said)], notes)
    held = {key: _of(trace, key) for key in KEPT}
    session.extra = {key: value for key, value in held.items() if value}
    return session


def _span(row: Row) -> TreeSpan:
    kind = label(row.get("type"))
    call, tool = _call(row) if kind in MODELS else None, _tool(row) if kind in TOOLS else None
    return TreeSpan(label(row.get("id")), label(_of(row, "parentObservationId")), call, tool)


def _call(row: Row) -> Call:
    spent = mapping(_of(row, "usageDetails")) or mapping(row.get("usage"))
    counts = {name.lower(): number(value) for name, value in spent.items() if "cost" not in name.lower()}
    read = {name: count for name, count in counts.items() if "input" in name or "prompt" in name}
    costs = mapping(_of(row, "costDetails"))
    return Call(
        inputs=messages_given(opened(row.get("input"))),
        outputs=messages_said(opened(row.get("output"))),
        timestamp=moment(_of(row, "startTime")),
        model=label(row.get("model")) or label(_of(row, "providedModelName")),
        usage=Usage(
            prompt=sum(read.values()),  # what comes from a cache is counted beside the rest
            completion=sum(count for name, count in counts.items() if "output" in name or "completion" in name),
            cached=sum(count for name, count in read.items() if "cached" in name or "read" in name),
            cost=money(costs.get("total", _of(row, "calculatedTotalCost", "totalCost"))),
        ),
        error=_error(row),
    )


def _tool(row: Row) -> SpanTool:
    given, result = opened(row.get("input")), opened(row.get("output"))
    id = label(mapping(result).get("tool_call_id")) or label(mapping(mapping(row.get("metadata"))).get("tool_call_id"))
    shown = mapping(result).get("content", result) if id else result
    said = content(shown) if isinstance(shown, (str, list)) else None if shown is None else text(shown)
    return SpanTool(id, label(row.get("name")), arguments(given), said, _error(row))


def _error(row: Row) -> str:
    failed = label(row.get("level")) == "ERROR"
    return (text(_of(row, "statusMessage")) or "error")[:2000] if failed else ""


def _scores(trace: Row) -> list[Score]:
    """The scores of the whole trace; one of an observation says nothing of the rest. A category goes by its word."""
    found = []
    for item in objects(trace.get("scores")):
        subject = mapping(item.get("subject"))  # of the API's third version
        if _of(item, "observationId") or (subject and subject.get("kind") != "trace"):
            continue
        word, by_word = _of(item, "stringValue"), label(_of(item, "dataType")) == "CATEGORICAL"
        value = word if by_word or item.get("value") is None else item["value"]
        by = "judge" if label(item.get("source")) == "EVAL" else "log"  # a model's opinion
        found.append(Score(label(item.get("name")), value, by))
    return found


def _is_trace(row: Row) -> bool:
    return isinstance(row.get("observations"), list) and "id" in row and ("timestamp" in row or "scores" in row)


def _is_observation(row: Row) -> bool:
    named = _of(row, "traceId") is not None and _of(row, "startTime") is not None
    return named and isinstance(row.get("type"), str) and row["type"] in TYPES


def _of(row: Row, *names: str) -> Any:
    """A field by its name in the API, or by the one with underscores that exports have."""
    for name in names:
        for form in (name, "".join(f"_{sign.lower()}" if sign.isupper() else sign for sign in name)):
            if row.get(form) is not None:
                return row[form]
    return None
