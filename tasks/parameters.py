"""What Prefect records of a flow's parameters: small values as they are, large ones as what they are and how large.

A server refuses a flow run whose parameters have more than half a megabyte. So nothing larger than references goes
into them: a list of items is recorded as their number, and any other value that is too large as its size. The flow
itself gets all of it.
"""

import json
from typing import Any, ParamSpec, TypeVar

from prefect import Flow
from pydantic import BaseModel

from trace2skill.core.digest import digest_of

P = ParamSpec("P")
R = TypeVar("R")
MOST_RECORDED = 100
"""Longer lists among the parameters of a flow are recorded as their length."""
MOST_BYTES = 48 * 1024
"""Of one parameter, as JSON. No flow has more than eight, and a server takes 512 KB."""
LARGE = "recorded_as_its_size"
_whole: dict[str, Any] = {}
"""Settings that were too large to record, by their digest: the hooks of a flow that ends badly ask for them."""


def guarded(flow: Flow[P, R]) -> Flow[P, R]:
    """The flow, whose parameters are recorded in short. Changes the flow given, and does so once."""
    record = flow.serialize_parameters
    if getattr(record, "in_short", False):
        return flow

    def in_short(parameters: dict[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for name, value in parameters.items():
            if _is_long(value):
                made[name] = f"{len(value)} items"
                continue
            made |= record({name: value})
            if (size := _bytes(value, made[name])) > MOST_BYTES:
                made[name] = _as_size(value, size)
        return made

    in_short.in_short = True  # type: ignore[attr-defined]
    flow.serialize_parameters = in_short  # type: ignore[method-assign]
    return flow


def whole(recorded: Any) -> Any:
    """The value that was recorded by its size, where this process did so; else what is recorded."""
    if isinstance(recorded, dict) and LARGE in recorded:
        return _whole.get(str(recorded.get("digest")), recorded)
    return recorded


def _is_long(value: Any) -> bool:
    return isinstance(value, (list, tuple, dict, set, frozenset)) and len(value) > MOST_RECORDED


def _bytes(value: Any, recorded: Any) -> int:
    if isinstance(value, BaseModel):
        return len(value.model_dump_json().encode("utf-8", "replace"))
    return len(json.dumps(recorded, default=str, ensure_ascii=False).encode("utf-8", "replace"))


def _as_size(value: Any, size: int) -> dict[str, Any]:
    digest = digest_of("parameter", value.model_dump(mode="json") if isinstance(value, BaseModel) else str(value))
    if isinstance(value, BaseModel):
        _whole[digest] = value
    return {LARGE: size, "of": type(value).__name__, "digest": digest}
