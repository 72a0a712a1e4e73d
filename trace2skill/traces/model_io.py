"""What instrumentations write down as the inputs and outputs of a model's call, as chat messages.

Known are OpenAI's and Anthropic's requests and responses, LangChain's messages, as objects and written out (`lc`, `id`,
`kwargs`), its generations, and plain text.
"""

from typing import Any

from trace2skill.traces.chat import is_message
from trace2skill.traces.values import label, mapping, objects, text

Message = dict[str, Any]
ROLES = {"human": "user", "ai": "assistant", "AIMessageChunk": "assistant", "function": "tool", "chat": "user"}
CLASSES = {
    "HumanMessage": "user", "AIMessage": "assistant", "AIMessageChunk": "assistant", "SystemMessage": "system",
    "ToolMessage": "tool", "FunctionMessage": "tool",
}  # fmt: skip


def messages_given(inputs: Any) -> list[Message]:
    """The messages that a model was given."""
    found = mapping(inputs)
    given = found.get("messages", found.get("input")) if isinstance(inputs, dict) else inputs
    if isinstance(given, list) and given and isinstance(given[0], list):
        given = given[0]
    if given is None and isinstance(found.get("prompts"), list):
        given = [{"role": "user", "content": prompt} for prompt in found["prompts"]]
    if isinstance(given, str):
        given = [{"role": "user", "content": given}]
    made = [made for item in objects(given) if (made := _message(item))]
    return [{"role": "system", "content": found["system"]}, *made] if found.get("system") and made else made


def messages_said(outputs: Any) -> list[Message]:
    """The messages that a model gave: more than one where it was asked for several choices."""
    if isinstance(outputs, list):
        return [made for item in objects(outputs) if (made := _message(item))]
    if not isinstance(outputs, dict):
        return [made for made in [_spoken(outputs)] if made]
    generations = outputs.get("generations")
    if isinstance(generations, list):
        flat = [item for group in generations for item in (group if isinstance(group, list) else [group])]
        found = [_message(mapping(item.get("message"))) or _spoken(item.get("text")) for item in objects(flat)]
    elif isinstance(outputs.get("choices"), list):
        found = [_message(mapping(item.get("message"))) for item in objects(outputs["choices"])]
    elif isinstance(outputs.get("messages"), list):
        found = [_message(item) for item in objects(outputs["messages"])]
    elif "role" in outputs:
        found = [_message(outputs)]
    else:
        said = outputs.get("message", outputs.get("output", outputs.get("content")))
        found = [_message(said) if isinstance(said, dict) else _spoken(said)]
    return [item for item in found if item]


def _spoken(said: Any) -> Message | None:
    return None if said is None else {"role": "assistant", "content": text(said)}


def _message(item: Message) -> Message | None:
    names = item.get("id")
    if isinstance(names, list) and isinstance(item.get("kwargs"), dict):
        named = CLASSES.get(label(names[-1]), "") if names else ""
        return _message({"type": named, **item["kwargs"], "role": named})
    role = label(item.get("role")) or ROLES.get(label(item.get("type")), label(item.get("type")))
    role = ROLES.get(role, role)
    more = mapping(item.get("additional_kwargs"))
    made = {
        "role": role,
        "content": item.get("content"),
        "tool_calls": objects(item.get("tool_calls")) or objects(more.get("tool_calls")),
        "tool_call_id": item.get("tool_call_id"),
        "usage_metadata": item.get("usage_metadata"),
        "error": item.get("status") == "error",
    }
    return {key: value for key, value in made.items() if value} | {"role": role} if is_message({"role": role}) else None
