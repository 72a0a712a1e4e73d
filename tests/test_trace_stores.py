"""Exports of Langfuse and MLflow: their shapes by hand, after the clients' own types; MLflow's after what it writes."""

import json
from pathlib import Path
from typing import Any

import pytest

from trace2skill.traces import Notes, read_paths
from trace2skill.types.trajectory import Trajectory

ASKED = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "How many rows?"}]
WANTS = {"id": "c1", "type": "function", "function": {"name": "count", "arguments": '{"of": "rows"}'}}
CALLING = {"role": "assistant", "content": None, "tool_calls": [WANTS]}
HEARD = {"role": "tool", "tool_call_id": "c1", "content": "7 rows"}
SAID = {"role": "assistant", "content": "Seven."}


def read(path: Path) -> tuple[list[Trajectory], Any]:
    found: list[Trajectory] = []
    told = read_paths([path], lambda item, _: found.append(item))
    return found, told


def written(path: Path, *rows: Any) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return path


def told(item: Trajectory) -> list[tuple[str, str, list[str], list[str]]]:
    return [
        (
            step.source,
            step.message,
            [call.name for call in step.tool_calls],
            [seen.content for seen in step.observations],
        )
        for step in item.steps
    ]


WHOLE = [
    ("system", "Be brief.", [], []),
    ("user", "How many rows?", [], []),
    ("agent", "", ["count"], ["7 rows"]),
    ("agent", "Seven.", [], []),
]


def observed(id: str, second: int, kind: str, given: Any, gave: Any, parent: str | None = "root", **more: Any) -> dict:
    when = f"2026-01-01T10:00:{second:02d}.000Z"
    common = {"id": id, "traceId": "t1", "type": kind, "name": more.pop("name", kind.lower()), "startTime": when}
    return {**common, "parentObservationId": parent, "input": given, "output": gave, "level": "DEFAULT", **more}


def observations() -> list[dict]:
    usage = {"input": 8, "input_cached_tokens": 2, "output": 5, "total": 15}
    return [
        observed("g2", 3, "GENERATION", [*ASKED, CALLING, HEARD], SAID),
        observed("root", 0, "AGENT", {"question": "How many rows?"}, "Seven.", None, name="counter"),
        observed("g1", 1, "GENERATION", {"messages": ASKED}, CALLING, model="m", usageDetails=usage, costDetails={"total": 0.5}),
        observed("x", 2, "TOOL", {"of": "rows"}, "7 rows", name="count"),
        observed("j", 4, "EVALUATOR", {}, "1"),
    ]  # fmt: skip


def trace(*scores: dict, **more: Any) -> dict:
    told = {"id": "t1", "timestamp": "2026-01-01T10:00:00Z", "name": "counting", "sessionId": "s", "scores": [*scores]}
    return {**told, "observations": observations(), **more}


def with_underscores(row: dict) -> dict:
    named = {"traceId": "trace_id", "startTime": "start_time", "parentObservationId": "parent_observation_id",
             "usageDetails": "usage_details", "costDetails": "cost_details", "model": "provided_model_name"}  # fmt: skip
    made = {named.get(key, key): value for key, value in row.items()}
    return {**made, **{key: json.dumps(made[key]) for key in ("input", "output")}}


def test_langfuse_traces_pages_and_exports_say_the_same(tmp_path: Path) -> None:
    rows = observations()
    (tmp_path / "trace.json").write_text(json.dumps(trace(), indent=1))
    files = [
        tmp_path / "trace.json",
        written(tmp_path / "page.json", {"data": rows, "meta": {"page": 1}}),
        written(tmp_path / "list.json", [*rows, rows[0]]),
        written(tmp_path / "blob.jsonl", *map(with_underscores, rows)),
    ]
    for path in files:
        (item,), found = read(path)
        assert found.files[0].format == "langfuse"
        assert (told(item), item.task_id) == (WHOLE, "t1"), path.name
        assert (item.usage.prompt, item.usage.cached, item.usage.completion, item.usage.cost) == (10, 2, 5, 0.5)
        assert item.steps[2].model == "m"
        assert item.steps[2].timestamp == "2026-01-01T10:00:01.000Z"
    assert [read(path)[0][0].session for path in files] == ["s", "t1", "t1", "t1"], "of a talk of several traces"


