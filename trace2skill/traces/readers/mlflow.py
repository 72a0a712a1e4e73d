"""MLflow: traces as `Trace.to_json()` writes them, one a line, a list or a document, and a trace's `traces.json`.

A trajectory is a trace: its model and tool spans in their order. Attributes are JSON in strings; spans of version 2 of
the schema, with a `context`, are read, too. https://mlflow.org/docs/latest/genai/tracing/
"""

from collections.abc import Iterator
from typing import Any

from trace2skill.traces.base import Notes, Source
from trace2skill.traces.exported import first_rows, opened, rows_of
from trace2skill.traces.model_io import messages_given, messages_said
from trace2skill.traces.scores import Score, agreed
from trace2skill.traces.session import Session
from trace2skill.traces.span_tree import TreeSpan, tell
from trace2skill.traces.spans import Call, SpanTool
from trace2skill.traces.values import arguments, content, label, mapping, moment, money, number, objects, text
from trace2skill.types.trajectory import Outcome, Trajectory, Usage

Row = dict[str, Any]
MODELS, TOOLS = {"LLM", "CHAT_MODEL"}, {"TOOL", "RETRIEVER"}
NANO = 1_000_000_000
LONGEST_TIME = 20
SOURCES = {"HUMAN": "log", "CODE": "log"}
"""Who measured it or was asked for it; anybody else is a model."""
SESSION = "mlflow.trace.session"


class MLflow:
    """Reader of MLflow's traces."""

    name = "mlflow"
    turn = 44
    fields = frozenset({"data", "spans"})

    def claims(self, source: Source) -> bool:
        """Traces with `info` and the spans under `data`, or spans with MLflow's attributes."""
        return any(_is_trace(first) for first in first_rows(source))

    def read(self, source: Source, notes: Notes) -> Iterator[Trajectory]:
        """One trajectory a trace with a model or a tool span; else its input and output, where its root has these."""
        for line, trace in rows_of(source, notes):
            if not isinstance(trace, dict) or not _is_trace(trace):
                notes.unknown(source, line, ", ".join(sorted(trace)[:6]) if isinstance(trace, dict) else trace)
                continue
            info, spans = mapping(trace.get("info")), _spans(trace)
            spans.sort(key=_time)
            first = mapping(spans[0].get("attributes")) if spans else {}
            name = label(info.get("trace_id")) or label(info.get("request_id"))
            name = name or label(opened(first.get("mlflow.traceRequestId"))) or f"{source.name}:{line}"
            root = next((span for span in spans if not _ids(span)[1]), {})
            talk = label(mapping(info.get("trace_metadata") or info.get("request_metadata")).get(SESSION))
            session = Session(self.name, name, name=talk or name, agent=label(root.get("name")) or self.name)
            session.copied_by_calls = True  # a later trace of a session begins with what was said before
            tell(session, [_span(span) for span in spans], notes)
            if not len(session) and root:
                tell(session, [TreeSpan(name, "", _call(root))], notes)
            assessed = objects(info.get("assessments"))
            notes.hide(session.id, *(item["expectation"] for item in assessed if "expectation" in item))
            session.extra = {key: info[key] for key in ("state", "tags") if info.get(key)}
            if len(session):
                yield session.finish(task_id=name, outcome=_outcome(assessed))


def _outcome(assessed: list[Row]) -> Outcome:
    """What people and code say of the trace, else what a model says."""
    found = [
        Score(label(item.get("assessment_name")), item["feedback"].get("value"), SOURCES.get(by, "judge"))
        for item in assessed
        if isinstance(item.get("feedback"), dict) and item.get("valid") is not False and not label(item.get("span_id"))
        for by in [label(mapping(item.get("source")).get("source_type"))]
    ]
    return agreed(found, "feedback")


def _span(span: Row) -> TreeSpan:
    kind = label(opened(mapping(span.get("attributes")).get("mlflow.spanType")))
    call, tool = _call(span) if kind in MODELS else None, _tool(span) if kind in TOOLS else None
    return TreeSpan(*_ids(span), call, tool)


def _call(span: Row) -> Call:
    told = {key: opened(value) for key, value in mapping(span.get("attributes")).items()}
    given, said = told.get("mlflow.spanInputs"), told.get("mlflow.spanOutputs")
    spent = mapping(told.get("mlflow.chat.tokenUsage"))
    cached = number(spent.get("cache_read_input_tokens"))
    model = told.get("mlflow.llm.model") or mapping(said).get("model") or mapping(given).get("model")
    return Call(
        inputs=messages_given(given),
        outputs=messages_said(said),
        timestamp=moment(_time(span), NANO),
        model=label(model),
        usage=Usage(
            prompt=number(spent.get("input_tokens")),
            completion=number(spent.get("output_tokens")),
            cached=cached,
            cost=money(mapping(told.get("mlflow.llm.cost")).get("total_cost")),
        ),
        error=_error(span),
    )


def _tool(span: Row) -> SpanTool:
    told = mapping(span.get("attributes"))
    given, result = opened(told.get("mlflow.spanInputs")), opened(told.get("mlflow.spanOutputs"))
    id = label(mapping(result).get("tool_call_id"))
    shown = mapping(result).get("content", result) if id else result
    said = content(shown) if isinstance(shown, (str, list)) else None if shown is None else text(shown)
    return SpanTool(id, label(span.get("name")), arguments(given), said, _error(span))


def _error(span: Row) -> str:
    status = mapping(span.get("status"))
    code = label(status.get("code")) or label(span.get("status_code"))
    if not code.endswith("ERROR"):
        return ""
    return (text(status.get("message")) or text(span.get("status_message")) or "error")[:2000]


def _ids(span: Row) -> tuple[str, str]:
    """A span's id and that of the one around it, '' for none."""
    context = mapping(span.get("context"))
    own = label(span.get("span_id")) or label(context.get("span_id"))
    return own, label(span.get("parent_span_id")) or label(span.get("parent_id"))


def _time(span: Row) -> int:
    """When it began, in nanoseconds since 1970; 0 where that is not said. Large numbers are written as text, too."""
    when = str(span.get("start_time_unix_nano", span.get("start_time")))
    return int(when) if when.isascii() and when.isdigit() and len(when) < LONGEST_TIME else 0


def _spans(trace: Row) -> list[Row]:
    data = opened(trace.get("data"))
    return objects(mapping(data).get("spans")) or objects(trace.get("spans"))


def _is_trace(row: Any) -> bool:
    if not isinstance(row, dict):
        return False
    spans = _spans(row)
    info = mapping(row.get("info"))
    if spans and ("trace_id" in info or "request_id" in info):
        return True
    return any("mlflow.traceRequestId" in mapping(span.get("attributes")) for span in spans[:3])
