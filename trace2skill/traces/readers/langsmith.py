"""LangSmith run exports: a run a line, a list of runs, or `{"runs": [...]}`; nested `child_runs` are taken along.

A trajectory is a trace: its model and tool runs in their order. https://docs.langchain.com/langsmith/run-data-format
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from trace2skill.traces.base import Notes, Source
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
    money,
    number,
    objects,
    rest,
    text,
)
from trace2skill.types.trajectory import Outcome, Trajectory, Usage

Run = dict[str, Any]
USED = {"id", "name", "inputs", "outputs", "run_type", "child_runs", "trace_id", "dotted_order", "start_time",
        "end_time", "error", "events", "serialized", "feedback_stats"}  # fmt: skip

GOLD = {"reference_outputs", "reference_example"}


class LangSmith:
    """Reader of LangSmith exports."""

    name = "langsmith"
    turn = 40
    fields = frozenset({"run_type", "runs"})

    def claims(self, source: Source) -> bool:
        """Runs: objects with `run_type` and `inputs`."""
        runs = first_rows(source, "runs")
        return any("run_type" in run and ("inputs" in run or "trace_id" in run) for run in runs)

    def read(self, source: Source, notes: Notes) -> Iterator[Trajectory]:
        """One trajectory a trace that has a model or a tool run."""
        traces: dict[str, list[Run]] = defaultdict(list)
        for line, run in rows_of(source, notes, "runs"):
            if isinstance(run, dict) and "run_type" in run:
                for nested in _unfold(run, 0):
                    traces[label(run.get("trace_id")) or label(run.get("id")) or str(line)].append(nested)
            else:
                notes.unknown(source, line, ", ".join(sorted(run)[:6]) if isinstance(run, dict) else run)
        for trace, runs in sorted(traces.items()):
            _sort(runs)
            session = Session(self.name, trace, name=trace, agent=label(runs[0].get("name")) or self.name)
            tell(session, [_span(run) for run in runs], notes)
            session.extra = rest(runs[0], USED | GOLD)
            notes.hide(session.id, *(runs[0].get(name) for name in sorted(GOLD)))
            if len(session):
                yield session.finish(outcome=_outcome(runs[0]))


def _sort(runs: list[Run]) -> None:
    """By the order that the runs name themselves where all do, else by the time they began, whatever its offset."""
    if all(run.get("dotted_order") for run in runs):
        runs.sort(key=lambda run: label(run["dotted_order"], 5000))
    else:
        runs.sort(key=lambda run: (instant(run.get("start_time")), label(run.get("dotted_order"), 5000)))


def _unfold(run: Run, depth: int) -> Iterator[Run]:
    yield run
    if depth < 100:
        for child in objects(run.get("child_runs")):
            yield from _unfold({"parent_run_id": run.get("id"), **child}, depth + 1)


def _span(run: Run) -> TreeSpan:
    kind = run.get("run_type")
    call, tool = _call(run) if kind == "llm" else None, _tool(run) if kind in ("tool", "retriever") else None
    return TreeSpan(label(run.get("id")), label(run.get("parent_run_id")), call, tool)


def _call(run: Run) -> Call:
    inputs, outputs = run.get("inputs"), mapping(run.get("outputs"))
    spent = mapping(outputs.get("usage_metadata")) or mapping(mapping(outputs.get("llm_output")).get("token_usage"))
    said = messages_said(run.get("outputs"))
    spent = spent or next((mapping(item.get("usage_metadata")) for item in said if item.get("usage_metadata")), {})
    meta = mapping(mapping(run.get("extra")).get("metadata"))
    return Call(
        inputs=messages_given(inputs),
        outputs=[{key: value for key, value in item.items() if key != "usage_metadata"} for item in said],
        timestamp=moment(run.get("start_time")),
        model=label(meta.get("ls_model_name")) or label(mapping(outputs.get("llm_output")).get("model_name")),
        usage=Usage(
            prompt=number(run.get("prompt_tokens")) or number(spent.get("input_tokens", spent.get("prompt_tokens"))),
            completion=number(run.get("completion_tokens"))
            or number(spent.get("output_tokens", spent.get("completion_tokens"))),
            cost=money(run.get("total_cost")),
        ),
        error=text(run.get("error"))[:2000],
    )


def _tool(run: Run) -> SpanTool:
    outputs = run.get("outputs")
    found = mapping(outputs)
    result = found.get("output", found.get("documents", outputs))
    id = label(mapping(result).get("tool_call_id")) or label(mapping(mapping(result).get("kwargs")).get("tool_call_id"))
    shown = mapping(result).get("kwargs", result)
    inputs = mapping(run.get("inputs"))
    given = inputs["input"] if set(inputs) == {"input"} else inputs
    return SpanTool(
        id=id,
        name=label(run.get("name")),
        arguments=arguments(given),
        result=content(shown) if isinstance(shown, (str, list)) else text(mapping(shown).get("content", shown)),
        error=text(run.get("error")),
    )


def _outcome(root: Run) -> Outcome:
    """Feedback on the trace, where all that has a score between 0 and 1 agrees."""
    stats = sorted(mapping(root.get("feedback_stats")).items())
    return agreed([Score(key, mapping(item).get("avg")) for key, item in stats], "feedback")