@pytest.mark.parametrize(
    ("scores", "kind"),
    [
        ([{"name": "right", "value": 1, "dataType": "NUMERIC"}], "passed"),
        ([{"name": "right", "value": 0.0, "dataType": "BOOLEAN", "stringValue": "False"}], "failed"),
        ([{"name": "grade", "value": 1, "dataType": "CATEGORICAL", "stringValue": "fail"}], "failed"),
        ([{"name": "grade", "dataType": "CATEGORICAL", "stringValue": "a bit"}], "unknown"),
        ([{"name": "right", "value": 1}, {"name": "goal reached", "value": 0}], "unknown"),
        ([{"name": "right", "value": 1}, {"name": "toxicity", "value": 0}], "passed"),
        ([{"name": "toxicity", "value": 0}, {"name": "helpfulness", "value": 0.9}], "unknown"),
        ([{"name": "rating", "value": 1}], "unknown"),
        (
            [{"name": "right", "value": 1, "source": "ANNOTATION"}, {"name": "correct", "value": 0, "source": "EVAL"}],
            "passed",
        ),
        ([{"name": "not right", "value": 1}], "unknown"),
        ([{"name": "right", "value": 1, "observationId": "g1"}], "unknown"),
        ([{"name": "tokens", "value": 1200}], "unknown"),
        ([], "unknown"),
    ],
)
def test_scores_of_a_whole_trace_decide_where_they_agree(tmp_path: Path, scores: list[dict], kind: str) -> None:
    (item,), _ = read(written(tmp_path / "trace.json", trace(*scores)))
    assert item.outcome.kind == kind
    if kind == "unknown" and scores and not scores[0].get("observationId"):
        assert f"{scores[0]['name']} " in item.outcome.reason, "it names what it could not use"
        assert "--labels" in item.outcome.reason


def test_what_langfuse_only_names_is_said_and_its_errors_are_errors(tmp_path: Path) -> None:
    listed = {"id": "t2", "timestamp": "2026-01-01T10:00:00Z", "observations": ["g1"], "scores": ["s1"]}
    (item,), found = read(
        written(tmp_path / "a.json", {"data": [{**listed, "input": "How many?", "output": "Seven."}]})
    )
    assert told(item) == [("user", "How many?", [], []), ("agent", "Seven.", [], [])]
    assert "export it whole" in found.problems[0].message
    failed = observed("x", 2, "TOOL", {"of": "rows"}, None, name="count", level="ERROR", statusMessage="no such table")
    (item,), _ = read(written(tmp_path / "b.jsonl", failed))
    assert [(seen.content, seen.state) for step in item.steps for seen in step.observations] == [
        ("no such table", "failed")
    ]


def test_a_generation_around_another_for_the_same_call_is_one(tmp_path: Path) -> None:
    outer = observed("o", 1, "GENERATION", ASKED, SAID, usageDetails={"input": 8, "output": 5})
    inner = observed("i", 2, "GENERATION", ASKED, SAID, "o", model="m", usageDetails={"input": 8, "output": 5})
    (item,), found = read(written(tmp_path / "a.jsonl", outer, inner))
    assert (len(item.steps), item.usage.prompt, item.steps[-1].model) == (3, 8, "m")
    assert found.counts["nested model span"] == 1


