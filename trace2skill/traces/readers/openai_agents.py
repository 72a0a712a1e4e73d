"""Traces of OpenAI's Agents SDK: what `trace.export()` and `span.export()` give, as lines, a list, or batches (`data`).

A trajectory is a trace: its model calls and tool runs in the order in which they began. A span of the Responses API
names its response and holds none of its words: such a trace has its calls, their answers and its tokens.
https://github.com/openai/openai-agents-python, src/agents/tracing
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from trace2skill.traces.base import Notes, Source
from trace2skill.traces.chat import is_message, usage_of
from trace2skill.traces.session import Session
from trace2skill.traces.spans import Call, SpanConversation, SpanTool
from trace2skill.traces.values import arguments, instant, label, mapping, moment, objects, rest, text
from trace2skill.types.trajectory import Trajectory, Usage

SPAN, TRACE = "trace.span", "trace"
USED = {"object", "id", "workflow_name"}


class OpenAIAgents:
    """Reader of traces of OpenAI's Agents SDK."""

    name = "openai_agents"
    turn = 45
    fields = frozenset({"object", "data"})

    def claims(self, source: Source) -> bool:
        """Objects that call themselves a trace or its span, by themselves or in a batch."""
        firsts = source.first_values[:2] or [source.start]
        listed = [item for first in firsts for item in (first if isinstance(first, list) else [first])]
        every = [mapping(item) for first in listed[:4] for item in objects(mapping(first).get("data"))[:4] or [first]]
        return any(
            (item.get("object") == SPAN and isinstance(item.get("span_data"), dict))
            or (item.get("object") == TRACE and "workflow_name" in item)
            for item in every
        )

    def read(self, source: Source, notes: Notes) -> Iterator[Trajectory]:
        """One trajectory a trace that has a model call or a tool run."""
        traces: dict[str, dict[str, Any]] = {}
        spans: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for line, item in _items(source, notes):
            if isinstance(item, dict) and item.get("object") == SPAN:
                spans[label(item.get("trace_id")) or str(line)].append(item)
            elif isinstance(item, dict) and item.get("object") == TRACE:
                traces[label(item.get("id"))] = item
            else:
                notes.unknown(source, line, ", ".join(sorted(item)[:6]) if isinstance(item, dict) else item)
        for trace, found in sorted(spans.items()):
            about = traces.get(trace, {})
            session = Session(self.name, trace, name=trace, agent=label(about.get("workflow_name")) or "openai-agents")
            session.extra = rest(about, USED)
            spent = _told(session, sorted(found, key=lambda span: instant(span.get("started_at"))), notes)
            if len(session):
                yield session.finish(usage=spent)


def _items(source: Source, notes: Notes) -> Iterable[tuple[int, Any]]:
    if source.first_values and not isinstance(source.first_values[0], list):
        values: Iterable[tuple[int, Any]] = source.records(notes)
    elif isinstance(source.start, list):
        values = enumerate(source.items("item"), start=1)
    else:
        values = [(1, source.document())]
    for line, value in values:
        for item in objects(mapping(value).get("data")) or [value]:
            yield line, item


def _told(session: Session, spans: list[dict[str, Any]], notes: Notes) -> Usage | None:
    """The spans as steps. Returns the tokens of the responses whose words are not there, None where there are none."""
    conversation, unsaid = SpanConversation(session), list[Usage]()
    for span in spans:
        data = mapping(span.get("span_data"))
        kind = data.get("type")
        if kind == "generation":
            conversation.call(_call(span, data))
        elif kind == "function":
            output, error = data.get("output"), _error(span)
            given = arguments(data.get("input"))
            conversation.tool(SpanTool("", label(data.get("name")), given, text(output), error))
        elif kind == "response":
            notes.counts["response without its words"] += 1
            unsaid += [spent] if (spent := usage_of(data.get("usage"))) else []
        else:
            notes.counts["span"] += 1
    return sum(unsaid, session.used()) if unsaid else None


def _call(span: dict[str, Any], data: dict[str, Any]) -> Call:
    return Call(
        inputs=[item for item in objects(data.get("input")) if is_message(item)],
        outputs=[item for item in objects(data.get("output")) if is_message(item)],
        timestamp=moment(span.get("started_at")),
        model=label(data.get("model")),
        usage=usage_of(data.get("usage")),
        error=_error(span),
    )


def _error(span: dict[str, Any]) -> str:
    """What a span says of its failure: the message, and the error that goes with it."""
    error = mapping(span.get("error"))
    more = mapping(error.get("data")).get("error")
    return "\n".join(part for part in (text(error.get("message")), text(more)) if part)[:2000]
