"""Braintrust: spans of a project's logs as its API and its downloads give them, a row a span.

A trajectory is a trace, which `root_span_id` names. https://www.braintrust.dev/docs/reference/btql
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from trace2skill.traces.answered import Answered
from trace2skill.traces.base import Notes, Source
from trace2skill.traces.braintrust_questions import question_in
from trace2skill.traces.exported import first_rows, rows_of
from trace2skill.traces.model_io import messages_given, messages_said
from trace2skill.traces.scores import Score, agreed
from trace2skill.traces.session import Session
from trace2skill.traces.span_tree import TreeSpan, tell
from trace2skill.traces.spans import Call, SpanTool
from trace2skill.traces.values import (
    arguments,
    content,
    instant,
    label,
    mapping,
    moment,
    number,
    objects,
    text,
)
from trace2skill.types.trajectory import Trajectory, Usage

Row = dict[str, Any]
MICRO = 1_000_000
KEPT = ("tags", "metadata")


class Braintrust:
    """Reader of Braintrust's spans."""

    name = "braintrust"
    turn = 46
    fields = frozenset({"span_id", "data"})

    def claims(self, source: Source) -> bool:
        """Rows that name their span, the first span of their trace, and a transaction or their attributes."""
        return any(_is_span(row) for row in first_rows(source, "data"))

    def read(self, source: Source, notes: Notes) -> Iterator[Trajectory]:
        """One trajectory a trace with a model or a tool span; else its input and output, where its root has these."""
        traces: dict[str, dict[str, Row]] = defaultdict(dict)
        for line, row in rows_of(source, notes, "data"):
            if isinstance(row, dict) and _is_span(row):
                traces[label(row["root_span_id"])][label(row["span_id"])] = row
            else:
                notes.unknown(source, line, ", ".join(sorted(row)[:6]) if isinstance(row, dict) else row)
        for trace, found in sorted(traces.items()):
            rows = sorted(found.values(), key=lambda row: (_began(row), label(row.get("span_id"))))
            root = found.get(trace) or next((row for row in rows if not row.get("span_parents")), {})
            session = Session(self.name, trace, name=trace, agent=_name(root) or self.name)
            below = _children(found)
            scorers = _below({id for id, row in found.items() if _is_scorer(row)}, below)
            tell(session, [_span(row) for id, row in _with_ids(rows) if id not in scorers], notes)
            if not len(session) and root:
                tell(session, [TreeSpan(trace, "", _call(root))], notes)
            notes.hide(session.id, *(row["expected"] for row in rows if row.get("expected") is not None))
            others = [row for id, row in _with_ids(rows) if id not in scorers and row is not root]
            calls = [row for row in others if _kind(row) == "llm"]
            if (asked := question_in(root, calls, worked=len(calls) < len(others))) is not None:
                notes.answered(session.id, partial(_itself, asked))
            session.extra = {key: root[key] for key in KEPT if root.get(key)}
            if len(session):
                yield session.finish(task_id=trace, outcome=agreed(_scores(root, found, below)))


def _itself(found: Answered) -> Answered:
    return found


def _with_ids(rows: list[Row]) -> Iterator[tuple[str, Row]]:
    """Rows with their ids."""
    return ((label(row.get("span_id")), row) for row in rows)


def _scores(root: Row, found: dict[str, Row], below: Mapping[str, list[str]]) -> list[Score]:
    """The scores of the root. One that a scorer gave that asks a model is a model's opinion."""
    above: dict[str, list[str]] = defaultdict(list)
    for id, under in below.items():
        for one in under:
            above[one].append(id)
    asks = _below({id for id, row in found.items() if _kind(row) == "llm"}, above)
    judges = {_name(row) for id, row in found.items() if id in asks and _is_scorer(row)}
    given = sorted(mapping(root.get("scores")).items())
    return [Score(name, value, "judge" if name in judges else "log") for name, value in given if value is not None]


def _children(found: dict[str, Row]) -> dict[str, list[str]]:
    """By span, those right below it."""
    children: dict[str, list[str]] = defaultdict(list)
    for id, row in found.items():
        for above in {*map(label, row.get("span_parents") or ())}:
            children[above].append(id)
    return children


def _below(ids: set[str], children: Mapping[str, list[str]]) -> set[str]:
    """Spans, and all that are below them."""
    under, waiting = set(ids), [*ids]
    while waiting:
        new = {*children.get(waiting.pop(), ())} - under
        under |= new
        waiting += new
    return under


def _span(row: Row) -> TreeSpan:
    above = [label(item) for item in row.get("span_parents") or ()]
    kind = _kind(row)
    call, tool = _call(row) if kind == "llm" else None, _tool(row) if kind == "tool" else None
    return TreeSpan(label(row.get("span_id")), above[0] if above else "", call, tool)


def _call(row: Row) -> Call:
    spent, given = mapping(row.get("metrics")), row.get("output")
    said = [mapping(item.get("message")) or item for item in objects(given)] if isinstance(given, list) else given
    return Call(
        inputs=messages_given(row.get("input")),
        outputs=messages_said(said),
        timestamp=_when(row),
        model=label(mapping(row.get("metadata")).get("model")),
        usage=Usage(
            prompt=number(spent.get("prompt_tokens")),
            completion=number(spent.get("completion_tokens")),
            cached=number(spent.get("prompt_cached_tokens")),
        ),
        error=_error(row),
    )


def _tool(row: Row) -> SpanTool:
    shown = row.get("output")
    said = content(shown) if isinstance(shown, (str, list)) else None if shown is None else text(shown)
    id = label(mapping(row.get("metadata")).get("tool_call_id"))
    return SpanTool(id, _name(row), arguments(row.get("input")), said, _error(row))


def _error(row: Row) -> str:
    given = row.get("error")
    return "" if given is None else (text(given) or "error")[:2000]


def _kind(row: Row) -> str:
    return label(mapping(row.get("span_attributes")).get("type"))


def _name(row: Row) -> str:
    return label(mapping(row.get("span_attributes")).get("name"))


def _is_scorer(row: Row) -> bool:
    return _kind(row) == "score" or mapping(row.get("span_attributes")).get("purpose") == "scorer"


def _when(row: Row) -> str:
    """When it began: seconds since 1970 in its metrics, else when the row was made."""
    start = mapping(row.get("metrics")).get("start")
    if isinstance(start, (int, float)) and not isinstance(start, bool) and 0 < start < MICRO**2:
        return moment(round(start * MICRO), MICRO)
    return moment(row.get("created"))


def _began(row: Row) -> float:
    return instant(_when(row))


def _is_span(row: Row) -> bool:
    named = isinstance(row.get("span_id"), str) and isinstance(row.get("root_span_id"), str)
    return named and ("_xact_id" in row or isinstance(row.get("span_attributes"), dict))
