"""OpenTelemetry spans in OTLP JSON: the GenAI conventions and OpenInference, a document or a batch a line.

A trajectory is what happened under one agent span of one trace, sub-agents apart with a link; spans without an agent
around them belong to the trace. Message contents are there only if the instrumentation was told to record them: on the
span, on events of the span (conventions 1.28 to 1.36), or in log records that name the span. Where a framework and a
provider both write a span for one call of a model, one inside the other, it is one call.
https://opentelemetry.io/docs/specs/semconv/gen-ai/, https://arize-ai.github.io/openinference/spec/
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from trace2skill.core.foreign_json import parse
from trace2skill.traces.base import Notes, Source
from trace2skill.traces.otlp_values import attributes_of, event_messages, logged_events
from trace2skill.traces.scores import Score, agreed
from trace2skill.traces.session import UNLABELLED, Session, trajectory_id
from trace2skill.traces.spans import Call, SpanConversation, SpanTool
from trace2skill.traces.values import arguments, content, label, mapping, moment, money, number, objects, text
from trace2skill.types.trajectory import Trajectory, Usage

Span = dict[str, Any]
LLM = {"chat", "text_completion", "generate_content", "LLM"}
TOOL = {"execute_tool", "TOOL", "RETRIEVER"}
AGENT = {"invoke_agent", "create_agent", "invoke_workflow", "AGENT"}
TOPS = {"resourceSpans", "resource_spans", "resourceLogs", "resource_logs"}
NANOSECONDS = 1_000_000_000


class Otlp:
    """Reader of OTLP JSON."""

    name = "otlp"
    turn = 30
    fields = frozenset({"resourceSpans", "resource_spans"})

    def claims(self, source: Source) -> bool:
        """`resourceSpans` at the top of a line or of the document."""
        return any(name in first for first in source.first_objects for name in ("resourceSpans", "resource_spans"))

    def read(self, source: Source, notes: Notes) -> Iterator[Trajectory]:
        """One trajectory an agent span; spans that name no kind of GenAI are counted under `span`."""
        if source.first_values:
            batches: Iterable[tuple[int, Any]] = source.records(notes)
        else:
            batches = [(0, {name: list(source.items(f"{name}.item")) for name in ("resourceSpans", "annotations")})]
        traces: dict[str, dict[str, Span]] = defaultdict(dict)
        logged: dict[str, list[dict[str, Any]]] = defaultdict(list)
        said: dict[str, list[Score]] = defaultdict(list)
        for line, batch in batches:
            found, events = list(_spans(batch)), list(logged_events(batch))
            if not found and not events and not batch.keys() & TOPS:
                notes.unknown(source, line, ", ".join(sorted(batch)[:6]))
            for span in found:
                traces[label(span.get("traceId"))][label(span.get("spanId"))] = span
            for span_id, event in events:
                logged[span_id].append(event)
            for one in objects(batch.get("annotations")):
                said[label(one.get("trace_id"))] += _scores(one)
        for spans in traces.values():
            for id, span in spans.items():
                if id in logged:
                    span["events"] = [*objects(span.get("events")), *logged[id]]
        for trace, spans in sorted(traces.items()):
            yield from _trajectories(trace, spans, said[trace], notes)


def _spans(batch: dict[str, Any]) -> Iterator[Span]:
    for resource in objects(batch.get("resourceSpans", batch.get("resource_spans"))):
        of = attributes_of(mapping(resource.get("resource")).get("attributes"))
        for scope in objects(resource.get("scopeSpans", resource.get("scope_spans"))):
            for span in objects(scope.get("spans")):
                given = {**attributes_of(span.get("attributes")), **_event_attributes(span)}
                yield {**span, "attributes": given, "service": label(of.get("service.name"))}


def _scores(annotation: dict[str, Any]) -> list[Score]:
    """What Phoenix has of a trace beside its spans: a score, else a label."""
    result = mapping(annotation.get("result"))
    value = result["label"] if result.get("score") is None and result.get("label") else result.get("score")
    by = "judge" if annotation.get("annotator_kind") == "LLM" else "log"
    return [] if value is None else [Score(label(annotation.get("name")), value, by)]


def _trajectories(trace: str, spans: dict[str, Span], said: list[Score], notes: Notes) -> Iterator[Trajectory]:
    groups: dict[str, list[Span]] = defaultdict(list)
    for span in spans.values():
        kind = _kind(span)
        if kind in LLM | TOOL:
            groups[_agent_over(span, spans)].append(span)
        else:
            notes.counts["span"] += 1
    for agent, members in sorted(groups.items(), key=lambda item: _start(item[1][0])):
        over = spans.get(agent, {})
        given = mapping(over.get("attributes"))
        name = label(given.get("gen_ai.conversation.id")) or label(given.get("session.id")) or trace
        session = Session(
            "otlp", trace, agent, name=name, agent=label(given.get("gen_ai.agent.name")) or members[0]["service"]
        )
        conversation = SpanConversation(session)
        for span, call in _in_order(members, spans, notes):
            (conversation.call(call) if call else conversation.tool(_tool(span)))
        session.extra = {"trace": trace, "span": agent, "attributes": {k: v for k, v in given.items() if _plain(k)}}
        parent = _agent_over({"parentSpanId": over.get("parentSpanId")}, spans) if over else ""
        within = trajectory_id("otlp", trace, parent) if parent and parent in groups else ""
        if len(session):  # what is said of a trace is not said of its sub-agents
            yield session.finish(parent=within, outcome=UNLABELLED if within else agreed(said))


def _in_order(members: list[Span], spans: dict[str, Span], notes: Notes) -> Iterator[tuple[Span, Call | None]]:
    """The spans in the order of time, each with its call of a model; spans of one call are one."""
    nested: dict[str, list[Span]] = defaultdict(list)
    for span in members:
        if _kind(span) in LLM and (outer := _over(span, spans, LLM, until=AGENT | TOOL)):
            nested[outer].append(span)
    calls = {label(span.get("spanId")): _call(span) for span in members if _kind(span) in LLM}
    left_out = set()
    for outer, inner in sorted(nested.items(), key=lambda item: -_start(spans[item[0]])):  # from within outwards
        within = [label(span.get("spanId")) for span in inner if label(span.get("spanId")) not in left_out]
        if outer not in calls or not within:
            continue
        if len(within) == 1:  # the same call, as a framework and as a provider saw it
            one, other = calls[outer], calls[within[0]]
            calls[outer] = one.with_what_is_missing(other) if _speaks(one) else other.with_what_is_missing(one)
            left_out.add(within[0])
        elif any(_speaks(calls[id]) for id in within):  # a wrapper around several calls
            left_out.add(outer)
        else:
            left_out |= set(within)
    if left_out:
        notes.counts["nested model span"] += len(left_out)
    for span in sorted(members, key=lambda span: (_start(span), label(span.get("spanId")))):
        if label(span.get("spanId")) not in left_out:
            yield span, calls.get(label(span.get("spanId")))


def _speaks(call: Call) -> bool:
    """Does the span hold what the model said, and not only that it was asked?"""
    return any(item.get("content") or item.get("tool_calls") for item in call.outputs)


def _over(span: Span, spans: dict[str, Span], kinds: set[str], until: set[str]) -> str:
    """Id of the nearest span of some kinds around a span, '' where there is none before one of the others."""
    seen = set()
    at = label(span.get("parentSpanId"))
    while at in spans and at not in seen:
        seen.add(at)
        if _kind(spans[at]) in kinds:
            return at
        if _kind(spans[at]) in until:
            return ""
        at = label(spans[at].get("parentSpanId"))
    return ""


def _agent_over(span: Span, spans: dict[str, Span]) -> str:
    """Id of the nearest agent span around a span, '' without one."""
    return _over(span, spans, AGENT, until=set())


def _kind(span: Span) -> str:
    given = span["attributes"]
    return label(given.get("openinference.span.kind")) or label(given.get("gen_ai.operation.name"))


def _start(span: Span) -> int:
    value = text(span.get("startTimeUnixNano"))
    return int(value) if value.isdigit() and len(value) < 25 else 0


def _call(span: Span) -> Call:
    given = span["attributes"]
    if "openinference.span.kind" in given:
        inputs, outputs = (_flattened(given, f"llm.{side}_messages.", "message.") for side in ("input", "output"))
        inputs = inputs or [{"role": "user", "content": given["input.value"]}] if "input.value" in given else inputs
        outputs = outputs or [{"role": "assistant", "content": given.get("output.value")}]
    elif "gen_ai.input.messages" in given or "gen_ai.output.messages" in given:
        system = _parts_message("system", _json(given.get("gen_ai.system_instructions")))
        inputs = system + [part for item in _listed(given, "gen_ai.input.messages") for part in _genai(item)]
        outputs = [part for item in _listed(given, "gen_ai.output.messages") for part in _genai(item)]
    else:  # events, and the flattened attributes of older instrumentations
        inputs, outputs = event_messages(objects(span.get("events")))
        if not inputs and not outputs:
            inputs, outputs = (_flattened(given, f"gen_ai.{side}.", "") for side in ("prompt", "completion"))
    return Call(
        inputs=inputs,
        outputs=outputs,
        timestamp=moment(_start(span), NANOSECONDS),
        model=_any(given, "gen_ai.response.model", "gen_ai.request.model", "llm.model_name"),
        usage=Usage(
            prompt=_count(given, "gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt"),
            completion=_count(
                given, "gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion"
            ),
            cached=_count(given, "gen_ai.usage.cache_read.input_tokens", "llm.token_count.prompt_details.cache_read"),
            cost=money(given.get("llm.cost.total")),
        ),
        error=_error(span),
    )


def _tool(span: Span) -> SpanTool:
    given = span["attributes"]
    asked = given.get("gen_ai.tool.call.arguments", given.get("tool.parameters", given.get("input.value")))
    return SpanTool(
        id=_any(given, "gen_ai.tool.call.id", "tool_call.id", "tool.id"),
        name=_any(given, "gen_ai.tool.name", "tool.name") or label(span.get("name")),
        arguments=arguments(asked),
        result=given.get("gen_ai.tool.call.result", given.get("output.value")),
        error=_error(span),
    )


def _error(span: Span) -> str:
    status = mapping(span.get("status"))
    if status.get("code") not in (2, "STATUS_CODE_ERROR"):
        return ""
    return text(status.get("message")) or _any(span["attributes"], "exception.message", "error.type") or "error"


def _genai(message: dict[str, Any]) -> list[dict[str, Any]]:
    """A message of the GenAI conventions in chat form; each tool response in it is a message of its own."""
    parts, role = objects(message.get("parts")), label(message.get("role")) or "assistant"
    made: list[dict[str, Any]] = []
    calls = [
        {"id": part.get("id"), "function": {"name": part.get("name"), "arguments": part.get("arguments")}}
        for part in parts
        if part.get("type") == "tool_call"
    ]
    said = [part for part in parts if part.get("type") not in ("tool_call", "tool_call_response", "reasoning")]
    thoughts = [content(part) for part in parts if part.get("type") == "reasoning"]
    if said or calls or thoughts:
        spoken = {"role": role if role != "tool" else "user", "content": "\n".join(content(part) for part in said)}
        made.append({**spoken, "tool_calls": calls, "reasoning": "\n".join(thoughts)})
    for part in parts:
        if part.get("type") == "tool_call_response":
            made.append(
                {"role": "tool", "tool_call_id": part.get("id"), "content": part.get("response", part.get("result"))}
            )
    return made


def _parts_message(role: str, parts: Any) -> list[dict[str, Any]]:
    said = "\n".join(content(part) for part in objects(parts))
    return [{"role": role, "content": said}] if said else []


def _flattened(given: dict[str, Any], prefix: str, inner: str) -> list[dict[str, Any]]:
    """Messages written as `PREFIX0.INNERrole`, `PREFIX0.INNERtool_calls.0...`."""
    found: dict[int, dict[str, Any]] = defaultdict(dict)
    for key, value in given.items():
        if key.startswith(prefix):
            place, _, name = key[len(prefix) :].partition(".")
            if place.isdigit() and len(place) < 7:
                found[int(place)][name.removeprefix(inner)] = value
    messages = []
    for _, fields in sorted(found.items()):
        calls: dict[int, dict[str, Any]] = defaultdict(dict)
        for name, value in fields.items():
            parts = name.split(".")
            if parts[0] == "tool_calls" and len(parts) > 2 and parts[1].isdigit():
                calls[int(parts[1][:6])][parts[-1]] = value
        texts = [fields[name] for name in sorted(fields) if name.startswith("contents.") and name.endswith(".text")]
        messages.append(
            {
                "role": fields.get("role") or "assistant",
                "content": fields.get("content") if fields.get("content") is not None else "\n".join(map(text, texts)),
                "tool_call_id": fields.get("tool_call_id"),
                "tool_calls": [
                    {"id": call.get("id"), "function": {"name": call.get("name"), "arguments": call.get("arguments")}}
                    for _, call in sorted(calls.items())
                ],
            }
        )
    return messages


def _event_attributes(span: Span) -> dict[str, Any]:
    """Exceptions, and messages that are recorded on an event instead of the span."""
    found: dict[str, Any] = {}
    for event in objects(span.get("events")):
        named = attributes_of(event.get("attributes"))
        found |= {key: value for key, value in named.items() if key.startswith(("exception.", "gen_ai."))}
    return found


def _listed(given: dict[str, Any], key: str) -> list[dict[str, Any]]:
    return objects(_json(given.get(key)))


def _json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return parse(value.encode("utf-8", "replace"))
    except ValueError:
        return [{"role": "assistant", "parts": [{"type": "text", "content": value}], "type": "text", "content": value}]


def _any(given: dict[str, Any], *keys: str) -> str:
    return next((label(given[key]) for key in keys if label(given.get(key))), "")


def _count(given: dict[str, Any], *keys: str) -> int:
    return next((number(given[key]) for key in keys if number(given.get(key))), 0)


def _plain(key: str) -> bool:
    return not key.startswith(("gen_ai.input", "gen_ai.output", "llm.", "input.", "output.", "gen_ai.system_instr"))