def spanned(id: str, start: int, kind: str, given: Any, gave: Any, parent: str | None = "r", **more: Any) -> dict:
    attributes = {"mlflow.traceRequestId": "tr-1", "mlflow.spanType": kind, **more.pop("attributes", {})}
    attributes |= {"mlflow.spanInputs": given} if given is not None else {}
    attributes |= {"mlflow.spanOutputs": gave} if gave is not None else {}
    ids = {"trace_id": "AQ==", "span_id": id, "parent_span_id": parent, "name": more.pop("name", kind.lower())}
    times = {"start_time_unix_nano": 1796003925_000000000 + start, "end_time_unix_nano": 1796003926_000000000}
    status = {"code": "STATUS_CODE_OK", "message": ""}
    return {**ids, **times, "events": [], "status": status, **more, "attributes": {
        key: json.dumps(value) for key, value in attributes.items()
    }}  # fmt: skip


def mlflow_spans() -> list[dict]:
    usage = {"mlflow.chat.tokenUsage": {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}}
    return [
        spanned("r", 0, "AGENT", {"question": "How many rows?"}, "Seven.", None),
        spanned("b", 3, "CHAT_MODEL", {"messages": [*ASKED, CALLING, HEARD]}, {"choices": [{"message": SAID}]}),
        spanned("t", 2, "TOOL", {"of": "rows"}, "7 rows", name="count"),
        spanned("a", 1, "CHAT_MODEL", {"messages": ASKED, "model": "m"}, {"choices": [{"message": CALLING}]}, attributes=usage),
    ]  # fmt: skip


def mlflow_trace(*assessed: dict, spans: list[dict] | None = None) -> dict:
    info = {"trace_id": "tr-1", "request_time": "2026-11-30T01:58:45.709Z", "state": "OK", "assessments": [*assessed]}
    return {"info": info, "data": {"spans": mlflow_spans() if spans is None else spans}}


def feedback(name: str, value: Any, by: str = "HUMAN", **more: Any) -> dict:
    return {
        "assessment_name": name,
        "source": {"source_type": by, "source_id": "x"},
        "feedback": {"value": value},
        **more,
    }


def test_mlflow_traces_lists_and_files_of_spans_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "trace.json").write_text(json.dumps(mlflow_trace(), indent=2))
    files = [
        tmp_path / "trace.json",
        written(tmp_path / "lines.jsonl", mlflow_trace()),
        written(tmp_path / "list.json", [mlflow_trace()]),
        written(tmp_path / "traces.json", {"spans": mlflow_spans()}),
    ]
    for path in files:
        (item,), found = read(path)
        assert found.files[0].format == "mlflow"
        assert (told(item), item.session, item.agent) == (WHOLE, "tr-1", "agent"), path.name
        assert (item.usage.prompt, item.usage.completion, item.steps[2].model) == (10, 5, "m")
        assert item.steps[2].timestamp.startswith("2026-11-30T")


def test_mlflow_people_outweigh_code_and_code_a_model_and_the_expected_answer_is_hidden(tmp_path: Path) -> None:
    expected = {"assessment_name": "expected", "source": {"source_type": "HUMAN"}, "expectation": {"value": "Seven"}}
    rows = [
        (feedback("right", True), feedback("correctness", "no", "LLM_JUDGE"), expected),
        (feedback("correctness", "no", "LLM_JUDGE"), feedback("tests", 1.0, "CODE")),
        (feedback("correctness", "no", "LLM_JUDGE"),),
        (feedback("right", True), feedback("resolved", False)),
        (feedback("right", False, valid=False), feedback("right", True)),
        (feedback("right", False, span_id="a"),),
        (expected,),
        (feedback("rating", 1),),
        (feedback("comment", "I would have liked a table."), feedback("tests", True, "CODE")),
    ]
    found = [
        read(written(tmp_path / f"{place}.json", mlflow_trace(*row)))[0][0].outcome for place, row in enumerate(rows)
    ]
    assert [(item.kind, item.source) for item in found] == [
        ("passed", "log"), ("passed", "log"), ("failed", "judge"), ("unknown", "none"), ("passed", "log"),
        ("unknown", "none"), ("unknown", "none"), ("unknown", "none"), ("passed", "log"),
    ]  # fmt: skip
    notes, item = Notes(), read(tmp_path / "0.json")[0][0]
    from trace2skill.traces import Source, read_source

    list(read_source(Source(tmp_path / "0.json"), notes))
    assert notes.gold_of(item.id), "what was expected is known, and must not be learned"
    assert "expect" not in json.dumps(item.extra)


