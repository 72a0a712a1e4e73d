"""Reading single values out of records that may hold anything: texts, numbers, times, arguments, the rest."""

import datetime
import json
from collections.abc import Iterable, Mapping
from typing import Any

from trace2skill.core.foreign_json import parse

MOST_TOKENS = 10**12


def text(value: Any) -> str:
    """A string as it is, nothing as '', anything else as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)


def content(value: Any) -> str:
    """A message's content as text: a string, or parts of which the texts are joined and the others named."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "\n".join(part for part in map(_part, value) if part)
    return _part(value) if isinstance(value, dict) else text(value)


def label(value: Any, longest: int = 200) -> str:
    """A short name: an id, a model, a tool; '' for what is none."""
    if isinstance(value, (str, int)) and not isinstance(value, bool):
        return str(value)[:longest]
    return ""


def mapping(value: Any) -> dict[str, Any]:
    """The object itself, or an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; empty for anything else."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def number(value: Any) -> int:
    """A count of tokens; 0 for what is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= MOST_TOKENS:
        return 0
    return int(value)


def money(value: Any) -> float:
    """US dollars; 0 for what is none."""
    usable = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= MOST_TOKENS
    return float(value) if usable else 0.0


def arguments(value: Any) -> dict[str, Any]:
    """A call's arguments: an object, or one written as JSON. What is neither stands under `_raw`."""
    if isinstance(value, str) and value:
        try:
            parsed = parse(value.encode("utf-8", "replace"))
        except ValueError:
            parsed = None
        if isinstance(parsed, dict):
            return parsed
    elif isinstance(value, dict):
        return value
    elif value is None or value == "":
        return {}
    return {"_raw": value}


def rest(record: Mapping[str, Any], known: Iterable[str]) -> dict[str, Any]:
    """The fields that a reader does not use, without empty ones."""
    return {
        key: value
        for key, value in record.items()
        if key not in known and value is not None and value != "" and value != []
    }


def moment(value: Any, per_second: int = 1000) -> str:
    """A time as ISO 8601: a text stays as it is, a number counts `per_second` since 1970."""
    if isinstance(value, str) and value.isdigit():
        value = int(value)
    if isinstance(value, str):
        return value[:64]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value <= 0:
        return ""
    try:
        return datetime.datetime.fromtimestamp(value / per_second, datetime.UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return ""


def _part(part: Any) -> str:
    if not isinstance(part, dict):
        return text(part)
    for key in ("text", "content", "thinking", "refusal"):
        if isinstance(part.get(key), str):
            return str(part[key])
    if isinstance(part.get("content"), list):
        return content(part["content"])
    kind = label(part.get("type")) or "part"
    if "image" in kind or "file" in kind or "audio" in kind:
        source = part.get("source") or part.get(kind) or {}
        named = mapping(source).get("path") or mapping(source).get("url") or mapping(source).get("media_type") or ""
        return f"[{kind} {label(named)[:100]}]".replace(" ]", "]")
    return text(part)
