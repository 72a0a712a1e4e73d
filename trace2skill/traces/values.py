"""Reading single values out of records that may hold anything: texts, numbers, times, arguments, the rest."""

import datetime
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import Any

from trace2skill.core.foreign_json import LARGEST, NUL, SHOWN_NUL, parse_text, scrub

MOST_TOKENS = 10**12
SHORTEST_BYTES = 512
"""From so many characters on, a text that is nothing but base64 is taken for the bytes of a picture or another file."""
SHORT = 128
"""A text of so few characters holds no picture: most are such, and are not looked through."""
DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)?(?:;[\w=.+-]+)*;base64,[A-Za-z0-9+/_=-]{40,}")
ALL_BASE64 = re.compile(r"(?=.{0,199}[0-9+/])(?=.{0,199}[a-z])(?=.{0,199}[A-Z])[A-Za-z0-9+/_\r\n-]{200,}={0,2}\s*\Z")


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
        return _part(value[0]) if len(value) == 1 else "\n".join([part for part in map(_part, value) if part])
    return _part(value) if isinstance(value, dict) else text(value)


def lean(shown: str) -> str:
    """A text without NUL, and without the bytes of pictures and other files: each is named by its kind and size."""
    if NUL in shown:
        shown = shown.replace(NUL, SHOWN_NUL)
    if len(shown) < SHORT or not may_be_bytes(shown):
        return shown
    if ";base64," in shown:
        shown = DATA_URL.sub(lambda found: _bytes(found[0], found[1]), shown)
    if len(shown) >= SHORTEST_BYTES and ALL_BASE64.match(shown):
        return _bytes(shown)
    return shown


def kept(value: Any) -> Any:
    """What is kept of a value that no reader looks into: what a store takes, without the bytes of pictures."""
    if type(value) is dict:  # most are so, with words and small numbers: a short way for them
        for item in value.values():
            kind = type(item)
            if kind is str:
                if NUL in item or (len(item) >= SHORT and may_be_bytes(item)):
                    break
            elif kind is int or kind is float:
                if not -MOST_TOKENS < item < MOST_TOKENS:  # nor is NaN
                    break
            elif item is not None and kind is not bool:
                break
        else:
            return value
    waiting = [value]
    for item in waiting:
        if type(item) is str:
            if NUL in item or (len(item) >= SHORT and may_be_bytes(item) and lean(item) is not item):
                return scrub(_lean(value))
        elif type(item) is dict:
            waiting += item.values()
        elif type(item) is list:
            waiting += item
        elif (isinstance(item, float) and not math.isfinite(item)) or (isinstance(item, int) and abs(item) > LARGEST):
            return scrub(_lean(value))
    return value


def identity(*parts: Any) -> str:
    """A short name of what happened, from the ids by which a log names it; '' where one of them is missing."""
    if not all(parts):
        return ""
    return identity_of("\x1f".join(map(str, parts)))


def identity_of(told: str) -> str:
    """A short name for a text that tells what happened."""
    return blake2b(told.encode("utf-8", "replace"), digest_size=8).hexdigest()


def instant(value: Any) -> float:
    """A time as seconds since 1970, whatever offset it is written with; one without an offset counts as UTC.

    Infinite where it is no time, so that what has none comes last.
    """
    told = moment(value)
    try:
        found = datetime.datetime.fromisoformat(told.replace("Z", "+00:00")) if told else None
    except ValueError:
        found = None
    if found is None:
        return float("inf")
    return (found if found.tzinfo else found.replace(tzinfo=datetime.UTC)).timestamp()


def label(value: Any, longest: int = 200) -> str:
    """A short name: an id, a model, a tool; '' for what is none."""
    if type(value) is str and len(value) <= longest and NUL not in value:
        return value
    if isinstance(value, (str, int)) and not isinstance(value, bool):
        told = str(value)[:longest]
        return told.replace(NUL, SHOWN_NUL) if NUL in told else told
    return ""


def mapping(value: Any) -> dict[str, Any]:
    """The object itself, or an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; empty for anything else."""
    if not value or not isinstance(value, list):
        return []
    return [item for item in value if isinstance(item, dict)]


def number(value: Any) -> int:
    """A count of tokens; 0 for what is none."""
    if value is None:  # most are this or a plain number: a short way for them
        return 0
    if type(value) is not int and (isinstance(value, bool) or not isinstance(value, (int, float))):
        return 0
    return int(value) if 0 <= value <= MOST_TOKENS else 0


def money(value: Any) -> float:
    """US dollars; 0 for what is none."""
    usable = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= MOST_TOKENS
    return float(value) if usable else 0.0


def arguments(value: Any) -> dict[str, Any]:
    """A call's arguments: an object, or one written as JSON. What is neither stands under `_raw`."""
    if isinstance(value, str) and value:
        if value[0] == "{" or value.lstrip()[:1] == "{":  # to try what a tool printed costs more
            try:
                parsed = parse_text(value)
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
        return lean(text(part))
    if part.get("type") == "text" and isinstance(part.get("text"), str):
        return str(part["text"])
    kind = label(part.get("type")) or "part"
    data = part.get("inlineData") or part.get("inline_data")
    if isinstance(data, dict):
        return _named("picture" if text(data.get("mimeType")).startswith("image") else "file", data)
    if kind == "blob" or (isinstance(part.get("data"), str) and ("mimeType" in part or "mime_type" in part)):
        return _named(label(part.get("modality")) or kind, part)
    for key in ("text", "content", "thinking", "refusal"):
        if isinstance(part.get(key), str):
            return str(part[key])
    if isinstance(part.get("content"), list):
        return content(part["content"])
    if "image" in kind or "file" in kind or "audio" in kind or kind == "document":
        return _named(kind, part.get("source") or part.get(kind) or part)
    return lean(text(_lean(part)))


def _named(kind: str, source: Any) -> str:
    """A picture or another file by what names it: its path, its address, its kind. Never by its bytes."""
    if isinstance(source, str):
        source = {"url": source}
    found = mapping(source)
    for key in ("path", "filename", "name", "url", "file_url", "image_url", "uri", "file_id", "fileUri", "media_type",
                "mimeType", "mime_type", "mime", "format"):  # fmt: skip
        value = found.get(key)
        if isinstance(value, str) and value:
            told = DATA_URL.sub(lambda url: url[1] or "data", value)
            return f"[{kind} {told[:100]}]"
    return f"[{kind}]"


def may_be_bytes(shown: str) -> bool:
    """May a text of `SHORT` characters and more hold the bytes of a file? One sign is rare, and quick to look for."""
    return (";" in shown and ";base64," in shown) or " " not in shown[:SHORT]


def _bytes(raw: str, kind: str | None = None) -> str:
    return f"[{kind or 'base64'}, {len(raw)} characters not kept]"


def _lean(value: Any) -> Any:
    if isinstance(value, str):
        return lean(value)
    if isinstance(value, dict):
        return {key: _lean(item) for key, item in value.items()}
    return [_lean(item) for item in value] if isinstance(value, list) else value


def walk(value: Any, path: list[str], *, keep: bool) -> Iterator[Any]:
    """The items at a path. Where the value need not be kept, each item is let go of once it was given."""
    if not path:
        yield value
    elif path[0] == "item":
        if isinstance(value, list):
            items = value[::-1]
            if not keep:
                value.clear()
            while items:
                yield from walk(items.pop(), path[1:], keep=keep)
    elif isinstance(value, dict) and path[0] in value:
        yield from walk(value[path[0]], path[1:], keep=keep)