def test_a_trace_that_broke_off_says_so_and_spans_of_version_2_are_read(tmp_path: Path) -> None:
    status = {"code": "STATUS_CODE_ERROR", "message": "ValueError: no such file"}
    broken = [
        spanned("r", 0, "AGENT", None, None, None),
        spanned("t", 1, "TOOL", None, None, name="open", status=status),
    ]
    (item,), _ = read(written(tmp_path / "a.json", mlflow_trace(spans=broken)))
    (seen,) = item.steps[0].observations
    assert (seen.content, seen.state, item.outcome.kind) == ("ValueError: no such file", "failed", "unknown")
    older = [
        {"name": span["name"], "context": {"span_id": span["span_id"], "trace_id": "x"}, "parent_id": span["parent_span_id"],
         "start_time": span["start_time_unix_nano"], "end_time": 1, "status_code": "OK", "status_message": "",
         "attributes": span["attributes"], "events": []}
        for span in mlflow_spans()
    ]  # fmt: skip
    row = {"info": {"request_id": "tr-1", "timestamp_ms": 1, "status": "OK"}, "data": {"spans": older}}
    (item,), _ = read(written(tmp_path / "b.json", row))
    assert told(item) == WHOLE


def test_a_later_trace_of_a_talk_says_what_is_new_alone(tmp_path: Path) -> None:
    """It begins with the whole history: that is no new evidence."""
    first = trace()
    more = [*ASKED, CALLING, HEARD, SAID, {"role": "user", "content": "And the columns?"}]
    gave = {"role": "assistant", "content": "Three."}
    second = {**trace(), "id": "t2", "timestamp": "2026-01-01T11:00:00Z", "observations": [
        {**observed("h1", 1, "GENERATION", more, gave, None), "traceId": "t2"}
    ]}  # fmt: skip
    found, _ = read(written(tmp_path / "both.jsonl", first, second))
    said = [step.message for item in found for step in item.steps if step.source == "agent"]
    assert said == ["", "Seven.", "Three."]
    assert [(item.session, item.task_id) for item in found] == [("s", "t1"), ("s", "t2")]


@pytest.mark.parametrize("order", ["abc", "acb", "bac", "bca", "cab", "cba"])
def test_nested_calls_are_one_whatever_their_order_in_the_export(tmp_path: Path, order: str) -> None:
    usage = {"usageDetails": {"input": 8, "output": 5}}
    around = {"a": "z", "b": "a", "c": "b"}
    named = {name: str(order.index(name)) for name in around}  # the same time: by their ids
    rows = [
        observed(named[name], 1, "GENERATION", ASKED, SAID, named.get(above, "root"), **usage)
        for name, above in around.items()
    ]
    (item,), _ = read(written(tmp_path / "a.jsonl", *rows))
    assert (len(item.steps), item.usage.prompt) == (3, 8)


@pytest.mark.parametrize("printed", ["1.50", "007", "true", "[not json", ""])
def test_what_a_tool_printed_stays_as_it_was_printed(tmp_path: Path, printed: str) -> None:
    (item,), _ = read(written(tmp_path / "a.jsonl", observed("x", 2, "TOOL", {"of": "rows"}, printed, name="count")))
    assert [seen.content for step in item.steps for seen in step.observations] == [printed]


def bt_row(id: str, kind: str, second: int, above: str | None = "r", **more: Any) -> dict[str, Any]:
    named = {"name": more.pop("name", kind), "type": kind}
    ids = {"id": f"row-{id}", "span_id": id, "root_span_id": "r", "span_parents": [above] if above else None}
    return {**ids, "_xact_id": "1", "created": f"2026-01-01T10:00:{second:02d}.000Z", "span_attributes": named, **more}


