"""A trace as a tree of spans: which of them are calls of a model and runs of a tool, each told once, in their order."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from trace2skill.traces.base import Notes
from trace2skill.traces.session import Session
from trace2skill.traces.spans import Call, SpanConversation, SpanTool


@dataclass
class TreeSpan:
    """One span: a call of a model, a run of a tool, or neither, such as a chain around them."""

    id: str
    parent: str
    call: Call | None = None
    tool: SpanTool | None = None


def tell(session: Session, spans: Sequence[TreeSpan], notes: Notes) -> None:
    """Tell a session what the spans say, in the order given."""
    conversation = SpanConversation(session)
    calls = _calls(spans, notes)
    for place, span in enumerate(spans):
        if span.call is not None:
            if call := calls.get(place):
                conversation.call(call)
        elif span.tool is not None:
            conversation.tool(span.tool)
        else:
            notes.counts["run"] += 1


def _calls(spans: Sequence[TreeSpan], notes: Notes) -> dict[int, Call]:
    """The calls of the model by place. A span around another for the same call is one call with it."""
    place_of = {span.id: place for place, span in enumerate(spans)}
    calls = {place: span.call for place, span in enumerate(spans) if span.call is not None}
    inner: dict[int, list[int]] = defaultdict(list)
    for place in calls:
        above = _around(spans, place, place_of)
        if above in calls:
            inner[above].append(place)
    for place in sorted(calls, key=lambda place: -_depth(spans, place, place_of)):  # from within outwards
        within = [item for item in inner.get(place, ()) if item in calls]
        if len(within) == 1 and place in calls:
            one, other = calls[place], calls.pop(within[0])
            calls[place] = one.with_what_is_missing(other) if one.outputs else other.with_what_is_missing(one)
            notes.counts["nested model span"] += 1
        elif within and place in calls:  # a wrapper around several calls
            calls.pop(place)
            notes.counts["nested model span"] += 1
    return calls


def _around(spans: Sequence[TreeSpan], place: int, place_of: dict[str, int]) -> int:
    """The place of the nearest call of a model or run of a tool around a span, -1 where there is none."""
    seen, at = {spans[place].id}, spans[place].parent
    while at and at in place_of and at not in seen:
        seen.add(at)
        above = spans[place_of[at]]
        if above.call is not None or above.tool is not None:
            return place_of[at]
        at = above.parent
    return -1


def _depth(spans: Sequence[TreeSpan], place: int, place_of: dict[str, int]) -> int:
    """How many spans are around a span."""
    seen, at = {spans[place].id}, spans[place].parent
    while at and at in place_of and at not in seen:
        seen.add(at)
        at = spans[place_of[at]].parent
    return len(seen)
