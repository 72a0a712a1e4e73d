"""Values, attributes and events of OTLP JSON: what OpenTelemetry writes, as plain Python.

https://opentelemetry.io/docs/specs/otlp/, https://github.com/open-telemetry/semantic-conventions/issues/980
"""

from collections.abc import Iterator
from typing import Any

from trace2skill.core.foreign_json import parse
from trace2skill.traces.values import label, mapping, objects, text

ROLES = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
    "gen_ai.choice": "assistant",
}
"""The events of the conventions 1.28 to 1.36, each a message."""
Message = dict[str, Any]


def attributes_of(given: Any) -> dict[str, Any]:
    """A list of keys and values as an object."""
    return {text(item.get("key")): value_of(item.get("value"), 0) for item in objects(given)}


def value_of(value: Any, depth: int) -> Any:
    """An OTLP value; an integer is a string there."""
    for kind, inner in mapping(value).items():
        if kind == "intValue":
            digits = text(inner)
            return int(digits) if digits.lstrip("-").isdigit() and len(digits) < 25 else digits
        if kind == "arrayValue" and depth < 50:
            return [value_of(item, depth + 1) for item in objects(mapping(inner).get("values"))]
        if kind == "kvlistValue" and depth < 50:
            pairs = objects(mapping(inner).get("values"))
            return {text(pair.get("key")): value_of(pair.get("value"), depth + 1) for pair in pairs}
        return inner
    return None


def logged_events(batch: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Events that were written as log records, each with the id of the span it names."""
    for resource in objects(batch.get("resourceLogs", batch.get("resource_logs"))):
        for scope in objects(resource.get("scopeLogs", resource.get("scope_logs"))):
            for record in objects(scope.get("logRecords", scope.get("log_records"))):
                named = attributes_of(record.get("attributes"))
                name = label(record.get("eventName")) or label(named.get("event.name"))
                if name in ROLES and label(record.get("spanId")):
                    body = value_of(record.get("body"), 0)
                    yield label(record["spanId"]), {"name": name, "attributes": record.get("attributes"), "body": body}


def event_messages(events: list[dict[str, Any]]) -> tuple[list[Message], list[Message]]:
    """What went in and what came out, from the events of a span that are messages, in chat form."""
    inputs, outputs = [], []
    for event in events:
        name = label(event.get("name"))
        if name not in ROLES:
            continue
        given = attributes_of(event.get("attributes"))
        told = mapping(_json(given.get("gen_ai.event.content"))) or mapping(event.get("body")) or given
        if name == "gen_ai.choice":
            outputs.append(_message({**told, **mapping(_json(told.get("message")))}, "assistant"))
        else:
            inputs.append(_message(told, ROLES[name]))
    return inputs, outputs


def _message(told: Message, role: str) -> Message:
    calls = _json(told.get("tool_calls"))
    said = told.get("content")
    made: Message = {
        "role": label(told.get("role")) or role,
        "content": said if isinstance(said, (str, list)) else text(said),
    }
    if calls := objects(calls):
        made["tool_calls"] = calls
    if role == "tool":
        made["tool_call_id"] = told.get("id") or told.get("tool_call_id")
    return made


def _json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return parse(value.encode("utf-8", "replace"))
    except ValueError:
        return None