def bt_rows(**root: Any) -> list[dict[str, Any]]:
    spent = {"prompt_tokens": 8, "completion_tokens": 5, "start": 1767261601.5}
    return [
        bt_row("b", "llm", 3, input=[*ASKED, CALLING, HEARD], output=[{"index": 0, "message": SAID}]),
        bt_row("r", "task", 0, None, input="How many rows?", output="Seven.", name="counter", **root),
        bt_row("a", "llm", 1, input=ASKED, output=[{"index": 0, "message": CALLING}], metrics=spent, metadata={"model": "m"}),
        bt_row("t", "tool", 2, input={"of": "rows"}, output="7 rows", name="count"),
        bt_row("s", "score", 4, output={"score": 1}, name="correct"),
        bt_row("j", "llm", 5, "s", input=[{"role": "user", "content": "Is it right?"}], output=[{"message": SAID}]),
    ]  # fmt: skip


def test_braintrust_rows_lists_and_answers_say_the_same_and_scorers_are_no_part_of_it(tmp_path: Path) -> None:
    rows = bt_rows(expected="Seven", scores={"correct": 1, "resolved": None})
    (tmp_path / "list.json").write_text(json.dumps(rows, indent=1))
    files = [
        written(tmp_path / "rows.jsonl", *rows),
        tmp_path / "list.json",
        written(tmp_path / "answer.json", {"data": rows}),
    ]
    for path in files:
        (item,), found = read(path)
        assert found.files[0].format == "braintrust"
        assert (told(item), item.task_id, item.agent) == (WHOLE, "r", "counter"), path.name
        assert (item.usage.prompt, item.usage.completion, item.steps[2].model) == (8, 5, "m")
        assert item.steps[2].timestamp == "2026-01-01T10:00:01.500000+00:00"
        assert (item.outcome.kind, item.outcome.source) == ("passed", "judge"), "its scorer has asked a model"
    (item,), _ = read(written(tmp_path / "by-code.jsonl", *bt_rows(scores={"resolved": 0, "toxicity": 1})))
    assert (item.outcome.kind, item.outcome.source) == ("failed", "log")


@pytest.mark.parametrize(("by", "source"), [("HUMAN", "log"), ("CODE", "log"), ("LLM", "judge")])
def test_what_phoenix_says_of_a_trace_is_its_outcome_and_not_that_of_its_sub_agents(
    tmp_path: Path, by: str, source: str
) -> None:
    def span(id: str, parent: str, kind: str, **more: str) -> dict[str, Any]:
        given = {"openinference.span.kind": kind, **{key.replace("_", "."): value for key, value in more.items()}}
        pairs = [{"key": key, "value": {"stringValue": value}} for key, value in given.items()]
        return {
            "traceId": "t",
            "spanId": id,
            "parentSpanId": parent,
            "name": id,
            "startTimeUnixNano": "1",
            "attributes": pairs,
        }

    spans = [
        span("r", "", "AGENT"), span("a", "r", "LLM", input_value="How many?", output_value="Seven."),
        span("u", "r", "AGENT"), span("b", "u", "LLM", input_value="Count.", output_value="7"),
    ]  # fmt: skip
    said = {"name": "correctness", "annotator_kind": by, "result": {"label": "wrong", "score": 0.0}, "trace_id": "t"}
    document = {"resourceSpans": [{"scopeSpans": [{"spans": spans}]}], "annotations": [said]}
    for indent in (None, 1):
        (tmp_path / "a.json").write_text(json.dumps(document, indent=indent))
        found, _ = read(tmp_path / "a.json")
        ends = {bool(item.parent): (item.outcome.kind, item.outcome.source) for item in found}
        assert ends == {False: ("failed", source), True: ("unknown", "none")}
