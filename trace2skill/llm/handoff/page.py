"""A request as a reader sees it, whole or in parts.

What a request holds is hostile: text of logs, of tools, of models. Every line of ours bears the request's id, which is
a digest of all that it holds, so that no text in it can pass itself off as one; and what moves a cursor, hides or turns
text is printed as its number.
"""

import json
import math
import shlex
from dataclasses import dataclass
from typing import Any

from trace2skill.core.digest import digest_of
from trace2skill.llm.handoff.records import Body, Head, PrintedView
from trace2skill.safety.shown import shown

WHOLE = PrintedView()
RULE = "#####"
PART_CHARACTERS = 20_000
MOST_NAMED = 5
ESCAPED = "Control characters and invisible ones are printed as \\u{...}."


@dataclass(frozen=True)
class Sharing:
    """Who asked alike: for this answer, and for the one that it goes on from. Empty where nobody said so."""

    askers: tuple[str, ...] = ()
    before: tuple[str, ...] = ()


ALONE = Sharing()


def blocks(body: Body, view: PrintedView = WHOLE) -> dict[str, str]:
    """The parts of a request that come again and again, by name: the system prompt, the tools, the schema."""
    found: dict[str, str] = {}
    first = body.messages[0] if body.messages else {}
    if first.get("role") == "system" and view.new_from == 0:
        found["system"] = _content(first)
    if body.tools:
        found["tools"] = "\n".join(_tool(tool) for tool in body.tools)
    if body.answer_schema is not None:
        found["schema"] = json.dumps(body.answer_schema, indent=1, ensure_ascii=False)
    return found


def block_digest(reader: str, text: str) -> str:
    """Names a part that a reader was shown."""
    return digest_of("handoff block 1", reader, text)


def rendered(
    head: Head,
    body: Body,
    view: PrintedView = WHOLE,
    *,
    directory: str,
    reader: str = "",
    sharing: Sharing = ALONE,
) -> str:
    """The request as text, between two lines of ours; the first says how many characters stand between them.

    `directory` and `reader` stand in the commands that the text names; '' for a reader who goes by the usual name.
    `sharing` says whose this answer, and the one before it, is besides.
    """
    parts = blocks(body, view)
    lines: list[str] = []
    for index, message in enumerate(body.messages[view.new_from :], start=view.new_from):
        name = f"message {index + 1}, {message['role']}"
        if index == 0 and "system" in parts:
            name += ", the system prompt"
            lines += [f"{RULE} {head.id}: {name}", _unless_seen("system", parts["system"], view)]
        else:
            lines += [f"{RULE} {head.id}: {name}", shown(_content(message))]
    for part, title in (("tools", "tools you may call"), ("schema", "JSON schema that the answer must match")):
        if part in parts:
            lines += [f"{RULE} {head.id}: {title}", _unless_seen(part, parts[part], view)]
    lines.append(f"{RULE} {head.id}: how to answer")
    lines.append(shown(_how(head, body, directory, reader)))
    text = "\n".join(lines)
    return f"{_opening(head, view, len(text), sharing)}\n{text}\n{RULE} end of {head.id}"


def part_of(text: str, number: int, size: int) -> tuple[str, int]:
    """One part of a long text, of at most `size` characters, and how many parts there are. Joined they are the text.

    A part ends at the end of a line where one is near.
    """
    pieces: list[str] = []
    start = 0
    while start < len(text):
        end = min(len(text), start + size)
        if end < len(text):
            line = text.rfind("\n", start + math.ceil(size / 2), end)
            end = line + 1 if line > 0 else end
        pieces.append(text[start:end])
        start = end
    return (pieces[number - 1] if 0 < number <= len(pieces) else ""), len(pieces)


def _opening(head: Head, view: PrintedView, characters: int, sharing: Sharing) -> str:
    who = ", ".join(part for part in (head.role, head.step) if part)
    lines = [
        f"{RULE} request {head.id} ({shown(who)}), {characters:,} characters up to the line '{RULE} end of {head.id}'"
    ]
    if len(sharing.askers) > 1:
        lines.append(
            f"Asked alike, word for word, by {len(sharing.askers)}: {shown(_few(sharing.askers))}. Your answer serves "
            "each of them, and each goes on from it in a conversation of its own."
        )
    if head.shares:
        lines.append(
            f"It begins with the answer to {head.shares}, which several asked for alike; another conversation went on "
            "from it first. This one has files and outputs of tools of its own, and is printed whole."
        )
    elif head.parent and len(sharing.before) > 1:
        lines.append(f"The answer to {head.parent} served {len(sharing.before)}; this goes on for the one named above.")
    if view.new_from:
        lines.append(f"It goes on from your answer to {head.parent}. Only what is new follows.")
    elif head.parent:
        lines.append(f"It goes on from an answer to {head.parent}, and is printed whole.")
    return "\n".join(lines)


def _few(names: tuple[str, ...]) -> str:
    more = f"; and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return "; ".join(names[:MOST_NAMED]) + more


def _unless_seen(part: str, text: str, view: PrintedView) -> str:
    if part in view.seen:
        return f"(word for word as in request {view.seen[part]}, which you were shown)"
    return shown(text)


def _content(message: dict[str, Any]) -> str:
    content = message.get("content") or ""
    words = content if isinstance(content, str) else "\n".join(_words(part) for part in content)
    calls = [f"[calls {call['function']['name']}: {call['function']['arguments']}]" for call in _calls(message)]
    return "\n".join(part for part in (words, *calls) if part) or "(empty)"


def _words(part: dict[str, Any]) -> str:
    return f"[a picture: the file {part['file']}]" if part.get("type") == "picture" else str(part.get("text", part))


def _calls(message: dict[str, Any]) -> list[dict[str, Any]]:
    return list(message.get("tool_calls") or ())


def _tool(tool: dict[str, Any]) -> str:
    schema = json.dumps(tool.get("parameters", {}), ensure_ascii=False)
    return f"{tool['name']}: {tool.get('description', '')}\n  arguments: {schema}"


def _how(head: Head, body: Body, directory: str, reader: str) -> str:
    where = f"{shlex.quote(directory)} {head.id}"
    command = f"trace2skill handoff answer {where}" + (f" --as {shlex.quote(reader)}" if reader else "")
    forms = [f"{command} <<'END'    ({'JSON that matches the schema' if body.answer_schema else 'text'})"]
    for tool in body.tools:
        forms.append(f"{command} --tool {tool['name']} <<'END'    (its arguments as JSON)")
        if bare := bare_argument(tool):
            forms.append(f"{command} --tool {tool['name']} --raw <<'END'    (its {bare}, as it is)")
    room = f"At most about {body.max_tokens:,} tokens. " if body.max_tokens else ""
    return "\n".join([*forms, f"{room}The whole again: trace2skill handoff show {where}. {ESCAPED}"])


def bare_argument(tool: dict[str, Any]) -> str:
    """The one argument that bare text stands for: the only one required, if it is text; else ''."""
    schema = tool.get("parameters") or {}
    required = list(schema.get("required") or ())
    text = len(required) == 1 and schema.get("properties", {}).get(required[0], {}).get("type") == "string"
    return str(required[0]) if text else ""
